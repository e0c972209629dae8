"""The one way to go over many records: in ranges of ids, idempotent, watched, resumable.

Work is given the ids of one range after the other and brings these records in line, on the server
or in bulk. Between two ranges a person may stop it, and what was done is complete in itself. A run
that was killed goes on behind the last range that it had reported. A record that cannot be worked
on is tried again, alone in the end, and then set aside with its reason: the others go on.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bson import ObjectId
from pymongo.collection import Collection
from pymongo.errors import ConnectionFailure, PyMongoError

from rules.errors import StoreUnavailable
from services.progress import AboutRun, Progress, stop_if_cancelled

logger = logging.getLogger(__name__)

Work = Callable[[Sequence[ObjectId]], None]
ATTEMPTS = 2  # of a range before it is halved, and of a record before it is set aside


def over_ranges(
    collection: Collection[dict[str, Any]],
    size: int,
    work: Work,
    progress: Progress,
    *,
    step: str,
    is_whole: bool = True,
) -> None:
    """Calls `work(ids)` for all records of the collection, `size` at a time in the order of ids.

    Args:
        step: names this walk among others of the same run, to resume it.
        is_whole: tells the progress how many records there are; False: somebody else has.

    Raises:
        Cancelled: the progress was told to stop, between two ranges.
    """
    if is_whole:
        progress.set_total(collection.estimated_document_count())
    for ids in id_ranges(collection, size, after=progress.position(step)):
        stop_if_cancelled(progress)
        carefully(work, ids, progress, collection.name)
        progress.advance(len(ids))
        progress.reached(step, ids[-1])


def id_ranges(
    collection: Collection[dict[str, Any]], size: int, *, after: ObjectId | None = None
) -> Iterator[list[ObjectId]]:
    """The ids of a collection in ascending order, `size` at a time, read from its index only."""
    beyond: dict[str, Any] = {} if after is None else {"_id": {"$gt": after}}
    while ids := [
        row["_id"] for row in collection.find(beyond, {"_id": 1}).sort("_id", 1).limit(size)
    ]:
        yield ids
        beyond = {"_id": {"$gt": ids[-1]}}


def carefully(work: Work, ids: Sequence[ObjectId], progress: Progress, kind: str) -> None:
    """Does the work; what fails again and again is narrowed down to single records, set aside."""
    failure = _failure(work, ids)
    if failure is None:
        return
    if len(ids) == 1:
        logger.warning("%s %s was set aside.", kind, ids[0], exc_info=failure)
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
