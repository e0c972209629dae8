"""Exports of long lists: written in the background, kept for some days, for who asked alone."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO

import gridfs
from bson import ObjectId, json_util

from rules.errors import N_, NotAllowed, NotFound
from rules.filters import merge
from rules.permissions import EXPORT
from rules.scope import Actor, scope
from services import actors, audit, configuration, job_runs
from services.catalogues import Words
from services.kinds import collection_of
from services.list_export import Sheet, write
from services.lists import Sort
from services.progress import NoProgress, Progress
from stores import mongo

JOB = "export_list"
BUCKET = "exports"
ROWS_AT_ONCE = 10_000  # more than these are written in the background
KEPT_DAYS = 7


@dataclass(frozen=True, slots=True)
class Wanted:
    """An export as it is asked for: `kind` and `fields` by key, `criteria` with the scope in it."""

    kind: str
    criteria: dict[str, Any]
    sort: Sort
    fields: Sequence[str]
    headings: Sequence[str]
    form: str
    locale: str
    name: str


def sheet(wanted: Wanted, by: Actor, at: datetime) -> Sheet:
    """What is to be written. Raises NotAllowed for who may not export the kind.

    Fields that the actor may not read are left out here, too, whoever asked for them.
    """
    if not by.may(wanted.kind, EXPORT):
        raise NotAllowed()
    config = configuration.snapshot()
    kind = config.kinds[wanted.kind]
    readable = config.fields(wanted.kind, by.access)
    pairs = [
        (readable[key], heading)
        for key, heading in zip(wanted.fields, wanted.headings, strict=True)
        if key in readable
    ]
    return Sheet(
        collection_of(kind),
        # Asked for again: what is seen may reach further than what may be taken out, and a job may
        # run after somebody lost sight of records.
        merge([wanted.criteria, scope(by, wanted.kind, EXPORT)]),
        wanted.sort,
        [field for field, _ in pairs],
        [heading for _, heading in pairs],
        config,
        Words(wanted.locale),
        by,
        kind,
        at.astimezone(mongo.zone()).date(),
    )


def write_now(
    wanted: Wanted,
    file: BinaryIO,
    *,
    by: Actor,
    at: datetime,
    progress: Progress | None = None,
) -> int:
    """Writes the file and notes in the change log who took what out; the number of rows."""
    rows = write(sheet(wanted, by, at), wanted.form, file, progress or NoProgress())
    audit.record(
        by=by,
        at=at,
        action="export",
        kind=wanted.kind,
        record_id=None,
        label=wanted.name,
        changes={"rows": (None, rows), "fields": (None, ", ".join(wanted.headings))},
    )
    return rows


def start(wanted: Wanted, *, by: Actor, at: datetime) -> ObjectId:
    """Has the file written in the background; the id of the run. Raises NotAllowed."""
    sheet(wanted, by, at)
    arguments = {
        "kind": wanted.kind,
        "criteria": json_util.dumps(wanted.criteria),
        "sort": [wanted.sort.path, wanted.sort.descending],
        "fields": list(wanted.fields),
        "headings": list(wanted.headings),
        "form": wanted.form,
        "locale": wanted.locale,
        "name": wanted.name,
        "staff_id": by.staff_id,
        "file_key": str(ObjectId()),
    }
    run_id = job_runs.create(JOB, arguments, by, at=at)
    job_runs.enqueue(run_id)
    return run_id


def run(arguments: dict[str, Any], *, at: datetime, progress: Progress) -> None:
    """Writes the file of a run and keeps it; with a second try the first file goes.

    Raises NotAllowed when the person may not export any more.
    """
    by = actors.as_now(arguments["staff_id"], at=at, screen=JOB)
    path, descending = arguments["sort"]
    wanted = Wanted(
        arguments["kind"],
        json_util.loads(arguments["criteria"]),
        Sort(path, descending),
        arguments["fields"],
        arguments["headings"],
        arguments["form"],
        arguments["locale"],
        arguments["name"],
    )
    collection = collection_of(configuration.snapshot().kinds[wanted.kind])
    progress.set_total(collection.count_documents(wanted.criteria))
    with tempfile.TemporaryFile() as file:
        rows = write_now(wanted, file, by=by, at=at, progress=progress)
        file.seek(0)
        name = f"{wanted.name}.{wanted.form}"
        _delete({"metadata.file_key": arguments["file_key"]})
        keeping = {
            "staff_id": by.staff_id,
            "form": wanted.form,
            "file_key": arguments["file_key"],
        }
        _bucket().upload_from_stream(name, file, metadata=keeping)
    progress.count("rows_written", rows)


def open_file(file_key: str, *, by: Actor) -> Any:
    """The file that a run has left, to be read; for who asked for it. Raises NotFound.

    It has `filename`, `length`, `metadata` and is read like a file.
    """
    mine = {"metadata.file_key": file_key, "metadata.staff_id": by.staff_id}
    found = mongo.database()[f"{BUCKET}.files"].find_one(mine, sort=[("uploadDate", -1)])
    if found is None:
        raise NotFound(
            N_("This file is not there any more. Files are kept for some days: export once more.")
        )
    return _bucket().open_download_stream(found["_id"])


def purge(now: datetime) -> int:
    """Deletes files that are older than they are kept; how many."""
    return _delete({"uploadDate": {"$lt": now - timedelta(days=KEPT_DAYS)}})


def _delete(which: dict[str, Any]) -> int:
    ids = [one["_id"] for one in mongo.database()[f"{BUCKET}.files"].find(which, {"_id": 1})]
    for file_id in ids:
        _bucket().delete(file_id)
    return len(ids)


def _bucket() -> gridfs.GridFSBucket:
    return gridfs.GridFSBucket(mongo.database(), BUCKET)
