"""Deletes for good what is in the trash: when a person says so, or after the site's setting."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import TrashedRecord
from rules.errors import N_, InvalidInput, NotAllowed, NotFound
from rules.scope import SYSTEM, Actor, may_purge
from rules.text import fold
from services import access_settings, audit, field_conversion
from services.progress import NoProgress, Progress, stop_if_cancelled
from services.trash_kinds import KINDS, asked_for
from stores.mongo import in_transaction

Stored = dict[str, Any]
ENTRIES_PER_STEP = 1000


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a person types to delete a batch for good."""

    asked: str
    typed: str

    @property
    def is_right(self) -> bool:
        return bool(self.typed.strip()) and fold(self.typed) == fold(self.asked)


def confirmation_of(root: Stored) -> str:
    """The word to type: the code where there is one, else the name."""
    return str(root.get("code") or root["record_label"])


def purge(batch_id: ObjectId, typed: str, *, by: Actor, at: datetime) -> None:
    """Deletes a batch and its files for good, with all that belongs to its records in the trash.

    Raises NotAllowed, NotFound, InvalidInput when `typed` is not the record's code or name.
    """
    root = TrashedRecord.collection().find_one({"_id": batch_id, "is_root": True})
    if root is None:
        raise NotFound()
    if not may_purge(by, asked_for(root)):
        raise NotAllowed()
    asked = confirmation_of(root)
    if not Confirmation(asked, typed).is_right:
        error = InvalidInput(N_("Type %(word)s to delete it for good."), word=asked)
        raise InvalidInput(fields={"confirm": error})
    _purge_batch(root, by, at)


def purge_old(now: datetime, progress: Progress | None = None) -> int:
    """Deletes what has been in the trash for longer than the site keeps it; returns how many.

    What values were before a change of type goes at the same age, with its files. Where things are kept for good
    it only finishes what was begun. Raises Cancelled.
    """
    progress = progress or NoProgress()
    days = access_settings.read().trash_days
    by = replace(SYSTEM, screen="job purge_trash")
    purged = 0
    while root := _next_to_purge(now - timedelta(days=days) if days else None):
        stop_if_cancelled(progress)
        _purge_batch(root, by, now)
        purged += 1
        progress.advance()
        progress.count("trash_purged")
    if days:
        field_conversion.forget_before(now - timedelta(days=days), progress, by=by, at=now)
    return purged


def _next_to_purge(before: datetime | None) -> Stored | None:
    entries = TrashedRecord.collection()
    begun = entries.find_one({"is_root": True, "is_purging": True})
    if begun or before is None:
        return begun
    return entries.find_one(
        {"is_root": True, "deleted_at": {"$lt": before}}, sort=[("deleted_at", 1)]
    )


def _purge_batch(root: Stored, by: Actor, at: datetime) -> None:
    """Claims the batch, so that nobody restores half of it, and deletes it; may be run again.

    The root goes last, with the audit entry: until then a run after a kill finds the rest.
    """
    entries = TrashedRecord.collection()
    claimed = entries.update_one(
        {"_id": root["_id"], "is_root": True}, {"$set": {"is_purging": True}}
    )
    if not claimed.matched_count:
        return  # restored, or purged by somebody else
    for other in _deleted_earlier(root["_id"]):
        _purge_batch(other, by, at)
    rest = {"batch_id": root["_id"], "is_root": {"$ne": True}}
    while some := list(entries.find(rest).limit(ENTRIES_PER_STEP)):
        _remove_outside(some)
        entries.delete_many({"_id": {"$in": [one["_id"] for one in some]}})
    _remove_outside([root])

    def work(session: ClientSession) -> None:
        if entries.delete_one({"_id": root["_id"]}, session=session).deleted_count:
            audit.record(
                by=by,
                at=at,
                action="purge",
                kind=root["kind"],
                record_id=root["record_id"],
                # Who may read the log may lack the field: its change has the name of the file.
                label="" if root["document"].get("field") else root["record_label"],
                changes={name: (n, None) for name, n in (root.get("counts") or {}).items()},
                session=session,
            )

    in_transaction(work)


def _deleted_earlier(batch_id: ObjectId) -> list[Stored]:
    """Batches of their own whose record belongs to one of this batch."""
    entries = TrashedRecord.collection()
    ids = [row["record_id"] for row in entries.find({"batch_id": batch_id}, {"record_id": 1})]
    found: dict[ObjectId, Stored] = {}
    for start in range(0, len(ids), ENTRIES_PER_STEP):
        some = ids[start : start + ENTRIES_PER_STEP]
        rows = entries.find({"owner_ids": {"$in": some}, "is_root": True})
        found |= {row["_id"]: row for row in rows if row["_id"] != batch_id}
    return list(found.values())


def _remove_outside(entries: list[Stored]) -> None:
    for kind in {entry["kind"] for entry in entries}:
        if kind in KINDS:
            KINDS[kind].purged([one["document"] for one in entries if one["kind"] == kind])
