"""The one way to go over many records: in ranges, idempotent, watched, resumable, by many workers.

`over` gives a function the ids of one range after the other; it brings these records in line, on
the server or in bulk. Between two ranges a person may stop it, and what was done is complete in
itself. Long walks are split into shares of neighbouring ids: each worker that has time takes the
next one, and what a killed worker leaves behind is taken up behind the last range that it had
reported. A record that cannot be worked on is tried again, alone in the end, and then set aside
with its reason: the others go on.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from bson import ObjectId
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, ConnectionFailure, PyMongoError

from rules.errors import CareError, StoreUnavailable
from services.progress import WHOLE, AboutRun, Progress, Share, ShareLost, stop_if_cancelled

logger = logging.getLogger(__name__)

Stored = dict[str, Any]
Work = Callable[[Sequence[ObjectId]], None]

ATTEMPTS = 2  # of a range before it is halved, and of a record before it is set aside
RECORDS_PER_SHARE = 5000  # at least: a share costs a claim and a barrier at the end
SHARES = 64  # at most: they stand in the run's document
ID_BYTES = 12


def over(
    collection: Collection[Stored],
    criteria: Stored,
    apply_range: Work,
    progress: Progress,
    *,
    step: str,
    size: int = 1000,
    is_whole: bool = True,
) -> None:
    """Calls `apply_range(ids)` for all records that match, `size` at a time in the order of ids.

    Returns when every share is done, by whatever worker: what comes afterwards finds all of it
    done. The function may be called again for the same ids, and side by side for others. It may
    change whether a record matches.

    Args:
        criteria: which records; {} for all of the collection.
        step: names this walk among others of the same run, to resume it.
        is_whole: tells the progress how many records there are; False: somebody else has.

    Raises:
        Cancelled: the progress was told to stop, between two ranges.
    """
    if is_whole:
        progress.set_total(number_of(collection, criteria))
    for share in progress.shares(step, partial(split, collection, criteria)):
        try:
            for ids in ranges(collection, criteria, size, share):
                stop_if_cancelled(progress)
                carefully(apply_range, ids, progress, collection.name)
                progress.advance(len(ids))
                progress.reached(ids[-1])
        except ShareLost:
            logger.warning("Share %s of %s was taken by another worker.", share.number, step)


def update_each(
    collection: Collection[Stored], updates: Mapping[Any, tuple[Stored, Stored]]
) -> None:
    """Writes `{id: (criteria, update)}`, so many as one range has, each by itself.

    For work that may be done again: the driver would have the server note each single write to be
    able to repeat it, which takes three times as long as the writes.

    Raises:
        BulkWriteError: some could not be written; the others were.
    """
    reply = collection.database.command(
        {
            "update": collection.name,
            "updates": [
                {"q": {"_id": record_id, **criteria}, "u": update}
                for record_id, (criteria, update) in updates.items()
            ],
            "ordered": False,
        }
    )
    if reply.get("writeErrors"):
        raise BulkWriteError(reply)


def once(step: str, work: Callable[[], None], progress: Progress) -> None:
    """Does work that cannot be split, by one worker only; the others wait until it is done."""
    for _ in progress.shares(step, lambda: [WHOLE]):
        work()


def number_of(collection: Collection[Stored], criteria: Stored) -> int:
    """How many records match; all of a collection are only estimated."""
    if criteria:
        return collection.count_documents(criteria)
    return collection.estimated_document_count()


def split(collection: Collection[Stored], criteria: Stored) -> list[Share]:
    """Shares of neighbouring ids with about as many records each, without gaps between them."""
    size = max(RECORDS_PER_SHARE, -(-number_of(collection, criteria) // SHARES))
    bounds: list[ObjectId | None] = [None, *_every(collection, criteria, size), None]
    pairs = enumerate(pairwise(bounds))
    return [Share(number, after, upto) for number, (after, upto) in pairs]


def _every(collection: Collection[Stored], criteria: Stored, size: int) -> Iterator[ObjectId]:
    """Each id after which `size` more have passed, but not the last one."""
    if criteria:
        packed = _packed(collection, criteria)
        for start in range((size - 1) * ID_BYTES, len(packed) - ID_BYTES, size * ID_BYTES):
            yield ObjectId(packed[start : start + ID_BYTES])
        return
    beyond: Stored = {}
    while found := list(
        collection.find(beyond, {"_id": 1}).sort("_id", 1).skip(size - 1).limit(2).hint("_id_")
    ):
        if len(found) < 2:
            return
        yield found[0]["_id"]
        beyond = {"_id": {"$gt": found[0]["_id"]}}


def ranges(
    collection: Collection[Stored], criteria: Stored, size: int, share: Share = WHOLE
) -> Iterator[list[ObjectId]]:
    """The ids of a share in ascending order, `size` at a time.

    Those of a whole collection are read range by range from its index only. Matching ones are
    looked for once, along the index that serves them best, and kept: they are few bytes.
    """
    if criteria:
        packed = _packed(collection, {"$and": [criteria, _within(share.after, share.upto)]})
        for start in range(0, len(packed), size * ID_BYTES):
            end = min(start + size * ID_BYTES, len(packed))
            yield [
                ObjectId(packed[place : place + ID_BYTES]) for place in range(start, end, ID_BYTES)
            ]
        return
    after = share.after
    while ids := _next_ids(collection, size, _within(after, share.upto)):
        yield ids
        after = ids[-1]


def _within(after: ObjectId | None, upto: ObjectId | None) -> Stored:
    bounds = {"$gt": after, "$lte": upto}
    known = {operator: value for operator, value in bounds.items() if value is not None}
    return {"_id": known} if known else {}


def _next_ids(collection: Collection[Stored], size: int, criteria: Stored) -> list[ObjectId]:
    rows = collection.find(criteria, {"_id": 1}).sort("_id", 1).limit(size)
    return [row["_id"] for row in rows]


def _packed(collection: Collection[Stored], criteria: Stored) -> bytes:
    """The matching ids in ascending order, end to end: a million of them take 12 MB."""
    return b"".join(sorted(row["_id"].binary for row in collection.find(criteria, {"_id": 1})))


def carefully(work: Work, ids: Sequence[ObjectId], progress: Progress, kind: str) -> None:
    """Does the work; what fails again and again is narrowed down to single records, set aside."""
    failure = _failure(work, ids)
    if failure is None:
        return
    if len(ids) == 1:
        logger.warning("%s %s was set aside.", kind, ids[0], exc_info=failure)
        if isinstance(failure, CareError):
            progress.set_aside(kind, ids[0], failure.message, failure.params)
        else:
            progress.set_aside(kind, ids[0], f"{type(failure).__name__}: {failure}")
        return
    middle = len(ids) // 2
    for half in (ids[:middle], ids[middle:]):
        stop_if_cancelled(progress)
        carefully(work, half, progress, kind)


def _failure(work: Work, ids: Sequence[ObjectId]) -> Exception | None:
    """Why the work fails on these records, or None. A store that is away is nobody's fault here."""
    found: Exception | None = None
    for _ in range(ATTEMPTS):
        try:
            work(ids)
        except (AboutRun, StoreUnavailable, ConnectionFailure):
            raise
        except PyMongoError as error:
            if error.has_error_label("TransientTransactionError"):
                raise
            found = error
        except Exception as error:
            found = error
        else:
            return None
    return found
