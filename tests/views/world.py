"""The same things once mine, once a colleague's, once in the trash, and every address of them."""

import io
import secrets
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bson import ObjectId
from flask import Flask
from pymongo.database import Database
from werkzeug.routing import Rule

from models import ApiToken, Attachment, AuditEntry, Interaction, JobRun, Product, Staff
from rules.scope import BY_CUSTOMER, SYSTEM, Actor
from services import (
    assignments,
    attachments,
    configuration,
    configuration_changes,
    saved_views,
    trash,
)
from services.configuration_changes import Change
from services.customers import search_fields
from services.saved_views import Content
from services.scope import recompute_all_scope
from tests.factories import NOW, TODAY, make_customer, make_order, make_product, make_record
from tests.pictures import picture
from tests.views.browser import Browser
from tests.views.declared_addresses import (
    FOREIGN,
    KEEPER,
    LIMITED,
    MISSING,
    OWN,
    PUBLIC,
    SKIPPED,
    STRANGER,
    TRASHED,
    Expected,
    declared,
)

SEES_ALL = ("manager", "administrator")


@dataclass
class World:
    """Everything that is there, and the ids by what they are about and whose they are."""

    me: Actor
    ids: dict[str, dict[str, Any]]
    db: Database[dict[str, Any]]
    stored: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)

    def keep(self) -> None:
        """Remembers everything as it is now."""
        self.hashes = self._hashes()
        self.stored = {name: list(self.db[name].find()) for name in self.hashes}

    def put_back(self) -> None:
        """Undoes what was written since `keep`."""
        now = self._hashes()
        changed = {name for name in now | self.hashes if now.get(name) != self.hashes.get(name)}
        for name in changed:
            self.db[name].delete_many({})
            if self.stored.get(name):
                self.db[name].insert_many(self.stored[name])
        if changed & {"site", "configuration"}:
            configuration.forget()

    def _hashes(self) -> dict[str, str]:
        """{collection: hash of its documents}, in one command."""
        found: dict[str, str] = self.db.command("dbHash")["collections"]
        return found


def furnished(db: Database[dict[str, Any]], me: Actor, colleague: Actor, manager: Actor) -> World:
    """Everything there is an address of, under care by customer."""
    _shaped(manager)
    make_product("SP-CHUNG")
    everybody = ((OWN, me, "Khách Nhà"), (FOREIGN, colleague, "Lạ Hoắc"))
    ids: dict[str, dict[str, Any]] = {
        "customers": {},
        "orders": {},
        "entries": {},
        "records": {},
        "files": {},
    }
    for whose, actor, name in (*everybody, (TRASHED, colleague, "Đã Vứt")):
        for kind, made in _cared_for(whose, actor, name).items():
            ids[kind][whose] = made
    recompute_all_scope(at=NOW)
    for whose, sender, name in (*everybody, (TRASHED, colleague, "Đã Vứt")):
        file = f"{'x' if whose == OWN else name}.png"
        ids["files"][whose] = attached(ids["customers"][whose], sender, file, manager)
    gone = trash.delete("customers", ids["customers"][TRASHED], by=manager, at=NOW)
    product = (Product.collection().find_one({}) or {})["_id"]
    ids["products"] = {OWN: product, FOREIGN: product}
    ids["staff"] = {OWN: me.staff_id, FOREIGN: colleague.staff_id}
    ids["batches"] = {TRASHED: gone.batch_id}
    for kind, make in (("runs", _run), ("tokens", _token), ("views", _view)):
        ids[kind] = {
            whose: make(actor, "x" if whose == OWN else name) for whose, actor, name in everybody
        }
    entry = (AuditEntry.collection().find_one({}) or {})["_id"]
    ids["audit"] = {OWN: entry, FOREIGN: entry}
    for names in ids.values():
        names[MISSING] = ObjectId()
    return World(me, ids, db)


def _shaped(manager: Actor) -> None:
    """The configuration: two roles, a kind and a field of files."""
    assignments.set_care_mode(BY_CUSTOMER, by=manager, at=NOW)
    roles = [Change("roles", "limited", LIMITED), Change("roles", "keeper", KEEPER)]
    configuration_changes.apply(roles, says="x", by=SYSTEM, at=NOW)
    kind = Change("kinds", "phieu", {"label_vi": "Phiếu", "has_customer": True})
    files = Change("fields", "customers.contract", {"type": "file", "label_vi": "Hợp đồng"})
    configuration_changes.apply([kind, files], says="x", by=SYSTEM, at=NOW)


MARKS = {  # by whose it is: what codes end with, and the phone
    OWN: ("NHA", "0911 222 333"),
    FOREIGN: ("LA", "0999 888 777"),
    TRASHED: ("VUT", "0900 111 222"),
}


def _cared_for(whose: str, actor: Actor, name: str) -> dict[str, ObjectId]:
    """A customer of somebody's, with an order, an entry of its history and a record."""
    code, phone = MARKS[whose]
    values = {
        "name": name,
        "code": f"KH-{code}",
        "phones": [phone],
        "emails": ["la@bimat.vn"] if whose == FOREIGN else [],
        "owner_id": actor.staff_id,
        "carers": [actor.staff_id],
        "care": {"state": "suggested", "due_on": NOW - timedelta(days=1)},
        "history": [],
    }
    customer = make_customer(**values, **search_fields(values))
    order = make_order(customer, {"SP-CHUNG": 1}, due_on=TODAY, code=f"DH-{code}")
    entry = {
        "kind": "care",
        "customer_id": customer,
        "order_id": order,
        "order_code": f"DH-{code}",
        "at": NOW,
        "staff_id": actor.staff_id,
        "staff_name": actor.name,
        "content": "Chuyện lạ" if whose == FOREIGN else "Chuyện nhà",
        "feedback": "satisfied",
        "version": 1,
    }
    record = {
        "code": f"PH-{code}",
        "title": f"Phiếu {name}",
        "search": name.lower(),
        "customer_id": customer,
    }
    return {
        "customers": customer,
        "orders": order,
        "entries": Interaction.collection().insert_one(entry).inserted_id,
        "records": make_record("phieu", actor.staff_id, **record),
    }


def _run(starter: Actor, error: str) -> ObjectId:
    run = {
        "name": "recompute_care",
        "arguments": {},
        "state": "failed",
        "error": error,
        "started_by": starter.staff_id,
        "started_by_name": starter.name,
        "created_at": NOW,
        "updated_at": NOW,
        "attempts": 1,
        "version": 1,
    }
    return ObjectId(JobRun.collection().insert_one(run).inserted_id)


def _token(holder: Actor, name: str) -> ObjectId:
    token = {
        "name": name,
        "kind": "personal",
        "scopes": ["read"],
        "roles": [],
        "mark": "cb_xxxxx",
        "secret_hash": secrets.token_hex(8),
        "staff_id": holder.staff_id,
        "expires_at": NOW + timedelta(days=9),
        "created_at": NOW,
        "version": 1,
    }
    return ObjectId(ApiToken.collection().insert_one(token).inserted_id)


def _view(owner: Actor, name: str) -> ObjectId:
    return ObjectId(saved_views.create("customers", name, Content({}), by=owner, at=NOW).id)


def attached(customer: ObjectId, sender: Actor, name: str, manager: Actor) -> ObjectId:
    """A picture of a customer, with its bytes and its small copy."""
    content = io.BytesIO(picture())
    made = attachments.add("customers", customer, content, name, by=manager, at=NOW)
    Attachment.collection().update_one(
        {"_id": made["_id"]}, {"$set": {"staff_id": sender.staff_id}}
    )
    attachment_id: ObjectId = made["_id"]
    return attachment_id


def browser_for(role: str, world: World, app: Flask) -> Browser:
    client = app.test_client()
    assert isinstance(client, Browser)
    if role != STRANGER:
        Staff.collection().update_one({"_id": world.me.staff_id}, {"$set": {"roles": [role]}})
        client.log_in(Staff.objects.get(pk=world.me.staff_id))
    return client


def address_of(app: Flask, rule: Rule, expected: Expected, world: World, whose: str) -> str | None:
    values: dict[str, Any] = {}
    for name in rule.arguments:
        if name in expected.values:
            values[name] = expected.values[name]
        elif expected.about:
            found = world.ids[expected.about].get(whose)
            if found is None:
                return None
            values[name] = found
        else:
            values[name] = "0" * 24
    with app.test_request_context():
        return str(app.url_for(rule.endpoint, **values))


def cases(app: Flask, world: World) -> Iterator[tuple[Rule, Expected, str, str, str]]:
    """(rule, expected, method, address, whose record)"""
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: str(one)):
        expected = declared(rule)
        if expected is None or rule.endpoint in PUBLIC or rule.endpoint in SKIPPED:
            continue
        for whose in (OWN, FOREIGN, TRASHED, MISSING) if expected.about else (OWN,):
            address = address_of(app, rule, expected, world, whose)
            if address is None:
                continue
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, expected, method, address, whose


def readable(response: Any) -> str:
    """The text of an answer, also of a spreadsheet."""
    if not zipfile.is_zipfile(io.BytesIO(response.data)):
        return str(response.data.decode("utf-8", "ignore"))
    with zipfile.ZipFile(io.BytesIO(response.data)) as book:
        return " ".join(book.read(name).decode("utf-8", "ignore") for name in book.namelist())
