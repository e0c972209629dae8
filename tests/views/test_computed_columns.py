"""A computed field is shown, filtered and exported like any other, though nothing of it is stored."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date
from html import unescape
from typing import Any

import pytest

from models.base import stored_date
from rules.scope import Actor
from services import configuration_changes
from services.configuration_changes import Change
from tests.factories import NOW, make_customer
from tests.views.conftest import Browser

DEFINED = {
    "price": {"type": "money", "label_vi": "Giá"},
    "pieces": {"type": "integer", "label_vi": "Số lượng"},
    "worth": {"type": "computed", "label_vi": "Trị giá", "expression": "price * pieces"},
    "is_large": {"type": "computed", "label_vi": "Lớn", "expression": "worth > 1000000"},
}


@pytest.fixture(autouse=True)
def _fields(shipped: None, administrator: Actor) -> None:
    configuration_changes.apply(
        [Change("fields", f"customers.{key}", one) for key, one in DEFINED.items()],
        says="t",
        by=administrator,
        at=NOW,
    )


def test_its_value_is_in_the_list_and_in_the_file(
    morning: None, manager: Actor, browser_of: Callable[..., Any]
) -> None:
    office = browser_of(manager)
    make_customer(name="Ân", custom={"price": 250000, "pieces": 5})
    make_customer(name="Bình")
    office.send("/customers/columns", {"columns": ["name", "worth", "is_large"]})
    page = office.get("/customers/").text
    assert "1.250.000" in page
    assert "Có</span>" in page
    text = office.get("/customers/export/csv").data.decode("utf-8-sig")
    rows = {row[0]: row for row in csv.reader(io.StringIO(text))}
    assert rows["Ân"][-2:] == ["1250000", "Có"]
    assert rows["Bình"][-2:] == ["", ""]


def test_lists_are_filtered_by_it(desk: Browser) -> None:
    make_customer(name="Ân", custom={"price": 250000, "pieces": 5})
    make_customer(name="Bình", custom={"price": 1, "pieces": 5})
    page = desk.get("/customers/?where=and(worth.ge(1000))").text
    assert "Ân" in page
    assert "Bình" not in page


def test_rows_are_grouped_by_it(desk: Browser) -> None:
    for price in (500_000, 600_000, 1):
        make_customer(custom={"price": price, "pieces": 5})
    make_customer(name="Bình")
    page = desk.get("/customers/?group=is_large").text
    body = page.split("<tbody>")[1].split("</tbody>")[0]
    found = re.findall(
        r'scope="row">(?:<[^>]+>)?([^<]+).*?<b>(\d+)</b>.*?href="([^"]+)"', body, re.S
    )
    assert [(says, count) for says, count, _ in found] == [
        ("Có", "2"),
        ("Không có", "1"),
        ("Không", "1"),
    ]
    for says, count, address in found:
        rows = desk.get(unescape(address)).text
        assert rows.count("data-row=") == int(count), says


def test_a_calendar_shows_rows_on_the_day_that_is_computed(
    desk: Browser, administrator: Actor
) -> None:
    defined = {
        "bought": {"type": "date", "label_vi": "Ngày mua"},
        "renews": {"type": "computed", "label_vi": "Ngày hạn", "expression": "bought + 30"},
    }
    configuration_changes.apply(
        [Change("fields", f"customers.{key}", one) for key, one in defined.items()],
        says="t",
        by=administrator,
        at=NOW,
    )
    make_customer(name="Khách Ân", custom={"bought": stored_date(date(2026, 11, 24))})
    make_customer(name="Khách Sau", custom={"bought": stored_date(date(2027, 6, 1))})
    make_customer(name="Khách Không")
    page = desk.get("/customers/?group=renews&mode=calendar&month=2026-12").text
    day = page.split('month-number">24<')[1].split("</td>")[0]
    assert "Khách Ân" in day
    assert page.count("month-entry") == 1
