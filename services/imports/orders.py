"""Orders from CSV files, with the customers, products and areas that they name.

Each batch of complete orders is one transaction: its customers, products, areas, orders, the
customers' next care and one audit entry. A run that is killed has written whole batches, and the
next run of the same files writes the rest.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from bson import Decimal128, ObjectId
from pymongo import InsertOne, UpdateOne
from pymongo.client_session import ClientSession

from models import Area, Customer, Order, Product
from models.base import CarebookDocument, stored_date
from models.care import APPOINTMENT, SUGGESTED
from models.order import RETURN
from rules.care_dates import care_items, first_care
from rules.errors import N_
from services import follow_ups, relationships
from services.imports.batches import write_together
from services.imports.cells import REMEMBERED, BadRow
from services.imports.order_lines import (
    WIDTH,
    ImportedOrder,
    order_from_rows,
    order_line_parser,
)
from services.imports.records import Known, areas_for, customers_for, find, products_for
from services.imports.report import ImportReport
from services.imports.run import FOLLOWING, WRITING, ImportRequest, ImportRun
from services.imports.staging import Row
from services.recompute import recompute_care, recompute_customers
from services.scope import recompute_scope
from services.stored_care import stored_first_care, stored_items
from services.trash import codes_in_trash

Stored = dict[str, Any]

# A batch is a transaction of about half a second: others wait for its records that long.
BATCH_ORDERS = 1000
BATCH_LINES = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
IN_TRASH = N_(
    "Order %(code)s is in the trash. Restore it there, or delete it there for good and import it again."
)
# Fields of an order that an import without them takes away again.
OPTIONAL = ("customer_id", "area_id", "marketplace", "status", "note", "shipping")


def import_orders(request: ImportRequest) -> ImportReport:
    """Imports the orders of the request's files and returns what happened.

    Running it again changes nothing; with other lines for an order that exists, the order follows
    the files and keeps the care that people have logged. Raises CareError (UnreadableFile,
    BadMapping, ...) before anything is written when a file cannot be used.
    """
    with ImportRun(request, WIDTH) as run:
        run.read(order_line_parser(request.mapping))
        request.watch.begin(WRITING, run.stage.key_count())
        outdated: set[str] = set()
        written = 0
        for orders, seen in _batches(run):
            if request.dry_run:
                _count(run, _Batch(run, orders).planned(None))
            else:
                outdated |= _write(run, orders)
            written += seen
            request.watch.done(written)
        if outdated:
            request.watch.begin(FOLLOWING, None)
            recompute_care(product_codes=sorted(outdated))
        return run.finished()


def _batches(run: ImportRun) -> Iterator[tuple[list[ImportedOrder], int]]:
    """(complete orders, codes passed) in batches that fit into memory and a transaction."""
    orders: list[ImportedOrder] = []
    lines = seen = 0
    for code, rows in run.stage.groups():
        taken: list[int] = []
        seen += 1
        try:
            order = order_from_rows(code, _noting(rows, taken), run.request.mapping.kind_rule)
        except BadRow as reason:
            for sequence in chain(taken, (row[1] for row in rows)):
                run.refuse(sequence, reason, [code])
            continue
        order.sequences = taken
        run.report.warnings.update(order.warnings)
        run.report.without_customer += order.customer_code is None
        run.report.returns += order.kind == RETURN
        orders.append(order)
        lines += len(order.lines)
        if len(orders) >= BATCH_ORDERS or lines >= BATCH_LINES:
            yield orders, seen
            orders, lines, seen = [], 0, 0
    yield orders, seen


def _noting(rows: Iterator[Row], taken: list[int]) -> Iterator[Row]:
    for row in rows:
        taken.append(row[1])
        yield row


@dataclass(slots=True)
class _Plan:
    """What a batch would write. `counts` are new, changed and unchanged; `trashed` stay where they are."""

    areas: Known
    customers: Known
    products: Known
    new: list[Stored] = field(default_factory=list)
    changes: list[UpdateOne] = field(default_factory=list)
    touched_customers: set[Any] = field(default_factory=set)  # whose next date may be another
    buyers: set[Any] = field(default_factory=set)  # whose facts, and who sees what, may be others
    trashed: list[ImportedOrder] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class _Batch:
    """Complete orders of one run, to be planned against what the database holds."""

    def __init__(self, run: ImportRun, orders: list[ImportedOrder]) -> None:
        self.run, self.orders = run, orders
        self.at: datetime = run.request.at
        self.zone: ZoneInfo = run.request.zone

    def planned(self, session: ClientSession | None) -> _Plan:
        """Reads in the session what the batch needs and decides; writes nothing."""
        stored = find(
            Order,
            "code",
            [order.code for order in self.orders],
            ("import_digest", "customer_id"),
            session,
        ).by_key
        unknown = [order.code for order in self.orders if order.code not in stored]
        in_trash = codes_in_trash("orders", unknown, session)
        trashed = [order for order in self.orders if order.code in in_trash]
        pending = [
            order
            for order in self.orders
            if stored.get(order.code, {}).get("import_digest") != order.digest
            and order.code not in in_trash
        ]
        plan = self._needed(pending, session)
        plan.trashed = trashed
        for order in pending:
            self._plan_order(plan, order, stored.get(order.code))
        plan.counts["unchanged"] = len(self.orders) - len(pending) - len(trashed)
        return plan

    def _needed(self, pending: list[ImportedOrder], session: ClientSession | None) -> _Plan:
        customers = customers_for(pending, self.at, session)
        names = [customer["area"] for customer in customers.missing.values()]
        names += [order.area for order in pending if order.customer_code is None]
        areas = areas_for(filter(None, names), self.at, session)
        for customer in customers.missing.values():
            name = customer.pop("area")
            if name:
                customer["area_id"] = areas.by_key[name]["_id"]
        return _Plan(areas, customers, products_for(pending, self.at, session))

    def _plan_order(self, plan: _Plan, order: ImportedOrder, stored: Stored | None) -> None:
        document = self._document(plan, order)
        customer_id = document.get("customer_id")
        plan.buyers |= {customer_id, (stored or {}).get("customer_id")} - {None}
        if stored is None:
            plan.counts["new"] += 1
            plan.new.append(document | {"version": 1, "created_at": self.at, "updated_at": self.at})
            if document["care"]["state"] == SUGGESTED:
                plan.touched_customers.add(customer_id)
        else:
            plan.counts["changed"] += 1
            plan.changes.append(_change(stored["_id"], document, self.at))
            plan.touched_customers |= {customer_id, stored.get("customer_id")} - {None}

    def _document(self, plan: _Plan, order: ImportedOrder) -> Stored:
        """The order as it is stored, without version and time stamps."""
        placed_at = EPOCH + timedelta(milliseconds=order.placed_ms)
        placed_on = placed_at.astimezone(self.zone).date()
        owner = self._owner(plan, order)
        products = plan.products.by_key
        codes = {code for code, *_ in order.lines}
        items = care_items(
            [(code, quantity) for code, _, quantity, _ in order.lines],
            {code: products[code].get("care_interval_days") or 0 for code in codes},
        )
        first = first_care(placed_on, items, kind=order.kind, has_customer="customer_id" in owner)
        details = {
            name.removeprefix("order."): text
            for name, text in order.details.items()
            if name.startswith("order.")
        }
        groups = _union(products[code].get("group_ids") for code in codes)
        return {
            "code": order.code,
            "kind": order.kind,
            **owner,
            "placed_at": placed_at,
            "placed_on": stored_date(placed_on),
            **details,
            "lines": [_line(*line) for line in order.lines],
            "total": Decimal128(order.total),
            "care_items": stored_items(items),
            "group_ids": groups,
            "care": stored_first_care(first),
            "import_digest": order.digest,
        }

    @staticmethod
    def _owner(plan: _Plan, order: ImportedOrder) -> Stored:
        """Customer and area: the customer's area, or without a customer the file's."""
        if order.customer_code is not None:
            customer = plan.customers.by_key[order.customer_code]
            owner = {"customer_id": customer["_id"], "area_id": customer.get("area_id")}
        else:
            area = plan.areas.by_key[order.area] if order.area else {}
            owner = {"area_id": area.get("_id")}
        return {name: value for name, value in owner.items() if value is not None}


def _union(paths: Iterable[list[ObjectId] | None]) -> list[ObjectId]:
    """The groups on these paths, sorted; comparing bytes is far quicker than comparing ids."""
    groups = {group.binary: group for path in paths for group in path or ()}
    return [groups[key] for key in sorted(groups)]


def _line(code: str, name: str | None, quantity: int, unit_price: str | None) -> Stored:
    line: Stored = {"product_code": code}
    if name is not None:
        line["product_name"] = name
    line["quantity"] = quantity
    if unit_price is not None:
        line["unit_price"] = _decimal128(unit_price)
    return line


# Making one takes longer than the rest of the line, and prices repeat.
_decimal128 = lru_cache(REMEMBERED)(Decimal128)


def _change(order_id: ObjectId, document: Stored, at: datetime) -> UpdateOne:
    """Brings an order in line with its document; care that a person logged or postponed stays (S1.6)."""
    care = document["care"]
    values: Stored = {
        name: {"$literal": value} for name, value in document.items() if name != "care"
    }
    values["care"] = {
        "$cond": [
            {
                "$or": [
                    {"$gt": [{"$ifNull": ["$care.count", 0]}, 0]},
                    {"$eq": ["$care.basis.kind", APPOINTMENT]},
                ]
            },
            "$care",
            {"$literal": care},
        ]
    }
    values["version"] = {"$add": [{"$ifNull": ["$version", 0]}, 1]}
    values["updated_at"] = at
    gone = [name for name in OPTIONAL if name not in document]
    stages: list[Stored] = [{"$set": values}]
    if gone:
        stages.append({"$unset": gone})
    return UpdateOne({"_id": order_id}, stages)


def _write(run: ImportRun, orders: list[ImportedOrder]) -> set[str]:
    """Writes a batch; returns codes of products whose interval changed in the meantime."""
    if not orders:
        return set()
    batch = _Batch(run, orders)
    follow_up = ""

    def work(session: ClientSession) -> _Plan:
        nonlocal follow_up
        plan = batch.planned(session)
        for model, known in _needed_by(plan):
            if known.missing:
                model.collection().insert_many(known.missing.values(), session=session)
        writes: list[InsertOne[Stored] | UpdateOne] = [InsertOne(document) for document in plan.new]
        writes += plan.changes
        if writes:
            Order.collection().bulk_write(writes, ordered=False, session=session)
            _hold_customers(plan, run.request.at, session)
            if plan.touched_customers:
                recompute_customers(
                    sorted(plan.touched_customers), session=session, at=run.request.at
                )
            if plan.buyers:
                recompute_scope(plan.buyers, session=session, at=run.request.at)
            run.record(_all_counts(plan), session)
            follow_up = _put_follow_up(plan, session)
        return plan

    plan = write_together(work)
    relationships.bring_in_line(sorted(plan.buyers), at=run.request.at)
    _count(run, plan)
    outdated = follow_ups.outdated(_intervals(plan))
    if follow_up and not outdated:
        follow_ups.done(follow_up, datetime.now(UTC))
    return outdated


def _hold_customers(plan: _Plan, at: datetime, session: ClientSession) -> None:
    """Writes the customers that get orders, so that nobody deletes one of them at the same time.

    A deletion takes the orders that it sees; without a write on the customer itself both would
    succeed, and the order would belong to nobody. The version makes it a write in any case: one
    that changes nothing would conflict with nobody.
    """
    made = {customer["_id"] for customer in plan.customers.missing.values()}
    found = {customer["_id"] for customer in plan.customers.by_key.values()} - made
    if found:
        Customer.collection().update_many(
            {"_id": {"$in": sorted(found)}},
            {"$set": {"updated_at": at}, "$inc": {"version": 1}},
            session=session,
        )


def _put_follow_up(plan: _Plan, session: ClientSession) -> str:
    return follow_ups.put(
        session,
        at=datetime.now(UTC),
        customer_ids=sorted(plan.buyers),
        intervals=_intervals(plan),
    )


def _intervals(plan: _Plan) -> dict[str, int]:
    """As they were read and written into the orders."""
    known = plan.products.by_key
    return {code: product.get("care_interval_days") or 0 for code, product in known.items()}


def _needed_by(plan: _Plan) -> tuple[tuple[type[CarebookDocument], Known], ...]:
    return (Area, plan.areas), (Customer, plan.customers), (Product, plan.products)


def _all_counts(plan: _Plan) -> dict[str, int]:
    return {f"orders_{name}": plan.counts[name] for name in ("new", "changed")} | {
        f"{model.__name__.lower()}s_new": len(known.missing) for model, known in _needed_by(plan)
    }


def _count(run: ImportRun, plan: _Plan) -> None:
    report, counts = run.report, plan.counts
    report.new += counts["new"]
    report.changed += counts["changed"]
    report.unchanged += counts["unchanged"]
    for order in plan.trashed:
        for sequence in order.sequences:
            run.refuse(sequence, BadRow(IN_TRASH, code=order.code), [order.code])
    for model, known in _needed_by(plan):
        kind = f"{model.__name__.lower()}s"
        # A dry run writes nothing, so that a later batch misses the same record again.
        report.created[kind] += sum(run.stage.first_time(kind, key) for key in known.missing)
