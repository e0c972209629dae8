"""Fields that a form does not offer are not saved, whatever is sent with it.

Defended by: services read the fields that they know by name, and write those only.
"""

import io
from collections.abc import Callable
from typing import Any

import pytest
from bson import ObjectId

from models import Attachment, Customer, Interaction, Order, Product, Staff
from rules.scope import Actor
from tests.attacks.routes import office
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
