"""A list in groups: how many rows have each value, and what their numbers add up to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any

from bson import Decimal128
from pymongo.collection import Collection

from rules.computed_criteria import computed_value
from rules.conditions import Context
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
    """The groups, largest first.

    `is_cut`: there are more rows than were counted. `has_more`: there are more groups.
    """

    groups: list[GroupOfRows]
    is_cut: bool
    has_more: bool


def value_in_store(field: Field, context: Context, fields: Mapping[str, Field]) -> Any:
    """The field's value as an aggregation reads it; a computed one, nowhere stored, is worked out.

    Raises InvalidInput for an expression that cannot be used.
    """
    if field.type == "computed":
        return computed_value(field, context, fields)
    return f"${field.path}"


def grouped(
    collection: Collection[Stored],
    criteria: Criteria,
    field: Field,
    sums: Sequence[Field],
    *,
    value: Any,
) -> Groups:
    """The matching rows by the field's value; rows with several values stand in several groups.

    Args:
        value: what `value_in_store` gives for the field.

    Raises TakesTooLong.
    """
    pipeline: list[Stored] = [{"$match": criteria}, {"$limit": GROUPED_AT_MOST + 1}]
    if field.is_list:
        pipeline.append({"$unwind": {"path": value, "preserveNullAndEmptyArrays": True}})
    totals = {one.key: {"$sum": f"${one.path}"} for one in sums}
    pipeline += [
        {"$group": {"_id": {"$ifNull": [value, None]}, "rows": {"$sum": 1}, **totals}},
        {"$sort": {"rows": -1, "_id": 1}},
        {"$limit": GROUPS_AT_MOST + 1},
    ]
    with lists.in_time():
        rows = list(collection.aggregate(pipeline, maxTimeMS=lists.WAIT_MS))
    found = [
        GroupOfRows(row["_id"], row["rows"], {one.key: _plain(row[one.key]) for one in sums})
        for row in rows
    ]
    has_more = len(found) > GROUPS_AT_MOST
    counted = sum(one.count for one in found)
    if has_more or (field.is_list and counted > GROUPED_AT_MOST):
        # The groups do not tell: some are missing, or rows stand in several of them.
        counted = lists.capped_count(collection, criteria, cap=GROUPED_AT_MOST)
    return Groups(found[:GROUPS_AT_MOST], counted > GROUPED_AT_MOST, has_more)


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
    value: Any,
) -> dict[date, tuple[int, list[Stored]]]:
    """{local day: (how many rows, the first `shown` of them)} of a date field.

    Args:
        value: what `value_in_store` gives for the field; `projection` has what it builds on.

    Raises TakesTooLong.
    """
    if field.family == INSTANT:
        day: Any = {"$dateToString": {"date": value, "format": "%Y-%m-%d", "timezone": str(zone)}}
    else:
        day = {"$dateToString": {"date": value, "format": "%Y-%m-%d"}}
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
