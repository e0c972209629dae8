"""Imports records of a kind that the site defined: read, shown as a difference, then applied (B.14).

The same file twice changes nothing: a row with a known number updates that record, and a row
without one gets an id that follows from what it says.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from models import RecordImport, RecordImportRow
from models.record_import import CHANGED, DONE, NEW, READY, RUNNING
from rules.errors import N_, CareError, InvalidInput, NotAllowed, NotFound
from rules.fields import Kind
from rules.permissions import IMPORT
from rules.scope import Actor
from rules.text import nfc
from services import actors, audit, bulk, configuration, job_runs, site_records
from services.imports.batches import apart
from services.progress import Progress
from services.record_import_files import Table, read
from services.record_import_rows import Checked, Checker, columns_of, counted, reason
from stores.mongo import in_transaction

Stored = dict[str, Any]
JOB = "import_records"
KEPT_DAYS = 7
CHECKED_AT_ONCE = 500
PER_RANGE = 50
SHOWN_MOST = 100


def prepare(kind_key: str, file: BinaryIO, name: str, *, by: Actor, at: datetime) -> ObjectId:
    """Reads a file and keeps what each row would do; the id of the import. Nothing is changed.

    Raises NotAllowed, NotFound, or InvalidInput for a file that cannot be read.
    """
    kind = _kind(kind_key, by)
    name = nfc(name.replace("\\", "/").rsplit("/", 1)[-1])[:200] or "?"
    table = read(file, name)
    columns = columns_of(kind, table.header, by)
    checker = Checker(kind, columns, by=by, at=at)
    rows = _broken(table)
    for some in apart(table.rows, CHECKED_AT_ONCE):
        rows += checker.check(some)
    import_id, expires_at = ObjectId(), at + timedelta(days=KEPT_DAYS)
    for some_rows in apart(rows, CHECKED_AT_ONCE):
        RecordImportRow.collection().insert_many(
            [_row(one, import_id, expires_at) for one in some_rows]
        )
    RecordImport.collection().insert_one(
        {
            "_id": import_id,
            "kind": kind_key,
            "file_name": name,
            "columns": columns,
            "counts": counted(rows),
            "staff_id": by.staff_id,
            "at": at,
            "state": READY,
            "expires_at": expires_at,
            "version": 1,
        }
    )
    return import_id


def _broken(table: Table) -> list[Checked]:
    found = []
    for line, error, cells in table.broken:
        row = Checked(line, [cell[:1000] for cell in cells])
        row.refuse(error)
        found.append(row)
    return found


def _row(row: Checked, import_id: ObjectId, expires_at: datetime) -> Stored:
    return {
        "import_id": import_id,
        "line": row.line,
        "way": row.way,
        "record_id": row.record_id,
        "code": row.code,
        "title": row.title,
        "typed": row.typed,
        "shown": row.shown,
        "cells": row.cells,
        "reasons": row.reasons,
        "expires_at": expires_at,
        "version": 1,
    }


def read_import(kind_key: str, import_id: ObjectId, *, by: Actor) -> Stored:
    """The import, for who sent the file. Raises NotAllowed, NotFound."""
    _kind(kind_key, by)
    mine = {"_id": import_id, "kind": kind_key, "staff_id": by.staff_id}
    found = RecordImport.collection().find_one(mine)
    if found is None:
        raise NotFound()
    return found


def newest(kind_key: str, *, by: Actor, limit: int = 10) -> list[Stored]:
    """The files that the actor sent last."""
    mine = {"staff_id": by.staff_id, "kind": kind_key}
    return list(RecordImport.collection().find(mine).sort("at", -1).limit(limit))


def rows(import_id: ObjectId, way: str, *, limit: int = SHOWN_MOST) -> list[Stored]:
    """The first rows that would do this."""
    found = RecordImportRow.collection().find({"import_id": import_id, "way": way})
    return list(found.sort("line", 1).limit(limit))


def refused(import_id: ObjectId) -> Iterator[Stored]:
    """The rows that are wrong, and those that could not be applied, in the order of the file."""
    wanted = {"import_id": import_id, "reasons.0": {"$exists": True}}
    return iter(RecordImportRow.collection().find(wanted).sort("line", 1))


def outcome(import_id: ObjectId) -> dict[str, int]:
    """How many rows were applied, and how many could not be."""
    done = {"import_id": import_id, "is_done": True}
    count = RecordImportRow.collection().count_documents
    not_done = count({**done, "reasons.0": {"$exists": True}})
    return {"applied": count(done) - not_done, "refused": not_done}


def start(kind_key: str, import_id: ObjectId, *, by: Actor, at: datetime) -> ObjectId:
    """Has the import applied in the background; the id of the run. Clicking twice starts one.

    Raises NotAllowed, NotFound.
    """
    found = read_import(kind_key, import_id, by=by)

    def work(session: ClientSession) -> ObjectId | None:
        claimed = RecordImport.collection().update_one(
            {"_id": import_id, "state": READY}, {"$set": {"state": RUNNING}}, session=session
        )
        if not claimed.modified_count:
            return None
        arguments = {"import_id": str(import_id)}
        run_id: ObjectId = job_runs.create(JOB, arguments, by, session=session, at=at)
        RecordImport.collection().update_one(
            {"_id": import_id}, {"$set": {"run_id": run_id}}, session=session
        )
        audit.record(
            by=by,
            at=at,
            action="import",
            kind=kind_key,
            record_id=import_id,
            label=found["file_name"],
            changes={
                way: (None, found["counts"][way]) for way in (NEW, CHANGED) if found["counts"][way]
            },
            session=session,
        )
        return run_id

    run_id = in_transaction(work)
    if run_id is None:
        started: ObjectId = read_import(kind_key, import_id, by=by)["run_id"]
        return started
    job_runs.enqueue(run_id)
    return run_id


def run(import_id: ObjectId, *, at: datetime, progress: Progress) -> None:
    """Applies the rows; run again, it goes on with those that are left."""
    found = RecordImport.collection().find_one({"_id": import_id})
    if found is None or found["state"] != RUNNING:
        return
    by = actors.as_now(found["staff_id"], at=at, screen="import")
    _kind(found["kind"], by)

    def work(ids: Sequence[ObjectId]) -> None:
        for row in RecordImportRow.collection().find({"_id": {"$in": list(ids)}}):
            if not row.get("is_done"):
                _apply(found["kind"], row, by, at, progress)

    left = {"import_id": import_id, "way": {"$in": [NEW, CHANGED]}, "is_done": {"$ne": True}}
    bulk.over(RecordImportRow.collection(), left, work, progress, step="rows", size=PER_RANGE)
    bulk.once("end", lambda: _finish(import_id), progress)


def _finish(import_id: ObjectId) -> None:
    done = {"$set": {"state": DONE}}
    RecordImport.collection().update_one({"_id": import_id}, done)


def _apply(kind: str, row: Stored, by: Actor, at: datetime, progress: Progress) -> None:
    """One row, written as its form would be saved; done again, it changes nothing."""
    reasons: list[Stored] = []
    try:
        _save(kind, row, by, at)
        progress.count("records_created" if row["way"] == NEW else "records_changed")
    except CareError as error:
        inner = error.fields if isinstance(error, InvalidInput) else {}
        reasons = [reason(one, key) for key, one in (inner or {"": error}).items()]
        progress.set_aside(kind, row["record_id"], reasons[0]["message"], reasons[0]["params"])
        progress.count("records_refused")
    RecordImportRow.collection().update_one(
        {"_id": row["_id"]}, {"$set": {"is_done": True, "reasons": reasons}}
    )


def _save(kind: str, row: Stored, by: Actor, at: datetime) -> None:
    if row["way"] == CHANGED:
        site_records.update(
            kind, row["record_id"], row["typed"], version=-1, by=by, at=at, shown=row["shown"]
        )
        return
    try:
        site_records.create(
            kind, row["typed"], by=by, at=at, record_id=row["record_id"], code=row["code"]
        )
    except DuplicateKeyError as error:
        raise InvalidInput(
            N_("The number “%(code)s” is taken. Correct it, or leave it empty."), code=row["code"]
        ) from error


def _kind(key: str, by: Actor) -> Kind:
    kind = configuration.snapshot().kinds.get(key)
    if kind is None or kind.collection != site_records.COLLECTION or kind.is_retired:
        raise NotFound()
    if not by.may(key, IMPORT):
        raise NotAllowed()
    return kind
