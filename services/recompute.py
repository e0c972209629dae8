"""Brings care dates in line with products, orders and appointments, in bulk on the server.

Everything here may run twice, side by side with itself and with people who log care, and may be
killed anywhere: each step compares with what is stored, writes what differs, and looks again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from models import Customer, Order
from models.care import OPEN_STATES
from rules.care_dates import next_care
from rules.care_pipeline import UNCARED, first_care_pipeline
from rules.errors import N_, StoreUnavailable
from services import bulk
from services.intervals import align_intervals, follow_products
from services.progress import NoProgress, Progress
from services.stored_care import open_care_of_order, own_care_of, stored_next_care

T = TypeVar("T")
Stored = dict[str, Any]
Writes = dict[ObjectId, tuple[Stored, Stored]]  # by customer: further criteria, and the update

ORDERS_PER_RANGE = 2000  # about a third of a second when all of them change
CUSTOMERS_PER_RANGE = 1000
ROUNDS = 20  # of looking again at customers that others change at the same time


def recompute_care(
    *,
    product_codes: Sequence[str] | None = None,
    progress: Progress | None = None,
    at: datetime | None = None,
) -> dict[str, int]:
    """Recomputes intervals in orders, first dates (S1.5) and customers' next dates (S1.7, S1.15).

    Args:
        product_codes: only what these products can change; None: everything.
        at: becomes `updated_at` of what changes; None: now.

    Returns:
        `{"intervals_changed", "orders_checked", "orders_changed", "customers_checked",
        "customers_changed"}`; customers are counted once per range in which they are met.

    Raises:
        Cancelled: the progress was told to stop, between two ranges.
    """
    at = at or datetime.now(UTC)
    run = _Run(progress or NoProgress(), at)

    def align() -> None:
        for name, number in align_intervals(product_codes, at=at, progress=run.progress).items():
            run.add(name, number)

    bulk.once("intervals", align, run.progress)
    if product_codes is None:
        _recompute_all(run)
    else:
        _recompute_of_products(product_codes, run)
    return dict(run.counts)


def recompute_orders(
    order_ids: Iterable[ObjectId],
    *,
    session: ClientSession | None = None,
    at: datetime | None = None,
) -> int:
    """Brings these orders in line with their products as they stand now (intervals, groups), then
    their first dates and their customers' next dates.

    In a transaction (`session`) it sees and joins the transaction's own writes. Returns how many
    orders got another date.
    """
    at = at or datetime.now(UTC)
    changed = 0
    for some in _batches(order_ids, ORDERS_PER_RANGE):
        follow_products(some, at=at, session=session)
        chosen = {"_id": {"$in": some}}
        changed += _recompute_orders(chosen, at, session)
        recompute_customers(
            Order.collection().distinct("customer_id", chosen, session=session),
            session=session,
            at=at,
        )
    return changed


def recompute_customers(
    customer_ids: Iterable[ObjectId | None],
    *,
    session: ClientSession | None = None,
    at: datetime | None = None,
) -> int:
    """Brings the next care of these customers in line with their orders and appointments (S1.15).

    In a transaction (`session`) it sees and joins the transaction's own writes.

    Returns how many customers changed.
    """
    at = at or datetime.now(UTC)
    changed = 0
    known = (customer_id for customer_id in customer_ids if customer_id is not None)
    for some in _batches(known, CUSTOMERS_PER_RANGE):
        changed += _recompute_customers(some, at, session)
    return changed


class _Run:
    """What one recompute has done so far."""

    def __init__(self, progress: Progress, at: datetime) -> None:
        self.progress = progress
        self.at = at
        self.counts = Counter[str](
            dict.fromkeys(
                (
                    "intervals_changed",
                    "orders_checked",
                    "orders_changed",
                    "customers_checked",
                    "customers_changed",
                ),
                0,
            )
        )

    def add(self, name: str, number: int) -> None:
        self.counts[name] += number
        self.progress.count(name, number)


def _recompute_all(run: _Run) -> None:
    orders, customers = Order.collection(), Customer.collection()
    run.progress.set_total(orders.estimated_document_count() + customers.estimated_document_count())

    def recompute_range_of_orders(ids: Sequence[ObjectId]) -> None:
        within = {"_id": {"$gte": ids[0], "$lte": ids[-1]}}
        run.add("orders_changed", _recompute_orders(within, run.at))
        run.add("orders_checked", len(ids))

    def recompute_range_of_customers(ids: Sequence[ObjectId]) -> None:
        run.add("customers_changed", _recompute_customers(ids, run.at, are_all=True))
        run.add("customers_checked", len(ids))

    for collection, size, work, step in (
        (orders, ORDERS_PER_RANGE, recompute_range_of_orders, "orders"),
        (customers, CUSTOMERS_PER_RANGE, recompute_range_of_customers, "customers"),
    ):
        bulk.over(collection, {}, work, run.progress, step=step, size=size, is_whole=False)


def _recompute_of_products(codes: Sequence[str], run: _Run) -> None:
    """All orders that contain the products, then their customers: the orders due are right first.

    Orders are found by product whether their date has changed or not, so that a run after a
    killed one also meets the customers that the killed one left behind.
    """
    orders = Order.collection()
    containing = {"care_items.code": {"$in": list(codes)}}
    run.progress.set_total(2 * bulk.number_of(orders, containing))

    def recompute_some_orders(ids: Sequence[ObjectId]) -> None:
        run.add("orders_changed", _recompute_orders({"_id": {"$in": list(ids)}}, run.at))
        run.add("orders_checked", len(ids))

    def recompute_their_customers(ids: Sequence[ObjectId]) -> None:
        found = orders.distinct("customer_id", {"_id": {"$in": list(ids)}})
        customer_ids = [one for one in found if one]
        run.add("customers_changed", recompute_customers(customer_ids, at=run.at))
        run.add("customers_checked", len(customer_ids))

    for step, work in (("orders", recompute_some_orders), ("customers", recompute_their_customers)):
        bulk.over(
            orders,
            containing,
            work,
            run.progress,
            step=step,
            size=ORDERS_PER_RANGE,
            is_whole=False,
        )


def _recompute_orders(criteria: Stored, at: datetime, session: ClientSession | None = None) -> int:
    """Recomputes the first dates of uncared orders; the server skips those that are right."""
    return (
        Order.collection().update_many(
            {**criteria, **UNCARED}, first_care_pipeline(at), session=session
        )
    ).modified_count


def _recompute_customers(
    ids: Sequence[ObjectId],
    at: datetime,
    session: ClientSession | None = None,
    *,
    are_all: bool = False,
) -> int:
    """Writes the next care that differs, then looks again at what it wrote until nothing does.

    Between reading and writing a person may log care. The version keeps us from writing over a
    customer that changed; an order that changed alone is seen by looking again. Whoever changes
    an order recomputes its customer afterwards, so that the last one to look is right.

    Args:
        are_all: there are no other customers between the first and the last of them, which the
            server finds twice as fast by their bounds.
    """
    changed: set[ObjectId] = set()
    pending = list(ids)
    chosen: Stored = {"$gte": ids[0], "$lte": ids[-1]} if are_all else {"$in": pending}
    for _ in range(ROUNDS):
        writes = _differing(chosen, at, session)
        if not writes:
            return len(changed)
        if session is not None:
            # A transaction reads one moment in time; a clash ends it and it starts again.
            _write_within(writes, session)
            return len(writes)
        bulk.update_each(Customer.collection(), writes)
        changed.update(writes)
        pending = list(writes)
        chosen = {"$in": pending}
    raise StoreUnavailable(
        N_("The next care dates of %(count)s customers keep changing. Try again in a moment."),
        count=len(pending),
    )


def _write_within(writes: Writes, session: ClientSession) -> None:
    updates = [UpdateOne({"_id": one, **seen}, update) for one, (seen, update) in writes.items()]
    Customer.collection().bulk_write(updates, ordered=False, session=session)


def _differing(chosen: Stored, at: datetime, session: ClientSession | None) -> Writes:
    """`{customer id: (its version, update)}` of the customers whose stored next care is not what it should be."""
    # The customer with its version is read before the orders: see `_recompute_customers`.
    customers = list(
        Customer.collection().find(
            {"_id": chosen}, {"own_care": 1, "care": 1, "version": 1}, session=session
        )
    )
    nearest = _nearest_orders(chosen, session)
    writes: Writes = {}
    for customer in customers:
        order = nearest.get(customer["_id"])
        orders = [open_care_of_order(order)] if order else []
        care = stored_next_care(next_care(orders, own_care_of(customer)))
        if care != customer.get("care"):
            writes[customer["_id"]] = (
                {"version": customer.get("version")},
                {"$set": {"care": care, "updated_at": at}, "$inc": {"version": 1}},
            )
    return writes


def _nearest_orders(customers: Stored, session: ClientSession | None) -> dict[ObjectId, Stored]:
    """`{customer id: its open order with the nearest date}`; on a tie the code that sorts first.

    Served by the index `orders_of_customer`. The server compares the keys in their order.
    """
    order = {"due_on": "$care.due_on", "code": "$code", "_id": "$_id", "care": "$care"}
    rows = Order.collection().aggregate(
        [
            {
                "$match": {
                    "customer_id": customers,
                    "care.state": {"$in": list(OPEN_STATES)},
                    "care.due_on": {"$ne": None},
                }
            },
            {"$group": {"_id": "$customer_id", "nearest": {"$min": order}}},
        ],
        session=session,
    )
    return {row["_id"]: row["nearest"] for row in rows}


def _batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(rows)
    while some := list(islice(remaining, size)):
        yield some
