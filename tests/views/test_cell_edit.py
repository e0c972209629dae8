"""One value changed in the list itself, with an undo, and refused where the form would be."""

from typing import Any

from models import Customer
from rules.scope import Actor
from tests.factories import make_customer
from tests.views.conftest import Browser


def channel(customer_id: Any) -> Any:
    return (Customer.collection().find_one({"_id": customer_id}) or {}).get("channel")


def test_a_cell_has_a_little_form_and_the_row_comes_back(desk: Browser) -> None:
    customer = make_customer()
    desk.send("/customers/columns", {"columns": ["name", "channel"]})
    address = f"/customers/cell/{customer}/channel"
    assert 'name="channel"' in desk.get(address).text
    answer = desk.send(address, {"channel": "shop", "was.channel": ""})
    assert channel(customer) == "shop"
    assert "Cửa hàng" in answer.text
    undo = answer.headers["HX-Trigger"].split('"undo": "')[1].split('"')[0]
    desk.send(undo)
    assert channel(customer) is None


def test_a_wrong_value_keeps_what_was_typed(desk: Browser) -> None:
    customer = make_customer()
    answer = desk.send(
        f"/customers/cell/{customer}/emails", {"emails": "khong phai", "was.emails": ""}
    )
    assert answer.status_code == 422
    assert "khong phai" in answer.text


def test_somebody_elses_change_of_the_cell_is_not_overwritten(desk: Browser) -> None:
    customer = make_customer(channel="online")
    answer = desk.send(
        f"/customers/cell/{customer}/channel", {"channel": "shop", "was.channel": ""}
    )
    assert answer.status_code == 409
    assert channel(customer) == "online"


def test_fields_that_are_not_to_be_typed_are_refused(desk: Browser) -> None:
    customer = make_customer()
    for field in ("due", "revenue", "$set", "password"):
        assert desk.get(f"/customers/cell/{customer}/{field}").status_code == 403
        answer = desk.send(f"/customers/cell/{customer}/{field}", {field: "1"})
        assert answer.status_code == 403


def test_a_record_out_of_sight_is_not_there(desk: Browser, administrator: Actor) -> None:
    from models import Site

    foreign = make_customer()
    Site.collection().update_one(
        {"key": "site"}, {"$set": {"care_mode": "by_customer"}, "$inc": {"config_rev": 1}}
    )
    assert desk.get(f"/customers/cell/{foreign}/channel").status_code == 404
    assert desk.send(f"/customers/cell/{foreign}/channel", {"channel": "shop"}).status_code == 404
    assert channel(foreign) is None
