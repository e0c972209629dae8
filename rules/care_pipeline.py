"""`rules.care_dates.first_care` as an update pipeline, so that the server recomputes in bulk.

The pipeline reads `kind`, `customer_id`, `placed_on` and `care_items` of an order and writes
`care`, `version` and `updated_at`. An order whose care is right already stays byte for byte as it
is, so that the server does not write it at all. A property test holds both to the same answer;
`services.stored_care.stored_first_care` writes the same keys in the same order.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rules.care_dates import APPOINTMENT, INTERVAL, NONE, SALE, SUGGESTED

Expression = Any

LAST_DAY = datetime(9999, 12, 31, tzinfo=UTC)
DAY_MS = 24 * 60 * 60 * 1000
# More days than the calendar has. The date is only computed below it: interval x quantity may be
# a number that no date can carry, and the server would refuse the whole update.
TOO_MANY_DAYS = 3_660_000

# Orders whose date comes from the interval: nobody cared for them (S1.6) and nobody moved their
# date. Others are left alone.
# None also matches orders that never had the field.
UNCARED: dict[str, Any] = {
    "care.state": {"$in": [NONE, SUGGESTED, None]},
    "care.count": {"$in": [0, None]},
    "care.basis.kind": {"$ne": APPOINTMENT},
}


def first_care_pipeline(at: datetime) -> list[dict[str, Any]]:
    """The pipeline that brings `care` of an uncared order in line with its items (S1.5).

    For orders that match `UNCARED`. `at` becomes `updated_at` of those that change.
    """
    changed = {
        "$mergeObjects": [
            "$$ROOT",
            {
                "care": "$$care",
                "version": {"$add": [{"$ifNull": ["$version", 0]}, 1]},
                "updated_at": at,
            },
        ]
    }
    kept_or_changed = {"$cond": [{"$eq": ["$$care", "$care"]}, "$$ROOT", changed]}
    return [
        {"$replaceWith": _let("first", _first(), _let("care", _care("$$first"), kept_or_changed))}
    ]


def interval_stage(intervals: Sequence[tuple[Sequence[str], int]], at: datetime) -> dict[str, Any]:
    """The stage that gives items their products' intervals (S1.4): `[(product codes, days)]`.

    Of an update that finds only orders where one differs. `first_care_pipeline` may follow it.
    """
    branches = [
        {"case": {"$in": ["$$item.code", {"$literal": list(codes)}]}, "then": days}
        for codes, days in intervals
    ]
    days = {"$switch": {"branches": branches, "default": "$$item.interval_days"}}
    item = {"$mergeObjects": ["$$item", {"interval_days": days}]}
    return {
        "$set": {
            "care_items": {"$map": {"input": "$care_items", "as": "item", "in": item}},
            "version": {"$add": [{"$ifNull": ["$version", 0]}, 1]},
            "updated_at": at,
        }
    }


def _first() -> Expression:
    """The item with the nearest date, or null.

    The server compares documents key by key, so that `$min` of {days, code, ...} is the nearest
    date and, on a tie, the code that sorts first.
    """
    needing = {
        "$filter": {
            "input": {"$ifNull": ["$care_items", []]},
            "as": "item",
            "cond": {
                "$and": [{"$gt": ["$$item.interval_days", 0]}, {"$gt": ["$$item.quantity", 0]}]
            },
        }
    }
    dated = {
        "$map": {
            "input": needing,
            "as": "item",
            "in": {
                "days": {"$multiply": ["$$item.interval_days", "$$item.quantity"]},
                "code": "$$item.code",
                "quantity": "$$item.quantity",
                "interval_days": "$$item.interval_days",
            },
        }
    }
    may_be_due = {"$and": [{"$eq": ["$kind", SALE]}, {"$gt": ["$customer_id", None]}]}
    return {"$cond": [may_be_due, {"$min": dated}, None]}


def _care(first: str) -> Expression:
    """The stored care of the order; `first` is the variable with the deciding item or null."""
    count = {"$ifNull": ["$care.count", 0]}
    due_on = {"$add": ["$placed_on", {"$multiply": [f"{first}.days", DAY_MS]}]}
    has_date = {
        "$and": [
            {"$gt": [f"{first}.days", 0]},
            {"$lt": [f"{first}.days", TOO_MANY_DAYS]},
            {"$lte": [due_on, LAST_DAY]},
        ]
    }
    basis = {
        "kind": INTERVAL,
        "from_on": "$placed_on",
        "product_code": f"{first}.code",
        "interval_days": f"{first}.interval_days",
        "quantity": f"{first}.quantity",
    }
    suggested = {"state": SUGGESTED, "due_on": due_on, "basis": basis, "count": count}
    return {"$cond": [has_date, suggested, {"state": NONE, "count": count}]}


def _let(name: str, value: Expression, within: Expression) -> Expression:
    return {"$let": {"vars": {name: value}, "in": within}}
