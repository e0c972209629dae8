"""Who gets what at every address: the URL map of the application against declared expectations.

Every rule of the map must be declared in RULES (a screen's own routes by endpoint, the routes that
all lists have in LIST_ROUTES); one that is not fails `test_every_address_is_declared`. Each is
asked by every role with own, foreign, trashed and missing records, by GET and POST. Nothing that
belongs to others may appear in any answer.
"""

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId
from flask import Flask
from pymongo.database import Database
from werkzeug.routing import Rule

from models import ApiToken, Attachment, AuditEntry, Interaction, JobRun, Product, Record, Staff
from rules.scope import BY_CUSTOMER, SYSTEM, Actor
from services import assignments, configuration, configuration_changes, saved_views, trash
from services.configuration_changes import Change
from services.customers import search_fields
from services.saved_views import Content
from services.scope import recompute_all_scope
from tests.factories import NOW, TODAY, make_customer, make_order, make_product
from tests.views.conftest import Browser
from tests.views.test_security import PUBLIC

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")

OK = frozenset({200, 204, 302, 303, 409, 422})
GONE, REFUSED, LOGIN = frozenset({404}), frozenset({403}), frozenset({303})
OWN, FOREIGN, TRASHED, MISSING = "own", "foreign", "trashed", "missing"
STRANGER = "stranger"
ROLES = ("care_agent", "manager", "administrator", "limited", STRANGER)

LIMITED = {
    "label_vi": "Hạn chế",
    "kinds": {
        "customers": {
            "actions": ["see"],
            "reach": "own",
            "fields": {"phones": "masked", "emails": "hidden"},
        },
        "orders": {"actions": ["see"], "reach": "own"},
    },
    "abilities": [],
}
# What people of each role may do, said once more and by hand.
MAY: dict[str, set[Any]] = {
    "care_agent": {
        *((kind, "see") for kind in ("customers", "orders", "products", "entries")),
        *(("customers", "edit"), ("customers", "create"), ("orders", "edit")),
        ("entries", "create"),
        *(("phieu", action) for action in ("see", "create", "edit")),
        "reveal",
    },
    "manager": {
        *(
            (kind, action)
            for kind in ("customers", "orders", "products", "entries", "phieu")
            for action in ("see", "create", "edit", "delete", "export")
        ),
        *("assign", "reveal", ("phieu", "import")),
    },
    "limited": {("customers", "see"), ("orders", "see")},
    STRANGER: set(),
}
MAY["administrator"] = {*MAY["manager"], "configure", "accounts", "audit", "jobs"}
# What belongs to others and may never be seen by those who do not see everything.
SECRETS = (
    "Lạ Hoắc",
    "la hoac",
    "KH-LA",
    "DH-LA",
    "0999 888",
    "0999888",
    "Chuyện lạ",
    "la@bimat.vn",
)
SECRETS_OF_TRASH = ("Đã Vứt", "KH-VUT", "DH-VUT")


@dataclass(frozen=True)
class Expected:
    """What a route needs, whose records it is about, and what it answers to whom.

    `also` are further statuses for those who are let in; `gone` for records that are not theirs;
    `refused` for those who may not; `strangers` for those who are not logged in, if not the login.
    """

    needs: Any = None  # an ability, (kind, action), or None: some role
    about: str = ""
    also: frozenset[int] = frozenset()
    gone: frozenset[int] = GONE
    refused: frozenset[int] = REFUSED
    fixed: frozenset[int] | None = None  # the same for everybody who is logged in
    strangers: frozenset[int] | None = None
    is_repeatable: bool = False  # deleting what is in the trash changes nothing
    form: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)


def see(kind: str, **more: Any) -> Expected:
    return Expected((kind, "see"), **more)


NOWHERE = Expected(None, fixed=GONE)  # an address that only holds others together
MINE = Expected(None)  # everybody's own matter
BAD = frozenset({400})

RULES: dict[str, Expected] = {}  # filled at the end of this file
LIST_ROUTES: dict[str, Callable[["Listed"], Expected]] = {}


@dataclass(frozen=True)
class Listed:
    """A list: what its screen needs, the kind of its rows, a filter with a range, a field."""

    needs: Any
    rows: str
    ranged: str = ""
    kind: str = ""  # a list over the fields of a kind has more routes


def declared(rule: Rule) -> Expected | None:
    if rule.endpoint in RULES:
        return RULES[rule.endpoint]
    screen, _, route = rule.endpoint.partition(".")
    if screen in LISTS and route in LIST_ROUTES:
        listed = LISTS[screen]
        if route in KIND_ROUTES and not listed.kind:
            return None
        found = LIST_ROUTES[route](listed)
        return replace(found, values=found.values | SLUG) if screen == "records" else found
    return None


def test_every_address_is_declared(app: Flask) -> None:
    missing = sorted({one.endpoint for one in app.url_map.iter_rules() if declared(one) is None})
    assert not missing, (
        "New addresses: say in RULES of tests/views/test_matrix.py what each needs and whose"
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
    change = Change("roles", "limited", LIMITED)
    configuration_changes.apply([change], says="x", by=SYSTEM, at=NOW)
    kind = Change("kinds", "phieu", {"label_vi": "Phiếu", "has_customer": True})
    configuration_changes.apply([kind], says="x", by=SYSTEM, at=NOW)
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
    ids["files"] = {
        whose: Attachment.collection()
        .insert_one(
            {
                "name": "Lạ Hoắc.pdf" if whose == FOREIGN else "x.pdf",
                "owner_kind": "customers",
                "owner_id": ids["customers"][whose],
                "customer_id": ids["customers"][whose],
                "content_type": "application/pdf",
                "size_bytes": 1,
                "file_id": ObjectId(),
                "staff_id": actor.staff_id,
                "created_at": NOW,
                "added_at": NOW,
                "version": 1,
            }
        )
        .inserted_id
        for whose, actor in ((OWN, agent), (FOREIGN, colleague))
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
            leaks = [one for one in (*SECRETS, *SECRETS_OF_TRASH) if one in response.text]
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
    "/queue",
    "/queue?skip={foreign}",
    "/today",
)


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
            asked = address.format(q=word, foreign=world.ids["customers"][FOREIGN])
            response = client.get(asked)
            assert response.status_code in (200, 302, 303, 403, 404, 422), asked
            body = response.data.decode("utf-8", "ignore").replace(word or "\0", "")
            shown = [one for one in (*SECRETS, *SECRETS_OF_TRASH) if one in body]
            # What the person typed stands in the box and the sentence of the filter.
            assert not [one for one in shown if one not in asked], (asked, shown)


def test_an_own_file_holds_the_own_records_and_fields_only(app: Flask, world: World) -> None:
    exporter = LIMITED["kinds"]["customers"] | {"actions": ["see", "export"]}  # type: ignore[index]
    content = LIMITED | {"kinds": {"customers": exporter}}
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


# The declarations.

SKIPPED = {"login.logout"}  # it would end the login that asks
KIND_ROUTES = {
    "customer_view",
    "phone_view",
    "value_view",
    "menu_view",
    "save_view",
    "bulk_view",
    "cell_view",
    "columns_view",
    "export_view",
    "group_rows_view",
}
LISTS = {
    "customers": Listed(("customers", "see"), "customers", kind="customers"),
    "customers_due": Listed(("customers", "see"), "customers", "due", "customers"),
    "orders_due": Listed(("orders", "see"), "orders", "due", "orders"),
    "orders_due_by_area": Listed(("orders", "see"), "orders", "due", "orders"),
    "orders_due_by_group": Listed(("orders", "see"), "orders", "due", "orders"),
    "history": Listed(("entries", "see"), "entries", "at", "entries"),
    "products": Listed(("products", "see"), "products", kind="products"),
    "records": Listed(("phieu", "see"), "records", kind="phieu"),
    "assign_customers": Listed("assign", "customers"),
    "assign_products": Listed("assign", "products"),
    "audit": Listed("audit", "audit", "at"),
    "jobs": Listed(None, "runs"),
    "staff": Listed("accounts", "staff"),
    "trash": Listed(("customers", "delete"), "batches", "at"),
}
LIST_ROUTES |= {
    "index_view": lambda one: Expected(one.needs),
    "count_view": lambda one: Expected(one.needs),
    "range_view": lambda one: Expected(
        one.needs, values={"key": one.ranged or "none"}, also=frozenset() if one.ranged else GONE
    ),
    "row_view": lambda one: Expected(one.needs, one.rows),
    "columns_view": lambda one: Expected(one.needs),
    "save_view": lambda one: Expected(one.needs),
    "customer_view": lambda one: Expected(one.needs, one.rows),
    "phone_view": lambda one: Expected(one.needs, one.rows),
    "value_view": lambda one: Expected(one.needs, one.rows, values={"field": "code"}),
    "menu_view": lambda one: Expected(one.needs, values={"name": "columns"}, also=GONE),
    "group_rows_view": lambda one: Expected(one.needs),
    "export_view": lambda one: Expected((one.kind, "export"), values={"form": "csv"}),
    "bulk_view": lambda one: Expected((one.kind, "edit"), also=BAD),
    "cell_view": lambda one: Expected(
        (one.kind, "edit"),
        one.rows,
        values={"field": "note"},
        # Not all of them have a note.
        fixed=GONE | REFUSED if one.kind in ("entries", "products", "phieu") else None,
    ),
}
# The menu of a row.
KIND_ROUTES |= {"menu_view", "value_view", "customer_view", "phone_view"}
LIST_ROUTES |= {
    "value_view": lambda one: Expected(one.needs, one.rows, values={"field": "code"}),
    "customer_view": lambda one: Expected(one.needs, one.rows),
    "phone_view": lambda one: Expected(one.needs, one.rows),
    "menu_view": lambda one: Expected(one.needs, values={"name": "row"}),
}
CUSTOMER = {"kind": "customers"}
SLUG = {"slug": "phieu"}
RULES |= {
    # A program needs a key; health and metrics are for machines; a stranger logs in.
    **dict.fromkeys((*PUBLIC, "login.logout"), MINE),
    "metrics.metrics": Expected(fixed=frozenset({200}), strangers=frozenset({200})),
    **{
        endpoint: Expected(fixed=GONE, strangers=GONE)  # it is not switched on
        for endpoint in ("sign_in.begin", "sign_in.callback")
    },
    # One's own account.
    **{
        f"account.{route}": MINE
        for route in ("index", "password", "theme", "morning_mail", "close_other_sessions")
    },
    "account.close_session": Expected(also=GONE),
    **{
        f"second_factor.{route}": Expected(also=GONE)
        for route in ("index", "begin", "picture", "confirm", "recovery_codes", "off")
    },
    "api_keys.index": MINE,
    "api_keys.create": MINE,
    "api_keys.revoke": Expected(about="tokens"),
    "today.index_view": MINE,
    "today.queue_view": MINE,
    "exports.index_view": NOWHERE,
    "exports.file_view": Expected(fixed=GONE),
    "bulk_edits.index_view": MINE,
    "bulk_edits.undo_view": MINE,  # of nobody's change: says so
    # Settings.
    "access_settings.index": Expected("accounts"),
    "access_settings.save": Expected("accounts"),
    "care_mode.index_view": Expected("assign"),
    "relationships.index_view": Expected("configure"),
    "schedules.index_view": Expected("configure"),
    "schedules.save_view": Expected("configure", fixed=None, also=GONE),
    "schedules.run_now_view": Expected("configure", also=GONE),
    **{
        f"field_settings.{route}": Expected(
            "configure", values={"kind": "customers", "key": "note"}, also=GONE
        )
        for route in (
            *("index_view", "kind_view", "field_view", "new_view", "order_view", "retire_view"),
            "check_view",
        )
    },
    **{
        f"configuration.{route}": Expected(
            "configure", values={"number": "1"}, also=frozenset({409, 422})
        )
        for route in (
            *("index_view", "download_view", "compare_view", "apply_view", "back_view"),
            "go_back_view",
        )
    },
    **{
        f"menu_settings.{route}": Expected(
            "configure", values={"key": "all"}, also=frozenset({409})
        )
        for route in ("index_view", "menu_view", "save_view", "preview_view")
    },
    "list_settings.index_view": Expected("configure"),
    "list_settings.list_view": Expected("configure", values={"key": "customers"}, also=GONE),
    "list_settings.check_view": Expected("configure", values={"key": "customers"}, also=GONE),
    "kind_settings.index_view": Expected("configure"),
    "kind_settings.new_view": Expected("configure"),
    "kind_settings.kind_view": Expected("configure", values={"key": "phieu"}),
    **{
        f"list_settings.{route}": Expected("configure", values={"key": "customers"})
        for route in ("index_view", "list_view", "check_view")
    },
    **{
        f"layout_settings.{route}": Expected(
            "configure", values={"kind": "customers"}, also=frozenset({409})
        )
        for route in ("index_view", "kind_view", "preview_view", "reset_view")
    },
    **{
        f"pick_lists.{route}": Expected("configure", values={"key": "channel"}, also=GONE)
        for route in (
            *("index_view", "list_view", "counts_view", "merge_view", "remove_view"),
            "unmerge_view",
        )
    },
    # Records of a kind that the site defined.
    "records.new_view": Expected(("phieu", "create"), values=SLUG),
    "records.import_view": Expected(("phieu", "import"), values=SLUG),
    **{  # a file belongs to who sent it (tests/views/test_record_import.py)
        f"records.{route}": Expected(("phieu", "import"), values=SLUG, also=GONE)
        for route in ("import_file_view", "import_apply_view", "import_wrong_view")
    },
    "records.import_sample_view": Expected(("phieu", "import"), values=SLUG | {"form": "csv"}),
    "records.record_view": see("phieu", about="records", values=SLUG),
    "records.edit_record_view": Expected(("phieu", "edit"), "records", values=SLUG),
    "records.delete_record_view": Expected(
        ("phieu", "delete"), "records", values=SLUG, is_repeatable=True
    ),
    "records.restore_record_view": Expected(
        ("phieu", "delete"), "records", values=SLUG, is_repeatable=True
    ),
    # Assignments and absences.
    "assign_customers.assign_view": Expected("assign"),
    "assign_products.assign_view": Expected("assign"),
    "handover.index_view": see("customers"),
    "handover.absence_view": see("customers"),
    "handover.end_view": see("customers", also=GONE),
    "handover.give_view": Expected("assign"),
    "handover.left_view": Expected("assign", also=BAD),
    "handover.undo_view": Expected("assign", also=GONE),
    # Customers, orders, products, care.
    "customers.record_view": see("customers", about="customers"),
    "customers.new_view": Expected(("customers", "create")),
    "customers.same_phone_view": see("customers"),
    "customers.edit_record_view": Expected(("customers", "edit"), "customers"),
    "customers.delete_record_view": Expected(
        ("customers", "delete"), "customers", is_repeatable=True
    ),
    "customers.restore_record_view": Expected(
        ("customers", "delete"), "customers", is_repeatable=True
    ),
    "orders.index_view": see("orders"),
    "orders.record_view": see("orders", about="orders"),
    "orders.edit_record_view": Expected(("orders", "edit"), "orders"),
    "orders.delete_record_view": Expected(("orders", "delete"), "orders", is_repeatable=True),
    "orders.restore_record_view": Expected(("orders", "delete"), "orders", is_repeatable=True),
    "products.record_view": see("products", about="products"),
    "record_fields.index_view": NOWHERE,
    "record_fields.tabs_view": Expected(values={"kind": "customers"}),
    "record_fields.field_view": Expected(
        ("customers", "edit"),
        "customers",
        also=BAD,
        values={"kind": "customers", "key": "address"},
    ),
    "products.care_view": Expected(("products", "edit"), "products"),
    "products.edit_product_view": Expected(("products", "edit"), "products"),
    "products.delete_product_view": Expected(("products", "delete"), "products"),
    "products.restore_product_view": Expected(("products", "delete"), "products"),
    "care.index_view": Expected(("entries", "create")),
    "care.order_view": Expected(("entries", "create"), "orders"),
    "care.record_view": Expected(("entries", "create"), "records"),
    "care.customer_view": Expected(("entries", "create"), "customers"),
    "care.postpone_view": Expected(("entries", "create"), "orders"),
    "history.summary_view": see("entries"),
    "viewers.index_view": see("customers"),
    "viewers.viewers_view": see("customers", about="customers"),
    "viewers.add_view": Expected(("customers", "edit"), "customers", also=GONE, refused=GONE),
    "viewers.remove_view": Expected(("customers", "edit"), "customers", also=GONE, refused=GONE),
    "why.index": NOWHERE,
    "why.record_view": see("customers", about="customers", values=CUSTOMER),
    "changes.index": NOWHERE,
    "changes.record_view": see("customers", about="customers", values=CUSTOMER),
    "changes.restore_view": Expected(
        ("customers", "edit"), "customers", values=CUSTOMER, also=GONE, refused=GONE
    ),
    "changes.compare_view": see("customers", about="customers", values=CUSTOMER, also=GONE),
    "changes.restore_version_view": Expected(
        ("customers", "edit"), "customers", values=CUSTOMER, also=GONE, refused=GONE
    ),
    "reveal.index": Expected("reveal", also=GONE),
    "reveal.reveal_view": Expected(
        "reveal", "customers", values=CUSTOMER | {"field_key": "phones"}, also=REFUSED
    ),
    # Files.
    "files.index_view": MINE,
    "files.pending_view": MINE,
    # Without a file the answer is the same for everybody: that there is none.
    "files.add_view": Expected(also=GONE, values=CUSTOMER),
    "files.file_view": see("customers", about="files", also=GONE),  # its bytes are not stored
    "files.thumbnail_view": see("customers", about="files", also=GONE),
    # Whoever attached a file may take it away again.
    "files.delete_file_view": see("customers", about="files"),
    "files.restore_file_view": see("customers", about="files"),
    # Searching.
    "search.index_view": MINE,
    "lookup.index_view": NOWHERE,
    "lookup.options_view": Expected(values={"kind": "customer"}),
    "lookup.reference_view": Expected(values=CUSTOMER),
    "lookup.condition_view": Expected(values=CUSTOMER | {"number": "1"}),
    "filters.index_view": NOWHERE,
    "filters.kind_view": see("customers", values=CUSTOMER),
    # Roles, teams, and looking as a role.
    "roles.index_view": Expected("accounts"),
    "roles.new_view": Expected("accounts"),
    "roles.role_view": Expected("accounts", values={"key": "care_agent"}),
    "roles.retire_view": Expected("accounts", values={"key": "care_agent"}),
    "roles.restore_view": Expected("accounts", values={"key": "care_agent"}),
    "teams.index_view": Expected("accounts"),
    "teams.new_view": Expected("accounts"),
    "teams.team_view": Expected("accounts", values={"key": "none"}, also=GONE),
    "teams.remove_view": Expected("accounts", values={"key": "none"}),
    "preview.index_view": MINE,
    "preview.begin_view": Expected("accounts", also=REFUSED),  # as no role at all
    "preview.leave_view": MINE,
    "views.index_view": NOWHERE,
    "views.change_view": Expected(about="views", form={"do": "pin"}),
    "views.restore_view": Expected(about="views"),
    # Jobs, staff, the log, the trash.
    **{
        f"jobs.{route}": Expected(about="runs")
        for route in ("run_view", "live_view", "errors_view", "cancel_view", "retry_view")
    },
    "jobs.mine_view": MINE,
    "jobs.aside_view": Expected("jobs"),
    "jobs.aside_again_view": Expected("jobs", also=GONE),
    "jobs.aside_drop_view": Expected("jobs", also=GONE),
    "staff.new_view": Expected("accounts"),
    **{
        f"staff.{route}": Expected("accounts", "staff")
        for route in (
            *("record_view", "link_view", "activate_view", "deactivate_view", "unlock_view"),
            *("reset_factor_view", "close_sessions_view"),
        )
    },
    "audit.entry_view": Expected("audit", "audit"),
    **{
        f"trash.{route}": Expected(("customers", "delete"), "batches")
        for route in ("batch_view", "restore_view", "purge_view")
    },
}
