"""A list in groups: how many rows have each value, and what their numbers add up to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any

from bson import Decimal128
from pymongo.collection import Collection

from rules.fields import INSTANT, Field
from rules.filters import Criteria
from services import lists

Stored = dict[str, Any]
GROUPED_AT_MOST = 20_000  # rows that are counted while somebody waits
GROUPS_AT_MOST = 200
VALUES_AT_MOST = 20  # lanes of a board for values that its pick list lacks


@dataclass(frozen=True, slots=True)
class GroupOfRows:
    """The rows with one value (None: without). `sums` by field key, None where nothing adds up."""

    value: Any
    count: int
    sums: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups, largest first. `is_cut`: there are more rows than were counted."""

    groups: list[GroupOfRows]
    is_cut: bool


def grouped(
    collection: Collection[Stored], criteria: Criteria, field: Field, sums: Sequence[Field]
) -> Groups:
    """The matching rows by the field's value; rows with several values stand in several groups.

    Raises TakesTooLong.
    """
    path = f"${field.path}"
    pipeline: list[Stored] = [{"$match": criteria}, {"$limit": GROUPED_AT_MOST + 1}]
    if field.is_list:
        pipeline.append({"$unwind": {"path": path, "preserveNullAndEmptyArrays": True}})
    totals = {one.key: {"$sum": f"${one.path}"} for one in sums}
    pipeline += [
        {"$group": {"_id": {"$ifNull": [path, None]}, "rows": {"$sum": 1}, **totals}},
        {"$sort": {"rows": -1, "_id": 1}},
        {"$limit": GROUPS_AT_MOST},
    ]
    with lists.in_time():
        rows = list(collection.aggregate(pipeline, maxTimeMS=lists.WAIT_MS))
    found = [
        GroupOfRows(row["_id"], row["rows"], {one.key: _plain(row[one.key]) for one in sums})
        for row in rows
    ]
    return Groups(found, sum(one.count for one in found) > GROUPED_AT_MOST)


def values(collection: Collection[Stored], criteria: Criteria, field: Field) -> list[Any]:
    """The different values that the matching rows have, at most VALUES_AT_MOST.

    Raises TakesTooLong.
    """
    pipeline: list[Stored] = [
        {"$match": criteria},
        {"$group": {"_id": f"${field.path}"}},
        {"$sort": {"_id": 1}},
        {"$limit": VALUES_AT_MOST},
    ]
    with lists.in_time():
        return [row["_id"] for row in collection.aggregate(pipeline, maxTimeMS=lists.WAIT_MS)]


def by_day(
    collection: Collection[Stored],
    criteria: Criteria,
    field: Field,
    projection: Mapping[str, int],
    *,
    shown: int,
    zone: tzinfo,
) -> dict[date, tuple[int, list[Stored]]]:
    """{local day: (how many rows, the first `shown` of them)} of a date field.

    Raises TakesTooLong.
    """
    path = f"${field.path}"
    if field.family == INSTANT:
        day: Any = {"$dateToString": {"date": path, "format": "%Y-%m-%d", "timezone": str(zone)}}
    else:
        day = {"$dateToString": {"date": path, "format": "%Y-%m-%d"}}
    pipeline: list[Stored] = [
        {"$match": criteria},
        {"$limit": GROUPED_AT_MOST},
        {"$project": dict(projection)},
        {
            "$group": {
                "_id": day,
                "rows": {"$sum": 1},
                "first": {"$firstN": {"input": "$$ROOT", "n": shown}},
            }
        },
    ]
    with lists.in_time():
        found = list(collection.aggregate(pipeline, maxTimeMS=lists.WAIT_MS))
    return {date.fromisoformat(row["_id"]): (row["rows"], row["first"]) for row in found}


def _plain(total: Any) -> Any:
    return total.to_decimal() if isinstance(total, Decimal128) else total
