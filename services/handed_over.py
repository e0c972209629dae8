"""The records of a hand-over: what becomes the receiver's, and what goes back (S1.1).

Each function writes in one transaction what belongs together, with an audit entry per record.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from models import Customer, HandedOver, Product, Staff, TrashedRecord
from rules.handing_over import hand_over, take_back
from rules.scope import Actor
from services import audit
from services.scope import recompute_scope
from stores.mongo import in_transaction

Stored = dict[str, Any]
UNDO_DAYS = 30
KEPT = timedelta(days=UNDO_DAYS + 1)
WATCHED = ("name", "code", "owner_id", "carers", "viewers", "claim")


# Customers


def move_customers(hand: Stored, ids: Sequence[ObjectId], at: datetime) -> int:
    """Gives these customers to the receiver, with their orders; how many."""

    def work(session: ClientSession) -> int:
        moved = []
        for row in _customers(ids, session):
            values, was = hand_over(row, hand["from_id"], hand["to_id"])
            if values:
                moved.append((row, values, was))
        _write_customers(hand, [(row, values) for row, values, _ in moved], at, session)
        kept = [_kept(hand, "customers", row["_id"], was, at) for row, _, was in moved]
        if kept:
            HandedOver.collection().insert_many(kept, session=session)
        return len(moved)

    return in_transaction(work)


def take_customers_back(hand: Stored, ids: Sequence[ObjectId], at: datetime) -> int:
    """Takes back those of these `handed_over` that still are the receiver's; how many."""

    def work(session: ClientSession) -> int:
        mine = {"_id": {"$in": list(ids)}, "undone_at": None}
        kept = {
            one["record_id"]: one["was"]
            for one in HandedOver.collection().find(mine, session=session)
        }
        back = _taken_back(hand, _customers(list(kept), session), kept)
        _write_customers(hand, back, at, session)
        away = {"kind": "customers", "record_id": {"$in": list(kept)}}
        from_trash = _taken_back(hand, _trashed(away, session), kept)
        _write_trashed("customers", hand, from_trash, _actor(hand), at, session)
        HandedOver.collection().update_many(mine, {"$set": {"undone_at": at}}, session=session)
        return len(back) + len(from_trash)

    return in_transaction(work)


def _taken_back(
    hand: Stored, rows: Iterable[Stored], kept: Mapping[ObjectId, Stored]
) -> list[tuple[Stored, Stored]]:
    changes = [
        (row, take_back(row, kept[row["_id"]], hand["from_id"], hand["to_id"])) for row in rows
    ]
    return [(row, values) for row, values in changes if values]


def _customers(ids: Sequence[ObjectId], session: ClientSession) -> list[Stored]:
    fields = dict.fromkeys(WATCHED, 1)
    return list(Customer.collection().find({"_id": {"$in": list(ids)}}, fields, session=session))


def _write_customers(
    hand: Stored, moved: Iterable[tuple[Stored, Stored]], at: datetime, session: ClientSession
) -> None:
    """Writes the values, the lists that follow from them, and one audit entry per customer."""
    moved = list(moved)
    if not moved:
        return
    writes = []
    for row, values in moved:
        change: Stored = {"$set": values | {"updated_at": at}, "$inc": {"version": 1}}
        if (row.get("claim") or {}).get("staff_id") in (hand["from_id"], hand["to_id"]):
            change["$unset"] = {"claim": ""}  # whoever has the work now may take it
        writes.append(UpdateOne({"_id": row["_id"]}, change))
    Customer.collection().bulk_write(writes, ordered=False, session=session)
    recompute_scope([row["_id"] for row, _ in moved], session=session, at=at)
    entries = [
        (row["_id"], row["name"], {field: (row.get(field), new) for field, new in values.items()})
        for row, values in moved
    ]
    audit.record_many(
        entries, by=_actor(hand), at=at, action="hand over", kind="customers", session=session
    )


# What is in the trash, so that it does not come back to somebody who has left


def trashed_customers_of(staff_id: ObjectId) -> Stored:
    """Criteria of the customers in the trash that this person is responsible for, cares for, or
    views."""
    places = ("owner_id", "carers", "viewers.staff_id")
    return {"kind": "customers", "$or": [{f"document.{place}": staff_id} for place in places]}


def move_trashed_customers(hand: Stored, entry_ids: Sequence[ObjectId], at: datetime) -> int:
    """Gives the customers of these entries of the trash to the receiver; how many.

    Lists and orders follow when they are restored.
    """

    def work(session: ClientSession) -> int:
        rows = _trashed({"_id": {"$in": list(entry_ids)}}, session)
        return _move_trashed("customers", hand, rows, _actor(hand), at, session)

    return in_transaction(work)


def _trashed(criteria: Stored, session: ClientSession) -> list[Stored]:
    """The records as they were stored, without what a hand-over does not look at."""
    fields = {f"document.{name}": 1 for name in ("_id", *WATCHED)}
    found = TrashedRecord.collection().find(criteria, fields, session=session)
    return [entry["document"] for entry in found]


def _move_trashed(
    kind: str, hand: Stored, rows: Iterable[Stored], by: Actor, at: datetime, session: ClientSession
) -> int:
    changes = [(row, *hand_over(row, hand["from_id"], hand["to_id"])) for row in rows]
    moved = [(row, values, was) for row, values, was in changes if values]
    _write_trashed(kind, hand, [(row, values) for row, values, _ in moved], by, at, session)
    kept = [_kept(hand, kind, row["_id"], was, at) for row, _, was in moved]
    if kept:
        HandedOver.collection().insert_many(kept, session=session)
    return len(moved)


def _write_trashed(
    kind: str,
    hand: Stored,
    moved: Sequence[tuple[Stored, Stored]],
    by: Actor,
    at: datetime,
    session: ClientSession,
) -> None:
    if not moved:
        return
    writes = []
    for row, values in moved:
        change: Stored = {
            "$set": {f"document.{field}": new for field, new in values.items()},
            "$inc": {"document.version": 1},
        }
        if (row.get("claim") or {}).get("staff_id") in (hand["from_id"], hand["to_id"]):
            change["$unset"] = {"document.claim": ""}
        writes.append(UpdateOne({"kind": kind, "record_id": row["_id"]}, change))
    TrashedRecord.collection().bulk_write(writes, ordered=False, session=session)
    entries = [
        (
            row["_id"],
            row["name"] if kind == "customers" else row["code"],
            {field: (row.get(field), new) for field, new in values.items()},
        )
        for row, values in moved
    ]
    audit.record_many(entries, by=by, at=at, action="hand over", kind=kind, session=session)


# Products and absences


def move_products(hand: Stored, by: Actor, at: datetime, session: ClientSession) -> list[str]:
    """Gives the giver's products to the receiver; their codes."""
    giver, receiver = hand["from_id"], hand["to_id"]
    rows = list(Product.collection().find({"carers": giver}, session=session))
    moved = [(row, *hand_over({"carers": row["carers"]}, giver, receiver)) for row in rows]
    _write_products([(row, values) for row, values, _ in moved], by, at, session)
    kept = [_kept(hand, "products", row["_id"], was, at) for row, _, was in moved]
    if kept:
        HandedOver.collection().insert_many(kept, session=session)
    away = _trashed({"kind": "products", "document.carers": giver}, session)
    _move_trashed("products", hand, away, by, at, session)
    return [row["code"] for row in (*rows, *away)]


def take_products_back(hand: Stored, by: Actor, at: datetime, session: ClientSession) -> None:
    """Takes back the products that still are the receiver's."""
    mine = {"hand_over_id": hand["_id"], "kind": "products", "undone_at": None}
    kept = {
        one["record_id"]: one["was"] for one in HandedOver.collection().find(mine, session=session)
    }
    rows = Product.collection().find({"_id": {"$in": list(kept)}}, session=session)
    back = [(row, take_back(row, kept[row["_id"]], hand["from_id"], hand["to_id"])) for row in rows]
    _write_products([(row, values) for row, values in back if values], by, at, session)
    away = {"kind": "products", "record_id": {"$in": list(kept)}}
    from_trash = _taken_back(hand, _trashed(away, session), kept)
    _write_trashed("products", hand, from_trash, by, at, session)
    HandedOver.collection().update_many(mine, {"$set": {"undone_at": at}}, session=session)


def _write_products(
    moved: Sequence[tuple[Stored, Stored]], by: Actor, at: datetime, session: ClientSession
) -> None:
    if not moved:
        return
    writes = [
        UpdateOne({"_id": row["_id"]}, {"$set": values, "$inc": {"version": 1}})
        for row, values in moved
    ]
    Product.collection().bulk_write(writes, ordered=False, session=session)
    entries = [
        (row["_id"], row["code"], {"carers": (row.get("carers"), values["carers"])})
        for row, values in moved
    ]
    audit.record_many(entries, by=by, at=at, action="hand over", kind="products", session=session)


def move_absences(
    hand: Stored, giver: Stored, at: datetime, session: ClientSession
) -> list[ObjectId]:
    """For whom the giver stands in, the receiver does; one's own work needs no stand-in."""
    running = [one for one in giver.get("stands_in") or () if one["until_at"] > at]
    moved = [one for one in running if one["staff_id"] != hand["to_id"]]
    people, ids = Staff.collection(), [one["absence_id"] for one in moved]
    drop = {"$pull": {"stands_in": {"absence_id": {"$in": [one["absence_id"] for one in running]}}}}
    people.update_one({"_id": giver["_id"]}, drop, session=session)
    if moved:
        add = {"$push": {"stands_in": {"$each": moved}}}
        people.update_one({"_id": hand["to_id"]}, add, session=session)
    return ids


def take_absences_back(hand: Stored, session: ClientSession) -> None:
    """Whoever the giver had stood in for."""
    people, ids = Staff.collection(), hand.get("absence_ids") or []
    receiver = people.find_one({"_id": hand["to_id"]}, {"stands_in": 1}, session=session) or {}
    back = [one for one in receiver.get("stands_in") or () if one["absence_id"] in ids]
    if not back:
        return
    drop = {"$pull": {"stands_in": {"absence_id": {"$in": ids}}}}
    people.update_one({"_id": hand["to_id"]}, drop, session=session)
    add = {"$push": {"stands_in": {"$each": back}}}
    people.update_one({"_id": hand["from_id"]}, add, session=session)


def _kept(hand: Stored, kind: str, record_id: ObjectId, was: Stored, at: datetime) -> Stored:
    return {
        "hand_over_id": hand["_id"],
        "kind": kind,
        "record_id": record_id,
        "was": was,
        "undone_at": None,
        "expires_at": hand["at"] + KEPT,
        "created_at": at,
    }


def _actor(hand: Stored) -> Actor:
    """Who started it, also while the job writes."""
    return Actor(hand["by_id"], hand["by_name"] or "Carebook", screen="hand_over")
