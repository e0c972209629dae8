"""The "due today" queue: one customer at a time, each to one person only (B.2).

A customer handed out is claimed for some minutes; a colleague who asks meanwhile is given the
next one. A claim ends with the care entry, with its time, or when its owner moves on.
"""

from datetime import date, datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, ReturnDocument

from models import Customer
from models.base import stored_date
from models.care import OPEN_STATES
from rules.filters import Criteria
from rules.scope import Actor

CLAIM_MINUTES = 15  # longer than a telephone call, shorter than a lunch break


def due_criteria(today: date) -> Criteria:
    """Customers whose nearest date is today or earlier."""
    return {
        "care.state": {"$in": list(OPEN_STATES)},
        "care.due_on": {"$lte": stored_date(today)},
    }


def overdue_criteria(today: date) -> Criteria:
    """Customers whose nearest date has passed."""
    return {
        "care.state": {"$in": list(OPEN_STATES)},
        "care.due_on": {"$lt": stored_date(today)},
    }


def next_customer(
    *, by: Actor, now: datetime, today: date, skip: ObjectId | None = None
) -> dict[str, Any] | None:
    """Claims and returns the next due customer, nearest date first; None when nobody waits.

    `skip` is the customer that the person leaves for later: its claim is released, and the queue
    goes on with the dates behind it, from the front again when there are none.
    """
    passed = _release(skip, by) if skip else None
    if passed:
        found = _claim(_behind(passed), by, now, today)
        if found:
            return found
    return _claim({}, by, now, today)


def claim(customer_id: ObjectId, *, by: Actor, now: datetime, today: date) -> bool:
    """Claims this very customer; False when a colleague has it or it is not due any more."""
    return _claim({"_id": customer_id}, by, now, today) is not None


def _claim(where: Criteria, by: Actor, now: datetime, today: date) -> dict[str, Any] | None:
    mine = {
        "staff_id": by.staff_id,
        "staff_name": by.name,
        "until": now + timedelta(minutes=CLAIM_MINUTES),
    }
    free = {"$or": [{"claim.until": {"$exists": False}}, {"claim.until": {"$lt": now}}]}
    free["$or"].append({"claim.staff_id": by.staff_id})
    return Customer.collection().find_one_and_update(
        {"$and": [due_criteria(today), where, free]},
        {"$set": {"claim": mine}},
        sort=[("care.due_on", ASCENDING), ("_id", ASCENDING)],
        return_document=ReturnDocument.AFTER,
    )


def _release(customer_id: ObjectId, by: Actor) -> dict[str, Any] | None:
    """Gives a claim back; returns the customer's place in the queue."""
    Customer.collection().update_one(
        {"_id": customer_id, "claim.staff_id": by.staff_id}, {"$unset": {"claim": ""}}
    )
    return Customer.collection().find_one({"_id": customer_id}, {"care.due_on": 1})


def _behind(customer: dict[str, Any]) -> Criteria:
    due_on = (customer.get("care") or {}).get("due_on")
    if due_on is None:
        return {}
    return {
        "$or": [
            {"care.due_on": {"$gt": due_on}},
            {"care.due_on": due_on, "_id": {"$gt": customer["_id"]}},
        ]
    }
