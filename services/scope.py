"""Keeps on each record who cares for it and who may see it, so that a list is one indexed query.

`product_carers`, `customer_carers` and `seen_by` follow from assignments, viewers, the person
responsible and the products of the orders. Whoever changes one of these calls `recompute_scope`
for the customers concerned, in its own transaction or as a job.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import bson
from bson import ObjectId
from pymongo import UpdateMany
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from models import Customer, Order, Product, Staff
from rules.errors import N_, StoreUnavailable
from rules.scope import seen_by
from services import bulk, configuration, record_scope
from services.progress import NoProgress, Progress

Stored = dict[str, Any]
CUSTOMERS_PER_RANGE = 1000
ROUNDS = 20  # of looking again at customers that others change at the same time
LISTS = ("owner_id", "product_carers", "customer_carers", "seen_by")


def recompute_scope(
    customer_ids: Iterable[ObjectId | None],
    *,
    session: ClientSession | None = None,
    at: datetime | None = None,
) -> int:
    """Brings the lists of these customers and all their orders in line; returns how many changed.

    Idempotent; records that are right already are not written.
    """
    at = at or datetime.now(UTC)
    assigned = _assigned_products(session)
    known = (one for one in customer_ids if one is not None)
    changed = 0
    while some := list(islice(known, CUSTOMERS_PER_RANGE)):
        changed += _recompute(some, assigned, at, session)
    return changed


def recompute_all_scope(progress: Progress | None = None, at: datetime | None = None) -> int:
    """The same for every customer, in ranges, with progress. Raises Cancelled."""
    return _recompute_in_ranges({}, progress or NoProgress(), at)


def recompute_scope_of_products(
    codes: Sequence[str], progress: Progress | None = None, at: datetime | None = None
) -> int:
    """The same for the customers who ever bought one of these products. Raises Cancelled."""
    ids = Order.collection().distinct("customer_id", {"care_items.code": {"$in": list(codes)}})
    wanted = [one for one in ids if one is not None]
    return _recompute_in_ranges({"_id": {"$in": wanted}}, progress or NoProgress(), at)


def end_viewers(progress: Progress | None = None, at: datetime | None = None) -> int:
    """Takes viewers whose time is over out of the lists (S2.7)."""
    at = at or datetime.now(UTC)
    over = {"viewers.until": {"$lt": at}}
    changed = _recompute_in_ranges(over, progress or NoProgress(), at)
    Customer.collection().update_many(over, {"$pull": {"viewers": {"until": {"$lt": at}}}})
    return changed


def release_pending(pending: ObjectId) -> None:
    """The staff who waited for this assignment to reach all records see their lists again."""
    waiting = {"scopes_pending": pending}
    Staff.collection().update_many(waiting, {"$pull": waiting})


def hold_pending(
    staff_ids: Iterable[ObjectId], pending: ObjectId, *, session: ClientSession
) -> None:
    """Lets these people, who stands in for them and who is in a team with them see nothing
    through products until `release_pending`: what was taken from them still stands in the lists."""
    lost = set(staff_ids)
    teams = configuration.snapshot().teams.values()
    together = (team.everybody for team in teams if team.everybody & lost)
    losing = sorted(lost.union(*together))
    theirs = {"$or": [{"_id": {"$in": losing}}, {"stands_in.staff_id": {"$in": losing}}]}
    Staff.collection().update_many(
        theirs, {"$addToSet": {"scopes_pending": pending}}, session=session
    )


def _recompute_in_ranges(criteria: Stored, progress: Progress, at: datetime | None) -> int:
    changed = 0

    def work(ids: Sequence[ObjectId]) -> None:
        nonlocal changed
        changed += (found := recompute_scope(ids, at=at))
        progress.count("lists_changed", found)

    bulk.over(
        Customer.collection(), criteria, work, progress, step="scope", size=CUSTOMERS_PER_RANGE
    )
    return changed


def _assigned_products(session: ClientSession | None) -> dict[str, list[ObjectId]]:
    """`{product code: its carers}` of the products that have any."""
    found = Product.collection().find(
        {"carers.0": {"$exists": True}}, {"code": 1, "carers": 1}, session=session
    )
    return {product["code"]: product["carers"] for product in found}


def give_carers(
    customer_ids: Sequence[ObjectId],
    change: Callable[[Sequence[ObjectId]], Sequence[ObjectId]],
    *,
    at: datetime,
    announce: Callable[[int], None],
) -> int:
    """Gives customers other carers, and all their lists with them; returns how many changed.

    Not in a transaction, where so many changed index entries take several times as long, but in an
    order that may break anywhere: what belongs to the customers comes first, each customer then
    changes in one write, and what others did meanwhile is looked for. Whoever does it again
    completes it.

    Args:
        change: from the carers of a customer to those wanted.
        announce: called with the number of customers before any of them changes.
    """
    changed, pending = 0, list(customer_ids)
    for attempt in range(ROUNDS):
        found = _wanted(pending, _assigned_products(None), at, None, change)
        if not found.lists:
            return changed
        if attempt == 0:
            announce(len(found.lists))
        found.orders.write(Order.collection(), None)
        record_scope.follow_customers(found.lists, following=found.seen_by())
        written = found.customers.write_unchanged(Customer.collection())
        recompute_scope(_left_behind(found.lists), at=at)
        changed, pending = changed + written, list(found.lists)
        if written == len(pending):
            return changed
    raise StoreUnavailable(
        N_("The carers of %(count)s customers keep changing. Try again in a moment."),
        count=len(pending),
    )


def _left_behind(lists: Mapping[ObjectId, Stored]) -> Iterator[ObjectId]:
    """The customers with orders that somebody else wrote meanwhile, by what they had read before."""
    alike: dict[bytes, list[ObjectId]] = {}
    for customer_id, wanted in lists.items():
        of_orders = {"customer_carers": wanted["carers"], "seen_by": wanted["seen_by"]}
        alike.setdefault(bson.encode(of_orders), []).append(customer_id)
    others = [
        {
            "customer_id": {"$in": some},
            "$or": [{name: {"$ne": value}} for name, value in bson.decode(encoded).items()],
        }
        for encoded, some in alike.items()
    ]
    for row in Order.collection().find({"$or": others}, {"customer_id": 1}):
        yield row["customer_id"]


def _recompute(
    ids: Sequence[ObjectId],
    assigned: Mapping[str, list[ObjectId]],
    at: datetime,
    session: ClientSession | None,
) -> int:
    found = _wanted(ids, assigned, at, session)
    written = found.customers.write(Customer.collection(), session)
    written += found.orders.write(Order.collection(), session)
    return written + record_scope.follow_customers(ids, session=session)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the lists of some customers and of their orders should be, and what of it differs."""

    lists: dict[ObjectId, Stored]
    customers: "_Writes"
    orders: "_Writes"

    def seen_by(self) -> dict[ObjectId, list[ObjectId]]:
        return {customer: lists["seen_by"] for customer, lists in self.lists.items()}


def _wanted(
    ids: Sequence[ObjectId],
    assigned: Mapping[str, list[ObjectId]],
    at: datetime,
    session: ClientSession | None,
    change: Callable[[Sequence[ObjectId]], Sequence[ObjectId]] | None = None,
) -> _Wanted:
    """`change` gives the carers that customers are about to get: only those whom it changes are
    looked at. None: everybody, with the carers that they have."""
    fields = dict.fromkeys(("owner_id", "carers", "viewers", "product_carers", "seen_by"), 1)
    fields["version"] = 1
    customers = list(
        Customer.collection().find({"_id": {"$in": list(ids)}}, fields, session=session)
    )
    orders = _orders_of(ids, assigned, session)
    found = _Wanted({}, _Writes(), _Writes())
    for customer in customers:
        before = customer.get("carers") or []
        carers = sorted(set(change(before))) if change else before
        if change and carers == before:
            continue
        mine = orders.get(customer["_id"], [])
        of_orders = [_carers_of(order, assigned) for order in mine]
        wanted = _lists_of_customer({**customer, "carers": carers}, of_orders, at)
        if change:
            wanted["carers"] = carers
        found.lists[customer["_id"]] = wanted
        found.customers.add(customer, wanted)
        for order, product_carers in zip(mine, of_orders, strict=True):
            of_order = {
                "owner_id": customer.get("owner_id"),
                "product_carers": product_carers,
                "customer_carers": sorted(carers),
                "seen_by": wanted["seen_by"],
            }
            found.orders.add(order, of_order)
    return found


def _orders_of(
    ids: Sequence[ObjectId],
    assigned: Mapping[str, list[ObjectId]],
    session: ClientSession | None,
) -> dict[ObjectId, list[Stored]]:
    fields = dict.fromkeys(("customer_id", *LISTS), 1)
    if assigned:
        fields["care_items.code"] = 1
    found: dict[ObjectId, list[Stored]] = {}
    rows = Order.collection().find({"customer_id": {"$in": list(ids)}}, fields, session=session)
    for row in rows:
        found.setdefault(row["customer_id"], []).append(row)
    return found


def _carers_of(order: Stored, assigned: Mapping[str, list[ObjectId]]) -> list[ObjectId]:
    if not assigned:
        return []
    codes = (item["code"] for item in order.get("care_items") or ())
    return sorted({carer for code in codes for carer in assigned.get(code, ())})


def _lists_of_customer(
    customer: Stored, of_orders: Iterable[Iterable[ObjectId]], at: datetime
) -> Stored:
    product_carers = sorted({carer for carers in of_orders for carer in carers})
    return {
        "product_carers": product_carers,
        "seen_by": seen_by(
            owner_id=customer.get("owner_id"),
            carers=customer.get("carers") or (),
            product_carers=product_carers,
            viewers=viewers_of(customer),
            now=at,
        ),
    }


def viewers_of(customer: Mapping[str, Any]) -> list[tuple[ObjectId, datetime | None]]:
    """(staff id, until) of the stored viewers of a customer."""
    return [(one["staff_id"], one.get("until")) for one in customer.get("viewers") or ()]


class _Writes:
    """The lists that differ, and which records get them.

    Many records get the same lists, because few people share them: the server writes these in one
    update several times as fast as one by one.
    """

    def __init__(self) -> None:
        self._ids: dict[bytes, list[ObjectId]] = {}
        self._versions: dict[ObjectId, int | None] = {}

    def add(self, record: Stored, wanted: Stored) -> None:
        """Notes what differs; a list that is missing is an empty one, and so is nobody."""
        differing = {
            name: value
            for name, value in wanted.items()
            if (record.get(name) or []) != (value or [])
        }
        if differing:
            self._ids.setdefault(bson.encode(differing), []).append(record["_id"])
            self._versions[record["_id"]] = record.get("version")

    def write(self, collection: Collection[Stored], session: ClientSession | None) -> int:
        """Returns how many records changed.

        The version stays: who may see a record is not what an edit form shows.
        """
        updates = [
            UpdateMany({"_id": {"$in": ids}}, {"$set": bson.decode(differing)})
            for differing, ids in self._ids.items()
        ]
        if updates:
            collection.bulk_write(updates, ordered=False, session=session)
        return sum(map(len, self._ids.values()))

    def write_unchanged(self, collection: Collection[Stored]) -> int:
        """The same as a new version of the records, without those that changed since they were
        read."""
        updates = [
            UpdateMany(
                {"_id": {"$in": ids}, "version": version},
                {"$set": bson.decode(differing), "$inc": {"version": 1}},
            )
            for differing, some in self._ids.items()
            for version, ids in self._by_version(some).items()
        ]
        return collection.bulk_write(updates, ordered=False).modified_count if updates else 0

    def _by_version(self, ids: Iterable[ObjectId]) -> dict[int | None, list[ObjectId]]:
        found: dict[int | None, list[ObjectId]] = {}
        for one in ids:
            found.setdefault(self._versions[one], []).append(one)
        return found
