"""Facts and relationship statuses of many customers at once: the server computes and compares.

One aggregation reads a range of customers with their orders and history and answers with those
that should be otherwise; they are written with the entries in the history that say why, in the same
transaction. It fails and starts again when somebody changes one of them at the same time.
"""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from bson import ObjectId
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from models import Customer, Interaction
from models.interaction import EVENT, RELATIONSHIP
from rules.relationship_pipeline import decision, set_by
from services import relationship_facts, relationship_setup
from services.relationship_entries import push
from services.relationship_setup import Setup
from stores import mongo

Stored = dict[str, Any]

READ = (
    "relationship",
    "relationship_chosen",
    "relationship_set",
    "groups",
    "tags",
    "custom",
    "facts",
    "last_contact_at",
)
# What the server computes is handed back to it without being looked into.
RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)


def bring_in_line(ids: Sequence[ObjectId], *, at: datetime, are_all: bool = False) -> Stored:
    """Writes what differs for these customers; `{"facts_changed", "relationships_changed"}`.

    Args:
        ids: so many as one transaction may hold, in ascending order.
        are_all: there are no other customers between the first and the last.
    """
    # The rules are read for each range, so that a run that was overtaken by a change of them never
    # goes on with the old ones.
    setup = relationship_setup.load()
    chosen: Stored = {"$gte": ids[0], "$lte": ids[-1]} if are_all else {"$in": list(ids)}
    return mongo.in_transaction(partial(_bring_in_line, chosen, setup, at))


def _bring_in_line(
    chosen: Stored, setup: Setup, at: datetime, session: ClientSession
) -> dict[str, int]:
    customers = Customer.collection().with_options(codec_options=RAW)
    rows = customers.aggregate(differing(chosen, setup, mongo.zone(), at), session=session)
    entries, writes, facts_changed = [], [], 0
    for row in rows:
        entry = _entry(row, at) if "details" in row else None
        if entry:
            entries.append(entry)
        facts_changed += row["has_other_facts"]
        writes.append(_update(row, entry))
    if entries:
        Interaction.collection().insert_many(entries, ordered=False, session=session)
    if writes:
        Customer.collection().bulk_write(writes, ordered=False, session=session)
    return {"facts_changed": facts_changed, "relationships_changed": len(entries)}


def _entry(row: Any, at: datetime) -> Stored:
    return {
        "_id": ObjectId(),
        "kind": EVENT,
        "event": RELATIONSHIP,
        "customer_id": row["_id"],
        "at": at,
        "staff_id": None,
        "staff_name": None,
        "details": row["details"],
    }


def _update(row: Any, entry: Stored | None) -> UpdateOne:
    update: Stored = {"$set": row["set"]}
    if row["has_no_contact"]:
        update["$unset"] = {"last_contact_at": ""}
    if entry:
        # An open edit form shows the status: with another one it has to look again.
        update |= {"$push": push(entry), "$inc": {"version": 1}}
    return UpdateOne({"_id": row["_id"]}, update)


def differing(chosen: Stored, setup: Setup, zone: ZoneInfo, at: datetime) -> list[Stored]:
    """The aggregation over customers that answers with the customers to be written.

    `{_id, set, has_other_facts, has_no_contact, details?}`: `set` are the fields that differ;
    `details`, of the entry in the history, are there when the status is another one.

    Args:
        chosen: the condition on the customers' ids.
    """
    today = at.astimezone(zone).date()
    return [
        {"$match": {"_id": chosen}},
        {"$project": dict.fromkeys(READ, 1)},
        *relationship_facts.with_rows(setup),
        {"$set": {"before": {"$ifNull": ["$facts", {}]}, "facts": None}},
        {"$set": {"facts": relationship_facts.computed(zone)}},
        {"$set": {"decided": decision(setup.rules, today)}},
        {
            "$set": {
                "has_other_facts": {"$ne": ["$facts", "$before"]},
                "has_other_contact": {
                    "$ne": ["$contact_at", {"$ifNull": ["$last_contact_at", None]}]
                },
                "has_other_status": {"$ne": ["$decided.status", "$relationship"]},
            }
        },
        {"$match": {"$or": [{name: True} for name in ANY_OTHER]}},
        {"$set": {"set_by": _when("$has_other_status", _set_by(setup, today, at))}},
        {"$project": _answer(at)},
    ]


ANY_OTHER = ("has_other_facts", "has_other_contact", "has_other_status")


def _set_by(setup: Setup, today: date, at: datetime) -> Stored:
    by: Stored = set_by(setup.rules, today, at, "$decided")
    return by


def _answer(at: datetime) -> Stored:
    chosen_unwritten = {
        "$and": [
            "$has_other_status",
            {"$ne": ["$decided.chosen", None]},
            {"$not": [{"$gt": ["$relationship_chosen.status", None]}]},
        ]
    }
    before = {"$ifNull": ["$relationship", None]}
    return {
        "set": {
            "facts": _when("$has_other_facts", "$facts"),
            "last_contact_at": _when(
                "$has_other_contact", {"$ifNull": ["$contact_at", "$$REMOVE"]}
            ),
            "relationship": _when("$has_other_status", "$decided.status"),
            "relationship_set": "$set_by",
            "relationship_chosen": _when(chosen_unwritten, {"status": "$decided.chosen"}),
            "updated_at": at,
        },
        "has_other_facts": 1,
        "has_no_contact": {
            "$and": ["$has_other_contact", {"$not": [{"$gt": ["$contact_at", None]}]}]
        },
        "details": _when(
            "$has_other_status",
            {"before": before, "after": "$decided.status", "set": "$set_by"},
        ),
    }


def _when(condition: Any, value: Any) -> Stored:
    return {"$cond": [condition, value, "$$REMOVE"]}
