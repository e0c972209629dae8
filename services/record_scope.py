"""Who may see the records of the kinds that a site defined: who is responsible, and whoever sees the
customer. Kept on the record, so that a list is one indexed query.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from models import Customer, Record
from rules.filters import Criteria


def follow_customers(
    customer_ids: Iterable[ObjectId],
    *,
    session: ClientSession | None = None,
    following: Mapping[Any, list[ObjectId]] | None = None,
) -> int:
    """Brings `seen_by` in line for the records of these customers; how many changed.

    `following` says who sees each customer; None: whoever sees them now.
    """
    mine = {"customer_id": {"$in": list(customer_ids)}}
    return bring_in_line(mine, session=session, following=following)


def bring_in_line(
    criteria: Criteria,
    *,
    session: ClientSession | None = None,
    following: Mapping[Any, list[ObjectId]] | None = None,
) -> int:
    """Brings `seen_by` in line for the records that match; how many changed."""
    fields = {"customer_id": 1, "owner_id": 1, "seen_by": 1}
    records = list(Record.collection().find(criteria, fields, session=session))
    if not records:
        return 0
    if following is None:
        following = seeing({record.get("customer_id") for record in records}, session)
    writes = [
        UpdateOne({"_id": record["_id"]}, {"$set": {"seen_by": wanted}})
        for record in records
        if (wanted := seen_by(record, following)) != record.get("seen_by")
    ]
    if writes:
        Record.collection().bulk_write(writes, ordered=False, session=session)
    return len(writes)


def seeing(customer_ids: Iterable[Any], session: ClientSession | None) -> dict[Any, list[ObjectId]]:
    """{customer id: who may see the customer}."""
    wanted = [one for one in customer_ids if one is not None]
    found = Customer.collection().find({"_id": {"$in": wanted}}, {"seen_by": 1}, session=session)
    return {customer["_id"]: customer.get("seen_by") or [] for customer in found}


def seen_by(record: Mapping[str, Any], followed: Mapping[Any, list[ObjectId]]) -> list[ObjectId]:
    """Everybody with a reason to see a record, given who may see its customer (`seeing`)."""
    own = {record["owner_id"]} if record.get("owner_id") else set()
    return sorted(own.union(followed.get(record.get("customer_id"), [])))
