"""Recomputing care dates of 100,000 orders against one raw update with the same pipeline."""

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo.database import Database

from bench import Row
from models import Customer, Order, Product
from models.base import stored_date
from models.care import CareState
from rules.care_dates import first_care
from rules.care_pipeline import UNCARED, first_care_pipeline
from services.recompute import recompute_care
from services.stored_care import items_of, stored_first_care

ORDERS, CUSTOMERS, PRODUCTS, ITEMS = 100_000, 20_000, 4_000, 8
SAVED = 1000  # orders of the save loop, which would take minutes for all
ROUNDS = 2  # the best one counts, so that a hiccup of the machine does not
INTERVALS = (0, 5, 7, 10, 14, 30, 60, 90)
FIRST_DAY = date(2025, 1, 1)
ALWAYS = "P-always"


def measure(database: Database[dict[str, Any]]) -> Iterator[Row]:
    """Rates in orders per second."""
    _fill()
    # In turns: whatever else the machine does then hits all of them alike.
    rounds = [
        (
            _seconds(_raw_update, before=_forget_dates),
            _seconds(recompute_care, before=_forget_dates),
            _seconds(recompute_care),
        )
        for _ in range(ROUNDS)
    ]
    raw, all_change, none_changes = map(min, zip(*rounds, strict=True))
    yield Row("raw update_many, all change", _rate(raw))
    yield Row(
        "recompute care, all change", _rate(all_change), "the raw update", raw / all_change, 0.5
    )
    yield Row(
        "recompute care, nothing changes",
        _rate(none_changes),
        "all change",
        all_change / none_changes,
        3,
    )
    yield _one_product()
    loop = _seconds(_save_loop, before=_forget_dates) * ORDERS / SAVED
    yield Row("mongoengine save loop", _rate(loop), "recompute care, all change", all_change / loop)


def _rate(seconds: float) -> str:
    return f"{ORDERS / seconds:,.0f} orders/s"


def _seconds(work: Callable[[], Any], before: Callable[[], None] = lambda: None) -> float:
    """How long the work takes; `before` prepares it and is not measured."""
    before()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _raw_update() -> None:
    changed = Order.collection().update_many(UNCARED, first_care_pipeline(datetime.now(UTC)))
    if changed.modified_count != ORDERS:
        raise AssertionError("The raw update was to change every order.")


def _save_loop() -> None:
    for order in Order.objects.limit(SAVED):
        first = first_care(order.placed_on, items_of(order.to_mongo()))
        order.care = CareState._from_son(stored_first_care(first))
        order.version += 1
        order.save()


def _one_product() -> Row:
    code = "P00007"
    Product.collection().update_one({"code": code}, {"$set": {"care_interval_days": 3}})
    counts: dict[str, int] = {}
    seconds = _seconds(lambda: counts.update(recompute_care(product_codes=[code])))
    return Row(
        f"one product's interval changes ({counts['orders_checked']} orders)",
        f"{seconds * 1000:,.0f} ms",
    )


def _forget_dates() -> None:
    Order.collection().update_many({}, {"$set": {"care": {"state": "none", "count": 0}}})
    Customer.collection().update_many({}, {"$set": {"care": {"state": "none"}}})


def _fill() -> None:
    chance = random.Random(1)
    intervals = {f"P{number:05d}": chance.choice(INTERVALS) for number in range(PRODUCTS)}
    intervals[ALWAYS] = 30
    Product.collection().insert_many(
        {"code": code, "name": code, "search": code.lower(), "care_interval_days": days}
        for code, days in intervals.items()
    )
    customers = [_customer(number) for number in range(CUSTOMERS)]
    Customer.collection().insert_many(customers)
    codes = list(intervals)
    for start in range(0, ORDERS, 5000):
        Order.collection().insert_many(
            _order(number, chance, chance.choice(customers)["_id"], codes, intervals)
            for number in range(start, start + 5000)
        )


def _customer(number: int) -> dict[str, Any]:
    return {
        "_id": ObjectId(),
        "code": f"C{number:06d}",
        "name": f"Khách {number}",
        "search": f"khach {number}",
        "own_care": {"state": "none", "count": 0},
        "care": {"state": "none"},
        "version": 1,
    }


def _order(
    number: int,
    chance: random.Random,
    customer_id: ObjectId,
    codes: list[str],
    intervals: dict[str, int],
) -> dict[str, Any]:
    bought = {code: chance.randrange(1, 20) for code in chance.sample(codes, ITEMS)}
    # Every order has a product that needs care, so that each of them changes.
    bought[ALWAYS] = 1
    placed_on = FIRST_DAY + timedelta(days=chance.randrange(700))
    return {
        "code": f"O{number:07d}",
        "kind": "sale",
        "customer_id": customer_id,
        "placed_at": stored_date(placed_on),
        "placed_on": stored_date(placed_on),
        "lines": [
            {"product_code": code, "product_name": f"Sản phẩm số {code}", "quantity": quantity}
            for code, quantity in bought.items()
        ],
        "care_items": [
            {"code": code, "quantity": quantity, "interval_days": intervals[code]}
            for code, quantity in bought.items()
        ],
        "group_ids": [],
        "care": {"state": "none", "count": 0},
        "version": 1,
    }
