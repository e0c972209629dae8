"""S1.5: the server's first care dates are those of the rule, and unchanged orders stay untouched."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from models import Order
from models.base import local_date, stored_date
from rules.care_dates import CareItem, first_care
from rules.care_pipeline import first_care_pipeline
from services.recompute import recompute_care
from services.stored_care import stored_first_care, stored_items
from tests.factories import make_customer, make_order, make_product

AT = datetime(2026, 11, 21, 3, tzinfo=UTC)
LONG = 2**63 - 1

numbers = st.integers(-3, 40) | st.integers(-(2**63), LONG)
codes = st.sampled_from(["", "10", "9", "A", "a", "85123a", "đồ", "ｗ", "🎁", "$x.y"])
items = st.lists(st.builds(CareItem, codes, numbers, numbers), max_size=5)
orders = st.fixed_dictionaries(
    {
        "placed_on": st.dates(),
        "items": items,
        "kind": st.sampled_from(["sale", "sale", "sale", "return", "purchase"]),
        "customer_id": st.sampled_from([7, 7, 7, None]),
    }
)


def an_order(number, order):
    return {
        "_id": number,
        "code": str(number),
        "kind": order["kind"],
        "customer_id": order["customer_id"],
        "placed_on": stored_date(order["placed_on"]),
        "care_items": stored_items(order["items"]),
        "care": {"state": "none", "count": 0},
        "version": 1,
    }


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(
    some=[
        {
            "placed_on": date.max,
            "items": [CareItem("A", 1, 1)],
            "kind": "sale",
            "customer_id": 7,
        },
        {
            "placed_on": date.min,
            "items": [CareItem("A", 1, date.max.toordinal() - 1), CareItem("B", LONG, LONG)],
            "kind": "sale",
            "customer_id": 7,
        },
    ]
)
@given(st.lists(orders, min_size=1, max_size=25))
def test_the_server_finds_the_same_first_care_as_the_rule(db, some):
    orders_read = db["property_orders"]
    orders_read.delete_many({})
    orders_read.insert_many([an_order(number, order) for number, order in enumerate(some)])
    orders_read.update_many({}, first_care_pipeline(AT))
    for stored in orders_read.find():
        order = some[stored["_id"]]
        expected = stored_first_care(
            first_care(
                order["placed_on"],
                order["items"],
                kind=order["kind"],
                has_customer=order["customer_id"] is not None,
            )
        )
        assert stored["care"] == expected
        assert list(stored["care"]) == list(expected)
        assert list(stored["care"].get("basis", ())) == list(expected.get("basis", ()))
    assert orders_read.update_many({}, first_care_pipeline(AT)).modified_count == 0


def care_of(order_id):
    return Order.collection().find_one({"_id": order_id})["care"]


def test_what_the_importer_writes_is_not_written_again(db):
    make_product("A", interval=5)
    placed_on = date(2026, 5, 2)
    first = first_care(placed_on, [CareItem("A", 2, 5)])
    order_id = make_order(
        make_customer(), {"A": 2}, placed_on=placed_on, care=stored_first_care(first)
    )
    recompute_care()
    order = Order.collection().find_one({"_id": order_id})
    assert order["version"] == 1
    assert local_date(order["care"]["due_on"]) == date(2026, 5, 12)


def test_what_mongoengine_writes_is_not_written_again(db):
    make_product("A", interval=5)
    order_id = make_order(make_customer(), {"A": 2})
    recompute_care()
    Order.objects.get(id=order_id).save()
    order = Order.objects.get(id=order_id)
    order._mark_as_changed("care")
    order.save()
    version = order.version
    assert recompute_care()["orders_changed"] == 0
    assert Order.objects.get(id=order_id).version == version


def test_a_changed_order_gets_its_date_a_new_version_and_keeps_everything_else(db):
    make_product("A", interval=5)
    order_id = make_order(make_customer(), {"A": 2}, placed_on=date(2026, 5, 2), note="Giao sáng")
    before = Order.collection().find_one({"_id": order_id})
    recompute_care(at=AT)
    after = Order.collection().find_one({"_id": order_id})
    assert after["version"] == before["version"] + 1
    assert after["updated_at"] == AT
    changing = {"care", "version", "updated_at"}
    assert list(after) == list(before)
    assert {k: v for k, v in after.items() if k not in changing} == {
        k: v for k, v in before.items() if k not in changing
    }


def test_an_order_that_changed_gets_another_date(db):
    make_product("A", interval=5)
    order_id = make_order(make_customer(), {"A": 2}, placed_on=date(2026, 5, 2))
    recompute_care()
    Order.collection().update_one({"_id": order_id}, {"$set": {"care_items.0.quantity": 1}})
    recompute_care()
    assert local_date(care_of(order_id)["due_on"]) == date(2026, 5, 7)


def test_an_order_that_lost_its_customer_is_no_longer_due(db):
    make_product("A", interval=5)
    order_id = make_order(make_customer(), {"A": 2})
    recompute_care()
    Order.collection().update_one({"_id": order_id}, {"$set": {"customer_id": None}})
    recompute_care()
    assert care_of(order_id) == {"state": "none", "count": 0}


@pytest.mark.parametrize(
    "care",
    [
        {"state": "appointed", "due_on": stored_date(date(2026, 7, 1)), "count": 1},
        {"state": "appointed", "due_on": stored_date(date(2026, 7, 1)), "count": 0},
        {"state": "ended", "count": 3},
    ],
)
def test_an_order_that_somebody_cared_for_is_left_alone(db, care):
    make_product("A", interval=5)
    order_id = make_order(make_customer(), {"A": 2}, care=care)
    recompute_care()
    order = Order.collection().find_one({"_id": order_id})
    assert order["care"] == care
    assert order["version"] == 1


def test_an_order_without_any_care_field_gets_one(db):
    make_product("A", interval=5)
    order_id = make_order(make_customer(), {"A": 2}, placed_on=date(2026, 5, 2))
    Order.collection().update_one({"_id": order_id}, {"$unset": {"care": "", "version": ""}})
    recompute_care()
    assert local_date(care_of(order_id)["due_on"]) == date(2026, 5, 12)
    assert recompute_care()["orders_changed"] == 0
