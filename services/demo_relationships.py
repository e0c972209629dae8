"""Gives demonstration customers the relationship that the shipped rules would give them."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from bson import Decimal128, ObjectId

from services import relationship_facts, relationship_setup, relationships

Stored = dict[str, Any]

CHOSEN = ("hot", "potential", "lost")
REASONS = ("Hỏi giá mua thêm", "Đang so sánh với bên khác", "Hẹn gọi lại khi có hàng", "")
SETUP = relationship_setup.from_stored(relationship_setup.shipped())


def settle(
    customer: Stored,
    orders: list[Stored],
    said: list[Stored],
    staff: tuple[ObjectId, str],
    *,
    today: date,
    zone: ZoneInfo,
    at: datetime,
) -> None:
    """Sets facts, relationship and its reason; now and then a member of staff has chosen it.

    `said` is the customer's history, newest first.
    """
    pick = Random(f"relationship {customer['code']}")  # noqa: S311 - demonstration data
    customer["relationship"] = "new"
    if pick.random() < 0.15:
        customer["relationship_chosen"] = relationships.stored_choice(
            pick.choice(CHOSEN),
            today=today - timedelta(days=pick.randrange(25)),
            staff_id=staff[0],
            staff_name=staff[1],
            reason=pick.choice(REASONS),
        )
    known = relationship_facts.known(_bought(orders), _contact(said), SETUP, zone)
    change = relationships.change_of(customer, known, SETUP, today, at)
    customer |= {name: value for name, value in change.fields.items() if value is not None}


def _bought(orders: list[Stored]) -> Stored:
    if not orders:
        return {}
    revenue = sum((order["total"].to_decimal() for order in orders), Decimal(0))
    return {
        "count": len(orders),
        "revenue": Decimal128(revenue),
        "first_on": min(order["placed_on"] for order in orders),
        "last_on": max(order["placed_on"] for order in orders),
        "last_at": max(order["placed_at"] for order in orders),
    }


def _contact(said: list[Stored]) -> Stored:
    if not said:
        return {}
    reached = (one["at"] for one in said if one["feedback"] not in SETUP.unanswered)
    return {"contact_at": next(reached, None), "care": {"feedback": said[0]["feedback"]}}
