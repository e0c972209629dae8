"""Numbers stand on a page, and are understood on it, as its language writes them."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from bson import Decimal128

from models import ConfigurationItem, Customer, Site, Staff
from rules.scope import Actor
from tests.factories import make_customer
from tests.views.conftest import Browser

EDIT = "/customers/{}/edit"


def configure(key: str, **content: Any) -> None:
    ConfigurationItem.collection().update_one(
        {"section": "fields", "key": f"customers.{key}"},
        {"$set": {"content": content, "version": 1}},
        upsert=True,
    )
    Site.collection().update_one({"key": "site"}, {"$inc": {"config_rev": 1}})


@pytest.fixture
def office(
    morning: None, shipped: None, administrator: Actor, browser_of: Callable[[Actor], Browser]
) -> Browser:
    return browser_of(administrator)


@pytest.fixture(autouse=True)
def fields(shipped: None) -> None:
    configure("rate", type="decimal", label_vi="Tỷ lệ")
    configure("price", type="money", label_vi="Giá")
    configure("share", type="percent", label_vi="Phần")
    configure("pieces", type="integer", label_vi="Số cái")


def reads(language: str) -> None:
    Staff.collection().update_many({}, {"$set": {"locale": language}})


def custom(customer_id: Any) -> dict[str, Any]:
    return dict((Customer.collection().find_one({"_id": customer_id}) or {}).get("custom", {}))


SENT = re.compile(
    r"version|key|type|label_vi|maximum|in\.|(was\.|in\.)?(rate|price|share|pieces|emails|note)"
)


def form_of(page: str) -> dict[str, str]:
    """What the form would send, as far as it is about numbers."""
    found = {}
    for tag in re.findall(r"<input[^>]+>", page.split('<form class="card edit-form')[1]):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and SENT.fullmatch(name[1]):
            found[name[1]] = unescape(value[1]) if value else ""
    return found


@pytest.mark.parametrize(
    ("language", "price", "rate"),
    [("vi", "1.250.000", "1234567,5"), ("en", "1,250,000", "1234567.5")],
)
def test_a_form_shows_numbers_as_its_reader_writes_them(
    desk: Browser, language: str, price: str, rate: str
) -> None:
    customer = make_customer(
        custom={"price": Decimal128("1250000"), "rate": Decimal128("1234567.5")}
    )
    reads(language)
    shown = form_of(desk.get(EDIT.format(customer)).text)
    assert (shown["price"], shown["rate"], shown["in.rate"]) == (price, rate, language)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_form_that_is_sent_back_unchanged_changes_no_number(desk: Browser, language: str) -> None:
    reads(language)
    values = {
        "rate": ["1.234", "1234", "0.000001", "-1234567.5", "0.12345678", "1E+20", "12345.678"],
        "price": ["1250000", "1234.5", "999", "-1250", "123456789012345678"],
        "share": ["12.5", "100", "1.5", "0"],
    }
    for key, texts in values.items():
        for text in texts:
            stored = {key: Decimal128(text)}
            customer = make_customer(custom=stored)
            sent = form_of(desk.get(EDIT.format(customer)).text)
            answer = desk.send(EDIT.format(customer), {**sent, "note": "Đã gọi"})
            assert answer.status_code == 303, (key, text)
            assert custom(customer) == stored


@pytest.mark.parametrize(
    ("language", "typed", "stored"),
    [
        ("vi", {"rate": "1,234"}, {"rate": Decimal128("1.234")}),
        ("en", {"rate": "1,234"}, {"rate": Decimal128("1234")}),
        ("vi", {"rate": "1.234"}, {"rate": Decimal128("1234")}),
        ("en", {"rate": "1.234"}, {"rate": Decimal128("1.234")}),
        ("en", {"price": "1,250,000 ₫"}, {"price": 1250000}),
        (
            "en",
            {"share": "12.5 %", "pieces": "1,200"},
            {"share": Decimal128("12.5"), "pieces": 1200},
        ),
    ],
)
def test_what_is_typed_is_read_by_the_language_of_the_page(
    desk: Browser, language: str, typed: dict[str, str], stored: dict[str, Any]
) -> None:
    customer = make_customer()
    reads(language)
    sent = form_of(desk.get(EDIT.format(customer)).text)
    assert desk.send(EDIT.format(customer), {**sent, **typed}).status_code == 303
    assert custom(customer) == stored


def test_a_tab_from_before_the_language_changed_is_read_as_it_was_meant(desk: Browser) -> None:
    customer = make_customer()
    reads("en")
    sent = form_of(desk.get(EDIT.format(customer)).text)
    reads("vi")
    assert desk.send(EDIT.format(customer), {**sent, "rate": "1,234"}).status_code == 303
    assert custom(customer) == {"rate": Decimal128("1234")}


def test_what_is_drawn_again_in_another_language_is_written_as_that_does(desk: Browser) -> None:
    customer = make_customer(custom={"share": Decimal128("2.5")})
    reads("en")
    sent = form_of(desk.get(EDIT.format(customer)).text)
    reads("vi")
    answer = desk.send(EDIT.format(customer), {**sent, "rate": "1,234.5", "emails": "none"})
    again = form_of(answer.text)
    assert answer.status_code == 422
    assert (again["rate"], again["in.rate"], again["was.share"]) == ("1.234,5", "vi", "2,5")
    assert desk.send(EDIT.format(customer), {**again, "emails": ""}).status_code == 303
    assert custom(customer) == {"share": Decimal128("2.5"), "rate": Decimal128("1234.5")}


def test_an_impossible_number_is_refused_and_stays_beside_all_else_that_is_wrong(
    desk: Browser,
) -> None:
    customer = make_customer(custom={"rate": Decimal128("2.5")})
    reads("en")
    sent = form_of(desk.get(EDIT.format(customer)).text)
    answer = desk.send(
        EDIT.format(customer), {**sent, "rate": "1.234,5", "pieces": "1,200", "emails": "none"}
    )
    again = form_of(answer.text)
    assert answer.status_code == 422
    assert (again["rate"], again["was.rate"], again["pieces"]) == ("1.234,5", "2.5", "1,200")
    assert "Write it like 1,250.5." in answer.text
    assert "is not an e-mail address" in answer.text
    assert custom(customer) == {"rate": Decimal128("2.5")}


def test_a_conflict_shows_the_other_value_in_the_readers_way(desk: Browser) -> None:
    customer = make_customer(custom={"price": 1000})
    reads("en")
    sent = form_of(desk.get(EDIT.format(customer)).text)
    Customer.collection().update_one({"_id": customer}, {"$set": {"custom.price": 2500}})
    answer = desk.send(EDIT.format(customer), {**sent, "price": "3,000"})
    assert answer.status_code == 409
    assert form_of(answer.text)["price"] == "3,000"
    assert "2,500\u00a0₫" in answer.text


def test_a_cell_and_its_undo_keep_to_the_language(desk: Browser) -> None:
    customer = make_customer(custom={"rate": Decimal128("1.5")})
    reads("en")
    address = f"/customers/cell/{customer}/rate"
    desk.send("/customers/columns", {"columns": ["name", "rate"]})
    assert 'value="1.5"' in desk.get(address).text
    answer = desk.send(address, {"rate": "1,234.5", "was.rate": "1.5", "in.rate": "en"})
    assert custom(customer) == {"rate": Decimal128("1234.5")}
    assert "1,234.5" in answer.text
    refused = desk.send(address, {"rate": "12,5", "was.rate": "1234.5", "in.rate": "en"})
    assert refused.status_code == 422
    assert 'value="12,5"' in refused.text
    desk.send(answer.headers["HX-Trigger"].split('"undo": "')[1].split('"')[0])
    assert custom(customer) == {"rate": Decimal128("1.5")}


def test_one_field_of_a_page_keeps_to_the_language(desk: Browser) -> None:
    customer = make_customer(custom={"price": 1000})
    reads("en")
    address = f"/record/customers/{customer}/price"
    assert 'value="1,000"' in desk.get(address).text
    refused = desk.send(address, {"price": "1.500", "was.price": "1,000", "in.price": "en"})
    assert refused.status_code == 422
    assert 'value="1.500"' in refused.text
    answer = desk.send(address, {"price": "1,500", "was.price": "1,000", "in.price": "en"})
    assert "1,500\u00a0₫" in answer.text
    assert custom(customer) == {"price": 1500}


def test_a_bulk_change_says_and_sets_what_was_typed(desk: Browser) -> None:
    customer = make_customer(custom={"rate": Decimal128("1.5")})
    reads("en")
    form = {"ids": str(customer), "field": "rate", "shown_field": "rate", "way": "set"}
    looked = desk.send("/customers/bulk", {**form, "step": "preview", "rate": "1,234.5"}).text
    assert "1.5</td>" in looked
    assert "<b>1,234.5</b>" in looked
    refused = desk.send("/customers/bulk", {**form, "step": "apply", "rate": "1.234,5"})
    assert refused.status_code == 422
    assert 'value="1.234,5"' in refused.text
    desk.send("/customers/bulk", {**form, "step": "apply", "rate": "1,234.5"})
    assert custom(customer) == {"rate": Decimal128("1234.5")}


def test_a_filter_is_read_as_it_was_drawn(desk: Browser) -> None:
    reads("en")
    form = {
        "part": ["and:1", "2", ")"],
        "field.2": "rate",
        "operator.2": "ge",
        "was.2": "rate:number",
        "do": "apply",
    }
    read = {
        language: desk.send(
            "/filters/customers", {**form, "value.2": "1,234", "in.": language}
        ).headers.get("Location", "")
        for language in ("en", "vi")
    }
    assert "1234" in read["en"]
    assert "1.234" in read["vi"]
    refused = desk.send("/filters/customers", {**form, "value.2": "12,5", "in.": "en"})
    assert refused.status_code == 422
    assert 'value="12,5"' in refused.text


def test_limits_of_a_field_are_read_and_shown_in_the_administrators_way(
    office: Browser,
) -> None:
    reads("en")
    typed = {"label_vi": "Cân", "type": "decimal", "key": "weight", "maximum": "1,234.5"}
    office.send("/settings/fields/customers/new", {**typed, "in.": "en"})
    item = ConfigurationItem.collection().find_one({"key": "customers.weight"}) or {}
    assert item["content"]["maximum"] == "1234,5"
    page = office.get("/settings/fields/customers/weight").text
    assert form_of(page)["maximum"] == "1234.5"
    office.send(
        "/settings/fields/customers/weight",
        {**form_of(page), "type": "decimal", "label_en": "Weight"},
    )
    item = ConfigurationItem.collection().find_one({"key": "customers.weight"}) or {}
    assert (item["content"]["maximum"], item["content"]["label_en"]) == ("1234,5", "Weight")
    refused = office.send("/settings/fields/customers/new", typed | {"maximum": "1.234,5"})
    assert refused.status_code == 422
    assert 'value="1.234,5"' in refused.text


def test_a_price_in_a_relationship_rule_is_never_ten_times_as_much(office: Browser) -> None:
    reads("en")
    rule = {
        "rules": "1",
        "version": "1",
        "r0.key": "big",
        "r0.label_vi": "Lớn",
        "r0.status": "vip",
        "r0.conditions": "1",
        "r0.c0.fact": "revenue",
        "r0.c0.operator": "at_least",
        "in.": "en",
    }
    for typed, is_read in (("12.5", False), ("1,250,000", True)):
        page = office.send("/settings/relationships/", {**rule, "r0.c0.number": typed, "do": "try"})
        assert ("revenue: at least 1,250,000" in page.text) == is_read
