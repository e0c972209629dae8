"""One record of a bulk change: changed, refused with its reason, given back (B.5)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo.collection import Collection

from models import BulkEdited
from rules.errors import N_, CareError, InvalidInput
from rules.fields import Field, Kind
from rules.filters import Criteria
from rules.scope import Actor
from services import field_values, job_runs, record_saving
from services.bulk_batches import UNDO_DAYS
from services.progress import Progress
from stores import mongo

Stored = dict[str, Any]

CHANGED_SINCE = N_("Somebody changed it since then, so it was left as it is.")
UNEXPECTED = N_("It could not be saved: %(error)s. Give this to an administrator.")


def change(
    batch: Stored,
    field: Field,
    record_id: ObjectId,
    before: str,
    after: str,
    by: Actor,
    at: datetime,
    progress: Progress,
) -> None:
    """Gives the field its new text; what cannot be saved stays as it was, with its reason."""
    where = {"bulk_edit_id": batch["_id"], "record_id": record_id}
    expires_at = batch["at"] + timedelta(days=UNDO_DAYS)
    # What an attempt before could not do says nothing about this one.
    BulkEdited.collection().update_one(
        where,
        {
            "$set": {"before": before, "after": after, "expires_at": expires_at},
            "$unset": {"reason": "", "reason_params": "", "is_undone": ""},
        },
        upsert=True,
    )
    try:
        _save(batch["kind"], field, record_id, before, after, by, at)
    except CareError as error:
        cause = _cause(error, field)
        _refuse(where, cause, is_undone=True)
        progress.set_aside(batch["kind"], record_id, cause.message, cause.params)
        progress.count("records_refused")
    except Exception as error:
        # It is tried again and set aside by `bulk`; until then it does not count as changed.
        _refuse(where, CareError(UNEXPECTED, error=type(error).__name__), is_undone=True)
        raise
    else:
        progress.count("records_changed")


def _refuse(where: Stored, cause: CareError | None, *, is_undone: bool) -> None:
    said: Stored = {"reason": "", "reason_params": {}}
    if cause:
        said = {"reason": cause.message, "reason_params": job_runs.storable(cause.params)}
    BulkEdited.collection().update_one(where, {"$set": {**said, "is_undone": is_undone}})


def give_back(
    entry: Stored, kind: Kind, field: Field, by: Actor, at: datetime, progress: Progress
) -> None:
    """Gives a record its value back, unless somebody has changed it since."""
    record = collection_of(kind).find_one({"_id": entry["record_id"]})
    now = text_of(field, record) if record else None
    cause: CareError | None = None
    if now == entry["after"]:
        try:
            _save(kind.key, field, entry["record_id"], entry["after"], entry["before"], by, at)
        except CareError as error:
            cause = _cause(error, field)
    elif now != entry["before"]:
        cause = CareError(CHANGED_SINCE)
    if cause:
        progress.set_aside(kind.key, entry["record_id"], cause.message, cause.params)
    else:
        progress.count("records_changed_back")
    _refuse({"_id": entry["_id"]}, cause, is_undone=cause is None)


def to_undo(batch: Stored) -> Criteria:
    """The entries of a batch that are still to be taken back."""
    return {"bulk_edit_id": batch["_id"], "is_undone": {"$ne": True}}


def entries(batch: Stored, ids: Sequence[ObjectId]) -> dict[ObjectId, Stored]:
    """{record: what the batch has noted of it before}."""
    mine = {"bulk_edit_id": batch["_id"], "record_id": {"$in": list(ids)}}
    return {entry["record_id"]: entry for entry in BulkEdited.collection().find(mine)}


def is_changed_since(entry: Stored | None, now: str) -> bool:
    """Whether somebody has changed a record that the batch had changed before it broke off."""
    return entry is not None and now not in (entry["before"], entry["after"])


def _save(
    kind: str, field: Field, record_id: ObjectId, before: str, after: str, by: Actor, at: datetime
) -> None:
    """Only a change of this very field is a conflict; the record's other fields may move on."""
    record_saving.save(
        kind,
        record_id,
        {field.key: after},
        version=-1,
        by=by,
        at=at,
        shown={field.key: before},
    )


def _cause(error: CareError, field: Field) -> CareError:
    found = error.fields.get(field.key) if isinstance(error, InvalidInput) else None
    return found or error


def text_of(field: Field, record: Stored) -> str:
    """What a form shows of the field."""
    return field_values.form_text(field, field_values.value_of(field, record))


def collection_of(kind: Kind) -> Collection[Stored]:
    """Where the records of a kind are."""
    return mongo.database()[kind.collection]
