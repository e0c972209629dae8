"""Who cares for what: the care mode, carers of products and of customers, viewers.

(S1.2, S1.9, S1.10, S2.7)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId, json_util
from pymongo.client_session import ClientSession

from models import Customer, Product, Site, Staff
from rules.errors import N_, InvalidInput, NotAllowed, NotFound
from rules.filters import Criteria
from rules.permissions import ASSIGN, EDIT
from rules.scope import CARE_MODES, Actor, customer_scope
from services import access_settings, actors, audit, bulk, configuration_changes, job_runs
from services.progress import NoProgress, Progress
from services.scope import give_carers, hold_pending, recompute_scope
from stores.mongo import in_transaction

Stored = dict[str, Any]
ADD, REMOVE, REPLACE = "add", "remove", "replace"
WAYS = (ADD, REMOVE, REPLACE)
AT_ONCE = 500  # records changed in the request itself; more of them are a job
CUSTOMERS_PER_RANGE = 1000


def set_care_mode(care_mode: str, *, by: Actor, at: datetime) -> None:
    """Saves the one care mode of the company (S1.2), in force with everybody's next click.

    The lists for each mode are kept true all the time, so that nothing is recomputed.
    """
    _check(by)
    if care_mode not in CARE_MODES:
        raise InvalidInput(N_("Choose one of the three care modes."))

    def work(session: ClientSession) -> None:
        before = access_settings.site_contents(session)[access_settings.KEY]
        put_care_mode(care_mode, by=by, at=at, session=session)
        made = {"section": access_settings.SECTION, "key": access_settings.KEY, "before": before}
        made["after"] = before | {"care_mode": care_mode}
        differs = made["after"] != before
        configuration_changes.record(
            [made] if differs else [], says="", by=by, at=at, session=session
        )

    in_transaction(work)


def put_care_mode(care_mode: str, *, by: Actor, at: datetime, session: ClientSession) -> None:
    """Writes the care mode, which was checked."""
    site = Site.collection().find_one_and_update(
        {"key": "site"},
        {"$set": {"care_mode": care_mode}, "$inc": {"version": 1}},
        session=session,
    )
    before = (site or {}).get("care_mode")
    audit.record(
        by=by,
        at=at,
        action="update",
        kind="site",
        record_id=(site or {}).get("_id"),
        label="care_mode",
        changes={"care_mode": (before, care_mode)},
        session=session,
    )


def assign_products(
    product_ids: Sequence[ObjectId],
    staff_ids: Sequence[ObjectId],
    *,
    way: str,
    by: Actor,
    at: datetime,
) -> ObjectId:
    """[Gán user chăm sóc mặt hàng] (S1.9): several people may share a product.

    Args:
        way: `add`, `remove` or `replace` the carers of each product.

    Returns the job that brings orders and customers in line. Until it is done, staff who lost a
    product see nothing through products at all.
    """
    _check(by)
    _check_staff(staff_ids, way)
    if not product_ids:
        raise InvalidInput(N_("Tick at least one product."))

    def work(session: ClientSession) -> ObjectId:
        chosen = {"_id": {"$in": list(product_ids)}}
        products = list(
            Product.collection().find(chosen, {"code": 1, "carers": 1}, session=session)
        )
        losing: set[ObjectId] = set()
        for product in products:
            before = product.get("carers") or []
            after = _changed(before, staff_ids, way)
            losing |= set(before) - set(after)
        Product.collection().update_many(
            chosen, _update(staff_ids, way) | {"$inc": {"version": 1}}, session=session
        )
        codes = [product["code"] for product in products]
        pending = ObjectId()
        hold_pending(losing, pending, session=session)
        arguments = {"product_codes": codes, "pending": str(pending)}
        run_id = job_runs.create("recompute_scope", arguments, by, session=session)
        _record(way, "products", staff_ids, codes, by=by, at=at, session=session)
        return run_id

    run_id = in_transaction(work)
    job_runs.enqueue(run_id)
    return run_id


def assign_customers(
    criteria: Criteria,
    staff_ids: Sequence[ObjectId],
    *,
    way: str,
    by: Actor,
    at: datetime,
    progress: Progress | None = None,
) -> int:
    """[Gán user chăm sóc khách hàng] (S1.10) for all customers that match and the actor sees.

    Nobody sees more than before or after it meanwhile, and a run that was killed is completed by
    running it again. Returns the number of customers changed.
    """
    _check(by)
    _check_staff(staff_ids, way)
    progress, changed = progress or NoProgress(), 0

    def change(before: Sequence[ObjectId]) -> Sequence[ObjectId]:
        return _changed(before, staff_ids, way)

    def announce(number: int) -> None:
        _record(way, "customers", staff_ids, [str(number)], by=by, at=at)

    scoped: Criteria = {"$and": [criteria, customer_scope(by)]}

    def work(ids: Sequence[ObjectId]) -> None:
        nonlocal changed
        changed += (found := give_carers(ids, change, at=at, announce=announce))
        progress.count("customers_assigned", found)

    bulk.over(
        Customer.collection(), scoped, work, progress, step="customers", size=CUSTOMERS_PER_RANGE
    )
    return changed


@dataclass(frozen=True, slots=True)
class Assigned:
    """What became of an assignment: changed at once, or the job that does it."""

    changed: int = 0
    run_id: ObjectId | None = None


def start_assigning_customers(
    criteria: Criteria, staff_ids: Sequence[ObjectId], *, way: str, by: Actor, at: datetime
) -> Assigned:
    """`assign_customers` at once for few customers, as a job for many."""
    _check(by)
    _check_staff(staff_ids, way)
    scoped = {"$and": [criteria, customer_scope(by)]}
    number = Customer.collection().count_documents(scoped, limit=AT_ONCE + 1)
    if not number:
        raise InvalidInput(N_("Tick at least one customer."))
    if number <= AT_ONCE:
        return Assigned(changed=assign_customers(criteria, staff_ids, way=way, by=by, at=at))
    arguments = {
        # As text, because field names of the store may not begin with a dollar sign.
        "criteria": json_util.dumps(criteria),
        "staff_ids": [str(one) for one in staff_ids],
        "way": way,
        "by": {"staff_id": str(by.staff_id)},
    }
    run_id = job_runs.create("assign_customers", arguments, by)
    job_runs.enqueue(run_id)
    return Assigned(run_id=run_id)


def run_assigning_customers(
    progress: Progress,
    *,
    criteria: str,
    staff_ids: Sequence[str],
    way: str,
    by: dict[str, Any],
    at: datetime,
) -> int:
    """The job that `start_assigning_customers` leaves behind.

    Raises Cancelled, or NotAllowed when the person may not assign any more.
    """
    actor = actors.as_now(ObjectId(by["staff_id"]), at=at, screen="assign_customers")
    wanted: Criteria = json_util.loads(criteria)
    return assign_customers(
        wanted,
        [ObjectId(one) for one in staff_ids],
        way=way,
        by=actor,
        at=at,
        progress=progress,
    )


def add_viewer(
    customer_id: ObjectId,
    staff_id: ObjectId,
    *,
    until: datetime | None,
    by: Actor,
    at: datetime,
) -> None:
    """[Người xem] [Thêm mới] (S2.7); who may see and so edit the customer may add a viewer."""
    if Staff.collection().find_one({"_id": staff_id, "active": True}, {"_id": 1}) is None:
        raise InvalidInput(N_("Choose a colleague from the list."))
    viewer = {"staff_id": staff_id, "until": until, "added_by": by.staff_id, "added_at": at}

    def work(session: ClientSession) -> None:
        customers = Customer.collection()
        mine = {"_id": customer_id, **customer_scope(by, EDIT)}
        customers.update_one(mine, {"$pull": {"viewers": {"staff_id": staff_id}}}, session=session)
        found = customers.update_one(
            mine, {"$push": {"viewers": viewer}, "$inc": {"version": 1}}, session=session
        )
        if not found.matched_count:
            raise NotFound()
        _viewer_changed(customer_id, (None, staff_id), by, at, session)

    in_transaction(work)


def remove_viewer(customer_id: ObjectId, staff_id: ObjectId, *, by: Actor, at: datetime) -> None:
    """Takes a viewer away. Raises NotFound."""

    def work(session: ClientSession) -> None:
        found = Customer.collection().update_one(
            {"_id": customer_id, "viewers.staff_id": staff_id, **customer_scope(by, EDIT)},
            {"$pull": {"viewers": {"staff_id": staff_id}}, "$inc": {"version": 1}},
            session=session,
        )
        if not found.matched_count:
            raise NotFound()
        _viewer_changed(customer_id, (staff_id, None), by, at, session)

    in_transaction(work)


def _viewer_changed(
    customer_id: ObjectId,
    change: tuple[ObjectId | None, ObjectId | None],
    by: Actor,
    at: datetime,
    session: ClientSession,
) -> None:
    recompute_scope([customer_id], session=session, at=at)
    audit.record(
        by=by,
        at=at,
        action="viewers",
        kind="customers",
        record_id=customer_id,
        label="",
        changes={"viewers": change},
        session=session,
    )


def _check(by: Actor) -> None:
    if not by.can(ASSIGN):
        raise NotAllowed()


def _check_staff(staff_ids: Sequence[ObjectId], way: str) -> None:
    if way not in WAYS:
        raise InvalidInput(N_("Choose whether to add, remove or replace."))
    if not staff_ids and way != REPLACE:
        raise InvalidInput(N_("Choose the person to assign."))
    known = Staff.collection().count_documents({"_id": {"$in": list(staff_ids)}, "active": True})
    if known != len(set(staff_ids)):
        raise InvalidInput(N_("Choose a colleague from the list."))


def _changed(
    before: Sequence[ObjectId], staff_ids: Sequence[ObjectId], way: str
) -> Sequence[ObjectId]:
    if way == ADD:
        return [*before, *staff_ids]
    if way == REMOVE:
        return [one for one in before if one not in set(staff_ids)]
    return staff_ids


def _update(staff_ids: Sequence[ObjectId], way: str) -> Stored:
    wanted = sorted(set(staff_ids))
    if way == ADD:
        return {"$addToSet": {"carers": {"$each": wanted}}}
    if way == REMOVE:
        return {"$pull": {"carers": {"$in": wanted}}}
    return {"$set": {"carers": wanted}}


def _record(
    way: str,
    kind: str,
    staff_ids: Sequence[ObjectId],
    labels: Sequence[str],
    *,
    by: Actor,
    at: datetime,
    session: ClientSession | None = None,
) -> None:
    audit.record(
        by=by,
        at=at,
        action=f"assign_{way}",
        kind=kind,
        record_id=None,
        label=", ".join(labels[:20]),
        changes={"carers": (None, list(staff_ids))},
        session=session,
    )
