"""The entries in the history that say how a relationship status changed (S3.3)."""

from datetime import datetime
from typing import Any

from bson import ObjectId

from models.customer import HISTORY_KEPT
from models.interaction import EVENT, RELATIONSHIP

Stored = dict[str, Any]


def event(
    customer: Stored,
    status: str | None,
    set_by: Stored,
    *,
    at: datetime,
    staff_id: ObjectId | None = None,
    staff_name: str | None = None,
) -> Stored:
    """The history's entry about a changed status; nobody's name stands for the rules."""
    return {
        "_id": ObjectId(),
        "kind": EVENT,
        "event": RELATIONSHIP,
        "customer_id": customer["_id"],
        "at": at,
        "staff_id": staff_id,
        "staff_name": staff_name,
        "details": {"before": customer.get("relationship"), "after": status, "set": set_by},
    }


def embedded(entry: Stored) -> Stored:
    """The copy of such an entry in the customer (`models.customer.HistoryEntry`)."""
    kept = ("kind", "event", "at", "staff_id", "staff_name", "details")
    return {"interaction_id": entry["_id"], **{name: entry[name] for name in kept}}


def push(entry: Stored) -> Stored:
    """The update that puts the entry into the customer's newest history."""
    return {"history": {"$each": [embedded(entry)], "$position": 0, "$slice": HISTORY_KEPT}}
