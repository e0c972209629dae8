"""Indexes of custom fields: made in the background, so that they are as fast as built-in ones."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from rules.errors import N_, InvalidInput
from rules.field_definitions import FREQUENT, UNIQUE
from rules.fields import Field, Kind
from rules.filters import merge
from rules.kinds import RECORDS
from rules.scope import Actor, scope
from rules.sentences import Sentence
from services import bulk, configuration, job_runs
from services.field_values import shown_value
from services.kinds import collection_of
from services.progress import NoProgress, Progress
from stores import mongo

Stored = dict[str, Any]

# Each index costs a little on every save, and the server allows 64 in a collection.
FREQUENT_LIMIT = 10
PREFIX = "custom:"
LOOK_SECONDS = 1.0
INDEX_NOT_FOUND = 27


@dataclass(frozen=True, slots=True)
class Wanted:
    """An index that a field needs."""

    name: str
    keys: tuple[tuple[str, int], ...]
    is_unique: bool = False
    only: Mapping[str, Any] | None = None  # the records that it holds; None: all

    @property
    def options(self) -> Stored:
        found: Stored = {"name": self.name, "unique": self.is_unique}
        return found | ({"partialFilterExpression": dict(self.only)} if self.only else {})


def frequent(kind: Kind) -> list[Field]:
    """The fields of the site that take part in the limit."""
    return [one for one in kind.custom_fields if one.is_sorted and not one.is_retired]


def wanted(kind: Kind) -> list[Wanted]:
    """The indexes that the fields of a kind need."""
    found: list[Wanted] = []
    shared = kind.collection == RECORDS
    scope = dict(kind.base) if shared else {}
    for field in kind.custom_fields:
        if not field.is_usable:
            continue
        name = f"{PREFIX}{kind.key}:{field.key}"
        # Lists filtered or sorted by the field, page after page by key range.
        if field.is_sorted and field.type in FREQUENT:
            keys = (*((path, 1) for path in scope), (field.path, 1), ("_id", 1))
            found.append(Wanted(name, keys))
        # A second record with the same value, also from two people at once.
        if field.is_unique and field.type in UNIQUE:
            keys = (*((path, 1) for path in scope), (field.path, 1))
            only = {**scope, field.path: {"$exists": True}}
            found.append(Wanted(f"{name}:once", keys, True, only))
    return found


def follow(kinds: Mapping[str, Kind], key: str, by: Actor, session: ClientSession) -> Any:
    """The job that brings the indexes of a kind in line; its id, to be handed over after the commit.

    None when they are right already.
    """
    if {one.name for one in wanted(kinds[key])} == _present(kinds[key]):
        return None
    return job_runs.create("index_fields", {"kind": key}, by, session=session)


def bring_in_line(key: str, progress: Progress | None = None) -> dict[str, int]:
    """Makes the indexes that are missing and drops those that no field needs any more.

    Run again, it changes nothing. Raises InvalidInput when two records have the same value in a
    field that is to be unique.
    """
    progress = progress or NoProgress()
    counts = {"indexes_made": 0, "indexes_dropped": 0}

    def work() -> None:
        kind = configuration.snapshot().kinds.get(key)
        if kind is None:
            return
        needed = {one.name: one for one in wanted(kind)}
        present = _present(kind)
        for name in present - set(needed):
            _drop(collection_of(kind), name)
            counts["indexes_dropped"] += 1
        for name in sorted(set(needed) - present):
            _make(kind, needed[name], progress)
            counts["indexes_made"] += 1

    bulk.once("indexes", work, progress)
    for name, number in counts.items():
        if number:
            progress.count(name, number)
    return counts


def not_unique(kind: Kind, field: Field, *, by: Actor | None = None) -> Sentence | None:
    """That several records have the same value, if they have; with examples of what the actor sees,
    with none for nobody.
    """
    if not duplicates(kind, field, 1):
        return None
    if by is not None and by.access.sees(kind.key, field.key):
        same = duplicates(kind, field, within=scope(by, kind.key))
        if same:
            return Sentence(
                N_(
                    "Several records have the same value, for example %(values)s. Change them first."
                ),
                {"values": [Sentence("“%(value)s”", {"value": one}) for one in same]},
            )
    return Sentence(N_("Several records have the same value. Change them first."))


def duplicates(
    kind: Kind, field: Field, limit: int = 3, *, within: Mapping[str, Any] | None = None
) -> list[Any]:
    """Some values that several records have, for a sentence; empty when all differ."""
    present = {**kind.base, field.path: {"$exists": True}}
    found = collection_of(kind).aggregate(
        [
            {"$match": merge([present, dict(within or {})])},
            {"$group": {"_id": f"${field.path}", "number": {"$sum": 1}}},
            {"$match": {"number": {"$gt": 1}, "_id": {"$ne": None}}},
            {"$limit": limit},
        ],
        allowDiskUse=True,
    )
    return [shown_value(field, one["_id"]) for one in found]


def _present(kind: Kind) -> set[str]:
    """The names of the indexes of fields that are there."""
    known = collection_of(kind).index_information()
    return {name for name in known if name.startswith(f"{PREFIX}{kind.key}:")}


def _make(kind: Kind, index: Wanted, progress: Progress) -> None:
    """Makes one index in a thread of its own, while this one tells how far it is."""
    collection, failures = collection_of(kind), []

    def build() -> None:
        try:
            collection.create_index(list(index.keys), **index.options)
        except PyMongoError as error:
            failures.append(error)

    progress.set_total(collection.estimated_document_count())
    builder = threading.Thread(target=build, name="index build", daemon=True)
    builder.start()
    done = 0
    while builder.is_alive():
        builder.join(LOOK_SECONDS)
        reached = _built(collection)
        if reached > done:
            progress.advance(reached - done)
            done = reached
    if failures:
        raise _in_words(kind, index, failures[0])


def _built(collection: Collection[Stored]) -> int:
    """How many records the running build has seen; 0 when nobody may know."""
    try:
        running = list(
            mongo.client().admin.aggregate(
                [
                    {"$currentOp": {"allUsers": False, "idleConnections": False}},
                    {"$match": {"command.createIndexes": collection.name}},
                ]
            )
        )
    except PyMongoError:
        return 0
    return max((int((one.get("progress") or {}).get("done", 0)) for one in running), default=0)


def _in_words(kind: Kind, index: Wanted, error: PyMongoError) -> Exception:
    if not isinstance(error, DuplicateKeyError):
        return error
    path = index.keys[-1][0]
    field = next(one for one in kind.custom_fields if one.path == path)
    return InvalidInput(
        N_(
            "Several records have the same value, for example “%(value)s”, so that “%(field)s” cannot be unique yet. Change them and start this job again."
        ),
        value=duplicates(kind, field, 1),
        field=field.own_label("vi") or field.key,
    )


def _drop(collection: Collection[Stored], name: str) -> None:
    try:
        collection.drop_index(name)
    except OperationFailure as error:
        if error.code != INDEX_NOT_FOUND:
            raise
        # Somebody else has dropped it just now.
