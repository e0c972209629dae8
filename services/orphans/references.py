"""References of live records to records that are neither there nor in the trash."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import (
    Area,
    Customer,
    Interaction,
    Order,
    Product,
    ProductGroup,
    Record,
    Staff,
    TrashedRecord,
)
from models.base import CarebookDocument
from rules.scope import SYSTEM
from services import audit, bulk
from services.progress import Progress, stop_if_cancelled
from services.record_scope import bring_in_line
from services.scope import recompute_scope
from stores.mongo import in_transaction

Stored = dict[str, Any]
RECORDS_PER_STEP = 500
MISSING_AT_ONCE = 1000  # ids that lead nowhere; more are found the next time
CUSTOMERS_PER_RANGE = 500


@dataclass(frozen=True, slots=True)
class Reference:
    """`path` of a document holds an id of `target`, or a list of them (`is_list`).

    `within` names the embedded documents of a list that go as a whole.
    """

    document: type[CarebookDocument]
    path: str
    target: type[CarebookDocument]
    is_list: bool = False
    within: str | None = None


REFERENCES = (
    Reference(Customer, "owner_id", Staff),
    Reference(Customer, "area_id", Area),
    Reference(Customer, "referrer_id", Customer),
    Reference(Customer, "carers", Staff, is_list=True),
    Reference(Customer, "viewers.staff_id", Staff, is_list=True, within="viewers"),
    Reference(Order, "area_id", Area),
    Reference(Order, "group_ids", ProductGroup, is_list=True),
    Reference(Interaction, "record_id", Record),
    Reference(Record, "customer_id", Customer),
    Reference(Record, "owner_id", Staff),
    Reference(Product, "carers", Staff, is_list=True),
    Reference(Product, "group_ids", ProductGroup, is_list=True),
)
# Whoever may see a record follows from these.
SCOPE_PATHS = ("owner_id", "carers", "viewers")


@dataclass(frozen=True, slots=True)
class Missing:
    """The ids at one reference that lead nowhere."""

    reference: Reference
    ids: Sequence[ObjectId]

    @property
    def criteria(self) -> Stored:
        return {self.reference.path: {"$in": list(self.ids)}}


def find(progress: Progress) -> Iterator[Missing]:
    """What is missing, reference by reference; nothing is changed. Raises Cancelled."""
    for reference in REFERENCES:
        stop_if_cancelled(progress)
        if ids := _missing(reference):
            yield Missing(reference, ids)


def _missing(reference: Reference) -> list[ObjectId]:
    stages: list[Stored] = [{"$match": {reference.path: {"$nin": [None, []]}}}]
    if reference.is_list:
        stages.append({"$unwind": f"${reference.path.split('.')[0]}"})
    target = reference.target.collection().name
    stages += [
        {"$group": {"_id": f"${reference.path}"}},
        {"$match": {"_id": {"$type": "objectId"}}},
        {"$lookup": {"from": target, "localField": "_id", "foreignField": "_id", "as": "there"}},
        {"$match": {"there": []}},
        {"$limit": MISSING_AT_ONCE},
    ]
    found = reference.document.collection().aggregate(stages, allowDiskUse=True)
    return sorted(_gone(reference.target, {row["_id"] for row in found}))


def _gone(target: type[CarebookDocument], ids: set[ObjectId]) -> set[ObjectId]:
    """Those that are neither there nor in the trash, from where they may come back."""
    kind = {"kind": target.collection().name, "record_id": {"$in": list(ids)}}
    rows = TrashedRecord.collection().find(kind, {"record_id": 1})
    gone = ids - {row["record_id"] for row in rows}
    # Last of all: one that is coming back at this moment was in the trash a moment ago.
    there = target.collection().find({"_id": {"$in": list(gone)}}, {"_id": 1})
    return gone - {row["_id"] for row in there}


def count(missing: Missing, _: datetime) -> int:
    """How many records refer to what is missing."""
    return missing.reference.document.collection().count_documents(missing.criteria)


def remove(missing: Missing, now: datetime) -> int:
    """Takes the references out of the records; returns how many records were changed."""
    changed = 0
    collection = missing.reference.document.collection()
    while rows := list(collection.find(missing.criteria, {"_id": 1}).limit(RECORDS_PER_STEP)):
        ids = [row["_id"] for row in rows]
        taken = in_transaction(partial(_take_out, missing, ids, now))
        if not taken:
            break
        changed += taken
    return changed


def _take_out(
    missing: Missing, ids: Sequence[ObjectId], now: datetime, session: ClientSession
) -> int:
    reference, gone = missing.reference, set(missing.ids)
    collection = reference.document.collection()
    field = reference.within or reference.path
    noted = []
    for row in collection.find({"_id": {"$in": list(ids)}}, session=session):
        old = row.get(field)
        new = _without(old, reference, gone)
        if new == old:
            continue
        change: Stored = {"$set": {field: new}} if reference.is_list else {"$unset": {field: ""}}
        stamp = {"$inc": {"version": 1}, "$currentDate": {"updated_at": True}}
        collection.update_one({"_id": row["_id"]}, change | stamp, session=session)
        noted.append((row["_id"], _label(row), {field: (old, new)}))
    audit.record_many(
        noted, by=SYSTEM, at=now, action="update", kind=collection.name, session=session
    )
    if reference.document is Customer and field in SCOPE_PATHS:
        recompute_scope([record_id for record_id, *_ in noted], session=session, at=now)
    if reference.document is Record:
        bring_in_line({"_id": {"$in": [record_id for record_id, *_ in noted]}}, session=session)
    return len(noted)


def _label(row: Stored) -> str:
    names = (row.get(path) for path in ("name", "title", "code", "record_code"))
    return next((str(one) for one in names if one), str(row["_id"]))


def _without(old: Any, reference: Reference, gone: set[ObjectId]) -> Any:
    if not reference.is_list:
        return None if old in gone else old
    key = reference.path.rpartition(".")[2]
    return [one for one in old or [] if (one[key] if reference.within else one) not in gone]


def search_history(progress: Progress, now: datetime, *, removes: bool) -> None:
    """Copies of history entries in customers whose entry is not there any more. Raises Cancelled."""

    def work(ids: Sequence[ObjectId]) -> None:
        wanted = {"_id": {"$in": list(ids)}, "history.0": {"$exists": True}}
        rows = list(Customer.collection().find(wanted, {"history.interaction_id": 1}))
        named = {one["interaction_id"] for row in rows for one in row["history"]}
        there = Interaction.collection().find({"_id": {"$in": list(named)}}, {"_id": 1})
        gone = _gone(Interaction, named - {row["_id"] for row in there})
        if not gone:
            return
        entries = {"history.interaction_id": {"$in": list(gone)}}
        progress.count("history_gone", len(gone))
        if removes:
            Customer.collection().update_many(
                {"_id": {"$in": list(ids)}, **entries},
                {
                    "$pull": {"history": {"interaction_id": {"$in": list(gone)}}},
                    "$inc": {"version": 1},
                },
            )

    bulk.over(Customer.collection(), {}, work, progress, step="history", size=CUSTOMERS_PER_RANGE)
