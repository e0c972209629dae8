"""A computed field is shown, filtered and exported like any other, though nothing of it is stored."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest

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
