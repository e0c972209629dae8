"""Files in GridFS that no record names, and pieces of files that were never finished."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import gridfs
from bson import ObjectId

from models.base import CarebookDocument
from stores import mongo

Stored = dict[str, Any]
FILES_AT_ONCE = 500

Places = Sequence[tuple[type[CarebookDocument], str]]

# {bucket: where records name its files}. A bucket that does not stand here keeps all its files:
# what is not known to be nobody's is left alone.
BUCKETS: dict[str, Places] = {}


def register(bucket: str, places: Places) -> None:
    """Says where the files of a bucket are named: (document, path of the file's id) of each place.

    All of them, the trash included (`document.PATH` of its entries): a file that is named nowhere
    is deleted after a day.
    """
    BUCKETS[bucket] = places


def search(old: datetime, *, removes: bool) -> int:
    """How many files and unfinished uploads from before `old` belong to nothing."""
    names = mongo.database().list_collection_names()
    buckets = [name.removesuffix(".chunks") for name in names if name.endswith(".chunks")]
    found = sum(_unfinished(bucket, old, removes=removes) for bucket in sorted(buckets))
    return found + sum(
        _unnamed(bucket, places, old, removes=removes)
        for bucket, places in BUCKETS.items()
        if bucket in buckets
    )


def _unfinished(bucket: str, old: datetime, *, removes: bool) -> int:
    """Pieces are written before their file: those of an upload that broke off have none."""
    chunks = mongo.database()[f"{bucket}.chunks"]
    pieces = chunks.aggregate(
        [
            {"$match": {"_id": {"$lt": ObjectId.from_datetime(old)}}},
            {"$group": {"_id": "$files_id"}},
            {
                "$lookup": {
                    "from": f"{bucket}.files",
                    "localField": "_id",
                    "foreignField": "_id",
                    "pipeline": [{"$project": {"_id": 1}}],
                    "as": "file",
                }
            },
            {"$match": {"file": []}},
        ],
        allowDiskUse=True,
    )
    found = 0
    for row in pieces:
        found += 1
        if removes:
            chunks.delete_many({"files_id": row["_id"]})
    return found


def _unnamed(bucket: str, places: Places, old: datetime, *, removes: bool) -> int:
    files = mongo.database()[f"{bucket}.files"]
    store = gridfs.GridFSBucket(mongo.database(), bucket)
    found, after = 0, None
    while ids := _next(files, after, old):
        nobodys = _nobodys(_nobodys(ids, places), places)
        found += len(nobodys)
        for file_id in nobodys if removes else ():
            store.delete(file_id)
        after = ids[-1]
    return found


def _nobodys(ids: Sequence[Any], places: Places) -> list[Any]:
    """The files that no record names. Asked twice: a record may be on its way out of the trash."""
    named = _named(ids, places) if ids else set()
    return [file_id for file_id in ids if file_id not in named]


def _next(files: Any, after: Any, old: datetime) -> list[Any]:
    rows = files.find(_beyond(after, old), {"_id": 1}).sort("_id", 1).limit(FILES_AT_ONCE)
    return [row["_id"] for row in rows]


def _beyond(after: Any, old: datetime) -> Stored:
    criteria: Stored = {"uploadDate": {"$lt": old}}
    return criteria | {"_id": {"$gt": after}} if after is not None else criteria


def _named(ids: Sequence[Any], places: Places) -> set[Any]:
    """Those of the files that some record names."""
    found: set[Any] = set()
    for document, path in places:
        values = document.collection().distinct(path, {path: {"$in": list(ids)}})
        found.update(values)
    return found
