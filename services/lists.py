"""One page of a list: one indexed query for the rows, one `$in` per kind of reference.

Pages follow each other by key range: the last row's sort value and id lead to the next page, so
that page 20,000 costs what page 1 costs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from bson.errors import InvalidId
from pymongo.collection import Collection

from rules.filters import Criteria, merge

Row = dict[str, Any]
COUNT_CAP = 1000  # counts above are shown as "1.000+" (B.10)
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort that an index serves: the path, and whether large values come first."""

    path: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the order of the list, and the keys of the pages beside it (None: there is none)."""

    rows: list[Row]
    next_key: str | None
    previous_key: str | None


def fetch_page(
    collection: Collection[Row],
    criteria: Criteria,
    sort: Sort,
    *,
    after: str | None = None,
    before: str | None = None,
    size: int = PAGE_SIZE,
    projection: Mapping[str, int] | None = None,
) -> Page:
    """The page behind the row with key `after`, or before the one with key `before`.

    A key that makes no sense (edited by hand, from another list) starts at the first page, and so
    does one that nothing lies beyond any more.
    """
    backward = before is not None and _read_key(before) is not None
    start = _read_key(before if backward else after)
    descending = sort.descending != backward
    query = merge([criteria, _beyond(sort.path, start, descending)]) if start else criteria
    direction = -1 if descending else 1
    cursor = (
        collection.find(query, projection)
        .sort([(sort.path, direction), ("_id", direction)])
        .limit(size + 1)
    )
    rows = list(cursor)
    if start and not rows:
        # Nothing is beyond the key any more, but there may be rows before it.
        return fetch_page(collection, criteria, sort, size=size, projection=projection)
    more = len(rows) > size
    rows = rows[:size]
    if backward:
        rows.reverse()
    has_previous = more if backward else start is not None
    has_next = bool(backward) or more
    return Page(
        rows,
        next_key=_write_key(rows[-1], sort.path) if rows and has_next else None,
        previous_key=_write_key(rows[0], sort.path) if rows and has_previous else None,
    )


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
    """The number of matches, or cap + 1 when there are more."""
    return collection.count_documents(criteria, limit=cap + 1)


def capped_counts(
    collection: Collection[Row], criteria: Mapping[str, Criteria], cap: int = COUNT_CAP
) -> dict[str, int]:
    """Several capped counts in one round trip: {name: number, cap + 1 when there are more}."""
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
    found = {row["name"]: row["number"] for row in collection.aggregate(pipeline)}
    return {name: found.get(name, 0) for name in criteria}


def _beyond(path: str, key: tuple[Any, ObjectId], descending: bool) -> Criteria:
    """Rows strictly beyond the key; the range on `path` is what bounds the index."""
    value, row_id = key
    reach, beyond = ("$lte", "$lt") if descending else ("$gte", "$gt")
    ties = {"$or": [{path: {beyond: value}}, {path: value, "_id": {beyond: row_id}}]}
    return merge([{path: {reach: value}}, ties])


def _write_key(row: Row, path: str) -> str:
    value: Any = row
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    text = value.isoformat() if isinstance(value, datetime) else f"'{value or ''}"
    return f"{row['_id']}~{text}"


def _read_key(key: str | None) -> tuple[Any, ObjectId] | None:
    row_id, separator, text = (key or "").partition("~")
    if not separator:
        return None
    try:
        value = text[1:] if text.startswith("'") else _instant(text)
        return value, ObjectId(row_id)
    except (ValueError, OverflowError, InvalidId):
        return None


def _instant(text: str) -> datetime:
    """The instant in UTC. Raises ValueError or OverflowError for one that cannot be stored."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
