"""Deleting orders and bringing them back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from models import AuditEntry, Customer, Order, TrashedRecord
from rules.errors import InvalidInput, NotAllowed, NotFound
from rules.scope import Actor
from services import recompute, trash
from tests.factories import NOW, TODAY, make_area, make_customer, make_order


@pytest.fixture
def customer(db: Any) -> ObjectId:
    return make_customer()


@pytest.fixture
def order(customer: ObjectId) -> ObjectId:
    made = make_order(customer, {}, code="DH-1", due_on=TODAY)
    recompute.recompute_customers([customer])
    return made


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
    trash.delete_order(order, by=manager, at=NOW)
    assert stored(order) is None
    kept = TrashedRecord.collection().find_one()
    assert kept
    assert (kept["record_label"], kept["staff_name"]) == ("DH-1", manager.name)
    trash.restore_order(order, by=manager, at=NOW)
    assert stored(order) == {**(before or {}), "area_id": None}
    assert TrashedRecord.collection().count_documents({}) == 0


def test_the_customers_next_date_follows(
    manager: Actor, customer: ObjectId, order: ObjectId
) -> None:
    later = make_order(customer, {}, due_on=TODAY + timedelta(days=5))
    trash.delete_order(order, by=manager, at=NOW)
    assert care_of(customer)["order_id"] == later
    trash.delete_order(later, by=manager, at=NOW)
    assert care_of(customer) == {"state": "none"}
    trash.restore_order(order, by=manager, at=NOW)
    assert care_of(customer)["order_id"] == order


def test_twice_is_once(manager: Actor, order: ObjectId) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: trash.delete_order(order, by=manager, at=NOW), range(3)))
    assert TrashedRecord.collection().count_documents({}) == 1
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: trash.restore_order(order, by=manager, at=NOW), range(3)))
    assert stored(order)
    actions = [one["action"] for one in AuditEntry.collection().find().sort("_id", 1)]
    assert actions == ["delete", "restore"]


def test_it_comes_back_to_where_its_customer_lives_now(
    manager: Actor, customer: ObjectId, order: ObjectId
) -> None:
    area = make_area()
    trash.delete_order(order, by=manager, at=NOW)
    Customer.collection().update_one({"_id": customer}, {"$set": {"area_id": area}})
    trash.restore_order(order, by=manager, at=NOW)
    found = stored(order)
    assert found
    assert found["area_id"] == area


def test_a_number_in_the_trash_does_not_block_a_new_order(
    manager: Actor, customer: ObjectId, order: ObjectId
) -> None:
    trash.delete_order(order, by=manager, at=NOW)
    make_order(customer, {}, code="DH-1")
    with pytest.raises(InvalidInput, match="Another order has the same number now"):
        trash.restore_order(order, by=manager, at=NOW)
    assert TrashedRecord.collection().count_documents({}) == 1


def test_a_care_agent_may_not(agent: Actor, order: ObjectId) -> None:
    with pytest.raises(NotAllowed):
        trash.delete_order(order, by=agent, at=NOW)
    with pytest.raises(NotAllowed):
        trash.restore_order(order, by=agent, at=NOW)
    assert stored(order)


def test_what_never_was_is_not_found(manager: Actor) -> None:
    with pytest.raises(NotFound):
        trash.delete_order(ObjectId(), by=manager, at=NOW)
    with pytest.raises(NotFound):
        trash.restore_order(ObjectId(), by=manager, at=NOW)


def test_an_order_without_customer_goes_and_comes_too(manager: Actor) -> None:
    order = make_order(None)
    trash.delete_order(order, by=manager, at=NOW)
    trash.restore_order(order, by=manager, at=NOW)
    assert stored(order)
