"""Orders and customers that are due, and what the due lists show of them."""

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

from bson import ObjectId

from rules.scope import Actor
from services import care
from services.care import CareEntry
from tests.factories import NOW, TODAY, make_customer, make_order
from tests.views.conftest import Browser

ROW = re.compile(r'<tr id="row-([0-9a-f]{24})"')

ORDERS, CUSTOMERS = "/orders/due", "/customers/due"


def in_days(days: int) -> date:
    return TODAY + timedelta(days=days)


def rows(page: str) -> list[ObjectId]:
    return [ObjectId(found) for found in ROW.findall(page)]


def listed(desk: Browser, address: str) -> list[ObjectId]:
    response = desk.get(address)
    assert response.status_code == 200
    return rows(response.text)


def text_of(page: str) -> str:
    """What people read, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def due_order(days: int, **values: Any) -> ObjectId:
    return make_order(
        values.pop("customer", None) or make_customer(), {}, due_on=in_days(days), **values
    )


def appointed(days: int, by: Actor) -> ObjectId:
    """An order with an appointment in so many days."""
    order = due_order(-1)
    entry = CareEntry("Đã gọi", "satisfied", in_days(days))
    care.log_order_care(
        order, entry, by=by, at=NOW, today=TODAY, entry_key=str(order), expected_count=0
    )
    return order
