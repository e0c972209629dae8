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
    counted = {"kind": {"$in": [SALE, RETURN]}, "status": {"$ne": CANCELLED}}
    row = {
        "_id": "$customer_id",
        "count": {"$sum": {"$cond": [is_sale, 1, 0]}},
        "revenue": {"$sum": _revenue("$kind", "$total")},
        "first_on": {"$min": {"$cond": [is_sale, "$placed_on", "$$REMOVE"]}},
        "last_on": {"$max": {"$cond": [is_sale, "$placed_on", "$$REMOVE"]}},
        "last_at": {"$max": {"$cond": [is_sale, "$placed_at", "$$REMOVE"]}},
    }
    stages: list[Stored] = [
        {"$match": {"customer_id": {"$in": list(ids)}, **counted}},
        {"$group": row},
    ]
    return list(Order.collection().aggregate(stages, session=session))


def _contacts(ids: Sequence[ObjectId], setup: Setup, session: ClientSession | None) -> list[Stored]:
    """Served by `history_of_customer`."""
    row = {
        "_id": "$customer_id",
        "contact_at": {"$max": {"$cond": [_is_contact("$", setup), "$at", "$$REMOVE"]}},
        "care": {"$max": {"$cond": [{"$eq": ["$kind", CARE]}, _said("$"), "$$REMOVE"]}},
    }
    stages: list[Stored] = [
        {"$match": {"customer_id": {"$in": list(ids)}, "kind": {"$in": [CARE, NOTE]}}},
        {"$group": row},
    ]
    return list(Interaction.collection().aggregate(stages, session=session))


def _revenue(kind: str, total: str) -> Stored:
    known = {"$ifNull": [total, Decimal128("0")]}
    return {"$cond": [{"$eq": [kind, SALE]}, known, {"$subtract": [0, {"$abs": known}]}]}


def _is_contact(entry: str, setup: Setup) -> Stored:
    kinds = {CARE_CONTACT: CARE, NOTE_CONTACT: NOTE}
    counted = [kind for name, kind in kinds.items() if name in setup.contact_kinds]
    feedback = {"$ifNull": [f"{entry}feedback", ""]}
    return {
        "$and": [
            {"$in": [f"{entry}kind", counted]},
            {"$not": [{"$in": [feedback, list(setup.unanswered)]}]},
        ]
    }


def _said(entry: str) -> Stored:
    """Of two entries, the newer one is the greater."""
    return {"at": f"{entry}at", "id": f"{entry}_id", "feedback": f"{entry}feedback"}


def with_rows(setup: Setup) -> list[Stored]:
    """Stages over customers that add the two rows that `known` reads: `bought` and `said`.

    The whole orders and entries are looked up: the server does that several times as fast as with
    a pipeline for each customer, and unlike a union it may do so within a transaction.
    """
    bought = {
        "$and": [
            {"$in": ["$$one.kind", [SALE, RETURN]]},
            {"$ne": ["$$one.status", CANCELLED]},
        ]
    }
    sales = _only("$orders", {"$eq": ["$$one.kind", SALE]})
    return [
        _looked_up(Order.collection().name, "orders"),
        _looked_up(Interaction.collection().name, "entries"),
        {"$set": {"orders": _only("$orders", bought)}},
        {
            "$set": {
                "sales": {"$let": {"vars": {"sales": sales}, "in": _sales("$$sales")}},
                "said": {
                    "contact_at": {
                        "$max": _each(_only("$entries", _is_contact("$$one.", setup)), "$$one.at")
                    },
                    "care": {
                        "$max": _each(
                            _only("$entries", {"$eq": ["$$one.kind", CARE]}), _said("$$one.")
                        )
                    },
                },
            }
        },
        {"$set": {"contact_at": _last_contact(setup)}},
    ]


def _looked_up(collection: str, name: str) -> Stored:
    join = {"from": collection, "localField": "_id", "foreignField": "customer_id", "as": name}
    return {"$lookup": join}


def _only(array: str, condition: Stored) -> Stored:
    return {"$filter": {"input": array, "as": "one", "cond": condition}}


def _each(array: Stored | str, value: Stored | str) -> Stored:
    return {"$map": {"input": array, "as": "one", "in": value}}


def _sales(sales: str) -> Stored:
    return {
        "count": {"$size": sales},
        "first_on": {"$min": f"{sales}.placed_on"},
        "last_on": {"$max": f"{sales}.placed_on"},
        "last_at": {"$max": f"{sales}.placed_at"},
    }


def _last_contact(setup: Setup) -> Stored:
    of_orders = ["$sales.last_at"] if ORDER_CONTACT in setup.contact_kinds else []
    return {"$ifNull": [{"$max": ["$said.contact_at", *of_orders]}, None]}


def computed(zone: ZoneInfo) -> Stored:
    """The facts of a customer after `with_rows`, as `known` gives them."""
    revenue = {"$sum": _each("$orders", _revenue("$$one.kind", "$$one.total"))}
    others = {
        "revenue": {"$cond": [{"$eq": ["$orders", []]}, None, revenue]},
        "first_purchase_on": "$sales.first_on",
        "last_purchase_on": "$sales.last_on",
        "last_contact_on": _local_date("$contact_at", zone),
        "last_feedback": "$said.care.feedback",
    }
    return {"order_count": "$sales.count"} | {
        name: {"$ifNull": [value, "$$REMOVE"]} for name, value in others.items()
    }


def _local_date(instant: str, zone: ZoneInfo) -> Stored:
    """As `models.base.stored_date` stores it; null when there is no instant."""
    parts = {"$dateToParts": {"date": instant, "timezone": zone.key}}
    day = {name: f"$$parts.{name}" for name in ("year", "month", "day")}
    return {"$let": {"vars": {"parts": parts}, "in": {"$dateFromParts": day}}}
