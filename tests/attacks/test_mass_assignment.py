"""Fields that a form does not offer are not saved, whatever is sent with it.

Defended by: services read the fields that they know by name, and write those only.
"""

import io
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from bson import ObjectId

from models import Area, Attachment, Customer, Interaction, Order, Product, ProductGroup, Staff
from rules.fields import CHOICE, CHOICES, DAY, FLAG, INSTANT, NUMBER, Field
from rules.scope import SYSTEM, Actor
from services import configuration_changes
from services.configuration import snapshot
from services.configuration_changes import Change
from tests.attacks.routes import office
from tests.factories import NOW
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")
PLANTED = str(ObjectId())
MORE: dict[str, Any] = {
    "_id": PLANTED, "id": PLANTED, "seen_by": PLANTED, "carers": PLANTED, "viewers": PLANTED,
    "product_carers": PLANTED, "customer_carers": PLANTED, "facts": "planted",
    "history": "planted", "care": "planted", "care.state": "ended", "own_care": "planted",
    "created_at": "2000-01-01", "updated_at": "2000-01-01", "search": "planted",
    "search_words": "planted", "relationship_set": "planted", "claim": "planted",
    "attachments": "planted", "__class__": "planted", "custom": "planted", "custom.x": "planted",
    "staff_id": PLANTED, "staff_name": "planted", "customer_id": PLANTED, "at": "2000-01-01",
    "is_root": "1", "roles": "administrator", "is_administrator": "1", "source_": "planted",
    "last_contact_at": "2000-01-01", "kept": "planted", "import_digest": "planted",
}  # fmt: skip


@pytest.fixture
def desk(agent: Actor, browser_of: Callable[[Actor], Browser]) -> Browser:
    return browser_of(agent)


def one(document: Any, **criteria: Any) -> dict[str, Any]:
    found = document.collection().find_one(criteria)
    assert found
    return dict(found)


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


def test_the_customer_form_saves_what_it_offers(desk: Browser) -> None:
    """Each field alone, because one that is refused would hide the others."""
    customer = office()["customer_id"]
    before = one(Customer)
    offered = {"name", "version", "updated_at", "search", "search_words", "phone_keys"}
    for name, value in MORE.items():
        form = {"name": f"Tên {name}", "version": str(one(Customer)["version"]), name: value}
        response = desk.send(f"/customers/{customer}/edit", form)
        assert response.status_code in (303, 422), name
        after = one(Customer)
        assert changed(before, after) <= offered, name
        assert PLANTED not in str(after)
    form = {"name": "Tên", "version": str(one(Customer)["version"])}
    assert desk.send(f"/customers/{customer}/edit", form).status_code == 303
    assert one(Customer)["name"] == "Tên"


def test_a_care_entry_is_its_writers_and_of_its_subject(desk: Browser, agent: Actor) -> None:
    values = office()
    form = MORE | {
        "content": "x",
        "feedback": "satisfied",
        "next_on": "30/11/2026",
        "count": "0",
        "entry_key": "k",
    }
    assert desk.send(f"/care/orders/{values['order_id']}", form).status_code == 303
    said = one(Interaction, kind="care")
    assert said["staff_id"] == agent.staff_id
    assert str(said["customer_id"]) == values["customer_id"]
    assert "planted" not in str(said)
    assert "planted" not in str(one(Order))
    assert PLANTED not in str(one(Order))


def test_a_product_form_saves_intervals_only(
    manager: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    product = office()["product_id"]
    before = one(Product)
    form = MORE | {"version": "1", "care_interval_days": "9", "code": "planted", "name": "planted"}
    assert browser_of(manager).send(f"/products/{product}/care", form).status_code == 303
    assert changed(before, one(Product)) == {"care_interval_days", "version", "updated_at"}


def test_nobody_gives_itself_a_role(desk: Browser, agent: Actor) -> None:
    for address in ("/account/theme", "/account/password", "/account/"):
        desk.send(address, MORE | {"theme": "dark", "active": "0"})
    staff = one(Staff, _id=agent.staff_id)
    assert staff["roles"] == ["care_agent"]
    assert desk.send(f"/staff/{agent.staff_id}", {"roles": "administrator"}).status_code in (
        *(403, 404, 405),
    )


def test_a_file_belongs_to_the_record_of_its_address(desk: Browser, agent: Actor) -> None:
    customer = office()["customer_id"]
    sent = MORE | {
        "files": (io.BytesIO(b"abc"), "a.txt"),
        "owner_kind": "staff",
        "owner_id": PLANTED,
        "content_type": "text/html",
        "file_id": PLANTED,
    }
    assert desk.send(f"/files/to/customers/{customer}", sent).status_code == 303
    stored = one(Attachment)
    assert (stored["owner_kind"], str(stored["owner_id"])) == ("customers", customer)
    assert stored["content_type"] == "application/octet-stream"
    assert stored["staff_id"] == agent.staff_id


def plausible(field: Field, values: Mapping[str, str], staff: Actor) -> str:
    """What the field would take from a form that offers it."""
    targets = {
        "staff": str(staff.staff_id),
        "customers": values["customer_id"],
        "orders": values["order_id"],
        "product_groups": _there(ProductGroup),
        "areas": _there(Area),
    }
    if field.family in (CHOICE, CHOICES):
        pick_list = snapshot().pick_lists.get(field.pick_list, {})
        return next(iter([*(one.key for one in field.choices), *pick_list]), "planted")
    texts = {NUMBER: "7", DAY: "01/01/2000", INSTANT: "01/01/2000 10:00", FLAG: "yes"}
    return targets[field.refers_to] if field.refers_to else texts.get(field.family, "planted")


def _there(document: Any) -> str:
    named = {"name": "x"}
    found = document.collection().find_one_and_update(
        named, {"$set": named}, upsert=True, return_document=True
    )
    return str(found["_id"])


PLACES = {"customers": "customer_id", "orders": "order_id", "products": "product_id"}


@pytest.mark.parametrize("kind_key", PLACES)
def test_no_form_saves_a_field_that_follows_from_others(
    manager: Actor, browser_of: Callable[[Actor], Browser], kind_key: str
) -> None:
    """Every derived field of the kind, each alone with a value that would be right for it."""
    values = office()
    kind = snapshot().kinds[kind_key]
    document = {"customers": Customer, "orders": Order, "products": Product}[kind_key]
    browser, address = browser_of(manager), f"/{kind_key}/{values[PLACES[kind_key]]}/edit"
    derived = [one for one in kind.fields.values() if one.is_derived]
    assert derived
    before = one(document)
    for field in derived:
        form = {"version": str(before["version"]), field.key: plausible(field, values, manager)}
        assert browser.send(address, form).status_code in (303, 422), field.key
        assert one(document) == before, field.key


@pytest.mark.parametrize("level", ["see", "masked", "hidden"])
def test_no_form_saves_a_field_that_the_role_does_not_edit(
    agent: Actor, browser_of: Callable[[Actor], Browser], level: str
) -> None:
    values = office()
    fields = dict.fromkeys(("note", "phones", "owner", "gender"), level)
    content = {
        "label_vi": "Chỉ xem",
        "kinds": {"customers": {"actions": ["see", "edit"], "reach": "all", "fields": fields}},
    }
    changes = [Change("roles", "reader", content)]
    configuration_changes.apply(changes, says="x", by=SYSTEM, at=NOW)
    Staff.collection().update_one({"_id": agent.staff_id}, {"$set": {"roles": ["reader"]}})
    browser, before = browser_of(agent), one(Customer)
    kind = snapshot().kinds["customers"]
    for key in fields:
        text = "0912 345 678" if key == "phones" else plausible(kind.fields[key], values, agent)
        form = {"version": str(before["version"]), key: text}
        address = f"/customers/{values['customer_id']}"
        assert browser.send(f"{address}/edit", form).status_code == 422, key
        browser.send(f"/fields/customers/{values['customer_id']}/{key}", form)
        browser.send(f"/customers/cell/{values['customer_id']}/{key}", form)
        assert one(Customer) == before, key
    form = {"version": str(before["version"]), "name": "Tên mới"}
    browser.send(f"/customers/{values['customer_id']}/edit", form)
    assert one(Customer)["name"] == "Tên mới", "what may be edited is saved"
