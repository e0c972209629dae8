"""Moving an order's date without a contact."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from bson import ObjectId

from models import AuditEntry, Customer, Interaction, Order
from models.base import stored_date
from rules.errors import InvalidInput, NotFound, StaleForm
from rules.scope import Actor
from services import care, recompute
from services.care import Logged
from tests.factories import NOW, TODAY, make_customer, make_order

pytestmark = pytest.mark.usefixtures("shipped")
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def customer() -> ObjectId:
    return make_customer()


@pytest.fixture
def order(customer: ObjectId) -> ObjectId:
    return make_order(customer, {}, placed_on=TODAY - timedelta(days=3), due_on=TODAY)


def postpone(
    order_id: ObjectId, by: Actor, next_on: date = TOMORROW, key: str = "k1", count: int = 0
) -> Logged:
    return care.postpone_order(
        order_id, next_on, by=by, at=NOW, today=TODAY, entry_key=key, expected_count=count
    )


def stored(order_id: ObjectId) -> dict[str, Any]:
    found = Order.collection().find_one({"_id": order_id})
    assert found
    return found


def test_it_moves_the_date_and_counts_no_contact(
    agent: Actor, customer: ObjectId, order: ObjectId
) -> None:
    postpone(order, agent)
    moved = stored(order)["care"]
    assert moved["due_on"] == stored_date(TOMORROW)
    assert moved["basis"]["staff_name"] == agent.name
    assert (moved["state"], moved["count"]) == ("suggested", 0), "never cared for (S1.13)"
    kept = Customer.collection().find_one({"_id": customer})
    assert kept
    assert kept["care"]["due_on"] == stored_date(TOMORROW)
    assert "last_contact_at" not in kept


def test_the_history_says_who_moved_it(agent: Actor, customer: ObjectId, order: ObjectId) -> None:
    postpone(order, agent)
    event = Interaction.collection().find_one()
    assert event
    assert (event["kind"], event["staff_name"]) == ("event", agent.name)
    assert event["due_on_before"] == stored_date(TODAY)
    assert event["next_on"] == stored_date(TOMORROW)
    kept = Customer.collection().find_one({"_id": customer})
    assert kept
    assert kept["history"][0]["kind"] == "event"
    written = AuditEntry.collection().find_one()
    assert written
    assert written["action"] == "postpone"


def test_a_recompute_does_not_move_it_back(agent: Actor, order: ObjectId) -> None:
    postpone(order, agent)
    recompute.recompute_care()
    assert stored(order)["care"]["due_on"] == stored_date(TOMORROW)


def test_a_double_click_moves_it_once(agent: Actor, order: ObjectId) -> None:
    with ThreadPoolExecutor(4) as pool:
        moved = list(pool.map(lambda _: postpone(order, agent), range(4)))
    assert sum(not one.already_saved for one in moved) == 1
    assert Interaction.collection().count_documents({}) == 1


@pytest.mark.parametrize("next_on", [TODAY, TODAY - timedelta(days=1)])
def test_it_only_moves_forward(agent: Actor, order: ObjectId, next_on: date) -> None:
    with pytest.raises(InvalidInput):
        postpone(order, agent, next_on)
    assert stored(order)["care"]["due_on"] == stored_date(TODAY)


def test_it_refuses_what_a_colleague_has_cared_for(agent: Actor, order: ObjectId) -> None:
    Order.collection().update_one({"_id": order}, {"$set": {"care.count": 1}})
    with pytest.raises(StaleForm):
        postpone(order, agent)
    assert Interaction.collection().count_documents({}) == 0


def test_it_does_not_find_a_deleted_order(agent: Actor) -> None:
    with pytest.raises(NotFound):
        postpone(ObjectId(), agent)
