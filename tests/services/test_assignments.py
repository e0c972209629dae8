"""Assigning customers in bulk, and the care mode (S1.2, S1.10)."""

from typing import Any

import pytest
from bson import ObjectId

from models import AuditEntry, Customer, JobRun, Order, Site
from rules.errors import InvalidInput, NotAllowed
from rules.scope import BY_CUSTOMER, Actor
from services import assignments, configuration, scope
from services.progress import Cancelled, NoProgress
from tests.factories import NOW, make_customer, make_order, make_product


class Stop(NoProgress):
    """A progress that is told to stop after the first range."""

    def __init__(self) -> None:
        self.done = 0

    def advance(self, number: int = 1) -> None:
        self.done += number

    def is_cancelled(self) -> bool:
        return self.done > 0


def carers() -> list[list[ObjectId]]:
    return [row.get("carers") or [] for row in Customer.collection().find().sort("_id", 1)]


def test_customers_and_their_orders_move_together(db: Any, agent: Actor, manager: Actor) -> None:
    make_product("A")
    customers = [make_customer() for _ in range(3)]
    for customer in customers:
        make_order(customer, {"A": 1})

    changed = assignments.assign_customers(
        {}, [agent.staff_id], way=assignments.ADD, by=manager, at=NOW
    )

    assert changed == 3
    assert carers() == [[agent.staff_id]] * 3
    assert {tuple(row["customer_carers"]) for row in Order.collection().find()} == {
        (agent.staff_id,)
    }
    again = assignments.assign_customers(
        {}, [agent.staff_id], way=assignments.ADD, by=manager, at=NOW
    )
    assert again == 0, "a second run changes nothing"
    assert AuditEntry.collection().count_documents({"action": "assign_add"}) == 1


def test_a_run_that_was_stopped_half_way_is_completed_by_the_next(
    db: Any, agent: Actor, manager: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assignments, "CUSTOMERS_PER_RANGE", 2)
    for _ in range(5):
        make_customer()
    with pytest.raises(Cancelled):
        assignments.assign_customers(
            {}, [agent.staff_id], way=assignments.ADD, by=manager, at=NOW, progress=Stop()
        )
    assert carers().count([agent.staff_id]) == 2

    assignments.assign_customers({}, [agent.staff_id], way=assignments.ADD, by=manager, at=NOW)

    assert carers() == [[agent.staff_id]] * 5


def test_a_run_killed_between_orders_and_customers_is_completed_by_the_same_filter(
    db: Any, agent: Actor, manager: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = make_customer()
    make_order(customer, {})
    nobody = {"carers": {"$in": [None, []]}}

    def die(*_: Any) -> int:
        raise KeyboardInterrupt

    def assign() -> None:
        assignments.assign_customers(
            nobody, [agent.staff_id], way=assignments.REPLACE, by=manager, at=NOW
        )

    with monkeypatch.context() as killed:
        killed.setattr(scope._Writes, "write_unchanged", die)
        with pytest.raises(KeyboardInterrupt):
            assign()
    assert carers() == [[]], "the customer waits for the next run, which finds it again"
    assign()

    stored = Customer.collection().find_one({"_id": customer}) or {}
    order = Order.collection().find_one({"customer_id": customer}) or {}
    assert stored["carers"] == stored["seen_by"] == [agent.staff_id]
    assert order["customer_carers"] == order["seen_by"] == [agent.staff_id]


def test_what_others_do_meanwhile_is_not_lost(
    db: Any, agent: Actor, colleague: Actor, manager: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = make_customer()
    order = make_order(customer, {})
    write = scope._Writes.write_unchanged
    done: list[str] = []

    def meanwhile(writes: Any, collection: Any) -> int:
        if not done:
            done.append("once")
            assignments.add_viewer(customer, colleague.staff_id, until=None, by=manager, at=NOW)
            Order.collection().update_one({"_id": order}, {"$set": {"customer_carers": []}})
        return write(writes, collection)

    monkeypatch.setattr(scope._Writes, "write_unchanged", meanwhile)
    assignments.assign_customers({}, [agent.staff_id], way=assignments.ADD, by=manager, at=NOW)

    both = sorted([agent.staff_id, colleague.staff_id])
    stored = Customer.collection().find_one({"_id": customer}) or {}
    assert stored["carers"] == [agent.staff_id]
    assert stored["seen_by"] == both
    written = Order.collection().find_one({"_id": order}) or {}
    assert (written["customer_carers"], written["seen_by"]) == ([agent.staff_id], both)
    assert AuditEntry.collection().count_documents({"action": "assign_add"}) == 1


def test_many_customers_are_assigned_by_a_job(
    db: Any, agent: Actor, manager: Actor, valkey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs import runner

    monkeypatch.setattr(assignments, "AT_ONCE", 1)
    area = ObjectId()
    for _ in range(3):
        make_customer(area_id=area)
    make_customer()

    outcome = assignments.start_assigning_customers(
        {"area_id": area}, [agent.staff_id], way=assignments.ADD, by=manager, at=NOW
    )
    assert outcome.run_id is not None
    runner.run(str(outcome.run_id))

    run = JobRun.collection().find_one({"_id": outcome.run_id}) or {}
    assert run["state"] == "done"
    assert carers() == [[agent.staff_id]] * 3 + [[]]


@pytest.mark.parametrize("way", ["", "drop"])
def test_an_unknown_way_is_refused(db: Any, agent: Actor, manager: Actor, way: str) -> None:
    make_customer()
    with pytest.raises(InvalidInput):
        assignments.assign_customers({}, [agent.staff_id], way=way, by=manager, at=NOW)


def test_somebody_who_does_not_work_here_cannot_be_assigned(db: Any, manager: Actor) -> None:
    with pytest.raises(InvalidInput):
        assignments.assign_customers({}, [ObjectId()], way=assignments.ADD, by=manager, at=NOW)


def test_care_agents_assign_nothing(db: Any, agent: Actor) -> None:
    with pytest.raises(NotAllowed):
        assignments.assign_customers({}, [agent.staff_id], way="add", by=agent, at=NOW)
    with pytest.raises(NotAllowed):
        assignments.set_care_mode(BY_CUSTOMER, by=agent, at=NOW)


def test_a_new_care_mode_is_in_force_at_once_and_audited(
    db: Any, shipped: None, manager: Actor
) -> None:
    before = configuration.snapshot()
    assignments.set_care_mode(BY_CUSTOMER, by=manager, at=NOW)

    after = configuration.snapshot()
    assert (before.care_mode, after.care_mode) == ("unlimited", BY_CUSTOMER)
    assert after.revision == before.revision + 1
    entry = AuditEntry.collection().find_one({"kind": "site"}) or {}
    assert entry["changes"][0]["new"] == BY_CUSTOMER
    assert (Site.collection().find_one({}) or {})["care_mode"] == BY_CUSTOMER


def test_an_unknown_care_mode_is_refused(db: Any, shipped: None, manager: Actor) -> None:
    with pytest.raises(InvalidInput):
        assignments.set_care_mode("everybody", by=manager, at=NOW)
