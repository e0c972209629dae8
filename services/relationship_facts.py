"""Reads the facts of customers out of their orders and history, some customers at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bson import Decimal128, ObjectId
from pymongo.client_session import ClientSession

from models import Interaction, Order
from models.base import stored_date
from models.interaction import CARE, NOTE
from models.order import RETURN, SALE
from models.relationship import CARE_CONTACT, NOTE_CONTACT, ORDER_CONTACT
from services.relationship_setup import Setup

Stored = dict[str, Any]

CANCELLED = "cancelled"  # a shipped order status; such an order was not bought


@dataclass(frozen=True, slots=True)
class Known:
    """`stored` is a `models.relationship.CustomerFacts`; `last_contact_at` its newest instant."""

    stored: Stored
    last_contact_at: datetime | None


def of_customers(
    ids: Sequence[ObjectId], setup: Setup, zone: ZoneInfo, session: ClientSession | None = None
) -> dict[ObjectId, Known]:
    """The facts of each of these customers: two queries, each along an index by customer."""
    bought = {row["_id"]: row for row in _purchases(ids, session)}
    said = {row["_id"]: row for row in _contacts(ids, setup, session)}
    return {one: known(bought.get(one, {}), said.get(one, {}), setup, zone) for one in ids}


def known(bought: Stored, said: Stored, setup: Setup, zone: ZoneInfo) -> Known:
    """The facts of one customer out of a row of `_purchases` and one of `_contacts`."""
    contacts = [said.get("contact_at")]
    if ORDER_CONTACT in setup.contact_kinds:
        contacts.append(bought.get("last_at"))
    last_at = max((one for one in contacts if one), default=None)
    facts: Stored = {"order_count": bought.get("count", 0)}
    if bought:
        # The group's sum has as many digits as its longest member; equal sums have to be equal.
        facts["revenue"] = Decimal128(bought["revenue"].to_decimal().normalize())
    others = {
        "first_purchase_on": bought.get("first_on"),
        "last_purchase_on": bought.get("last_on"),
        "last_contact_on": stored_date(last_at.astimezone(zone).date()) if last_at else None,
        "last_feedback": (said.get("care") or {}).get("feedback"),
    }
    facts |= {name: value for name, value in others.items() if value is not None}
    return Known(facts, last_at)


def _purchases(ids: Sequence[ObjectId], session: ClientSession | None) -> list[Stored]:
    """Served by `orders_of_customer_newest`."""
    is_sale = {"$eq": ["$kind", SALE]}
    total = {"$ifNull": ["$total", Decimal128("0")]}
    return list(
        Order.collection().aggregate(
            [
                {
                    "$match": {
                        "customer_id": {"$in": list(ids)},
                        "kind": {"$in": [SALE, RETURN]},
                        "status": {"$ne": CANCELLED},
                    }
                },
                {
                    "$group": {
                        "_id": "$customer_id",
                        "count": {"$sum": {"$cond": [is_sale, 1, 0]}},
                        "revenue": {
                            "$sum": {"$cond": [is_sale, total, {"$subtract": [0, {"$abs": total}]}]}
                        },
                        "first_on": {"$min": {"$cond": [is_sale, "$placed_on", "$$REMOVE"]}},
                        "last_on": {"$max": {"$cond": [is_sale, "$placed_on", "$$REMOVE"]}},
                        "last_at": {"$max": {"$cond": [is_sale, "$placed_at", "$$REMOVE"]}},
                    }
                },
            ],
            session=session,
        )
    )


def _contacts(ids: Sequence[ObjectId], setup: Setup, session: ClientSession | None) -> list[Stored]:
    """Served by `history_of_customer`."""
    is_care = {"$eq": ["$kind", CARE]}
    kinds = {CARE_CONTACT: CARE, NOTE_CONTACT: NOTE}
    counted = [kind for name, kind in kinds.items() if name in setup.contact_kinds]
    reached = {"$not": [{"$in": [{"$ifNull": ["$feedback", ""]}, list(setup.unanswered)]}]}
    counts = {"$and": [{"$in": ["$kind", counted]}, reached]}
    return list(
        Interaction.collection().aggregate(
            [
                {"$match": {"customer_id": {"$in": list(ids)}, "kind": {"$in": [CARE, NOTE]}}},
                {
                    "$group": {
                        "_id": "$customer_id",
                        "contact_at": {"$max": {"$cond": [counts, "$at", "$$REMOVE"]}},
                        "care": {
                            "$max": {
                                "$cond": [
                                    is_care,
                                    {"at": "$at", "id": "$_id", "feedback": "$feedback"},
                                    "$$REMOVE",
                                ]
                            }
                        },
                    }
                },
            ],
            session=session,
        )
    )
