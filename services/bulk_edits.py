"""Changes one field of many records at once, shows beforehand what would change, takes it back (B.5).

A record is saved as its form would save it: checked, audited, followed up. What cannot be saved is
left as it was with its reason, and the others go on. What breaks off half-way can be taken back,
or gone on with (`bulk_batches`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId, json_util
from pymongo.client_session import ClientSession

from models import BulkEdit, BulkEdited
from models.bulk_edit import ADD, CHANGING, CLEAR, DONE, REMOVE, SET, UNDOING, UNDONE, WAYS
from rules.errors import N_, InvalidInput, NotAllowed, NotFound, TakesTooLong
from rules.field_values import parse
from rules.fields import CHOICES, REFERENCES, Field, Kind
from rules.filters import Criteria, merge
from rules.permissions import EDIT
from rules.scope import Actor, scope
from services import (
    actors,
    audit,
    bulk,
    bulk_batches,
    bulk_records,
    configuration,
    field_values,
    job_runs,
)
from services.bulk_batches import BUSY
from services.lists import capped_count
from services.progress import Cancelled, NoProgress, Progress
from stores import mongo
from stores.mongo import in_transaction

Stored = dict[str, Any]

AT_ONCE = 200  # more records than these are changed by a job
SAMPLES = 8
PER_RANGE = 100
PER_RANGE_OF_PAGE = 10  # so that a page whose batch was taken over stops soon
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
    """What would change, before anything is written. Raises as `start`, and TakesTooLong."""
    kind, field = _checked(wanted, by, at)
    chosen = _editable_records(wanted, by)
    collection = bulk_records.collection_of(kind)
    total = capped_count(collection, chosen, cap=COUNTED_AT_MOST - 1)
    samples: list[Sample] = []
    same = 0
    for record in collection.find(chosen).limit(AT_ONCE):
        before = bulk_records.text_of(field, record)
        after = becomes(wanted.way, before, wanted.value)
        if after == before:
            same += 1
        elif len(samples) < SAMPLES:
            samples.append(Sample(bulk_batches.title(record, kind), before, after))
    if total > AT_ONCE and wanted.way in (SET, CLEAR):
        value = _stored_value(field, wanted, by, at)
        equal = merge([chosen, {field.path: value}])
        same = capped_count(collection, equal, cap=COUNTED_AT_MOST - 1)
    return Preview(total, same, samples)


def start(wanted: Wanted, *, says: str, by: Actor, at: datetime) -> Outcome:
    """Changes the records: a few at once, many by a job.

    Raises NotAllowed, or InvalidInput for a field that cannot be changed so or a wrong value.
    """
    kind, field = _checked(wanted, by, at)
    chosen = _editable_records(wanted, by)
    try:
        total = capped_count(bulk_records.collection_of(kind), chosen, cap=AT_ONCE)
    except TakesTooLong:
        total = AT_ONCE + 1  # a job has time
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
        busy_until = None if run_id else at + BUSY
        BulkEdit.collection().insert_one(
            {"_id": made_id, **document, "run_id": run_id, "busy_until": busy_until},
            session=session,
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
    _in_page(made_id, run, at, by)
    return Outcome(made_id, None, **bulk_batches.numbers(made_id))


def _in_page(bulk_edit_id: ObjectId, work: Callable[..., None], at: datetime, by: Actor) -> None:
    """Works on a batch at once. What breaks off can be taken back or gone on from then on."""
    try:
        work(bulk_edit_id, at=at, progress=NoProgress(), by=by)
    except Cancelled:
        return  # somebody has taken it over
    except BaseException:
        bulk_batches.let_go(bulk_edit_id)
        raise


def go_on(bulk_edit_id: ObjectId, *, by: Actor, at: datetime) -> Outcome:
    """Finishes a change that broke off, by a job. Raises as `start_undo`."""
    batch = bulk_batches.one(bulk_edit_id, by=by, at=at)
    if not bulk_batches.may_go_on(batch, at):
        raise InvalidInput(
            N_("There is nothing to go on with: it is under way, done, or too long ago.")
        )
    return Outcome(bulk_edit_id, _by_job("bulk_edit", batch, CHANGING, by, at))


def _by_job(name: str, batch: Stored, state: str, by: Actor, at: datetime) -> ObjectId | None:
    """The run that works on the batch from now on; None: somebody was faster."""
    arguments = {"bulk_edit_id": str(batch["_id"])}

    def work(session: ClientSession) -> ObjectId | None:
        run_id = ObjectId()
        values = {"state": state, "run_id": run_id, "busy_until": None}
        if not bulk_batches.take(batch, values, session):
            return None
        job_runs.create(name, arguments, by, session=session, at=at, run_id=run_id)
        return run_id

    if (run_id := in_transaction(work)) is not None:
        job_runs.enqueue(run_id)
    return run_id


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
    collection = bulk_records.collection_of(kind)

    def work(ids: Sequence[ObjectId]) -> None:
        _stop_if_taken(batch)
        known = bulk_records.entries(batch, ids)
        for record in collection.find({"_id": {"$in": list(ids)}}):
            before = bulk_records.text_of(field, record)
            after = becomes(wanted.way, before, wanted.value)
            if after != before and not bulk_records.is_changed_since(
                known.get(record["_id"]), before
            ):
                bulk_records.change(batch, field, record["_id"], before, after, by, at, progress)

    bulk.over(
        collection,
        _editable_records(wanted, by),
        work,
        progress,
        step="records",
        size=_range_size(batch),
    )
    bulk.once("end", lambda: bulk_batches.finish(batch, DONE), progress)


def start_undo(bulk_edit_id: ObjectId, *, by: Actor, at: datetime) -> Outcome:
    """Gives the records of a batch their values back; those changed since are left as they are.

    Raises NotFound, NotAllowed for somebody else's batch, InvalidInput when it is too late or
    under way.
    """
    batch = bulk_batches.one(bulk_edit_id, by=by, at=at)
    if not bulk_batches.may_undo(batch, at):
        raise InvalidInput(
            N_("This can no longer be undone: it is under way, undone already, or too long ago.")
        )
    if (
        BulkEdited.collection().count_documents(bulk_records.to_undo(batch), limit=AT_ONCE + 1)
        > AT_ONCE
    ):
        return Outcome(bulk_edit_id, _by_job("undo_bulk_edit", batch, UNDOING, by, at))
    values = {"state": UNDOING, "run_id": None, "busy_until": at + BUSY}
    if not in_transaction(lambda session: bulk_batches.take(batch, values, session)):
        return Outcome(bulk_edit_id)
    _in_page(bulk_edit_id, run_undo, at, by)
    undone = {"bulk_edit_id": bulk_edit_id, "is_undone": True, "reason": ""}
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
        _stop_if_taken(batch)
        for entry in BulkEdited.collection().find({"_id": {"$in": list(ids)}}):
            bulk_records.give_back(entry, kind, field, by, at, progress)

    bulk.over(
        BulkEdited.collection(),
        bulk_records.to_undo(batch),
        work,
        progress,
        step="records",
        size=_range_size(batch),
    )
    bulk.once("end", lambda: bulk_batches.finish(batch, UNDONE), progress)


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


def _stop_if_taken(batch: Stored) -> None:
    if bulk_batches.is_taken(batch):
        raise Cancelled


def _range_size(batch: Stored) -> int:
    return PER_RANGE if batch.get("run_id") else PER_RANGE_OF_PAGE


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


def _kind(key: str) -> Kind:
    kind = configuration.snapshot().kinds.get(key)
    if kind is None:
        raise NotFound()
    return kind
