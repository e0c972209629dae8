"""Ctrl+K finds customers, orders, products, records and screens, and nothing out of sight (B.4)."""

from typing import Any

import pytest

from models import Product, Site
from rules.scope import Actor
from services import configuration_changes
from services.configuration_changes import Change
from services.customers import search_fields
from tests.factories import NOW, make_customer, make_order
from tests.views.conftest import Browser


def make(name: str, **more: Any) -> Any:
    values = {"name": name, "code": f"KH-{name}", "phones": [], **more}
    return make_customer(**values, **search_fields(values))


def test_it_finds_by_name_without_accents_exact_accents_first(desk: Browser) -> None:
    make("Nguyễn Hoa", code="KH-1")
    make("Nguyễn Hòa", code="KH-2")
    page = desk.get("/search/?q=hòa").text
    assert page.index("Nguyễn Hòa") < page.index("Nguyễn Hoa")
    assert "Nguyễn Hòa" in desk.get("/search/?q=hoa").text


def test_exact_accents_come_first_among_very_many_that_are_alike(desk: Browser) -> None:
    for number in range(30):
        make("Bùi Minh", code=f"KH-{number}")
    make("Bùi Mính", code="KH-99")
    page = desk.get("/search/?q=mính").text
    assert page.index("Bùi Mính") < page.index("Bùi Minh")


@pytest.mark.parametrize("typed", ["KH-000204", "kh000204", "KH204", "kh 204", "000204", "204"])
def test_it_finds_by_a_number_however_it_is_written(desk: Browser, typed: str) -> None:
    customer = make("Ân", code="KH-000204")
    make("Không phải", code="KH-000205")
    make_order(customer, code="DH-000204")
    page = desk.get("/search/", query_string={"q": typed}).text
    assert "KH-000204" in page
    assert "KH-000205" not in page
    assert ("DH-000204" in page) == typed[0].isdigit()
    found = desk.get("/customers/", query_string={"q": typed}).text
    assert "KH-000204" in found
    assert "KH-000205" not in found


def test_it_finds_by_any_spelling_of_a_phone_and_by_code(desk: Browser) -> None:
    customer = make("Ân", code="KH-77", phones=["0912 345 678"])
    make_order(customer, code="DH-123")
    assert "Ân" in desk.get("/search/?q=%2B84912345678").text
    assert "Ân" in desk.get("/search/?q=kh-77").text
    assert "DH-123" in desk.get("/search/?q=dh-12").text


def test_it_finds_products_records_and_screens(desk: Browser, administrator: Actor) -> None:
    Product.collection().insert_one({"code": "P1", "name": "Trà sen", "search_words": ["tra"]})
    configuration_changes.apply(
        [Change("kinds", "contract", {"label_vi": "Hợp đồng"})], says="t", by=administrator, at=NOW
    )
    desk.send("/e/contract/new", {"title": "Trà đạo"})
    page = desk.get("/search/?q=tra").text
    assert "Trà sen" in page
    assert "Trà đạo" in page
    assert "/customers/due/" in desk.get("/search/?q=khach+hang+can").text


def test_nothing_out_of_sight_is_found(desk: Browser) -> None:
    customer = make("Người Lạ")
    make_order(customer, code="DH-LA")
    Site.collection().update_one(
        {"key": "site"}, {"$set": {"care_mode": "by_customer"}, "$inc": {"config_rev": 1}}
    )
    assert "Người Lạ" not in desk.get("/search/?q=nguoi").text
    assert "DH-LA" not in desk.get("/search/?q=dh-la").text
    assert "/staff/" not in desk.get("/search/?q=nhan+vien").text


def test_nonsense_finds_nothing_and_breaks_nothing(desk: Browser) -> None:
    for words in ("$where", "(((", "\\", "<script>", "a" * 500, "%00", "♥"):
        answer = desk.get("/search/", query_string={"q": words})
        assert answer.status_code == 200
        assert "<script>" not in answer.text
