"""Differences of the configuration call fields, columns, tabs and conditions as the screens do."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from models import Staff
from rules import config_text
from rules.scope import Actor
from services import configuration, configuration_changes
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


SLIP = {"label_vi": "Phiếu bảo hành", "label_en": "Warranty slip", "has_customer": True}
STATES = {
    "label_vi": "Trạng thái phiếu",
    "values": [
        {"key": "open", "label_vi": "Đang mở"},
        {
            "key": "old",
            "label_vi": "Cũ",
            "retired": True,
            "merged": {"into": "open", "key": "b379", "at": "2026-11-21T03:00:00+00:00"},
        },
    ],
}
NEW = {
    "pick_lists": {"slip_state": STATES},
    "kinds": {"phieu_bao_hanh": SLIP},
    "fields": {
        "phieu_bao_hanh.trang_thai": {
            "type": "choice",
            "label_vi": "Tình trạng",
            "pick_list": "slip_state",
        },
        "phieu_bao_hanh.ly_do": {
            "type": "text",
            "label_vi": "Vì sao",
            "visible_when": "and(trang_thai.in(open))",
        },
    },
    "lists": {
        "records_phieu_bao_hanh": {
            "columns": [{"key": "ly_do"}, {"key": "trang_thai", "width": 90}],
            "sort": "-trang_thai",
            "filters": ["f.trang_thai"],
            "row_colours": [{"where": "trang_thai.in(open)", "colour": "red"}],
        }
    },
    "menus": {"all": {"sections": [{"entries": [{"endpoint": "records/phieu_bao_hanh"}]}]}},
    "layouts": {"phieu_bao_hanh": {"summary": ["ly_do"], "hidden": [], "tabs": []}},
}
RAW = ("phieu_bao_hanh", "ly_do", "trang_thai", "slip_state", "b379", "2026-11-21", "merged")


def lines_of(page: str) -> str:
    return page.split('class="card diff-group"', 1)[1].split('class="config-apply"', 1)[0]


def test_what_only_the_file_has_is_told_by_its_names(office: Browser) -> None:
    text = config_text.written(NEW)
    page = office.send("/settings/configuration/compare", {"text": text})
    assert page.status_code == 200
    vi = lines_of(unescape(page.get_data(as_text=True)))
    assert "Trường Phiếu bảo hành › Vì sao" in vi
    assert "chỉ hiện khi: Tình trạng là một trong: Đang mở" in vi
    assert "cột: Vì sao, Tình trạng (độ rộng: 90)" in vi
    assert "bộ lọc nhanh: “Tình trạng”" in vi
    assert "đã gộp (vào “Đang mở”)" in vi
    assert "Danh sách “Phiếu bảo hành”" in vi
    assert "Bố cục Phiếu bảo hành" in vi
    for raw in RAW:
        assert raw not in vi


def test_what_only_the_system_has_is_told_by_its_names(
    office: Browser, change: Callable[..., None]
) -> None:
    made = [(name, key, one, 0) for name, items in NEW.items() for key, one in items.items()]
    change(*made)
    lists = {"records_phieu_bao_hanh": {"columns": [{"key": "title"}]}}
    rest = {"kinds": {}, "fields": {}, "pick_lists": {}, "layouts": {}, "menus": {}, "lists": lists}
    page = office.send("/settings/configuration/compare", {"text": config_text.written(rest)})
    assert page.status_code == 200
    vi = lines_of(unescape(page.get_data(as_text=True)))
    assert "Trường Phiếu bảo hành › Vì sao" in vi
    assert "Tình trạng ↓" in vi
    for raw in RAW:
        assert raw not in vi
    revision = configuration.snapshot().revision
    page = office.send(
        "/settings/configuration/apply",
        {"text": config_text.written(rest), "revision": str(revision)},
    )
    assert page.status_code == 303
    for raw in RAW[:3]:  # of what is gone, earlier revisions know the names
        assert raw not in told(office).split('class="revision"', 1)[1].split("<dialog", 1)[0]


@pytest.mark.parametrize(
    ("ending", "said"), [("", "không đầy đủ"), ("\nend: true\n", "Dòng 5 không đọc được")]
)
def test_a_file_that_cannot_be_read_is_told_in_the_language_of_the_reader(
    office: Browser, ending: str, said: str
) -> None:
    text = "carebook_configuration: 1\nfields:\n  a: {}\n  customers.b\nlists: {}" + ending
    page = office.send("/settings/configuration/compare", {"text": text})
    shown = unescape(page.get_data(as_text=True))
    assert page.status_code == 422
    assert said in shown
    assert "could not" not in shown
    assert "expected" not in shown
