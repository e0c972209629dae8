"""Absence: a colleague sees and does somebody's work on some days, and not a minute longer (S1.1)."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from models import AuditEntry, Customer, Order, Product, Staff
from rules.errors import InvalidInput, NotAllowed, NotFound
from rules.reasons import reasons_to_see
from rules.scope import (
    BY_CUSTOMER,
    BY_PRODUCT,
    Actor,
    customer_scope,
    due_customer_scope,
    due_order_scope,
    history_scope,
    order_scope,
)
from services import absences, actors, assignments, care
from services.care import CareEntry
from services.explaining import standing_of
from services.scope import recompute_all_scope
from tests.factories import NOW, TODAY, ZONE, make_customer, make_order, make_product

FIRST, LAST = TODAY, TODAY + timedelta(days=3)


def start(
    away: Actor,
    to: Actor,
    first: date = FIRST,
    last: date = LAST,
    *,
    by: Actor | None = None,
    at: datetime = NOW,
) -> ObjectId:
    return absences.start(away.staff_id, to.staff_id, first, last, zone=ZONE, by=by or away, at=at)


def as_of(actor: Actor, at: datetime, mode: str = BY_CUSTOMER) -> Actor:
    """The actor as a request at this instant makes it."""
    stored = Staff.collection().find_one({"_id": actor.staff_id}) or {}
    return replace(
        actor,
        care_mode=mode,
        is_scope_pending=bool(stored.get("scopes_pending")),
        stands_in_for=actors.standing_in(stored.get("stands_in") or (), at),
    )


@pytest.fixture
def work(shipped: None, agent: Actor, colleague: Actor) -> dict[str, set[ObjectId]]:
    """What the agent has: as carer of a customer, as carer of a product, as viewer, as owner."""
    make_product("A", carers=[agent.staff_id])
    mine = make_customer(carers=[agent.staff_id])
    bought = make_customer()
    orders = {make_order(mine, due_on=TODAY), make_order(bought, {"A": 1}, due_on=TODAY)}
    viewed = make_customer(viewers=[{"staff_id": agent.staff_id, "until": None, "added_at": NOW}])
    owned = make_customer(owner_id=agent.staff_id)
    make_customer()  # nobody's
    recompute_all_scope(at=NOW)
    return {"customers": {mine, bought, viewed, owned}, "orders": orders}


def seen(actor: Actor, at: datetime) -> set[ObjectId]:
    return set(Customer.collection().distinct("_id", customer_scope(as_of(actor, at))))


def test_the_colleague_sees_all_of_it_on_these_days_and_only_then(
    work: dict[str, set[ObjectId]], agent: Actor, colleague: Actor
) -> None:
    start(agent, colleague, TODAY + timedelta(days=1), LAST)
    begin = datetime(2026, 11, 22, tzinfo=ZONE)
    end = datetime(2026, 11, 25, tzinfo=ZONE)
    minute = timedelta(minutes=1)
    for at, expected in (
        (begin - minute, set()),
        (begin, work["customers"]),
        (end - minute, work["customers"]),
        (end, set()),
    ):
        assert seen(colleague, at) == expected, at
        orders = Order.collection().distinct("_id", order_scope(as_of(colleague, at)))
        assert bool(orders) == bool(expected)
        assert seen(agent, at) == work["customers"], "who is away keeps it"


@pytest.mark.parametrize("mode", [BY_CUSTOMER, BY_PRODUCT])
def test_the_due_lists_hold_it_under_each_care_mode(
    work: dict[str, set[ObjectId]], agent: Actor, colleague: Actor, mode: str
) -> None:
    start(agent, colleague)
    both = as_of(colleague, NOW, mode)
    for document, scope in ((Order, due_order_scope), (Customer, due_customer_scope)):
        theirs = document.collection().distinct("_id", scope(as_of(agent, NOW, mode)))
        assert document.collection().distinct("_id", scope(both)) == theirs
        assert theirs


def test_the_lists_stay_one_walk_of_an_index(
    db: Any, agent: Actor, colleague: Actor, outsider: Actor
) -> None:
    """The first page of two people's work among many costs no more than the page."""
    whose = [agent.staff_id, colleague.staff_id, *[outsider.staff_id] * 8]
    rows = [
        {
            "code": f"{number}",
            "search": f"{number % 977:05}",
            "care": {"state": "suggested", "due_on": NOW + timedelta(days=number % 400)},
            **{key: [whose[number % 10]] for key in ("carers", "customer_carers", "seen_by")},
        }
        for number in range(3000)
    ]
    for document in (Order, Customer):
        document.collection().insert_many([dict(row) for row in rows])
    start(agent, colleague)
    both, open_care = as_of(colleague, NOW), {"care.state": {"$in": ["suggested", "appointed"]}}
    for document, criteria, path in (
        (Order, open_care | due_order_scope(both), "care.due_on"),
        (Customer, open_care | due_customer_scope(both), "care.due_on"),
        (Customer, customer_scope(both), "search"),
    ):
        found = document.collection().find(criteria).sort([(path, 1), ("_id", 1)]).limit(51)
        stats = found.explain()["executionStats"]
        assert stats["nReturned"] == 51
        assert stats["totalDocsExamined"] <= 60, stats


def test_the_colleague_writes_for_who_is_away(
    work: dict[str, set[ObjectId]], agent: Actor, colleague: Actor
) -> None:
    customer = next(iter(Customer.collection().find({"carers": agent.staff_id})))["_id"]
    entry = CareEntry("Gọi thay", "satisfied", TODAY + timedelta(days=3))
    write: dict[str, Any] = {"at": NOW, "today": TODAY, "expected_count": 0}
    with pytest.raises(NotFound):
        care.log_customer_care(customer, entry, by=as_of(colleague, NOW), entry_key="a", **write)
    start(agent, colleague)
    care.log_customer_care(customer, entry, by=as_of(colleague, NOW), entry_key="b", **write)
    stored = Customer.collection().find_one({"_id": customer}) or {}
    assert colleague.name in [one["staff_name"] for one in stored["history"]]
    assert stored["carers"] == [agent.staff_id]


def test_it_says_whose_work_it_is_and_why(
    work: dict[str, set[ObjectId]], agent: Actor, colleague: Actor
) -> None:
    start(agent, colleague)
    for customer in Customer.collection().find({"_id": {"$in": list(work["customers"])}}):
        why = reasons_to_see(
            as_of(colleague, NOW),
            standing_of("customers", customer),
            NOW,
        )
        assert [one.params["name"] for one in why] == [agent.name]
        assert why[0].params["until"] == LAST


def test_the_history_of_who_is_away_is_read_too(agent: Actor, colleague: Actor) -> None:
    start(agent, colleague)
    assert history_scope(as_of(colleague, NOW)) == {
        "staff_id": {"$in": sorted([colleague.staff_id, agent.staff_id])}
    }


def test_what_a_manager_sees_by_being_one_is_not_left_to_anybody(
    db: Any, manager: Actor, agent: Actor
) -> None:
    make_customer()
    start(manager, agent)
    assert seen(agent, NOW) == set()


def test_it_ends_at_the_minute_and_is_written_down(
    work: dict[str, set[ObjectId]], agent: Actor, colleague: Actor
) -> None:
    absence = start(agent, colleague)
    assert seen(colleague, NOW)
    absences.end(absence, by=agent, at=NOW)
    assert seen(colleague, NOW) == set()
    with pytest.raises(NotFound):
        absences.end(absence, by=agent, at=NOW)
    actions = [one["action"] for one in AuditEntry.collection().find({"kind": "staff"})]
    assert actions == ["absence", "absence ended"]


def test_a_product_that_is_taken_meanwhile_leaves_both(
    shipped: None, agent: Actor, colleague: Actor, manager: Actor, valkey: Any
) -> None:
    """Until the job has run neither sees anything through products: too little, never too much."""
    make_product("A", carers=[agent.staff_id])
    customer = make_customer()
    make_order(customer, {"A": 1}, due_on=TODAY)
    recompute_all_scope(at=NOW)
    start(agent, colleague)
    assert seen(colleague, NOW) == {customer}
    product = Product.collection().find_one({"code": "A"}) or {}
    assignments.assign_products(
        [product["_id"]], [manager.staff_id], way=assignments.REPLACE, by=manager, at=NOW
    )
    assert seen(agent, NOW) == seen(colleague, NOW) == set()


def test_an_absence_that_begins_meanwhile_waits_as_well(
    shipped: None, agent: Actor, colleague: Actor, manager: Actor, valkey: Any
) -> None:
    make_product("A", carers=[agent.staff_id])
    make_order(make_customer(), {"A": 1}, due_on=TODAY)
    recompute_all_scope(at=NOW)
    product = Product.collection().find_one({"code": "A"}) or {}
    assignments.assign_products(
        [product["_id"]], [manager.staff_id], way=assignments.REPLACE, by=manager, at=NOW
    )
    start(agent, colleague)
    assert seen(colleague, NOW) == set()


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (None, LAST, "from_on"),
        (FIRST, None, "until_on"),
        (LAST, FIRST, "until_on"),
        (TODAY - timedelta(days=9), TODAY - timedelta(days=1), "until_on"),
        (FIRST, FIRST + timedelta(days=400), "until_on"),
    ],
)
def test_it_refuses_days_that_make_no_sense(
    agent: Actor, colleague: Actor, first: Any, last: Any, field: str
) -> None:
    with pytest.raises(InvalidInput) as error:
        start(agent, colleague, first, last)
    assert list(error.value.fields) == [field]


def test_work_that_was_left_to_somebody_is_not_passed_on(
    agent: Actor, colleague: Actor, manager: Actor
) -> None:
    start(agent, colleague)
    with pytest.raises(InvalidInput) as error:
        start(colleague, manager, LAST, LAST)
    assert agent.name in str(error.value.fields["staff"])
    start(colleague, manager, LAST + timedelta(days=1), LAST + timedelta(days=2))
    with pytest.raises(InvalidInput) as error:
        start(agent, colleague, LAST, LAST + timedelta(days=1))
    assert "away" in str(error.value.fields["to"])


def test_everybody_leaves_only_the_own_work(agent: Actor, colleague: Actor, manager: Actor) -> None:
    with pytest.raises(NotAllowed):
        start(agent, colleague, by=colleague)
    absence = start(agent, colleague, by=manager)
    with pytest.raises(NotAllowed):
        absences.end(absence, by=colleague, at=NOW)
    for who in (agent, colleague, manager):
        assert [one.name for one in absences.current(by=who, at=NOW)] == [agent.name]


def test_nobody_reads_absences_of_others(agent: Actor, colleague: Actor, outsider: Actor) -> None:
    start(agent, colleague)
    assert absences.current(by=outsider, at=NOW) == []


@pytest.mark.parametrize("to", [None, ObjectId(), "self"])
def test_it_refuses_somebody_who_cannot_do_it(agent: Actor, to: Any) -> None:
    receiver = agent.staff_id if to == "self" else to
    with pytest.raises(InvalidInput) as error:
        absences.start(agent.staff_id, receiver, FIRST, LAST, zone=ZONE, by=agent, at=NOW)
    assert list(error.value.fields) == ["to"]
