"""A field that cannot be used: administrators read what is wrong with it, others meet nothing."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from models import Customer
from rules.scope import SYSTEM, Actor
from services import configuration_changes, field_settings
from services.configuration_changes import Change
from tests.factories import NOW, make_customer
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")

FIELDS: dict[str, dict[str, Any]] = {
    "stage": {"type": "text", "label_vi": "Chặng"},
    "reason": {"type": "text", "label_vi": "Lý do rời", "visible_when": "stage.is(Mất)"},
    "longer": {"type": "computed", "label_vi": "Độ dài", "expression": "length(reason)"},
}
WRONG = "trường đã ngừng dùng, bị hỏng hoặc không có"


@pytest.fixture
def boss(administrator: Actor, browser_of: Callable[[Actor], Browser]) -> Browser:
    changes = [Change("fields", f"customers.{key}", one) for key, one in FIELDS.items()]
    configuration_changes.apply(changes, says="x", by=SYSTEM, at=NOW)
    return browser_of(administrator)


def retire(is_retired: bool = True) -> None:
    field_settings.retire("customers", "stage", is_retired=is_retired, by=SYSTEM, at=NOW)


def details(browser: Browser, customer: Any) -> str:
    return unescape(browser.get(f"/customers/{customer}?tab=details").text)


def test_a_broken_condition_opens_nothing_and_is_said_where_it_can_be_put_right(
    boss: Browser, desk: Browser
) -> None:
    customer = make_customer(custom={"stage": "Mất", "reason": "Giá cao"})
    assert "Giá cao" in details(desk, customer)
    retire()
    page = details(desk, customer)
    assert "Giá cao" not in page
    assert "Lý do rời" not in page
    assert "Độ dài" not in page
    assert "Lý do rời" not in unescape(desk.get(f"/customers/{customer}/edit").text)
    page = details(boss, customer)
    assert "Giá cao" not in page
    assert WRONG in page
    assert '/settings/fields/customers/reason"' in page
    assert '/settings/fields/customers/longer"' in page, "a broken expression is shown as well"
    for address in ("/settings/fields/customers", "/settings/configuration/"):
        assert WRONG in unescape(boss.get(address).text), address
    retire(False)
    assert "Giá cao" in details(desk, customer)


def test_who_retires_a_field_is_told_what_it_breaks(boss: Browser) -> None:
    answer = boss.send("/settings/fields/customers/stage/retire", {"do": "retire"})
    page = unescape(boss.get(answer.location).text)
    assert "Không còn dùng được: Độ dài, Lý do rời" in page
    boss.send("/settings/fields/customers/stage/retire", {"do": "bring_back"})
    answer = boss.send("/settings/fields/customers/longer/retire", {"do": "retire"})
    assert "Không còn dùng được:" not in unescape(boss.get(answer.location).text)


def test_a_broken_field_keeps_its_place_in_the_layout(boss: Browser) -> None:
    retire()
    page = boss.get("/settings/layouts/customers").text
    assert 'value="field:reason"' in page
    assert "Giá cao" not in page


def test_a_field_whose_condition_does_not_hold_is_not_on_the_page_and_keeps_its_value(
    boss: Browser, desk: Browser
) -> None:
    customer = make_customer(custom={"stage": "Mới", "reason": "Giá cao"})
    page = details(desk, customer)
    assert "Giá cao" not in page
    assert "Lý do rời" not in page
    assert "Chặng" in page
    stored = Customer.collection().find_one({"_id": customer}) or {}
    assert stored["custom"]["reason"] == "Giá cao"
    Customer.collection().update_one({"_id": customer}, {"$set": {"custom.stage": "Mất"}})
    assert "Giá cao" in details(desk, customer)
