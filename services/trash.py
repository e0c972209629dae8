"""Moves records into the trash with everything that belongs to them, and brings them back.

All that one deletion takes is one batch, moved in one transaction: whoever changes one of the
records at the same time is either part of the batch or is told that the record is gone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from models import Customer, Order, TrashedRecord
from rules.errors import N_, CareError, InvalidInput, NotAllowed, NotFound
from rules.permissions import DELETE
from rules.scope import Actor, may_delete, may_restore
from rules.text import fold, nfc
from services import audit, job_runs, relationships
from services.recompute import recompute_customers, recompute_orders
from services.scope import recompute_scope
from services.trash_kinds import (
    KINDS,
    RECORDS,
    Change,
    asked_for,
    belonging_to,
    may_delete_records,
)
from stores.mongo import in_transaction

Stored = dict[str, Any]

IDS_PER_QUERY = 1000
WORDS_KEPT = 20
CODE_LENGTH = 80
NEW_CODES = 50  # tried until one is free


@dataclass(frozen=True, slots=True)
class Trashed:
    """One batch: the record that was deleted or restored, by its kind, id and name."""

    batch_id: ObjectId
    kind: str
    record_id: ObjectId
    label: str


class CodeTaken(InvalidInput):
    """Codes of the batch that other records have now; `fields` by the id of the trash entry."""

    message = N_(
        "Another record has the same code now. Restore this one under a new code; both are kept."
    )


def delete(kind: str, record_id: ObjectId, *, by: Actor, at: datetime) -> Trashed:
    """Moves the record and everything that belongs to it into the trash, as one batch.

    Deleting what is in the trash already changes nothing, so that a double click does no harm.
    Raises NotAllowed, NotFound.
    """
    chosen = KINDS[kind]

    def work(session: ClientSession) -> tuple[Trashed, list[ObjectId]]:
        root = chosen.document.collection().find_one(
            {"$and": [{"_id": record_id}, chosen.scope(by, DELETE)]}, session=session
        )
        if root is None:
            _check_may_delete(by, kind, None)
            before = _entry({"kind": kind, "record_id": record_id, "is_root": True}, session)
            # To whoever could not restore it, its name is not told either.
            if before is None or not _may_restore(by, before):
                raise NotFound()
            return _trashed(before), []
        _check_may_delete(by, kind, root)
        found = _with_belongings(kind, root, session)
        batch = _batch(kind, root, found, by, at)
        for name, documents in found.items():
            _move(name, documents, batch, session)
        runs = _follow_up("delete", kind, found, by, at, session)
        _record("delete", batch, by, at, session)
        return _trashed(batch), runs

    trashed, runs = in_transaction(work)
    for run_id in runs:
        job_runs.enqueue(run_id)
    return trashed


def restore(
    batch_id: ObjectId, *, by: Actor, at: datetime, codes: Mapping[str, str] | None = None
) -> Trashed:
    """Brings a batch back as it was: ids, versions, history and care.

    What changed around it meanwhile is followed at once: an order takes the area where its
    customer is now and the intervals of its products; lists and next dates are those of today.
    `codes` are new codes by the id of the trash entry, for those that are taken.

    Raises NotAllowed, NotFound, CodeTaken, InvalidInput when its owner is in the trash too.
    """
    wanted = dict(codes or {})

    def work(session: ClientSession) -> tuple[Trashed, list[ObjectId]]:
        root = _entry({"_id": batch_id, "is_root": True, "is_purging": {"$ne": True}}, session)
        if root is None:
            raise NotFound()
        _check_may_restore(by, root)
        _check_owners(root, session)
        entries = list(TrashedRecord.collection().find({"batch_id": batch_id}, session=session))
        renamed = _new_codes(entries, wanted, session)
        found = _documents(entries, renamed, at)
        for name, documents in found.items():
            KINDS[name].document.collection().insert_many(documents, session=session)
        TrashedRecord.collection().delete_many({"batch_id": batch_id}, session=session)
        for entry in entries:
            if entry["_id"] in renamed:
                document = entry["document"] | {"code": renamed[entry["_id"]]}
                KINDS[entry["kind"]].renamed(document, session)
        runs = _follow_up("restore", root["kind"], found, by, at, session)
        _record("restore", root, by, at, session, renamed.get(batch_id))
        return _trashed(root), runs

    try:
        restored, runs = in_transaction(work)
    except DuplicateKeyError as error:  # somebody took a code while we looked
        raise CodeTaken(fields=taken_codes(batch_id)) from error
    for run_id in runs:
        job_runs.enqueue(run_id)
    return restored


def restore_record(kind: str, record_id: ObjectId, *, by: Actor, at: datetime) -> Trashed | None:
    """`restore` of the batch of this record; None when it is back already. Raises NotFound."""
    root = _entry({"kind": kind, "record_id": record_id, "is_root": True}, None)
    if root is not None:
        try:
            return restore(root["_id"], by=by, at=at)
        except NotFound:
            pass  # a double click: the first one has brought it back
    is_allowed = may_restore(by, kind, is_own=True)
    if not (may_delete_records(by) if kind == RECORDS else is_allowed):
        raise NotAllowed()
    mine = {"$and": [{"_id": record_id}, KINDS[kind].scope(by, DELETE)]}
    if KINDS[kind].document.collection().find_one(mine, {"_id": 1}) is None:
        raise NotFound()
    return None


def is_in_trash(kind: str, record_id: ObjectId) -> bool:
    """Whether this record was deleted and can still come back."""
    return _entry({"kind": kind, "record_id": record_id}, None) is not None


def codes_in_trash(kind: str, codes: Iterable[str], session: ClientSession | None) -> set[str]:
    """Those of the codes that records in the trash have."""
    rows = TrashedRecord.collection().find(
        {"kind": kind, "code": {"$in": list(codes)}}, {"code": 1}, session=session
    )
    return {row["code"] for row in rows}


def taken_codes(batch_id: ObjectId) -> dict[str, CareError]:
    """What is wrong with the codes of a batch as things stand now, by the id of the entry."""
    rows = TrashedRecord.collection().find(
        {"batch_id": batch_id, "code": {"$ne": None}}, {"code": 1, "kind": 1}
    )
    return _conflicts(list(rows), {}, None)


def suggested_code(kind: str, code: str) -> str:
    """A code like this one that no record has: KH-7 becomes KH-7-2."""
    collection = KINDS[kind].document.collection()
    tried = [f"{code[: CODE_LENGTH - 4]}-{number}" for number in range(2, NEW_CODES)]
    taken = {row["code"] for row in collection.find({"code": {"$in": tried}}, {"code": 1})}
    return next((one for one in tried if one not in taken), "")


def _check_may_delete(by: Actor, kind: str, root: Stored | None) -> None:
    is_own = root is not None and root.get("staff_id") == by.staff_id
    if kind == RECORDS and root is None:
        is_allowed = may_delete_records(by)
    else:
        asked = str(root["kind"]) if kind == RECORDS and root else kind
        is_allowed = may_delete(by, asked, is_own=is_own)
    if not is_allowed:
        raise NotAllowed()


def _check_may_restore(by: Actor, root: Stored) -> None:
    if not _may_restore(by, root):
        # Who deletes own records only need not learn what others have deleted.
        raise NotFound() if by.may(asked_for(root), DELETE) else NotAllowed()


def _may_restore(by: Actor, root: Stored) -> bool:
    return may_restore(by, asked_for(root), is_own=root.get("staff_id") == by.staff_id)


def _entry(criteria: Stored, session: ClientSession | None) -> Stored | None:
    return TrashedRecord.collection().find_one(criteria, session=session)


def _trashed(entry: Stored) -> Trashed:
    return Trashed(entry["batch_id"], entry["kind"], entry["record_id"], entry["record_label"])


def _with_belongings(kind: str, root: Stored, session: ClientSession) -> dict[str, list[Stored]]:
    """`{kind: documents}`: the record, what belongs to it, what belongs to that, and so on."""
    found: dict[str, list[Stored]] = defaultdict(list)
    found[kind].append(root)
    seen = {root["_id"]}
    pending = [(kind, [root["_id"]])]
    while pending:
        owner, ids = pending.pop(0)
        for child, path in belonging_to(owner):
            rows = _having(child, path, ids, session)
            fresh = [row for row in rows if row["_id"] not in seen]
            seen |= {row["_id"] for row in fresh}
            if fresh:
                found[child] += fresh
                pending.append((child, [row["_id"] for row in fresh]))
    return found


def _having(
    kind: str, path: str, ids: Sequence[ObjectId], session: ClientSession
) -> Iterable[Stored]:
    remaining = iter(ids)
    while some := list(islice(remaining, IDS_PER_QUERY)):
        yield from KINDS[kind].document.collection().find({path: {"$in": some}}, session=session)


def _batch(
    kind: str, root: Stored, found: Mapping[str, Sequence[Stored]], by: Actor, at: datetime
) -> Stored:
    """The entry of the record that the person deleted, without its document."""
    label, code = KINDS[kind].label(root), root.get("code")
    counts = Counter({name: len(documents) for name, documents in found.items()})
    counts[kind] -= 1
    batch_id = ObjectId()
    return {
        "_id": batch_id,
        "batch_id": batch_id,
        "is_root": True,
        "kind": kind,
        "record_id": root["_id"],
        "record_label": label,
        "counts": {name: number for name, number in counts.items() if number},
        "search_words": list(dict.fromkeys(fold(f"{label} {code or ''}").split()))[:WORDS_KEPT],
        "deleted_at": at,
        "staff_id": by.staff_id,
        "staff_name": by.name,
    }


def _move(kind: str, documents: Sequence[Stored], batch: Stored, session: ClientSession) -> None:
    chosen = KINDS[kind]
    entries = []
    for document in documents:
        is_root = kind == batch["kind"] and document["_id"] == batch["record_id"]
        own = {
            "kind": kind,
            "record_id": document["_id"],
            "record_label": chosen.label(document),
            "owner_ids": chosen.owner_ids(document),
            "document": document,
        }
        if chosen.has_code:
            own["code"] = document["code"]
        rest = {"batch_id": batch["_id"], "deleted_at": batch["deleted_at"]}
        entries.append((batch if is_root else {"_id": ObjectId(), **rest}) | own)
    TrashedRecord.collection().insert_many(entries, session=session)
    ids = iter([document["_id"] for document in documents])
    while some := list(islice(ids, IDS_PER_QUERY)):
        chosen.document.collection().delete_many({"_id": {"$in": some}}, session=session)


def _check_owners(root: Stored, session: ClientSession) -> None:
    """What belongs to something that is in the trash itself cannot come back alone."""
    owner = _entry({"record_id": {"$in": root.get("owner_ids") or []}}, session)
    if owner is not None:
        raise InvalidInput(
            N_("It belongs to %(name)s, which is in the trash too. Restore that first."),
            name=owner["record_label"],
        )


def _new_codes(
    entries: Sequence[Stored], wanted: Mapping[str, str], session: ClientSession
) -> dict[ObjectId, str]:
    """The new codes by entry. Raises CodeTaken, naming every entry whose code is taken."""
    renamed: dict[ObjectId, str] = {}
    errors: dict[str, CareError] = {}
    for entry in entries:
        typed = nfc(wanted.get(str(entry["_id"]), ""))
        if not typed or not entry.get("code") or typed == entry["code"]:
            continue
        if len(typed) > CODE_LENGTH:
            errors[str(entry["_id"])] = InvalidInput(
                N_("This has %(length)s characters; shorten it to at most %(limit)s."),
                length=len(typed),
                limit=CODE_LENGTH,
            )
        renamed[entry["_id"]] = typed
    errors |= _conflicts(entries, renamed, session)
    if errors:
        raise CodeTaken(fields=errors)
    return renamed


def _conflicts(
    entries: Sequence[Stored], renamed: Mapping[ObjectId, str], session: ClientSession | None
) -> dict[str, CareError]:
    by_kind: dict[str, list[tuple[ObjectId, str]]] = defaultdict(list)
    for entry in entries:
        if entry.get("code"):
            by_kind[entry["kind"]].append((entry["_id"], renamed.get(entry["_id"], entry["code"])))
    errors: dict[str, CareError] = {}
    for kind, pairs in by_kind.items():
        codes = [code for _, code in pairs]
        rows = (
            KINDS[kind]
            .document.collection()
            .find({"code": {"$in": codes}}, {"code": 1}, session=session)
        )
        taken = {row["code"] for row in rows}
        taken |= {code for code, number in Counter(codes).items() if number > 1}
        for entry_id, code in pairs:
            if code in taken:
                errors[str(entry_id)] = InvalidInput(
                    N_("“%(code)s” belongs to another record now. Write a new one."), code=code
                )
    return errors


def _documents(
    entries: Sequence[Stored], renamed: Mapping[ObjectId, str], at: datetime
) -> dict[str, list[Stored]]:
    found: dict[str, list[Stored]] = defaultdict(list)
    for entry in entries:
        document = entry["document"]
        if entry["_id"] in renamed:
            document = document | {"code": renamed[entry["_id"]], "updated_at": at}
            document["version"] = document.get("version", 1) + 1
            document |= KINDS[entry["kind"]].recoded(document)
        found[entry["kind"]].append(document)
    return found


def _follow_up(
    action: str,
    root: str,
    found: Mapping[str, Sequence[Stored]],
    by: Actor,
    at: datetime,
    session: ClientSession,
) -> list[ObjectId]:
    """Lists, dates and statuses of the customers concerned; returns jobs for the queue."""
    gone = {one["_id"] for one in found.get("customers", ())} if action == "delete" else set()
    concerned = {one["_id"] for one in found.get("customers", ())} - gone
    for name in ("orders", "interactions"):
        concerned |= {one.get("customer_id") for one in found.get(name, ())} - gone - {None}
    if action == "restore" and found.get("orders"):
        _follow_customers(found["orders"], session)
        recompute_orders([one["_id"] for one in found["orders"]], session=session, at=at)
    customers = sorted(one for one in concerned if one is not None)
    if customers:
        recompute_customers(customers, session=session, at=at)
        relationships.follow_up(customers, session, at=at)
        recompute_scope(customers, session=session, at=at)
    runs: list[ObjectId] = []
    for name, documents in found.items():
        runs += KINDS[name].after(Change(action, name == root, documents, by, at, session))
    return runs


def _follow_customers(orders: Sequence[Stored], session: ClientSession) -> None:
    """The area of each order's customer, who may have moved while the order was away."""
    ids = {order["customer_id"] for order in orders if order.get("customer_id")}
    rows = Customer.collection().find(
        {"_id": {"$in": sorted(ids)}}, {"area_id": 1}, session=session
    )
    for customer in rows:
        area_id = customer.get("area_id")
        mine = [one["_id"] for one in orders if one.get("customer_id") == customer["_id"]]
        Order.collection().update_many(
            {"_id": {"$in": mine}, "area_id": {"$ne": area_id}},
            {"$set": {"area_id": area_id}, "$inc": {"version": 1}},
            session=session,
        )


def _record(
    action: str,
    batch: Stored,
    by: Actor,
    at: datetime,
    session: ClientSession,
    new_code: str | None = None,
) -> None:
    if (batch.get("document") or {}).get("field"):
        return  # the change of the field says it, to those who see the field
    counts = batch.get("counts") or {}
    is_gone = action == "delete"
    changes = {
        name: (number, None) if is_gone else (None, number) for name, number in counts.items()
    }
    if new_code:
        changes["code"] = (batch.get("code"), new_code)
    audit.record(
        by=by,
        at=at,
        action=action,
        kind=batch["kind"],
        record_id=batch["record_id"],
        label=batch["record_label"],
        changes=changes,
        session=session,
    )
