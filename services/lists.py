"""One page of a list: one indexed query for the rows, one `$in` per kind of reference.

Pages follow each other by key range: the last row's sort value and id lead to the next page, so
that page 20,000 costs what page 1 costs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import InvalidOperation
from typing import Any

from bson import Decimal128, ObjectId
from bson.errors import InvalidId
from pymongo.collection import Collection
from pymongo.errors import ExecutionTimeout

from rules.errors import TakesTooLong
from rules.filters import Criteria, merge
from rules.record_paths import single_value

Row = dict[str, Any]
COUNT_CAP = 1000  # counts above are shown as "1.000+" (B.10)
PAGE_SIZE = 50
WAIT_MS = 10_000  # that a question which no index answers may keep somebody waiting


@dataclass(frozen=True, slots=True)
class Sort:
    """What a list is sorted by: the path, and whether large values come first.

    `may_lack` is true for values that a record need not have; those without come first, or last
    when large values come first. Without an index (`is_indexed`) only short lists can be sorted.
    """

    path: str
    descending: bool = False
    may_lack: bool = False
    is_indexed: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the order of the list, and the keys of the pages beside it (None: there is none)."""

    rows: list[Row]
    next_key: str | None
    previous_key: str | None


@contextmanager
def in_time() -> Iterator[None]:
    """Raises TakesTooLong where the server gave up (`WAIT_MS`)."""
    try:
        yield
    except ExecutionTimeout as error:
        raise TakesTooLong from error


def fetch_page(
    collection: Collection[Row],
    criteria: Criteria,
    sort: Sort,
    *,
    after: str | None = None,
    before: str | None = None,
    size: int = PAGE_SIZE,
    projection: Mapping[str, int] | None = None,
    is_secret: bool = False,
) -> Page:
    """The page behind the row with key `after`, or before the one with key `before`.

    A key that makes no sense (edited by hand, from another list) starts at the first page, and so
    does one that nothing lies beyond any more.

    Args:
        is_secret: the reader may not know the values that the list is sorted by: keys then name the
            row alone, so that neither reading nor guessing keys tells them.

    Raises TakesTooLong where no index helps and few of very many records match.
    """

    def read(key: str | None) -> tuple[Any, ObjectId] | None:
        return _row_behind(key, collection, criteria, sort) if is_secret else _read_key(key)

    def write(row: Row) -> str:
        return str(row["_id"]) if is_secret else _write_key(row, sort.path)

    backward = before is not None and read(before) is not None
    start = read(before if backward else after)
    descending = sort.descending != backward
    beyond = _beyond_or_lacking if sort.may_lack else _beyond
    query = merge([criteria, beyond(sort.path, start, descending)]) if start else criteria
    direction = -1 if descending else 1
    cursor = (
        collection.find(query, projection)
        .sort([(sort.path, direction), ("_id", direction)])
        .limit(size + 1)
        .max_time_ms(WAIT_MS)
    )
    with in_time():
        rows = list(cursor)
    if start and not rows:
        # Nothing is beyond the key any more, but there may be rows before it.
        return fetch_page(
            collection, criteria, sort, size=size, projection=projection, is_secret=is_secret
        )
    more = len(rows) > size
    rows = rows[:size]
    if backward:
        rows.reverse()
    has_previous = more if backward else start is not None
    has_next = bool(backward) or more
    return Page(
        rows,
        next_key=write(rows[-1]) if rows and has_next else None,
        previous_key=write(rows[0]) if rows and has_previous else None,
    )


def projection_of(paths: Iterable[str]) -> dict[str, int]:
    """A projection of these paths; one that lies within another one, which the store refuses, is
    left out.
    """
    wanted = {*paths, "_id"}
    return {
        path: 1
        for path in wanted
        if not any(path.startswith(f"{other}.") for other in wanted if other != path)
    }


def _row_behind(
    key: str | None, collection: Collection[Row], criteria: Criteria, sort: Sort
) -> tuple[Any, ObjectId] | None:
    """(sort value, id) of the row that a key names, if it is a row of this list."""
    if not key or not ObjectId.is_valid(key):
        return None
    mine = merge([{"_id": ObjectId(key)}, criteria])
    row = collection.find_one(mine, {sort.path: 1})
    return (single_value(row, sort.path), row["_id"]) if row else None


def labels(
    collection: Collection[Row], ids: Iterable[Any], fields: Sequence[str], *, by: str = "_id"
) -> dict[Any, Row]:
    """The named fields of the referred records, by `by`; one query, none for no ids."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    projection = dict.fromkeys([*fields, by], 1)
    return {row[by]: row for row in collection.find({by: {"$in": list(wanted)}}, projection)}


def capped_count(collection: Collection[Row], criteria: Criteria, cap: int = COUNT_CAP) -> int:
    """The number of matches, or cap + 1 when there are more. Raises TakesTooLong."""
    with in_time():
        return collection.count_documents(criteria, limit=cap + 1, maxTimeMS=WAIT_MS)


def exact_count(collection: Collection[Row], criteria: Criteria) -> int:
    """The number of all matches, for somebody who asked for it. Raises TakesTooLong."""
    # Without conditions the keys of an index are counted, and no document is read.
    of_all: dict[str, Any] = {} if criteria else {"hint": "_id_"}
    with in_time():
        return collection.count_documents(criteria, maxTimeMS=WAIT_MS, **of_all)


def capped_counts(
    collection: Collection[Row], criteria: Mapping[str, Criteria], cap: int = COUNT_CAP
) -> dict[str, int]:
    """Several capped counts in one round trip: {name: number, cap + 1 when there are more}.

    Raises TakesTooLong.
    """
    if not criteria:
        return {}
    branches: list[list[Row]] = [
        [
            {"$match": one},
            {"$limit": cap + 1},
            {"$count": "number"},
            {"$set": {"name": {"$literal": name}}},
        ]
        for name, one in criteria.items()
    ]
    pipeline: list[Row] = branches[0] + [
        {"$unionWith": {"coll": collection.name, "pipeline": branch}} for branch in branches[1:]
    ]
    with in_time():
        counted = list(collection.aggregate(pipeline, maxTimeMS=WAIT_MS))
    found = {row["name"]: row["number"] for row in counted}
    return {name: found.get(name, 0) for name in criteria}


def _beyond(path: str, key: tuple[Any, ObjectId], descending: bool) -> Criteria:
    """Rows strictly beyond the key; the range on `path` is what bounds the index."""
    value, row_id = key
    reach, beyond = ("$lte", "$lt") if descending else ("$gte", "$gt")
    ties = {"$or": [{path: {beyond: value}}, {path: value, "_id": {beyond: row_id}}]}
    return merge([{path: {reach: value}}, ties])


def _beyond_or_lacking(path: str, key: tuple[Any, ObjectId], descending: bool) -> Criteria:
    """The same where rows may lack the value: comparing never crosses from a value to none."""
    value, row_id = key
    ties = {path: value, "_id": {"$lt" if descending else "$gt": row_id}}
    if value is None:
        return ties if descending else {"$or": [ties, {path: {"$ne": None}}]}
    if descending:
        return {"$or": [ties, {path: {"$lt": value}}, {path: None}]}
    return {"$or": [ties, {path: {"$gt": value}}]}


def _write_key(row: Row, path: str) -> str:
    """The row's place: its id, and its value with a letter for the type where it is no text."""
    value = single_value(row, path)
    if value is None:
        text = "-"
    elif isinstance(value, datetime):
        text = value.isoformat()
    elif isinstance(value, bool):
        text = f"b{int(value)}"
    elif isinstance(value, int | float | Decimal128):
        text = f"n{value}"
    else:
        text = f"i{value}" if isinstance(value, ObjectId) else f"'{value}"
    return f"{row['_id']}~{text}"


def _read_key(key: str | None) -> tuple[Any, ObjectId] | None:
    row_id, separator, text = (key or "").partition("~")
    if not separator:
        return None
    try:
        return _read_value(text), ObjectId(row_id)
    except (ValueError, OverflowError, InvalidId, InvalidOperation):
        return None


def _read_value(text: str) -> Any:
    """Raises ValueError, OverflowError, InvalidId or InvalidOperation for a text of no key."""
    if text == "-":
        return None
    readers: dict[str, Callable[[str], Any]] = {
        "'": str,
        "b": lambda rest: rest == "1",
        "i": ObjectId,
        "n": _number,
    }
    read = readers.get(text[:1])
    return read(text[1:]) if read else _instant(text)


def _number(text: str) -> Any:
    """A number that compares with stored ones of every kind. Raises as `_read_value`."""
    if text.lstrip("-").isdecimal() and len(text) < 19:
        return int(text)
    if len(text) > 45:
        raise ValueError(text[:60])
    return Decimal128(text)


def _instant(text: str) -> datetime:
    """The instant in UTC. Raises ValueError or OverflowError for one that cannot be stored."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
