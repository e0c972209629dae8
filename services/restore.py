"""Reads a backup back into an empty database; half of one is never taken for the whole."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from bson import json_util
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.write_concern import WriteConcern

from rules.errors import N_, CareError, InvalidInput
from services import migration
from services.backup import FORMAT, stem
from services.backup_files import IS_CHANGED, Source, reading
from stores import mongo

Stored = dict[str, Any]

BATCH_BYTES = 8_000_000
LONGEST = 17 * 1024 * 1024  # a document of MongoDB has at most 16 MB
# Written first and removed last: whoever finds it has half a database before him.
MARK = migration.UNFINISHED_RESTORE

NOT_EMPTY = N_(
    "The database %(database)s is not empty (%(count)s documents in %(collections)s collections), and a restore does not mix. Choose another one with CAREBOOK_MONGO_DATABASE, or add --replace to delete what is in it."
)
FOREIGN = N_(
    "The database %(database)s holds something that is not Carebook's (%(collection)s). It is left alone; choose another one with CAREBOOK_MONGO_DATABASE."
)
NEWER_FORMAT = N_(
    "A newer version of Carebook (%(version)s) wrote this backup. Install that version or a later one."
)
OTHER_COUNT = N_(
    "After the restore %(collection)s holds %(found)s documents instead of %(wanted)s. Do not use this database; restore again with --replace, while nothing else uses it."
)


def contents(database: Any) -> dict[str, int]:
    """How many documents each collection of the database holds, by name; only those with some."""
    names = [name for name in database.list_collection_names() if not name.startswith("system.")]
    counts = {name: database[name].estimated_document_count() for name in sorted(names)}
    return {name: count for name, count in counts.items() if count}


def restore(
    place: Path,
    *,
    at: datetime,
    is_replacing: bool = False,
    say: Callable[[str, int], None] = lambda name, count: None,
) -> Stored:
    """Fills the connected database from a backup and returns its manifest.

    The whole backup is checked before the first document is written. `is_replacing` deletes what
    is in the database, which must be Carebook's. `say(collection, documents)` comes after each.

    Raises:
        InvalidInput: the backup is damaged, of a newer version, or the database is not empty.
        CareError: what arrived is not what the manifest says.
    """
    with reading(place) as source:
        manifest = source.manifest()
        _refuse_newer(manifest)
        _refuse_full(is_replacing)
        source.check(manifest)
        _begin(at)
        for name in manifest["collections"]:
            say(name, _fill(name, manifest, source))
        _compare(manifest["collections"])
        mongo.database().migrations.delete_one({"_id": MARK})
    return manifest


def manifest_of(place: Path) -> Stored:
    """What a backup says about itself, without reading the rest."""
    with reading(place) as source:
        return source.manifest()


def _refuse_newer(manifest: Stored) -> None:
    if manifest.get("format") != FORMAT:
        raise InvalidInput(NEWER_FORMAT, version=str(manifest.get("carebook")))


def _refuse_full(is_replacing: bool) -> None:
    database = mongo.database()
    found = contents(database)
    if not found:
        return
    if "migrations" not in found:
        raise InvalidInput(FOREIGN, database=database.name, collection=next(iter(found)))
    if not is_replacing:
        raise InvalidInput(
            NOT_EMPTY,
            database=database.name,
            count=sum(found.values()),
            collections=len(found),
        )


def _begin(at: datetime) -> None:
    """Marks the database as half restored, until the end, and empties it."""
    database = mongo.database()
    database.migrations.update_one({"_id": MARK}, {"$set": {"begun_at": at}}, upsert=True)
    database.migrations.delete_many({"_id": {"$ne": MARK}})
    for name in database.list_collection_names(filter={"type": "collection"}):
        if name != "migrations" and not name.startswith("system."):
            database.drop_collection(name)


def _fill(name: str, manifest: Stored, source: Source) -> int:
    """Writes one collection and then its indexes; returns how many documents it got."""
    path = stem(manifest["database"], name)
    with source.content(f"{path}.metadata.json.gz") as file:
        metadata = json_util.loads(file.read().decode())
    database = mongo.database()
    if name != "migrations":
        database.create_collection(name, **metadata.get("options", {}))
    count = 0
    with source.content(f"{path}.bson.gz") as file:
        for batch in _batches(file, lambda: source.damaged(path, IS_CHANGED)):
            _raw(name).insert_many(batch, ordered=False, bypass_document_validation=True)
            count += len(batch)
    # Building an index over what is there is much quicker than keeping it up for each document.
    if indexes := [index for index in metadata["indexes"] if index["name"] != "_id_"]:
        database.command("createIndexes", name, indexes=indexes)
    return count


def _raw(name: str) -> Collection[Any]:
    """The collection for documents that travel as the bytes that they are."""
    raw: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)
    majority = WriteConcern("majority")
    return mongo.database().get_collection(name, codec_options=raw, write_concern=majority)


def _batches(file: IO[bytes], damaged: Callable[[], CareError]) -> Iterator[list[RawBSONDocument]]:
    """The documents of a file, some megabytes at a time."""
    batch: list[RawBSONDocument] = []
    size = 0
    while head := file.read(4):
        length = int.from_bytes(head, "little")
        if not 5 <= length <= LONGEST:
            raise damaged()
        whole = head + file.read(length - 4)
        if len(whole) < length:
            raise damaged()
        batch.append(RawBSONDocument(whole))
        size += length
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _compare(wanted: dict[str, int]) -> None:
    """Raises CareError when a collection does not hold what the manifest says."""
    for name, count in wanted.items():
        marks = {"_id": {"$ne": MARK}}
        found = mongo.database()[name].count_documents(marks)
        if found != count:
            raise CareError(OTHER_COUNT, collection=name, found=found, wanted=count)
