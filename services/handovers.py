"""Hand-over for good: everything of one person becomes another one's, and can be taken back (S1.1).

Products change hands at once; the giver then sees nothing through products until the job has gone
over all customers who bought them. Customers move in ranges, each with its orders in one
transaction, so that nobody sees too much in between.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import (
    Customer,
    HandedOver,
    HandOver,
    JobRun,
    Order,
    Product,
    Staff,
    TrashedRecord,
)
from models.care import OPEN_STATES
from models.hand_over import DONE, MOVING, UNDOING, UNDONE
from models.job_run import ACTIVE_STATES
from rules.errors import N_, CareError, InvalidInput, NotAllowed, NotFound
from rules.scope import Actor, may_assign
from services import accounts, bulk, handed_over, job_runs
from services.handed_over import UNDO_DAYS
from services.lists import capped_counts
from services.progress import Progress
from services.scope import (
    hold_pending,
    recompute_scope_of_products,
    release_pending,
)
from stores.mongo import in_transaction

Stored = dict[str, Any]
CUSTOMERS_PER_RANGE = 500
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Left:
    """What a person has, each number capped at `services.lists.COUNT_CAP`."""

    customers: int
    products: int
    orders_due: int
    viewed: int
    stands_in: int

    @property
    def is_nothing(self) -> bool:
        return not any((self.customers, self.products, self.viewed, self.stands_in))


def left_of(staff_id: ObjectId, *, at: datetime) -> Left:
    """What would be without anybody if this person left."""
    due = {"care.state": {"$in": list(OPEN_STATES)}}
    theirs: dict[str, Stored] = {
        "customers": {"seen_by": staff_id, "$or": [{"carers": staff_id}, {"owner_id": staff_id}]},
        "viewed": {"seen_by": staff_id, "viewers.staff_id": staff_id},
    }
    of_customers = capped_counts(Customer.collection(), theirs)
    products = capped_counts(Product.collection(), {"": {"carers": staff_id}})
    orders = capped_counts(
        Order.collection(),
        {path: {path: staff_id, **due} for path in ("product_carers", "customer_carers")},
    )
    person = Staff.collection().find_one({"_id": staff_id}, {"stands_in": 1}) or {}
    running = [one for one in person.get("stands_in") or () if one["until_at"] > at]
    return Left(
        customers=of_customers["customers"],
        products=products[""],
        orders_due=max(orders.values()),
        viewed=of_customers["viewed"],
        stands_in=len(running),
    )


def start(from_id: ObjectId | None, to_id: ObjectId | None, *, by: Actor, at: datetime) -> ObjectId:
    """Hands everything of one person to another one; returns the hand-over.

    Raises:
        NotAllowed: the actor may not assign.
        InvalidInput: with `fields`; also while an earlier one of this person is under way.
    """
    if not may_assign(by):
        raise NotAllowed()

    def work(session: ClientSession) -> Stored:
        return prepare(from_id, to_id, by=by, at=at, session=session)

    begun = in_transaction(work)
    job_runs.enqueue(begun["run_id"])
    hand_over_id: ObjectId = begun["_id"]
    return hand_over_id


def prepare(
    from_id: ObjectId | None,
    to_id: ObjectId | None,
    *,
    by: Actor,
    at: datetime,
    session: ClientSession,
) -> Stored:
    """The first step within a transaction; put the returned `run_id` into the queue afterwards."""
    giver = Staff.collection().find_one_and_update(
        # The write lets two hand-overs of the same person conflict.
        {"_id": from_id},
        {"$set": {"updated_at": at}},
        session=session,
    )
    receiver = Staff.collection().find_one({"_id": to_id, "active": True}, session=session)
    unknown = ["from"] * (giver is None) + ["to"] * (receiver is None or to_id == from_id)
    if giver is None or receiver is None or unknown:
        fields: dict[str, CareError] = {
            name: InvalidInput(N_("Choose a colleague from the list.")) for name in unknown
        }
        raise InvalidInput(fields=fields)
    under_way = {"from_id": from_id, "state": {"$in": [MOVING, UNDOING]}}
    if HandOver.collection().find_one(under_way, session=session):
        raise _wrong("from", N_("A hand-over of %(name)s is still under way."), name=giver["name"])
    hand: Stored = {
        "_id": ObjectId(),
        "from_id": from_id,
        "from_name": giver["name"],
        "to_id": to_id,
        "to_name": receiver["name"],
        "state": MOVING,
        "at": at,
        "by_id": by.staff_id,
        "by_name": by.name,
        "version": 1,
    }
    hand["product_codes"] = handed_over.move_products(hand, by, at, session)
    hand["absence_ids"] = handed_over.move_absences(hand, giver, at, session)
    hold_pending([giver["_id"]], hand["_id"], session=session)
    arguments = {"hand_over_id": str(hand["_id"])}
    hand["run_id"] = job_runs.create("hand_over", arguments, by, session=session)
    HandOver.collection().insert_one(hand, session=session)
    accounts.audit_person(by, at, "hand over", giver, {"receiver": (None, to_id)}, session)
    return hand


def run(progress: Progress, hand_over_id: ObjectId, *, at: datetime) -> None:
    """The job of a hand-over: customers in ranges, those in the trash too, then who else bought
    the products.

    Raises Cancelled; run again, it goes on.
    """
    hand = HandOver.collection().find_one({"_id": hand_over_id, "state": MOVING})
    if hand is None:
        return
    giver = hand["from_id"]
    theirs = [{"carers": giver}, {"owner_id": giver}, {"viewers.staff_id": giver}]

    def work(ids: Sequence[ObjectId]) -> None:
        progress.count("customers_handed_over", handed_over.move_customers(hand, ids, at))

    def work_in_trash(ids: Sequence[ObjectId]) -> None:
        moved = handed_over.move_trashed_customers(hand, ids, at)
        progress.count("customers_handed_over", moved)

    # What is restored while the trash is gone over is found by going over the customers again.
    for step, document, criteria, move in (
        ("customers", Customer, {"seen_by": giver, "$or": theirs}, work),
        ("trash", TrashedRecord, handed_over.trashed_customers_of(giver), work_in_trash),
        ("restored", Customer, {"seen_by": giver, "$or": theirs}, work),
    ):
        bulk.over(
            document.collection(), criteria, move, progress, step=step, size=CUSTOMERS_PER_RANGE
        )
    recompute_scope_of_products(hand["product_codes"], progress, at)
    bulk.once("end", lambda: _finish(hand, DONE, at), progress)


def start_undo(hand_over_id: ObjectId, *, by: Actor, at: datetime) -> None:
    """Takes a hand-over back, within UNDO_DAYS days; what was changed since stays as it is.

    Raises:
        NotAllowed, NotFound.
        InvalidInput: it is too late, or under way, or the giver's login is deactivated.
    """
    if not may_assign(by):
        raise NotAllowed()

    def work(session: ClientSession) -> ObjectId:
        hand = HandOver.collection().find_one({"_id": hand_over_id}, session=session)
        if hand is None:
            raise NotFound()
        _refuse_undo(hand, at, session)
        handed_over.take_products_back(hand, by, at, session)
        handed_over.take_absences_back(hand, session)
        hold_pending([hand["to_id"]], hand["_id"], session=session)
        run_id = job_runs.create(
            "undo_hand_over", {"hand_over_id": str(hand["_id"])}, by, session=session
        )
        changed = {"state": UNDOING, "run_id": run_id}
        HandOver.collection().update_one({"_id": hand["_id"]}, {"$set": changed}, session=session)
        person = {"_id": hand["from_id"], "name": hand["from_name"]}
        changes = {"receiver": (hand["to_id"], None)}
        accounts.audit_person(by, at, "hand over undone", person, changes, session)
        return run_id

    job_runs.enqueue(in_transaction(work))


def run_undo(progress: Progress, hand_over_id: ObjectId, *, at: datetime) -> None:
    """The job that takes a hand-over back. Raises Cancelled; run again, it goes on."""
    hand = HandOver.collection().find_one({"_id": hand_over_id, "state": UNDOING})
    if hand is None:
        return

    def work(ids: Sequence[ObjectId]) -> None:
        progress.count("customers_taken_back", handed_over.take_customers_back(hand, ids, at))

    bulk.over(
        HandedOver.collection(),
        {"hand_over_id": hand_over_id, "kind": "customers", "undone_at": None},
        work,
        progress,
        step="customers",
        size=CUSTOMERS_PER_RANGE,
    )
    recompute_scope_of_products(hand["product_codes"], progress, at)
    bulk.once("end", lambda: _finish(hand, UNDONE, at), progress)


def newest(*, by: Actor) -> list[Stored]:
    """The newest hand-overs; each with its job's state as `run_state`. Raises NotAllowed."""
    if not may_assign(by):
        raise NotAllowed()
    found = list(HandOver.collection().find().sort("at", -1).limit(SHOWN))
    runs = {"_id": {"$in": [hand["run_id"] for hand in found]}}
    states = {run["_id"]: run["state"] for run in JobRun.collection().find(runs, {"state": 1})}
    return [hand | {"run_state": states.get(hand["run_id"])} for hand in found]


def may_undo(hand: Mapping[str, Any], at: datetime) -> bool:
    """Whether the screen offers to take it back."""
    is_still = hand["state"] in (MOVING, UNDOING) and hand["run_state"] in ACTIVE_STATES
    return hand["state"] != UNDONE and not is_still and at < hand["at"] + timedelta(days=UNDO_DAYS)


def without_anybody(*, by: Actor, at: datetime) -> list[tuple[Stored, Left]]:
    """Deactivated people who still have work, and what: nobody does it. Raises NotAllowed."""
    if not may_assign(by):
        raise NotAllowed()
    gone = Staff.collection().find({"active": False}, {"name": 1}).sort("search", 1).limit(200)
    found = ((one, left_of(one["_id"], at=at)) for one in gone if _has_work(one["_id"]))
    return [(one, left) for one, left in found if not left.is_nothing]


def _has_work(staff_id: ObjectId) -> bool:
    of_customer = Customer.collection().find_one({"seen_by": staff_id}, {"_id": 1})
    return bool(of_customer or Product.collection().find_one({"carers": staff_id}, {"_id": 1}))


def _finish(hand: Stored, state: str, at: datetime) -> None:
    change: Stored = {"state": state}
    if state == UNDONE:
        change["undone_at"] = at
    HandOver.collection().update_one({"_id": hand["_id"]}, {"$set": change})
    release_pending(hand["_id"])


def _refuse_undo(hand: Stored, at: datetime, session: ClientSession) -> None:
    run = JobRun.collection().find_one({"_id": hand["run_id"]}, {"state": 1}, session=session)
    if not may_undo(hand | {"run_state": (run or {}).get("state")}, at):
        raise InvalidInput(
            N_("This hand-over is under way, was taken back, or is older than %(days)s days."),
            days=UNDO_DAYS,
        )
    active = {"_id": hand["from_id"], "active": True}
    if not Staff.collection().find_one(active, {"_id": 1}, session=session):
        raise InvalidInput(
            N_("%(name)s is deactivated. Activate the login first."), name=hand["from_name"]
        )


def _wrong(field: str, message: str, **params: Any) -> InvalidInput:
    error: CareError = InvalidInput(message, **params)
    return InvalidInput(fields={field: error})
