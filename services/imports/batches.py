"""Writing in batches, next to others who write the same records."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, DuplicateKeyError

from stores.mongo import in_transaction

T = TypeVar("T")
ATTEMPTS = 20
DUPLICATE_KEY = 11000


def write_together(work: Callable[[ClientSession], T]) -> T:
    """`in_transaction(work)`, again when somebody else has just inserted the same key.

    `work` reads what exists first, so that the next attempt finds the other's record.
    """
    for attempt in range(ATTEMPTS):
        try:
            return in_transaction(work)
        except (DuplicateKeyError, BulkWriteError) as error:
            if not _is_duplicate(error) or attempt == ATTEMPTS - 1:
                raise
        # Two imports of one file meet at every batch: unequal pauses let one of them pass.
        time.sleep(random.uniform(0, 0.05 * (attempt + 1)))  # noqa: S311  no secret
    raise AssertionError  # pragma: no cover


def _is_duplicate(error: DuplicateKeyError | BulkWriteError) -> bool:
    if isinstance(error, DuplicateKeyError):
        return True
    details = error.details or {}
    return all(one.get("code") == DUPLICATE_KEY for one in details.get("writeErrors", ()))


def apart(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """The values in lists of at most `size`."""
    remaining = iter(values)
    while part := list(islice(remaining, size)):
        yield part
