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
from rules.scope import Actor, due_customer_scope

CLAIM_MINUTES = 15  # longer than a telephone call, shorter than a lunch break
LATER_MINUTES = 120  # a customer left for later waits behind all others for so long


def due_criteria(today: date, by: Actor) -> Criteria:
    """The person's customers whose nearest date is today or earlier."""
    return due_customer_scope(by) | {
        "care.state": {"$in": list(OPEN_STATES)},
        "care.due_on": {"$lte": stored_date(today)},
    }


def overdue_criteria(today: date, by: Actor) -> Criteria:
    """The person's customers whose nearest date has passed."""
    return due_customer_scope(by) | {
        "care.state": {"$in": list(OPEN_STATES)},
        "care.due_on": {"$lt": stored_date(today)},
    }


def next_customer(
    *, by: Actor, now: datetime, today: date, skip: ObjectId | None = None
) -> dict[str, Any] | None:
    """Claims and returns the next due customer, nearest date first; None when nobody waits.

    Whom the person has claimed already comes first, so that a reload changes nothing. `skip` is
    the customer that the person leaves for later: its claim is released, and this person is given
    it again when nobody else waits, or after LATER_MINUTES.
    """
    if skip:
        _leave_for_later(skip, by, now)
    claimed: Criteria = {"claim.staff_id": by.staff_id, "claim.until": {"$gte": now}}
    later: Criteria = {"later.staff_id": by.staff_id, "later.until": {"$gte": now}}
    for where in (claimed, {"$nor": [later]}, {}):
        found = _claim(where, by, now, today)
        if found:
            return found
    return None


def _claim(where: Criteria, by: Actor, now: datetime, today: date) -> dict[str, Any] | None:
    mine = _until(by, now + timedelta(minutes=CLAIM_MINUTES))
    free = {"$or": [{"claim.until": {"$exists": False}}, {"claim.until": {"$lt": now}}]}
    free["$or"].append({"claim.staff_id": by.staff_id})
    return Customer.collection().find_one_and_update(
        {"$and": [due_criteria(today, by), where, free]},
        {"$set": {"claim": mine}},
        sort=[("care.due_on", ASCENDING), ("_id", ASCENDING)],
        return_document=ReturnDocument.AFTER,
    )


def _leave_for_later(customer_id: ObjectId, by: Actor, now: datetime) -> None:
    customers = Customer.collection()
    customers.update_one(
        {"_id": customer_id, "claim.staff_id": by.staff_id}, {"$unset": {"claim": ""}}
    )
    later = _until(by, now + timedelta(minutes=LATER_MINUTES))
    customers.update_one({"_id": customer_id}, {"$set": {"later": later}})


def _until(by: Actor, until: datetime) -> dict[str, Any]:
    return {"staff_id": by.staff_id, "staff_name": by.name, "until": until}
