"""Hand-over for good: everything of one person becomes another one's, and can be taken back (S1.1)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from jobs import runner
from models import (
    AuditEntry,
    Customer,
    HandedOver,
    HandOver,
    JobRun,
    Order,
    Product,
    Staff,
    TrashedRecord,
)
from rules.errors import InvalidInput, NotAllowed
from rules.scope import BY_PRODUCT, Actor, customer_scope, due_order_scope
from services import absences, handed_over, handovers, trash
from services.progress import Cancelled, NoProgress
from services.scope import recompute_all_scope
from tests.factories import NOW, TODAY, ZONE, make_customer, make_order, make_product

DUE = {"due_on": TODAY}


@pytest.fixture
def work(shipped: None, valkey: Any, agent: Actor, colleague: Actor) -> dict[str, ObjectId]:
    """What the agent has, and a customer that both share."""
    make_product("A", carers=[agent.staff_id])
    make_product("AB", carers=sorted([agent.staff_id, colleague.staff_id]))
    viewer = {"staff_id": agent.staff_id, "until": None, "added_at": NOW}
    made = {
        "cared": make_customer(carers=[agent.staff_id]),
        "shared": make_customer(carers=sorted([agent.staff_id, colleague.staff_id])),
        "owned": make_customer(owner_id=agent.staff_id),
        "viewed": make_customer(viewers=[viewer]),
        "bought": make_customer(),
        "theirs": make_customer(carers=[colleague.staff_id]),
    }
    make_order(made["cared"], **DUE)
    make_order(made["bought"], {"A": 1}, **DUE)
    recompute_all_scope(at=NOW)
    return made


def start(giver: Actor, receiver: Actor, by: Actor, at: Any = NOW) -> ObjectId:
    return handovers.start(giver.staff_id, receiver.staff_id, by=by, at=at)


def work_off() -> None:
    for row in JobRun.collection().find({"state": "queued"}).sort("_id", 1):
        runner.run(str(row["_id"]))


def seen(actor: Actor) -> set[ObjectId]:
    stored = Staff.collection().find_one({"_id": actor.staff_id}) or {}
    as_is = replace(
        actor, care_mode=BY_PRODUCT, is_scope_pending=bool(stored.get("scopes_pending"))
    )
    due = Order.collection().distinct("customer_id", due_order_scope(as_is))
    return set(Customer.collection().distinct("_id", customer_scope(as_is))) | set(due)


def snapshot() -> list[dict[str, Any]]:
    """Who has what, without versions and times."""
    dropped = {"version": 0, "updated_at": 0}
    rows = []
    for document in (Customer, Order, Product):
        rows += list(document.collection().find({}, dropped).sort("_id", 1))
    return rows


def test_everything_becomes_the_receivers(
    work: dict[str, ObjectId], agent: Actor, colleague: Actor, manager: Actor
) -> None:
    hand = start(agent, colleague, manager)
    work_off()
    assert seen(agent) == set()
    assert seen(colleague) == set(work.values())
    assert handovers.left_of(agent.staff_id, at=NOW).is_nothing
    stored = HandOver.collection().find_one({"_id": hand}) or {}
    assert (stored["state"], stored["product_codes"]) == ("done", ["A", "AB"])
    owned = Customer.collection().find_one({"_id": work["owned"]}) or {}
    assert owned["owner_id"] == colleague.staff_id
    entry = AuditEntry.collection().find_one({"record_id": work["cared"]}) or {}
    assert entry["changes"] == [
        {"field": "carers", "old": [agent.staff_id], "new": [colleague.staff_id]}
    ]
    assert entry["staff_name"] == manager.name
    person = Staff.collection().find_one({"_id": agent.staff_id}) or {}
    assert person["scopes_pending"] == []


def test_nobody_sees_too_much_before_the_job_has_run(
    work: dict[str, ObjectId], agent: Actor, colleague: Actor, manager: Actor
) -> None:
    before = seen(colleague)
    start(agent, colleague, manager)
    assert work["bought"] not in seen(agent), "the product is not the agent's any more"
    assert seen(colleague) <= before | {work["bought"]}


def test_taking_it_back_restores_everything(
    work: dict[str, ObjectId], agent: Actor, colleague: Actor, manager: Actor
) -> None:
    before = snapshot()
    hand = start(agent, colleague, manager)
    work_off()
    assert snapshot() != before
    handovers.start_undo(hand, by=manager, at=NOW + timedelta(days=29))
    assert work["bought"] not in seen(colleague), "before the job has run: too little"
    work_off()
    assert snapshot() == before
    assert HandedOver.collection().count_documents({"undone_at": None}) == 0
    with pytest.raises(InvalidInput):
        handovers.start_undo(hand, by=manager, at=NOW)


def test_what_was_changed_since_stays(
    work: dict[str, ObjectId], agent: Actor, colleague: Actor, manager: Actor
) -> None:
    hand = start(agent, colleague, manager)
    work_off()
    Customer.collection().update_one(
        {"_id": work["cared"]}, {"$set": {"carers": [manager.staff_id]}}
    )
    handovers.start_undo(hand, by=manager, at=NOW)
    work_off()
    cared = Customer.collection().find_one({"_id": work["cared"]}) or {}
    assert cared["carers"] == [manager.staff_id]


def test_it_is_too_late_after_thirty_days(
    work: dict[str, ObjectId], agent: Actor, colleague: Actor, manager: Actor
) -> None:
    hand = start(agent, colleague, manager)
    work_off()
    with pytest.raises(InvalidInput):
        handovers.start_undo(hand, by=manager, at=NOW + timedelta(days=30))


class Killed(NoProgress):
    """Stops after a number of ranges, as a kill would."""

    def __init__(self, ranges: int) -> None:
        self.left = ranges

    def is_cancelled(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("ranges", [0, 1, 2, 3])
def test_a_run_that_was_killed_goes_on(
    work: dict[str, ObjectId],
    agent: Actor,
    colleague: Actor,
    manager: Actor,
    ranges: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handovers, "CUSTOMERS_PER_RANGE", 1)
    before = snapshot()
    hand = start(agent, colleague, manager)
    with pytest.raises(Cancelled):
        handovers.run(Killed(ranges), hand, at=NOW)
    assert work["bought"] not in seen(agent)
    for _ in range(2):
        handovers.run(NoProgress(), hand, at=NOW)
    assert seen(agent) == set()
    assert seen(colleague) == set(work.values())
    JobRun.collection().delete_many({})
    handovers.start_undo(hand, by=manager, at=NOW)
    with pytest.raises(Cancelled):
        handovers.run_undo(Killed(ranges), hand, at=NOW)
    for _ in range(2):
        handovers.run_undo(NoProgress(), hand, at=NOW)
    assert snapshot() == before


def test_a_run_that_was_stopped_half_way_can_be_taken_back(
    work: dict[str, ObjectId],
    agent: Actor,
    colleague: Actor,
    manager: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handovers, "CUSTOMERS_PER_RANGE", 1)
    before = snapshot()
    hand = start(agent, colleague, manager)
    with pytest.raises(InvalidInput):
        handovers.start_undo(hand, by=manager, at=NOW)  # its job still waits
    with pytest.raises(Cancelled):
        handovers.run(Killed(2), hand, at=NOW)
    JobRun.collection().update_many({}, {"$set": {"state": "cancelled"}})
    handovers.start_undo(hand, by=manager, at=NOW)
    work_off()
    assert snapshot() == before
    person = Staff.collection().find_one({"_id": agent.staff_id}) or {}
    assert person["scopes_pending"] == []


def test_the_receiver_stands_in_for_whom_the_giver_did(
    work: dict[str, ObjectId], agent: Actor, colleague: Actor, manager: Actor
) -> None:
    last = TODAY + timedelta(days=5)
    absences.start(manager.staff_id, agent.staff_id, TODAY, last, zone=ZONE, by=manager, at=NOW)
    assert handovers.left_of(agent.staff_id, at=NOW).stands_in == 1
    hand = start(agent, colleague, manager)
    work_off()
    assert absences.current(by=manager, at=NOW)[0].to_name == colleague.name
    handovers.start_undo(hand, by=manager, at=NOW)
    work_off()
    assert absences.current(by=manager, at=NOW)[0].to_name == agent.name


def test_a_claim_of_the_giver_is_free_for_the_receiver(
    work: dict[str, ObjectId], agent: Actor, colleague: Actor, manager: Actor
) -> None:
    claim = {"staff_id": agent.staff_id, "staff_name": agent.name, "until": NOW}
    Customer.collection().update_one({"_id": work["cared"]}, {"$set": {"claim": claim}})
    start(agent, colleague, manager)
    work_off()
    assert "claim" not in (Customer.collection().find_one({"_id": work["cared"]}) or {})


def test_only_who_may_assign_hands_over(agent: Actor, colleague: Actor) -> None:
    with pytest.raises(NotAllowed):
        start(agent, colleague, agent)
    with pytest.raises(NotAllowed):
        handovers.start_undo(ObjectId(), by=agent, at=NOW)
    with pytest.raises(NotAllowed):
        handovers.newest(by=agent)
    with pytest.raises(NotAllowed):
        handovers.without_anybody(by=agent, at=NOW)


def test_it_refuses_who_cannot_take_it(
    valkey: Any, agent: Actor, colleague: Actor, manager: Actor
) -> None:
    Staff.collection().update_one({"_id": colleague.staff_id}, {"$set": {"active": False}})
    for giver, receiver, field in (
        (agent.staff_id, agent.staff_id, "to"),
        (agent.staff_id, colleague.staff_id, "to"),
        (agent.staff_id, None, "to"),
        (ObjectId(), manager.staff_id, "from"),
    ):
        with pytest.raises(InvalidInput) as error:
            handovers.start(giver, receiver, by=manager, at=NOW)
        assert list(error.value.fields) == [field]
    assert HandOver.collection().count_documents({}) == 0


def test_one_person_is_handed_over_once_at_a_time(
    valkey: Any, agent: Actor, colleague: Actor, manager: Actor
) -> None:
    start(agent, colleague, manager)
    with pytest.raises(InvalidInput) as error:
        start(agent, manager, manager)
    assert agent.name in str(error.value.fields["from"])


def test_what_a_hand_over_kept_expires(
    work: dict[str, ObjectId], agent: Actor, colleague: Actor, manager: Actor
) -> None:
    start(agent, colleague, manager)
    work_off()
    kept = list(HandedOver.collection().find())
    assert len(kept) == 6
    assert {one["expires_at"] for one in kept} == {NOW + handed_over.KEPT}


def trashed(kind: str, record_id: Any) -> dict[str, Any]:
    found = TrashedRecord.collection().find_one({"kind": kind, "record_id": record_id}) or {}
    document: dict[str, Any] = found["document"]
    return document


def whose() -> list[dict[str, Any]]:
    """Who is named on each record; a status follows when a customer is restored."""
    named = ("_id", "owner_id", "carers", "viewers", "seen_by", "customer_carers")
    return [{name: row.get(name) for name in named} for row in snapshot()]


def put_into_the_trash(
    work: dict[str, ObjectId], manager: Actor
) -> tuple[dict[str, Any], list[ObjectId]]:
    """Three of the customers and a product, deleted; the product, and the batches."""
    product = Product.collection().find_one({"code": "A"}) or {}
    batches = [
        trash.delete("customers", work[name], by=manager, at=NOW).batch_id
        for name in ("cared", "owned", "viewed")
    ]
    batches.append(trash.delete("products", product["_id"], by=manager, at=NOW).batch_id)
    work_off()
    return product, batches


def test_what_comes_back_from_the_trash_is_the_receivers(
    work: dict[str, ObjectId], agent: Actor, colleague: Actor, manager: Actor
) -> None:
    product, batches = put_into_the_trash(work, manager)
    start(agent, colleague, manager)
    work_off()
    assert trashed("customers", work["cared"])["carers"] == [colleague.staff_id]
    assert (
        AuditEntry.collection().count_documents(
            {"record_id": {"$in": [work["cared"], product["_id"]]}, "action": "hand over"}
        )
        == 2
    )
    for batch in batches:
        trash.restore(batch, by=manager, at=NOW)
    work_off()
    assert seen(agent) == set()
    assert seen(colleague) == set(work.values())
    order = Order.collection().find_one({"customer_id": work["cared"]}) or {}
    assert order["customer_carers"] == [colleague.staff_id]


@pytest.mark.parametrize("is_restored", [False, True])
def test_what_was_in_the_trash_is_taken_back_too(
    work: dict[str, ObjectId],
    agent: Actor,
    colleague: Actor,
    manager: Actor,
    is_restored: bool,
) -> None:
    before, everything = seen(agent), whose()
    _, batches = put_into_the_trash(work, manager)
    hand = start(agent, colleague, manager)
    work_off()
    if is_restored:
        for batch in batches:
            trash.restore(batch, by=manager, at=NOW)
        work_off()
    handovers.start_undo(hand, by=manager, at=NOW)
    work_off()
    if not is_restored:
        for batch in batches:
            trash.restore(batch, by=manager, at=NOW)
        work_off()
    assert seen(agent) == before
    assert whose() == everything


def test_what_is_deleted_after_the_hand_over_is_taken_back_too(
    work: dict[str, ObjectId], agent: Actor, colleague: Actor, manager: Actor
) -> None:
    hand = start(agent, colleague, manager)
    work_off()
    put_into_the_trash(work, manager)
    handovers.start_undo(hand, by=manager, at=NOW)
    work_off()
    assert trashed("customers", work["cared"])["carers"] == [agent.staff_id]
    assert trashed("customers", work["owned"])["owner_id"] == agent.staff_id


def test_a_customer_restored_while_the_job_runs_is_not_forgotten(
    work: dict[str, ObjectId],
    agent: Actor,
    colleague: Actor,
    manager: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch = trash.delete("customers", work["cared"], by=manager, at=NOW).batch_id
    hand = start(agent, colleague, manager)
    move = handed_over.move_customers

    def restore_after(*given: Any) -> int:
        moved = move(*given)
        if TrashedRecord.collection().find_one({"batch_id": batch}):
            trash.restore(batch, by=manager, at=NOW)
        return moved

    monkeypatch.setattr(handed_over, "move_customers", restore_after)
    handovers.run(NoProgress(), hand, at=NOW)
    cared = Customer.collection().find_one({"_id": work["cared"]}) or {}
    assert cared["carers"] == [colleague.staff_id]
