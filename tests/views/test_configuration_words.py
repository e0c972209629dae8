"""Differences of the configuration call fields, columns, tabs and conditions as the screens do."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from models import Staff
from rules.scope import Actor
from services import configuration_changes
from services.configuration_changes import Change
from tests.factories import NOW
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("morning", "shipped")
GIFT = {"type": "text", "label_vi": "Quà", "label_en": "Gift"}
LAYOUT = {
    "summary": ["phones", "area"],
    "hidden": [],
    "tabs": [
        {
            "key": "t1",
            "label_vi": "Khuyến mãi",
            "label_en": "Offers",
            "is_on": True,
            "sections": [{"key": "s1", "label_vi": "Đã tặng", "fields": ["gift", "note"]}],
        },
        {"key": "history", "panel": "history", "is_on": False},
    ],
}


@pytest.fixture
def office(administrator: Actor, browser_of: Callable[[Actor], Browser]) -> Browser:
    return browser_of(administrator)


@pytest.fixture
def change(administrator: Actor) -> Callable[..., None]:
    def apply(*changes: tuple[str, str, Any, int]) -> None:
        made = [Change(section, key, content, version=at) for section, key, content, at in changes]
        configuration_changes.apply(made, says="t", by=administrator, at=NOW)

    return apply


def told(office: Browser, language: str = "vi", where: str = "/settings/configuration/") -> str:
    Staff.collection().update_many({}, {"$set": {"locale": language}})
    page = office.get(where)
    assert page.status_code == 200
    return unescape(page.text)


def test_a_new_layout_names_fields_and_tabs_not_keys(
    office: Browser, change: Callable[..., None]
) -> None:
    change(("fields", "customers.gift", GIFT, 0), ("layouts", "customers", LAYOUT, 0))
    vi, en = told(office), told(office, "en")
    assert "tóm tắt: Điện thoại, Khu vực" in vi
    assert "thẻ: Khuyến mãi (bật: có, phần: Đã tặng (" in vi
    assert "Trao đổi (bật: không)" in vi
    assert "Đã tặng (trường: Quà, Ghi chú)" in vi
    assert "Offers (" in en
    assert "Đã tặng (fields: Gift, Note)" in en
    for raw in ("gift", "phones", "'key'", "label_vi", "is_on", "t1"):
        assert raw not in vi.split('class="revision"', 1)[1].split("<dialog", 1)[0]


def test_a_changed_order_and_a_moved_field_are_told_by_names(
    office: Browser, change: Callable[..., None]
) -> None:
    change(("layouts", "customers", LAYOUT, 0))
    tabs: list[Any] = LAYOUT["tabs"]  # type: ignore[assignment]
    change(("layouts", "customers", {**LAYOUT, "summary": ["area"], "tabs": tabs[::-1]}, 1))
    vi = told(office, where="/settings/configuration/between")
    assert "Khuyến mãi, Trao đổi" in vi
    assert "Trao đổi, Khuyến mãi" in vi
    assert "Điện thoại, Khu vực" in vi


def test_lists_roles_and_rules_are_told_by_names(
    office: Browser, change: Callable[..., None]
) -> None:
    listed = {
        "columns": [{"key": "name", "width": 300}, {"key": "relationship"}],
        "sort": "-name",
        "filters": ["relationship"],
        "actions": ["edit", "care"],
        "row_colours": [{"where": "relationship.in(lost)", "colour": "red"}],
    }
    role = {
        "label_vi": "Thực tập",
        "kinds": {"customers": {"actions": ["see"], "reach": "own", "fields": {"note": "hidden"}}},
    }
    field = {"type": "text", "label_vi": "Lý do", "visible_when": "relationship.in(lost)"}
    change(
        ("lists", "customers", listed, 0),
        ("roles", "trainee", role, 0),
        ("fields", "customers.why", field, 0),
    )
    vi = told(office)
    assert "Khách hàng (độ rộng: 300)" in vi
    assert "thứ tự dòng: Khách hàng ↓" in vi.replace("“", "").replace("”", "")
    assert "Sửa, Ghi chăm sóc" in vi
    assert "chỉ hiện khi: Mối quan hệ là một trong: Mất" in vi
    assert "màu: đỏ" in vi
    assert "Ghi chú: ẩn" in vi
    assert "hồ sơ: Khách hàng (thao tác: Xem" in vi
    for raw in ("relationship.in", "{'", "row_colours"):
        assert raw not in vi
