"""Brings a database up to this version: migrations, indexes, shipped data.

Migrations are files `migrations/YYYY-MM-DD-sentence.py` with `up(db)` and a docstring saying why.
They run in the order of their names, each once; `migrations` remembers them.
"""

import hashlib
import importlib.util
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError, OperationFailure

from config import PROJECT_ROOT
from models import DOCUMENTS
from models.base import CarebookDocument
from rules.errors import N_, CareError
from services import shipped
from stores import mongo

MIGRATIONS = PROJECT_ROOT / "migrations"
FILE_NAME = re.compile(r"\d{4}-\d\d-\d\d-[a-z0-9-]+\.py")
LEASE_SECONDS = 20  # what a killed migration makes the next one wait at most
RENEW_SECONDS = 5
WAIT_SECONDS = 3600  # for another host's migration
LOCK = "lock"  # the `_id` of the lease among the records
# The `_id` of the record that stands there while a restore fills the database.
UNFINISHED_RESTORE = "unfinished restore"
DUPLICATE_KEY = 11000


class MigrationRefused(CareError):
    """The database cannot be brought to this version."""

    status = 503
    message = N_("The database cannot be brought to this version.")


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `name` is its name without `.py`."""

    name: str
    path: Path

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def run(self) -> None:
        spec = importlib.util.spec_from_file_location(self.name.replace("-", "_"), self.path)
        assert spec is not None  # noqa: S101 a .py file always has one
        assert spec.loader is not None  # noqa: S101
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.up(mongo.database())


@dataclass
class Outcome:
    """What `migrate` did: names of migrations and made indexes, and warnings for the operator."""

    applied: list[str] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def migrate(
    *,
    now: Callable[[], datetime],
    waiting: Callable[[], None] = lambda: None,
    directory: Path = MIGRATIONS,
) -> Outcome:
    """Runs what is missing. Safe to repeat and from several processes at once.

    `waiting` is called once when another process migrates and this one has to wait for it.

    Raises:
        MigrationRefused: a newer version wrote the database, a restore of it is unfinished, or its
            data break a new index.
    """
    outcome = Outcome()
    with _lease(now, waiting):
        _refuse_half_restored()
        known = _records()
        available = migrations_in(directory)
        _refuse_newer(known, available)
        for migration in available:
            if migration.name not in known:
                _run(migration, now)
                outcome.applied.append(migration.name)
            elif known[migration.name] != migration.checksum:
                outcome.warnings.append(
                    f"Migration {migration.name} was changed after it had run; it does not run again."
                )
        ensure_indexes(outcome)
        shipped.ensure()
    return outcome


def pending(directory: Path = MIGRATIONS) -> list[str]:
    """Names of migrations that have not run on this database."""
    known = _records()
    return [migration.name for migration in migrations_in(directory) if migration.name not in known]


def migrations_in(directory: Path) -> list[Migration]:
    """The migrations of a directory, oldest first."""
    return [
        Migration(path.stem, path)
        for path in sorted(directory.iterdir())
        if FILE_NAME.fullmatch(path.name)
    ]


def ensure_indexes(outcome: Outcome | None = None) -> Outcome:
    """Makes the declared indexes that are missing, and warns of those that differ.

    Raises:
        MigrationRefused: documents break a unique index.
    """
    outcome = outcome or Outcome()
    for document in DOCUMENTS:
        _ensure_indexes_of(document, outcome)
    return outcome


def _ensure_indexes_of(document: type[CarebookDocument], outcome: Outcome) -> None:
    collection = document.collection()
    existing = collection.index_information()
    missing = []
    for declared in declared_indexes(document):
        name = declared.document["name"]
        if name not in existing:
            missing.append(declared)
        elif _differs(declared.document, existing[name]):
            outcome.warnings.append(
                f"Index {name} of {collection.name} differs from what this version declares; "
                "drop it and migrate again."
            )
    if missing:
        try:
            outcome.indexes += collection.create_indexes(missing)
        except OperationFailure as error:
            if error.code != DUPLICATE_KEY:
                raise
            raise MigrationRefused(
                N_(
                    "Records in %(collection)s have equal keys, so a unique index cannot be made. Correct them and migrate again: %(detail)s"
                ),
                collection=collection.name,
                detail=(error.details or {}).get("errmsg", ""),
            ) from error


def declared_indexes(document: type[CarebookDocument]) -> list[IndexModel]:
    """A document's indexes as its class declares them."""
    specs = [dict(spec) for spec in document._meta["index_specs"]]
    return [
        IndexModel(spec.pop("fields"), **{key: spec[key] for key in spec if key != "cls"})
        for spec in specs
    ]


def _differs(declared: dict[str, Any], existing: dict[str, Any]) -> bool:
    options = ("unique", "sparse", "partialFilterExpression", "expireAfterSeconds")
    return list(declared["key"].items()) != [tuple(key) for key in existing["key"]] or any(
        (declared.get(option) or None) != (existing.get(option) or None) for option in options
    )


def _run(migration: Migration, now: Callable[[], datetime]) -> None:
    started = time.monotonic()
    migration.run()
    mongo.database().migrations.insert_one(
        {
            "_id": migration.name,
            "checksum": migration.checksum,
            "applied_at": now(),
            "took_seconds": round(time.monotonic() - started, 3),
        }
    )


def _records() -> dict[str, str]:
    """Checksums of the migrations that ran, by name."""
    rows = mongo.database().migrations.find({"_id": {"$nin": [LOCK, UNFINISHED_RESTORE]}})
    return {row["_id"]: row["checksum"] for row in rows}


def _refuse_half_restored() -> None:
    if mongo.database().migrations.find_one({"_id": UNFINISHED_RESTORE}) is not None:
        raise MigrationRefused(
            N_(
                "A restore into this database has not come to its end. Wait for it; if it was interrupted, restore again with --replace."
            )
        )


def _refuse_newer(known: dict[str, str], available: list[Migration]) -> None:
    names = {migration.name for migration in available}
    if unknown := sorted(set(known) - names):
        raise MigrationRefused(
            N_(
                "A newer version of Carebook wrote this database (%(name)s). Install that version or a later one."
            ),
            name=unknown[-1],
        )


@contextmanager
def _lease(now: Callable[[], datetime], waiting: Callable[[], None]) -> Iterator[None]:
    """One process at a time, on any host; the lease of a killed one lapses."""
    holder = uuid.uuid4().hex
    deadline = time.monotonic() + WAIT_SECONDS
    has_waited = False
    while not _take_lease(holder, now()):
        if not has_waited:
            waiting()
            has_waited = True
        if time.monotonic() > deadline:
            raise MigrationRefused(
                N_(
                    "Another process has been migrating this database for an hour. See to that one first."
                )
            )
        time.sleep(0.2)
    ended = threading.Event()
    renewing = threading.Thread(target=_renew, args=(holder, now, ended), daemon=True)
    renewing.start()
    try:
        yield
    finally:
        ended.set()
        renewing.join()
        mongo.database().migrations.delete_one({"_id": LOCK, "holder": holder})


def _take_lease(holder: str, now: datetime) -> bool:
    """Whether `holder` now has the lease: it was free, lapsed, or its own."""
    try:
        mongo.database().migrations.update_one(
            {"_id": LOCK, "$or": [{"holder": holder}, {"until": {"$lt": now}}]},
            {"$set": {"holder": holder, "until": now + timedelta(seconds=LEASE_SECONDS)}},
            upsert=True,
        )
    except DuplicateKeyError:
        return False
    return True


def _renew(holder: str, now: Callable[[], datetime], ended: threading.Event) -> None:
    while not ended.wait(RENEW_SECONDS):
        _take_lease(holder, now())
