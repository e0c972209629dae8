"""Deleting orders and bringing them back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from models import AuditEntry, Customer, Order, Product, TrashedRecord
from rules.errors import InvalidInput, NotAllowed, NotFound
from rules.scope import Actor
from services import recompute, trash
from tests.factories import NOW, TODAY, make_area, make_customer, make_order, make_product


@pytest.fixture
def customer(db: Any) -> ObjectId:
    return make_customer()


def make_due(customer: ObjectId, days_ago: int, **values: Any) -> ObjectId:
    """An order whose date follows from its product: a week after it was placed."""
    if Product.collection().find_one({"code": "P7"}) is None:
        make_product("P7", 7)
    placed_on = TODAY - timedelta(days=days_ago)
    due_on = placed_on + timedelta(days=7)
    return make_order(customer, {"P7": 1}, placed_on=placed_on, due_on=due_on, **values)


@pytest.fixture
def order(customer: ObjectId) -> ObjectId:
    made = make_due(customer, 7, code="DH-1")
    recompute.recompute_customers([customer])
    return made


def delete_order(order_id: ObjectId, *, by: Actor, at: datetime) -> None:
    trash.delete("orders", order_id, by=by, at=at)


def restore_order(order_id: ObjectId, *, by: Actor, at: datetime) -> None:
    trash.restore_record("orders", order_id, by=by, at=at)


def stored(order_id: ObjectId) -> dict[str, Any] | None:
    return Order.collection().find_one({"_id": order_id})


def care_of(customer_id: ObjectId) -> dict[str, Any]:
    found = Customer.collection().find_one({"_id": customer_id})
    assert found
    care: dict[str, Any] = found["care"]
    return care


def test_it_moves_the_whole_order_and_brings_it_back_as_it_was(
    manager: Actor, order: ObjectId
) -> None:
    before = stored(order)
    delete_order(order, by=manager, at=NOW)
    assert stored(order) is None
    kept = TrashedRecord.collection().find_one()
    assert kept
    assert (kept["record_label"], kept["staff_name"]) == ("DH-1", manager.name)
    restore_order(order, by=manager, at=NOW)
    assert stored(order) == before
    assert TrashedRecord.collection().count_documents({}) == 0


def test_the_customers_next_date_follows(
    manager: Actor, customer: ObjectId, order: ObjectId
) -> None:
    later = make_due(customer, 2)
    delete_order(order, by=manager, at=NOW)
    assert care_of(customer)["order_id"] == later
    delete_order(later, by=manager, at=NOW)
    assert care_of(customer) == {"state": "none"}
    restore_order(order, by=manager, at=NOW)
    assert care_of(customer)["order_id"] == order


def test_twice_is_once(manager: Actor, order: ObjectId) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: delete_order(order, by=manager, at=NOW), range(3)))
    assert TrashedRecord.collection().count_documents({}) == 1
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: restore_order(order, by=manager, at=NOW), range(3)))
    assert stored(order)
    actions = [one["action"] for one in AuditEntry.collection().find().sort("_id", 1)]
    assert actions == ["delete", "restore"]


def test_it_comes_back_to_where_its_customer_lives_now(
    manager: Actor, customer: ObjectId, order: ObjectId
) -> None:
    area = make_area()
    delete_order(order, by=manager, at=NOW)
    Customer.collection().update_one({"_id": customer}, {"$set": {"area_id": area}})
    restore_order(order, by=manager, at=NOW)
    found = stored(order)
    assert found
    assert found["area_id"] == area


def test_a_number_in_the_trash_does_not_block_a_new_order(
    manager: Actor, customer: ObjectId, order: ObjectId
) -> None:
    delete_order(order, by=manager, at=NOW)
    make_order(customer, {}, code="DH-1")
    with pytest.raises(InvalidInput, match="Another record has the same code now"):
        restore_order(order, by=manager, at=NOW)
    assert TrashedRecord.collection().count_documents({}) == 1


def test_a_care_agent_may_not(agent: Actor, order: ObjectId) -> None:
    with pytest.raises(NotAllowed):
        delete_order(order, by=agent, at=NOW)
    with pytest.raises(NotAllowed):
        restore_order(order, by=agent, at=NOW)
    assert stored(order)


def test_what_never_was_is_not_found(manager: Actor) -> None:
    with pytest.raises(NotFound):
        delete_order(ObjectId(), by=manager, at=NOW)
    with pytest.raises(NotFound):
        restore_order(ObjectId(), by=manager, at=NOW)


def test_an_order_without_customer_goes_and_comes_too(manager: Actor) -> None:
    order = make_order(None)
    delete_order(order, by=manager, at=NOW)
    restore_order(order, by=manager, at=NOW)
    assert stored(order)
