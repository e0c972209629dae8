"""Keeps the care intervals that orders repeat in line with the products (S1.4).

Drift is looked for in the index `orders_by_product` alone: products with the same interval are
asked for together, and an order is read only when it differs.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from models import Order, Product
from rules.care_pipeline import UNCARED, first_care_pipeline, interval_stage
from services.progress import NoProgress, Progress, stop_if_cancelled

Stored = dict[str, Any]

PRODUCTS_PER_QUERY = 5000
INTERVALS_PER_UPDATE = 50  # each is a filter that the server tries on every item
ORDERS_PER_UPDATE = 2000
WRITERS = 2  # at once: a person waits for the orders due, and the server has more than one core
CODES_PER_PIPELINE = 200  # the server tries one after the other on every item

# Criteria of product codes, and the interval that the items with these codes should have.
Expected = tuple[Stored, int]


def align_intervals(
    product_codes: Sequence[str] | None = None, *, at: datetime, progress: Progress | None = None
) -> Counter[str]:
    """Sets `care_items.interval_days` of orders to the intervals of their products.

    A product that does not exist needs no care (0). Looks again until nothing differs, because a
    product may get another interval meanwhile. Where few products changed, uncared orders get
    their first dates in the same write, so that the orders due are right sooner.

    Returns `{"intervals_changed"}`, how many times an order was changed, and `{"orders_changed"}`,
    how many of these got their dates too.

    Raises:
        Cancelled: the progress was told to stop.
    """
    progress = progress or NoProgress()
    changed = Counter[str](intervals_changed=0, orders_changed=0)
    while aligned := sum(
        (_align(expected, at, progress) for expected in _expectations(product_codes)),
        Counter[str](),
    ):
        changed.update(aligned)
    return changed


def follow_products(
    order_ids: Sequence[ObjectId], *, at: datetime, session: ClientSession | None = None
) -> int:
    """Gives these orders the intervals and groups of their products as they stand now.

    For few orders that were away while products changed. Returns how many differed.
    """
    orders = list(
        Order.collection().find(
            {"_id": {"$in": list(order_ids)}},
            {"care_items": 1, "group_ids": 1, "lines.product_code": 1},
            session=session,
        )
    )
    codes = {line["product_code"] for order in orders for line in order.get("lines") or ()}
    codes |= {item["code"] for order in orders for item in order.get("care_items") or ()}
    rows = Product.collection().find(
        {"code": {"$in": sorted(codes)}},
        {"code": 1, "care_interval_days": 1, "group_ids": 1},
        session=session,
    )
    products = {row["code"]: row for row in rows}
    writes = [
        UpdateOne(
            {"_id": order["_id"], "care_items": order.get("care_items")},
            {"$set": differing | {"updated_at": at}, "$inc": {"version": 1}},
        )
        for order in orders
        if (differing := _differing(order, products))
    ]
    if writes:
        Order.collection().bulk_write(writes, ordered=False, session=session)
    return len(writes)


def _differing(order: Stored, products: Mapping[str, Stored]) -> Stored:
    """What an order should have of its products and has not."""
    wanted: Stored = {}
    items = [
        item | {"interval_days": products.get(item["code"], {}).get("care_interval_days") or 0}
        for item in order.get("care_items") or ()
    ]
    if items != (order.get("care_items") or []):
        wanted["care_items"] = items
    lines = order.get("lines") or ()
    if any(line["product_code"] in products for line in lines):
        found = (products.get(line["product_code"], {}).get("group_ids") or () for line in lines)
        groups = sorted({group for path in found for group in path})
        if groups != (order.get("group_ids") or []):
            wanted["group_ids"] = groups
    return wanted


def _align(expected: Sequence[Expected], at: datetime, progress: Progress) -> Counter[str]:
    """Gives the items their expected intervals; returns how many orders changed.

    Goes through the orders once and does not look again: beside somebody who has read a newer
    interval, both would undo each other's work for ever. `align_intervals` reads the products
    again and then looks again.
    """
    drifted = {"$or": [_has_drifted(codes, days) for codes, days in expected]}
    rows = iter(Order.collection().find(drifted, {"_id": 1}, batch_size=ORDERS_PER_UPDATE))

    def write(ids: Sequence[ObjectId]) -> Counter[str]:
        chosen = {"_id": {"$in": ids}, **drifted}
        dated = _align_with_dates(chosen, expected, at)
        items = _align_items(chosen, expected, at)
        return Counter(orders_changed=dated, intervals_changed=dated + items)

    changed = Counter[str]()
    with ThreadPoolExecutor(WRITERS) as pool:
        while batches := list(islice(_batches(rows, progress), WRITERS)):
            for counts in pool.map(write, batches):
                changed.update(counts)
    return changed


def _batches(rows: Iterator[Stored], progress: Progress) -> Iterator[list[ObjectId]]:
    """Raises Cancelled between two of them."""
    while ids := [row["_id"] for row in islice(rows, ORDERS_PER_UPDATE)]:
        stop_if_cancelled(progress)
        yield ids


def _align_with_dates(chosen: Stored, expected: Sequence[Expected], at: datetime) -> int:
    """Those that nobody has cared for, with their first dates, if few products are expected."""
    codes = [criteria.get("$in") for criteria, _ in expected]
    known = [some for some in codes if some is not None]
    if len(known) < len(codes) or sum(map(len, known)) > CODES_PER_PIPELINE:
        return 0
    intervals = list(zip(known, (days for _, days in expected), strict=True))
    pipeline = [interval_stage(intervals, at), *first_care_pipeline(at)]
    return Order.collection().update_many({**chosen, **UNCARED}, pipeline).modified_count


def _align_items(chosen: Stored, expected: Sequence[Expected], at: datetime) -> int:
    days = {
        f"care_items.$[same{number}].interval_days": days
        for number, (_, days) in enumerate(expected)
    }
    update = {"$set": days | {"updated_at": at}, "$inc": {"version": 1}}
    filters = [{f"same{number}.code": codes} for number, (codes, _) in enumerate(expected)]
    return Order.collection().update_many(chosen, update, array_filters=filters).modified_count


def _has_drifted(codes: Stored, interval_days: int) -> Stored:
    return {"care_items": {"$elemMatch": {"code": codes, "interval_days": {"$ne": interval_days}}}}


def _expectations(product_codes: Sequence[str] | None) -> Iterator[list[Expected]]:
    """What every item should have, for every code there may be, in pieces of bounded size.

    Walks the products by code; the codes between two products belong to no product.
    """
    if product_codes is not None:
        yield from _of_codes(sorted(set(product_codes)))
        return
    last = None
    while products := _products({"code": {"$gt": last}} if last is not None else {}):
        codes = [product["code"] for product in products]
        yield from _by_interval(products)
        since: Stored = {"$gt": last} if last is not None else {}
        yield [({**since, "$lte": codes[-1], "$nin": codes}, 0)]
        last = codes[-1]
    yield [({"$gt": last} if last is not None else {"$gte": ""}, 0)]


def _of_codes(codes: Sequence[str]) -> Iterator[list[Expected]]:
    for start in range(0, len(codes), PRODUCTS_PER_QUERY):
        some = list(codes[start : start + PRODUCTS_PER_QUERY])
        products = _products({"code": {"$in": some}})
        yield from _by_interval(products)
        unknown = sorted(set(some) - {product["code"] for product in products})
        if unknown:
            yield [({"$in": unknown}, 0)]


def _products(criteria: Stored) -> list[Stored]:
    found = Product.collection().find(criteria, {"code": 1, "care_interval_days": 1})
    return list(found.sort("code", 1).limit(PRODUCTS_PER_QUERY))


def _by_interval(products: Sequence[Stored]) -> Iterator[list[Expected]]:
    codes: dict[int, list[str]] = defaultdict(list)
    for product in products:
        codes[product.get("care_interval_days") or 0].append(product["code"])
    expected: list[Expected] = [({"$in": same}, days) for days, same in sorted(codes.items())]
    for start in range(0, len(expected), INTERVALS_PER_UPDATE):
        yield expected[start : start + INTERVALS_PER_UPDATE]
