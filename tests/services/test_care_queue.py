"""The "due today" queue hands each customer to one person at a time (B.2)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from models import Customer
from models.base import stored_date
from rules.scope import Actor
from services import care, queue
from services.care import CareEntry
from services.queue import CLAIM_MINUTES, LATER_MINUTES
from tests.factories import NOW, TODAY, make_customer

pytestmark = pytest.mark.usefixtures("shipped")


def due(days: int, state: str = "suggested", **values: Any) -> ObjectId:
    """A customer due so many days from today."""
    next_care = {"state": state, "due_on": stored_date(TODAY + timedelta(days=days))}
    return make_customer(care=next_care, **values)


def given(by: Actor, minutes: int = 0, skip: ObjectId | None = None) -> ObjectId | None:
    at = NOW + timedelta(minutes=minutes)
    found = queue.next_customer(by=by, now=at, today=TODAY, skip=skip)
    return found["_id"] if found else None


def test_it_gives_the_longest_waiting_first(agent: Actor) -> None:
    due(0)
    late = due(-3)
    due(-1, state="appointed")
    assert given(agent) == late


def test_it_gives_nobody_who_is_not_due(agent: Actor) -> None:
    due(1)
    due(-1, state="ended")
    make_customer()
    assert given(agent) is None


def test_it_gives_two_people_different_customers(agent: Actor, colleague: Actor) -> None:
    first, second = due(-2), due(-1)
    assert given(agent) == first
    assert given(colleague) == second
    assert given(agent) == first
    assert given(colleague) == second


def test_it_never_gives_one_customer_to_two_who_ask_at_once(agent: Actor) -> None:
    people = [replace(agent, staff_id=ObjectId()) for _ in range(8)]
    for _ in range(5):
        due(-1)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(given, people))
    customers = [one for one in found if one]
    assert len(customers) == len(set(customers)) == 5
    assert found.count(None) == 3


def test_it_gives_a_customer_again_after_the_claim_has_run_out(
    agent: Actor, colleague: Actor
) -> None:
    only = due(-1)
    assert given(agent) == only
    assert given(colleague, minutes=CLAIM_MINUTES - 1) is None
    assert given(colleague, minutes=CLAIM_MINUTES + 1) == only
    assert given(agent, minutes=CLAIM_MINUTES + 2) is None


def test_a_reload_shows_the_same_customer_even_when_another_came_before_it(agent: Actor) -> None:
    mine = due(-1)
    assert given(agent) == mine
    due(-5)
    assert given(agent) == mine


def test_it_goes_on_behind_the_one_that_is_left_for_later(agent: Actor) -> None:
    first, second, third = due(-3), due(-2), due(-1)
    assert given(agent) == first
    assert given(agent, skip=first) == second
    assert given(agent) == second  # the page that follows the key, and each reload of it
    assert given(agent, skip=second) == third
    assert given(agent) == third


def test_it_does_not_come_back_to_the_skipped_one_before_the_others(agent: Actor) -> None:
    first, second, third = due(-3), due(-2), due(-1)
    given(agent)
    assert given(agent, skip=first) == second
    log(second, agent)
    assert given(agent) == third
    log(third, agent)
    assert given(agent) == first


def log(customer: ObjectId, by: Actor) -> None:
    entry = CareEntry("Đã gọi", "satisfied", TODAY + timedelta(days=7))
    care.log_customer_care(
        customer, entry, by=by, at=NOW, today=TODAY, entry_key=str(customer), expected_count=0
    )


def test_the_one_left_for_later_is_free_for_a_colleague(agent: Actor, colleague: Actor) -> None:
    first = due(-3)
    due(-2)
    given(agent)
    given(agent, skip=first)
    assert given(colleague) == first


def test_it_gives_the_skipped_one_again_after_a_while(agent: Actor) -> None:
    first, second = due(-3), due(-2)
    given(agent)
    assert given(agent, skip=first) == second
    later = LATER_MINUTES + CLAIM_MINUTES + 1
    assert given(agent, minutes=later) == first


def test_skipping_the_only_one_gives_it_again(agent: Actor) -> None:
    only = due(-1)
    assert given(agent) == only
    assert given(agent, skip=only) == only


def test_skipping_what_a_colleague_has_takes_nothing_away(agent: Actor, colleague: Actor) -> None:
    first, second = due(-2), due(-1)
    assert given(colleague) == first
    assert given(agent, skip=first) == second
    assert given(colleague) == first


def test_skipping_somebody_unknown_gives_the_next(agent: Actor) -> None:
    first = due(-1)
    assert given(agent, skip=ObjectId()) == first


def test_nobody_left_is_nobody(agent: Actor) -> None:
    assert given(agent) is None


def test_the_claim_says_whose_it_is(agent: Actor) -> None:
    one = due(-1)
    given(agent)
    stored = Customer.collection().find_one({"_id": one})
    assert stored
    assert stored["claim"] == {
        "staff_id": agent.staff_id,
        "staff_name": agent.name,
        "until": NOW + timedelta(minutes=CLAIM_MINUTES),
    }
