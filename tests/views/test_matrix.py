"""Who gets what at every address: the URL map of the application against declared expectations.

Every rule of the map must be declared in RULES (a screen's own routes by endpoint, the routes that
all lists have in LIST_ROUTES); one that is not fails `test_every_address_is_declared`. Each is
asked by every role with own, foreign, trashed and missing records, by GET and POST. Nothing that
belongs to others may appear in any answer.
"""

import io
import secrets
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId
from flask import Flask
from pymongo.database import Database
from werkzeug.routing import Rule

from jobs import runner
from models import ApiToken, Attachment, AuditEntry, Interaction, JobRun, Product, Record, Staff
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
from tests.factories import NOW, TODAY, make_customer, make_order, make_product
from tests.pictures import picture
from tests.views.conftest import Browser
from tests.views.declared_addresses import (
    FOREIGN,
    GONE,
    KEEPER,
    LIMITED,
    LOGIN,
    MAY,
    MISSING,
    OK,
    OWN,
    ROLES,
    RULES,
    SECRETS,
    SECRETS_OF_TRASH,
    SKIPPED,
    STRANGER,
    TRASHED,
    Expected,
    declared,
)
from tests.views.test_security import PUBLIC

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")


def test_every_address_is_declared(app: Flask) -> None:
    missing = sorted({one.endpoint for one in app.url_map.iter_rules() if declared(one) is None})
    assert not missing, (
        "New addresses: say in RULES of tests/views/declared_addresses.py what each needs and whose"
        " records it is about (or in LISTS, for a list), so that every role is tried on it."
    )
    known = {one.endpoint for one in app.url_map.iter_rules()}
    assert not set(RULES) - known, "declared, and not there any more"


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


@pytest.fixture
def world(db: Any, agent: Actor, colleague: Actor, manager: Actor) -> World:
    """The same things once mine, once a colleague's, once in the trash, under care by customer."""
    assignments.set_care_mode(BY_CUSTOMER, by=manager, at=NOW)
    roles = [Change("roles", "limited", LIMITED), Change("roles", "keeper", KEEPER)]
    configuration_changes.apply(roles, says="x", by=SYSTEM, at=NOW)
    kind = Change("kinds", "phieu", {"label_vi": "Phiếu", "has_customer": True})
    files = Change("fields", "customers.contract", {"type": "file", "label_vi": "Hợp đồng"})
    configuration_changes.apply([kind, files], says="x", by=SYSTEM, at=NOW)
    make_product("SP-CHUNG")
    ids: dict[str, dict[str, Any]] = {
        "customers": {},
        "orders": {},
        "entries": {},
        "records": {},
    }
    for whose, actor, name, code, phone in (
        (OWN, agent, "Khách Nhà", "NHA", "0911 222 333"),
        (FOREIGN, colleague, "Lạ Hoắc", "LA", "0999 888 777"),
        (TRASHED, colleague, "Đã Vứt", "VUT", "0900 111 222"),
    ):
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
        ids["customers"][whose], ids["orders"][whose] = customer, order
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
        ids["entries"][whose] = Interaction.collection().insert_one(entry).inserted_id
        record = {
            "kind": "phieu",
            "code": f"PH-{code}",
            "title": f"Phiếu {name}",
            "search": name.lower(),
            "customer_id": customer,
            "owner_id": actor.staff_id,
            "seen_by": [actor.staff_id],
            "custom": {},
            "care": {"state": "none", "count": 0},
            "version": 1,
            "created_at": NOW,
            "updated_at": NOW,
        }
        ids["records"][whose] = Record.collection().insert_one(record).inserted_id
    recompute_all_scope(at=NOW)
    ids["files"] = {
        whose: attached(ids["customers"][whose], owner, name, manager)
        for whose, owner, name in (
            (OWN, agent, "x"),
            (FOREIGN, colleague, "Lạ Hoắc"),
            (TRASHED, colleague, "Đã Vứt"),
        )
    }
    gone = trash.delete("customers", ids["customers"][TRASHED], by=manager, at=NOW)
    product = (Product.collection().find_one({}) or {})["_id"]
    ids["products"] = {OWN: product, FOREIGN: product}
    ids["staff"] = {OWN: agent.staff_id, FOREIGN: colleague.staff_id}
    ids["batches"] = {TRASHED: gone.batch_id}
    ids["runs"] = {
        whose: JobRun.collection()
        .insert_one(
            {
                "name": "recompute_care",
                "arguments": {},
                "state": "failed",
                "error": "Lạ Hoắc" if whose == FOREIGN else "x",
                "started_by": actor.staff_id,
                "started_by_name": actor.name,
                "created_at": NOW,
                "updated_at": NOW,
                "attempts": 1,
                "version": 1,
            }
        )
        .inserted_id
        for whose, actor in ((OWN, agent), (FOREIGN, colleague))
    }
    ids["tokens"] = {
        whose: ApiToken.collection()
        .insert_one(
            {
                "name": "Lạ Hoắc" if whose == FOREIGN else "x",
                "kind": "personal",
                "scopes": ["read"],
                "roles": [],
                "mark": "cb_xxxxx",
                "secret_hash": secrets.token_hex(8),
                "staff_id": actor.staff_id,
                "expires_at": NOW + timedelta(days=9),
                "created_at": NOW,
                "version": 1,
            }
        )
        .inserted_id
        for whose, actor in ((OWN, agent), (FOREIGN, colleague))
    }
    ids["audit"] = {
        whose: (AuditEntry.collection().find_one({}) or {})["_id"] for whose in (OWN, FOREIGN)
    }
    ids["views"] = {
        whose: saved_views.create(
            "customers", "Lạ Hoắc" if whose == FOREIGN else "x", Content({}), by=actor, at=NOW
        ).id
        for whose, actor in ((OWN, agent), (FOREIGN, colleague))
    }
    for names in ids.values():
        names[MISSING] = ObjectId()
    return World(agent, ids, db)


def attached(customer: ObjectId, sender: Actor, name: str, manager: Actor) -> ObjectId:
    """A picture of a customer, with its bytes and its small copy."""
    content = io.BytesIO(picture())
    made = attachments.add("customers", customer, content, f"{name}.png", by=manager, at=NOW)
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


def may(role: str, needs: Any) -> bool:
    return role != STRANGER and (needs is None or needs in MAY[role])


SEES_ALL = ("manager", "administrator")


def is_theirs(role: str, about: str, whose: str) -> bool:
    """Whether a record of this kind, own or foreign, is within the role's reach."""
    if whose == OWN:
        return about != "batches"
    if about == "batches":
        return whose == TRASHED and role in SEES_ALL
    if whose != FOREIGN:
        return False
    if about in ("staff", "products", "audit"):
        return True
    if about == "views":
        return False  # a private one, even to an administrator
    if about in ("runs", "tokens"):
        return role == "administrator"
    return role in SEES_ALL


def wanted(expected: Expected, role: str, rule: Rule, whose: str) -> frozenset[int]:
    if role == STRANGER:
        return LOGIN if expected.strangers is None else expected.strangers
    if expected.fixed is not None:
        return expected.fixed
    if not may(role, expected.needs):
        # Of what is not theirs people need not even learn that it exists.
        return expected.refused if whose == OWN else expected.refused | GONE
    if expected.about and not is_theirs(role, expected.about, whose):
        return expected.gone | (OK if whose == TRASHED and expected.is_repeatable else frozenset())
    return OK | expected.also


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


@pytest.mark.parametrize("role", ROLES)
def test_every_address_answers_every_role_as_declared(role: str, app: Flask, world: World) -> None:
    client = browser_for(role, world, app)
    token = client.token() if role != STRANGER else ""
    world.keep()
    wrong = []
    for rule, expected, method, address, whose in cases(app, world):
        form = {"csrf_token": token, **expected.form}
        response = client.open(
            address, method=method, data=form if method == "POST" else None, follow_redirects=False
        )
        asked = wanted(expected, role, rule, whose)
        if response.status_code not in asked:
            wrong.append((method, address, whose, response.status_code, sorted(asked)))
        if role not in SEES_ALL:
            body = readable(response)
            leaks = [one for one in (*SECRETS, *SECRETS_OF_TRASH) if one in body]
            if leaks:
                wrong.append((method, address, whose, "leaks", leaks))
        if method == "POST" and response.status_code in OK:
            world.put_back()
    assert not wrong, "\n".join(map(str, wrong))


ASKED = (  # searches, filters, sorts, groups and files that could tell of others' records
    "/customers?q={q}",
    "/customers?where=name.contains({q})",
    "/customers?where=code.is(KH-LA)",
    "/customers?where=phones.phone(0999888777)",
    "/customers?group=name",
    "/customers?mode=kanban&group=relationship",
    "/customers/count?q={q}",
    "/customers/group-rows?where=name.contains({q})",
    "/customers/same-phone?phones=0999888777",
    "/customers/export/csv",
    "/customers/export/xlsx",
    "/customers/due?due=all&where=name.contains({q})",
    "/orders/due?due=all&where=code.is(DH-LA)",
    "/orders/due/by-area?due=all",
    "/orders/due/by-group?due=all",
    "/orders/due/export/csv",
    "/care/history?customer={foreign}",
    "/care/history?where=content.contains({q})",
    "/care/history/summary",
    "/care/history/export/csv",
    "/search?q={q}",
    "/lookup/customer?q={q}",
    "/lookup/reference/customers?q={q}",
    "/lookup/reference/orders?q=DH",
    "/e/phieu",
    "/e/phieu?where=title.contains({q})",
    "/e/phieu/export/csv",
    "/e/phieu/export/xlsx",
    "/e/phieu?q={q}",
    "/e/phieu/count?q={q}",
    "/e/phieu?group=owner",
    "/e/phieu?group=customer",
    "/e/phieu?mode=kanban&group=care_state",
    "/e/phieu?mode=calendar&group=created&month=2026-11",
    "/e/phieu/group-rows?where=title.contains({q})",
    "/e/phieu/menu/row",
    "/e/phieu/menu/columns",
    "/e/phieu/rows/{record}",
    "/e/phieu/cell/{record}/title",
    "/customers?group=owner",
    "/customers?group=area",
    "/customers?group=referrer",
    "/customers?mode=kanban&group=care_state",
    "/customers?mode=calendar&group=created&month=2026-11",
    "/customers?mode=calendar&group=due&month=2026-11",
    "/customers/menu/row",
    "/customers/menu/columns",
    "/customers/rows/{foreign}",
    "/customers/due?due=all&group=owner",
    "/customers/due?due=all&mode=calendar&group=due&month=2026-11",
    "/customers/due/count?due=all",
    "/customers/due/export/csv",
    "/orders/due?due=all&group=customer",
    "/orders/due?due=all&mode=kanban&group=care_state",
    "/orders/due?due=all&mode=calendar&group=due&month=2026-11",
    "/orders/due/count?due=all",
    "/orders/due/export/xlsx",
    "/orders/due/by-area/count?due=all",
    "/orders/due/by-group/count?due=all",
    "/care/history?group=customer",
    "/care/history?group=order",
    "/care/history?mode=calendar&group=at&month=2026-11",
    "/care/history/count",
    "/care/history/export/xlsx",
    "/products?group=carers",
    "/lookup/condition/customers/1?q={q}",
    "/lookup/condition/orders/1?q=DH",
    "/lookup/reference/phieu?q={q}",
    "/filters/customers?where=name.contains({q})",
    "/files/{file}",
    "/files/{file}/thumbnail",
    "/search?q=DH-LA",
    "/search?q=PH-LA",
    "/search?q=0999888777",
    "/jobs",
    "/jobs/mine",
    "/queue",
    "/queue?skip={foreign}",
    "/today",
)


def readable(response: Any) -> str:
    """The text of an answer, also of a spreadsheet."""
    if not zipfile.is_zipfile(io.BytesIO(response.data)):
        return str(response.data.decode("utf-8", "ignore"))
    with zipfile.ZipFile(io.BytesIO(response.data)) as book:
        return " ".join(book.read(name).decode("utf-8", "ignore") for name in book.namelist())


@pytest.mark.parametrize("role", ["care_agent", "limited", "exporter"])
def test_no_search_filter_count_or_file_tells_of_others(
    role: str, app: Flask, world: World
) -> None:
    if role == "exporter":
        kinds = {
            kind: one | {"actions": ["see", "edit", "export"]}
            for kind, one in (
                *LIMITED["kinds"].items(),  # type: ignore[attr-defined]
                ("entries", {"reach": "own"}),
            )
        }
        change = Change("roles", "exporter", LIMITED | {"kinds": kinds})
        configuration_changes.apply([change], says="x", by=SYSTEM, at=NOW)
    client = browser_for(role, world, app)
    for address in ASKED:
        words = ("hoac", "Lạ Hoắc", "999", "vut")
        for word in words if "{q}" in address else ("",):
            asked = address.format(
                q=word,
                foreign=world.ids["customers"][FOREIGN],
                record=world.ids["records"][FOREIGN],
                file=world.ids["files"][FOREIGN],
            )
            response = client.get(asked)
            assert response.status_code in (200, 302, 303, 403, 404, 422), asked
            # What the person typed stands in the box and the sentence of the filter.
            body = readable(response).replace(word or "\0", "")
            shown = [one for one in (*SECRETS, *SECRETS_OF_TRASH) if one in body]
            assert not [one for one in shown if one not in asked], (asked, shown)


EXPORTER: dict[str, Any] = LIMITED["kinds"]["customers"] | {"actions": ["see", "export"]}  # type: ignore[index]


def test_a_file_written_in_the_background_is_of_its_asker_alone(
    app: Flask, world: World, colleague: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = LIMITED | {"kinds": {"customers": EXPORTER, "phieu": EXPORTER | {"fields": {}}}}
    change = Change("roles", "exporter", content)
    configuration_changes.apply([change], says="x", by=SYSTEM, at=NOW)
    monkeypatch.setattr("views.list_files.ROWS_AT_ONCE", 0)
    client = browser_for("exporter", world, app)
    for address, own in (("/customers/export/csv", "KH-NHA"), ("/e/phieu/export/xlsx", "PH-NHA")):
        assert client.get(address).status_code == 303
        run = JobRun.collection().find_one({"name": "export_list"}, sort=[("_id", -1)]) or {}
        runner.run(str(run["_id"]))
        file = f"/exports/{run['arguments']['file_key']}"
        body = readable(client.get(file))
        assert own in body
        assert not [one for one in (*SECRETS, *SECRETS_OF_TRASH, "PH-LA") if one in body]
        other = app.test_client()
        assert isinstance(other, Browser)
        other.log_in(Staff.objects.get(pk=colleague.staff_id))
        assert other.get(file).status_code == 404


def test_what_is_seen_is_not_taken_out_by_a_role_of_smaller_reach(app: Flask, world: World) -> None:
    """One role sees all customers, the other one exports those of its own."""
    sees = {"customers": {"actions": ["see"], "reach": "all"}}
    changes = [
        Change("roles", "exporter", LIMITED | {"kinds": {"customers": EXPORTER}}),
        Change("roles", "reader", LIMITED | {"kinds": sees}),
    ]
    configuration_changes.apply(changes, says="x", by=SYSTEM, at=NOW)
    client = browser_for("reader", world, app)
    both = {"$set": {"roles": ["exporter", "reader"]}}
    Staff.collection().update_one({"_id": world.me.staff_id}, both)
    assert "KH-LA" in client.get("/customers").text
    body = readable(client.get("/customers/export/csv"))
    assert "KH-NHA" in body
    assert "KH-LA" not in body


def test_an_own_file_holds_the_own_records_and_fields_only(app: Flask, world: World) -> None:
    content = LIMITED | {"kinds": {"customers": EXPORTER}}
    change = Change("roles", "exporter", content)
    configuration_changes.apply([change], says="x", by=SYSTEM, at=NOW)
    response = browser_for("exporter", world, app).get("/customers/export/csv")
    assert response.status_code == 200
    assert "Khách Nhà" in response.text
    assert not [one for one in (*SECRETS, "0911 222", "0911222333") if one in response.text]


def test_sixty_requests_at_once_never_see_the_fields_of_each_other(
    app: Flask, world: World, colleague: Actor, manager: Actor
) -> None:
    """Roles, masks and scope belong to the request, whatever the threads do in between."""
    own = world.ids["customers"][OWN]
    people = {
        "limited": (world.me, "limited"),
        "care_agent": (colleague, "care_agent"),
        "manager": (manager, "manager"),
    }
    clients = {}
    for name, (actor, role) in people.items():
        Staff.collection().update_one({"_id": actor.staff_id}, {"$set": {"roles": [role]}})
        clients[name] = [app.test_client() for _ in range(20)]
        for client in clients[name]:
            assert isinstance(client, Browser)
            client.log_in(Staff.objects.get(pk=actor.staff_id))

    def ask(number: int) -> tuple[str, str, int, str]:
        name = list(people)[number % 3]
        address = ("/customers", f"/customers/{own}", "/orders/due?due=all")[number // 3 % 3]
        response = clients[name][number // 3].get(address)
        return name, address, response.status_code, response.text

    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(ask, range(60)))
    for name, address, status, body in answers:
        if name == "manager":
            assert status == 200
            assert "0911 222 333" in body, address
        if name == "limited":
            assert status == 200
            assert "09•• ••• 333" in body, address
            assert not [one for one in (*SECRETS, "0911 222") if one in body], address
            assert 'data-screen="products"' not in body
        if name == "care_agent":
            assert status == (404 if address.startswith("/customers/") else 200)
            assert "Khách Nhà" not in body, address
            assert 'data-screen="staff"' not in body
