"""A backup of the whole database as it was at one instant, taken while people work."""

import importlib.metadata
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import quote

from bson import json_util
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure

from rules.errors import N_, CareError, InvalidInput
from services.backup_files import MANIFEST, Target, writing
from stores import mongo

Stored = dict[str, Any]

FORMAT = 1
# How long the server keeps what was there at the beginning; its own default is five minutes.
HISTORY_SECONDS = 6 * 60 * 60
HISTORY = "minSnapshotHistoryWindowInSeconds"
UNAUTHORIZED, COMMAND_NOT_FOUND, INVALID_OPTIONS = 13, 59, 72
SNAPSHOT_TOO_OLD, SNAPSHOT_UNAVAILABLE = 239, 246
BATCH_DOCUMENTS = 1000  # of at most 16 MB together; several copies of a batch are in memory

NOTHING_THERE = N_(
    "The database %(database)s holds nothing of Carebook. Check CAREBOOK_MONGO_DATABASE and MONGO_URL."
)
TOO_SLOW = N_(
    "The backup took longer than MongoDB keeps what was there at its beginning. An administrator of the server can raise %(parameter)s (see the operations guide); nothing was written."
)
MOVED = N_(
    "Collections or indexes were made while the backup began. Nothing was written; start it again."
)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a backup holds: `{collection: number of documents}`, and its size in bytes on disk."""

    collections: dict[str, int]
    size: int


def back_up(
    place: Path, *, at: datetime, say: Callable[[str, int], None] = lambda name, count: None
) -> Summary:
    """Writes the connected database to a directory or a `.tar` file that is not there yet.

    All collections are as they were at one cluster time. `say(collection, documents)` is called
    after each one.

    Raises:
        InvalidInput: the place is taken or cannot be written, or the disk is full; the database
            holds nothing. CareError: the server could not keep the instant.
    """
    with writing(place) as target, _history_kept(), _snapshot() as (session, names, instant):
        counts = {}
        for name in names:
            counts[name] = _dump(name, target, session)
            say(name, counts[name])
        _write_manifest(target, counts, at, instant)
        size = sum(file.size for file in target.files.values())
    return Summary(counts, size)


@contextmanager
def _snapshot() -> Iterator[tuple[ClientSession, list[str], Any]]:
    """A session that reads one instant, the collections that were there then, and the instant."""
    with mongo.client().start_session(snapshot=True) as session:
        try:
            names = _names()
            instant = _instant(session)
            if _names() != names:
                raise CareError(MOVED)
            yield session, names, instant
        except OperationFailure as error:
            if error.code == SNAPSHOT_TOO_OLD:
                raise CareError(TOO_SLOW, parameter=HISTORY) from error
            if error.code == SNAPSHOT_UNAVAILABLE:
                raise CareError(MOVED) from error
            raise


def _names() -> list[str]:
    names = mongo.database().list_collection_names(filter={"type": "collection"})
    known = sorted(name for name in names if not name.startswith("system."))
    if "migrations" not in known:
        raise InvalidInput(NOTHING_THERE, database=mongo.database().name)
    return known


def _instant(session: ClientSession) -> Any:
    """Makes the session read this very instant from now on, and returns its cluster time."""
    reply = mongo.database().command("find", "migrations", limit=1, session=session)
    return reply["cursor"].get("atClusterTime")


@contextmanager
def _history_kept() -> Iterator[None]:
    """Lets the server keep the beginning of a long backup, where this user may ask for it."""
    admin = mongo.client().admin
    try:
        before = admin.command({"getParameter": 1, HISTORY: 1})[HISTORY]
        admin.command({"setParameter": 1, HISTORY: max(before, HISTORY_SECONDS)})
    except OperationFailure as error:
        if error.code not in (UNAUTHORIZED, COMMAND_NOT_FOUND, INVALID_OPTIONS):
            raise
        yield  # five minutes, or what the administrator of the server has chosen
        return
    try:
        yield
    finally:
        admin.command({"setParameter": 1, HISTORY: before})


def stem(database: str, collection: str) -> str:
    """The name of a collection's files without their endings, as mongodump escapes it."""
    return f"{database}/{quote(collection, safe='.-_ ')}"


def _dump(name: str, target: Target, session: ClientSession) -> int:
    collection = mongo.database()[name]
    path = stem(mongo.database().name, name)
    with target.file(f"{path}.metadata.json.gz") as file:
        file.write(json_util.dumps(_metadata(name), json_options=_CANONICAL).encode())
    with target.file(f"{path}.bson.gz") as file:
        batches = collection.find_raw_batches({}, session=session, batch_size=BATCH_DOCUMENTS)
        return sum(_write(cast(bytes, batch), file) for batch in batches)


def _write(batch: bytes, file: IO[bytes]) -> int:
    """Writes whole documents, one behind the other; returns how many they are."""
    file.write(batch)
    count = at = 0
    while at < len(batch):
        at += int.from_bytes(batch[at : at + 4], "little")
        count += 1
    return count


_CANONICAL = json_util.CANONICAL_JSON_OPTIONS


def _metadata(name: str) -> Stored:
    collection = mongo.database()[name]
    (info,) = mongo.database().list_collections(filter={"name": name})
    indexes = [
        {key: value for key, value in index.items() if key != "ns"}
        for index in collection.list_indexes()
    ]
    return {
        "indexes": indexes,
        "collectionName": name,
        "type": "collection",
        "options": info["options"],
    }


def _write_manifest(target: Target, counts: dict[str, int], at: datetime, instant: Any) -> None:
    """Last of all: a backup without it is not a whole one."""
    database = mongo.database()
    manifest = {
        "format": FORMAT,
        "carebook": importlib.metadata.version("carebook"),
        "mongodb": mongo.client().server_info()["version"],
        "database": database.name,
        "taken_at": at.isoformat(),
        "cluster_time": [instant.time, instant.inc] if instant else None,
        "timezone": str(mongo.zone()),
        "collections": counts,
        "files": {name: file.stored() for name, file in target.files.items()},
    }
    with target.file(MANIFEST, compressed=False) as file:
        file.write(json.dumps(manifest, indent=1, ensure_ascii=False).encode())
