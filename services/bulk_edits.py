"""Changes one field of many records at once, shows beforehand what would change, takes it back (B.5).

A record is saved as its form would save it: checked, audited, followed up. What cannot be saved is
left as it was with its reason, and the others go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId, json_util
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from models import BulkEdit, BulkEdited
from models.bulk_edit import ADD, CHANGING, CLEAR, DONE, REMOVE, SET, UNDOING, UNDONE, WAYS
from rules.errors import N_, CareError, InvalidInput, NotAllowed, NotFound
from rules.field_values import parse
from rules.fields import CHOICES, REFERENCES, Field, Kind
from rules.filters import Criteria, merge
from rules.permissions import EDIT, JOBS
from rules.scope import Actor, scope
from services import actors, audit, bulk, configuration, field_values, job_runs, record_saving
from services.progress import NoProgress, Progress
from stores import mongo
from stores.mongo import in_transaction

Stored = dict[str, Any]

AT_ONCE = 200  # more records than these are changed by a job
UNDO_DAYS = 30
SAMPLES = 8
PER_RANGE = 100
COUNTED_AT_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done. `ids` None: every record that matches `criteria`."""

    kind: str
    field: str
    way: str
    value: str
    criteria: Criteria
    ids: tuple[ObjectId, ...] | None = None

    @property
    def chosen(self) -> Criteria:
        """The records that are meant."""
        if self.ids is None:
            return self.criteria
        return merge([self.criteria, {"_id": {"$in": list(self.ids)}}])


@dataclass(frozen=True, slots=True)
class Sample:
    """A record before and after, as forms show it."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What would happen: of `total` records, `same` have the value already."""

    total: int
    same: int
    samples: list[Sample]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A batch that was made; `run_id` when a job does it, else how many records changed."""

    bulk_edit_id: ObjectId
    run_id: ObjectId | None = None
    changed: int = 0
    refused: int = 0


def editable(kind: Kind, by: Actor) -> dict[str, Field]:
    """The fields that can be changed in bulk: those the actor may fill in, but no unique ones."""
    return {
        key: field
        for key, field in field_values.editable(kind, by.access).items()
        if not field.is_unique and field.family != "files"
    }


def ways(field: Field) -> tuple[str, ...]:
    """What can be done with the field: lists gain and lose values, others are set or emptied."""
    if field.family in (CHOICES, REFERENCES):
        return (ADD, REMOVE, SET, CLEAR)
    return (SET,) if field.is_required else (SET, CLEAR)


def preview(wanted: Wanted, *, by: Actor, at: datetime) -> Preview:
    """What would change, before anything is written. Raises as `start`."""
    kind, field = _checked(wanted, by, at)
    chosen = _editable_records(wanted, by)
    collection = _collection(kind)
    total = collection.count_documents(chosen, limit=COUNTED_AT_MOST)
    samples: list[Sample] = []
    same = 0
    for record in collection.find(chosen).limit(AT_ONCE):
        before = _text(field, record)
        after = becomes(wanted.way, before, wanted.value)
        if after == before:
            same += 1
        elif len(samples) < SAMPLES:
            title = kind.fields[kind.title].path if kind.title in kind.fields else "code"
            samples.append(
                Sample(str(record.get(title) or record.get("code") or ""), before, after)
            )
    if total > AT_ONCE and wanted.way in (SET, CLEAR):
        value = _stored_value(field, wanted, by, at)
        same = collection.count_documents(
            merge([chosen, {field.path: value}]), limit=COUNTED_AT_MOST
        )
    return Preview(total, same, samples)


def start(wanted: Wanted, *, says: str, by: Actor, at: datetime) -> Outcome:
    """Changes the records: a few at once, many by a job.

    Raises NotAllowed, or InvalidInput for a field that cannot be changed so or a wrong value.
    """
    kind, field = _checked(wanted, by, at)
    total = _collection(kind).count_documents(_editable_records(wanted, by), limit=AT_ONCE + 1)
    document: Stored = {
        "kind": wanted.kind,
        "field": wanted.field,
        "way": wanted.way,
        "value": wanted.value,
        "ids": list(wanted.ids or ()),
        "criteria": json_util.dumps(wanted.criteria),
        "says": says[:400],
        "staff_id": by.staff_id,
        "staff_name": by.name,
        "at": at,
        "state": CHANGING,
        "version": 1,
    }
    made_id = ObjectId()
    arguments = {"bulk_edit_id": str(made_id)}

    def work(session: ClientSession) -> ObjectId | None:
        run_id = None
        if total > AT_ONCE:
            run_id = job_runs.create("bulk_edit", arguments, by, session=session, at=at)
        BulkEdit.collection().insert_one(
            {"_id": made_id, **document, "run_id": run_id}, session=session
        )
        audit.record(
            by=by,
            at=at,
            action="bulk edit",
            kind=wanted.kind,
            record_id=None,
            label=says,
            changes={field.key: (None, wanted.value), "records": (None, total)},
            session=session,
        )
        return run_id

    # A batch whose job was never written would be under way for ever.
    if (run_id := in_transaction(work)) is not None:
        job_runs.enqueue(run_id)
        return Outcome(made_id, run_id)
    run(made_id, at=at, progress=NoProgress(), by=by)
    done = BulkEdit.collection().find_one({"_id": made_id}) or {}
    return Outcome(made_id, None, done.get("changed", 0), done.get("refused", 0))


def run(
    bulk_edit_id: ObjectId, *, at: datetime, progress: Progress, by: Actor | None = None
) -> None:
    """Changes the records of a batch; run again, it goes on. Raises Cancelled, NotAllowed."""
    batch = BulkEdit.collection().find_one({"_id": bulk_edit_id, "state": CHANGING})
    if batch is None:
        return
    by = by or actors.as_now(batch["staff_id"], at=at, screen="bulk edit")
    wanted = Wanted(
        batch["kind"],
        batch["field"],
        batch["way"],
        batch.get("value") or "",
        json_util.loads(batch["criteria"]),
        tuple(batch["ids"]) if batch["ids"] else None,
    )
    kind, field = _checked(wanted, by, at)
    collection = _collection(kind)

    def work(ids: Sequence[ObjectId]) -> None:
        for record in collection.find({"_id": {"$in": list(ids)}}):
            before = _text(field, record)
            after = becomes(wanted.way, before, wanted.value)
            if after != before:
                _change(batch, field, record["_id"], before, after, by, at, progress)

    bulk.over(
        collection,
        _editable_records(wanted, by),
        work,
        progress,
        step="records",
        size=PER_RANGE,
    )
    bulk.once("end", lambda: _finish(bulk_edit_id, DONE), progress)


def start_undo(bulk_edit_id: ObjectId, *, by: Actor, at: datetime) -> Outcome:
    """Gives the records of a batch their values back; those changed since are left as they are.

    Raises NotFound, NotAllowed for somebody else's batch, InvalidInput when it is too late or
    under way.
    """
    batch = BulkEdit.collection().find_one({"_id": bulk_edit_id})
    if batch is None:
        raise NotFound()
    if batch["staff_id"] != by.staff_id and not by.can(JOBS):
        raise NotAllowed()
    if not may_undo(batch, at):
        raise InvalidInput(
            N_("This can no longer be undone: it is under way, undone already, or too long ago.")
        )
    arguments = {"bulk_edit_id": str(bulk_edit_id)}
    is_long = batch.get("changed", 0) > AT_ONCE

    def work(session: ClientSession) -> tuple[bool, ObjectId | None]:
        claimed = BulkEdit.collection().update_one(
            {"_id": bulk_edit_id, "state": DONE}, {"$set": {"state": UNDOING}}, session=session
        )
        if not claimed.modified_count or not is_long:
            return bool(claimed.modified_count), None
        run_id = job_runs.create("undo_bulk_edit", arguments, by, session=session, at=at)
        BulkEdit.collection().update_one(
            {"_id": bulk_edit_id}, {"$set": {"run_id": run_id}}, session=session
        )
        return True, run_id

    is_claimed, run_id = in_transaction(work)
    if not is_claimed:
        return Outcome(bulk_edit_id)
    if run_id is not None:
        job_runs.enqueue(run_id)
        return Outcome(bulk_edit_id, run_id)
    run_undo(bulk_edit_id, at=at, progress=NoProgress(), by=by)
    undone = {"bulk_edit_id": bulk_edit_id, "is_undone": True}
    return Outcome(bulk_edit_id, None, BulkEdited.collection().count_documents(undone))


def run_undo(
    bulk_edit_id: ObjectId, *, at: datetime, progress: Progress, by: Actor | None = None
) -> None:
    """The job that takes a batch back; run again, it goes on."""
    batch = BulkEdit.collection().find_one({"_id": bulk_edit_id, "state": UNDOING})
    if batch is None:
        return
    by = by or actors.as_now(batch["staff_id"], at=at, screen="bulk edit")
    kind = _kind(batch["kind"])
    field = kind.fields[batch["field"]]

    def work(ids: Sequence[ObjectId]) -> None:
        for entry in BulkEdited.collection().find({"_id": {"$in": list(ids)}}):
            _give_back(entry, kind, field, by, at, progress)

    bulk.over(
        BulkEdited.collection(),
        {"bulk_edit_id": bulk_edit_id, "is_undone": {"$ne": True}},
        work,
        progress,
        step="records",
        size=PER_RANGE,
    )
    bulk.once("end", lambda: _finish(bulk_edit_id, UNDONE), progress)


def may_undo(batch: Stored, at: datetime) -> bool:
    """Whether a batch can still be taken back."""
    return bool(batch["state"] == DONE and batch["at"] > at - timedelta(days=UNDO_DAYS))


def newest(*, by: Actor, limit: int = 50) -> list[Stored]:
    """The newest batches: an administrator sees all, others their own."""
    criteria = {} if by.can(JOBS) else {"staff_id": by.staff_id}
    found = BulkEdit.collection().find(criteria, {"criteria": 0, "ids": 0})
    return list(found.sort("at", -1).limit(limit))


def becomes(way: str, before: str, value: str) -> str:
    """What the field's text becomes. Lists are texts with commas."""
    if way == CLEAR:
        return ""
    if way == SET:
        return value
    have, given = _parts(before), _parts(value)
    if way == ADD:
        return ", ".join(dict.fromkeys([*have, *given]))
    return ", ".join(one for one in have if one not in given)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _change(
    batch: Stored,
    field: Field,
    record_id: ObjectId,
    before: str,
    after: str,
    by: Actor,
    at: datetime,
    progress: Progress,
) -> None:
    where = {"bulk_edit_id": batch["_id"], "record_id": record_id}
    BulkEdited.collection().update_one(
        where,
        {
            "$set": {
                "before": before,
                "after": after,
                "expires_at": batch["at"] + timedelta(days=UNDO_DAYS),
            }
        },
        upsert=True,
    )
    try:
        _save(batch["kind"], field, record_id, before, after, by, at)
    except CareError as error:
        reason = str(_cause(error, field))
        BulkEdited.collection().update_one(where, {"$set": {"reason": reason, "is_undone": True}})
        progress.set_aside(batch["kind"], record_id, reason)
        progress.count("records_refused")
    else:
        progress.count("records_changed")


def _give_back(
    entry: Stored, kind: Kind, field: Field, by: Actor, at: datetime, progress: Progress
) -> None:
    record = _collection(kind).find_one({"_id": entry["record_id"]})
    now = _text(field, record) if record else None
    reason = ""
    if now == entry["after"]:
        try:
            _save(kind.key, field, entry["record_id"], entry["after"], entry["before"], by, at)
        except CareError as error:
            reason = str(_cause(error, field))
    elif now != entry["before"]:
        reason = "changed since"
    if reason:
        progress.set_aside(kind.key, entry["record_id"], reason)
    else:
        progress.count("records_changed_back")
    done = {"is_undone": not reason, "reason": reason}
    BulkEdited.collection().update_one({"_id": entry["_id"]}, {"$set": done})


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


def _finish(bulk_edit_id: ObjectId, state: str) -> None:
    mine = {"bulk_edit_id": bulk_edit_id}
    refused = BulkEdited.collection().count_documents({**mine, "reason": {"$gt": ""}})
    changed = BulkEdited.collection().count_documents(mine) - refused
    numbers = {"changed": changed, "refused": refused} if state == DONE else {}
    BulkEdit.collection().update_one({"_id": bulk_edit_id}, {"$set": {"state": state, **numbers}})


def _checked(wanted: Wanted, by: Actor, at: datetime) -> tuple[Kind, Field]:
    """The kind and the field. Raises NotAllowed, or InvalidInput naming what is wrong."""
    kind = _kind(wanted.kind)
    if not by.may(wanted.kind, EDIT):
        raise NotAllowed()
    field = editable(kind, by).get(wanted.field)
    if field is None or wanted.way not in WAYS or wanted.way not in ways(field):
        raise InvalidInput(N_("Choose a field that can be changed for many records at once."))
    if wanted.way != CLEAR:
        value = _stored_value(field, wanted, by, at)
        if value is None or value == []:
            raise InvalidInput(
                fields={field.key: InvalidInput(N_("Type or choose the new value."))}
            )
    return kind, field


def _stored_value(field: Field, wanted: Wanted, by: Actor, at: datetime) -> Any:
    if wanted.way == CLEAR:
        return None
    today = at.astimezone(mongo.zone()).date()
    typing = field_values.typing_for(configuration.snapshot(), by, today)
    try:
        return field_values.stored(field, parse(field, wanted.value, typing))
    except InvalidInput as error:
        raise InvalidInput(fields={field.key: error}) from error


def _editable_records(wanted: Wanted, by: Actor) -> Criteria:
    kind = _kind(wanted.kind)
    return merge([dict(kind.base), wanted.chosen, scope(by, wanted.kind, EDIT)])


def _text(field: Field, record: Stored) -> str:
    return field_values.form_text(field, field_values.value_of(field, record))


def _kind(key: str) -> Kind:
    kind = configuration.snapshot().kinds.get(key)
    if kind is None:
        raise NotFound()
    return kind


def _collection(kind: Kind) -> Collection[Stored]:
    return mongo.database()[kind.collection]
