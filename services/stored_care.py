"""Care as it is stored: the one order of its keys, so that equal care is equal in the database.

MongoDB compares documents key by key; the import, the forms and `rules.care_pipeline` write the
keys of `models.care` in the same order and leave out what is unknown.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from models.base import local_date, stored_date
from models.care import INTERVAL, NONE, SUGGESTED
from rules.care_dates import CareItem, FirstCare, OpenCare

Stored = dict[str, Any]


def stored_basis(first: FirstCare) -> Stored:
    """The stored `models.care.CareBasis` of a first care date."""
    return {
        "kind": INTERVAL,
        "from_on": stored_date(first.from_on),
        "product_code": first.product_code,
        "interval_days": first.interval_days,
        "quantity": first.quantity,
    }


def stored_first_care(first: FirstCare | None) -> Stored:
    """The stored `models.care.CareState` of an order that nobody has cared for yet."""
    if first is None:
        return {"state": NONE, "count": 0}
    return {
        "state": SUGGESTED,
        "due_on": stored_date(first.due_on),
        "basis": stored_basis(first),
        "count": 0,
    }


def stored_items(items: Iterable[CareItem]) -> list[Stored]:
    """The stored `Order.care_items`."""
    return [
        {"code": item.code, "quantity": item.quantity, "interval_days": item.interval_days}
        for item in items
    ]


def items_of(order: Mapping[str, Any]) -> list[CareItem]:
    """The care items of a stored order."""
    return [
        CareItem(item["code"], item["quantity"], item.get("interval_days") or 0)
        for item in order.get("care_items") or ()
    ]


def open_care_of_order(order: Mapping[str, Any]) -> OpenCare:
    """What a stored order (`_id`, `code`, `care`) means for its customer's next care."""
    care = order.get("care") or {}
    return OpenCare(
        care.get("state", NONE),
        local_date(care.get("due_on")),
        care.get("basis"),
        order["_id"],
        order.get("code"),
    )


def own_care_of(customer: Mapping[str, Any]) -> OpenCare:
    """The own appointment of a stored customer."""
    care = customer.get("own_care") or {}
    return OpenCare(care.get("state", NONE), local_date(care.get("due_on")), care.get("basis"))


def stored_next_care(next_care: OpenCare) -> Stored:
    """The stored `models.care.NextCare` of a customer."""
    due_on: date | None = next_care.due_on
    known = {
        "state": next_care.state,
        "due_on": stored_date(due_on) if due_on else None,
        "basis": next_care.basis or None,
        "order_id": next_care.order_id,
        "order_code": next_care.order_code,
    }
    return {name: value for name, value in known.items() if value is not None}
