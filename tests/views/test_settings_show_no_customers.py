"""Whoever may configure and nothing else learns nothing about customers from screens of settings."""

import re
from collections.abc import Callable, Mapping
from html import unescape
from typing import Any

import pytest

from models import Staff
from rules.scope import SYSTEM, Actor
from services import configuration_changes
from services.configuration_changes import Change
from tests.factories import NOW, make_customer
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")

CHECK = "/settings/fields/customers/check"
MINE, OTHER = "Khách Của Tôi", "Phạm Thị Kín"


def role(**kinds: Mapping[str, Any]) -> None:
    content = {"label_vi": "Thiết kế", "kinds": kinds, "abilities": ["configure"]}
    apply(Change("roles", "designer", content))


def apply(*changes: Change) -> None:
    configuration_changes.apply(changes, says="x", by=SYSTEM, at=NOW)


@pytest.fixture
def designer(agent: Actor, browser_of: Callable[[Actor], Browser]) -> Browser:
    """May configure, and has nothing to do with customers; two customers are there."""
    apply(
        Change("fields", "customers.rank", {"type": "text", "label_vi": "Hạng"}),
        Change("fields", "customers.boss", {"type": "text", "label_vi": "Sếp"}),
    )
    role()
    Staff.collection().update_one({"_id": agent.staff_id}, {"$set": {"roles": ["designer"]}})
    make_customer(
        name=MINE, code="KH-1", address="12 Huế", owner_id=agent.staff_id, custom={"rank": "vàng"}
    )
    make_customer(name=OTHER, code="KH-2", address="99 Hà Nội", custom={"rank": "bạc kín"})
    return browser_of(agent)


def own_customers(**fields: str) -> None:
    role(customers={"actions": ["see"], "reach": "own", "fields": fields})


def checked(designer: Browser, expression: str) -> str:
    return unescape(designer.get(CHECK, query_string={"expression": expression}).text)


def preview(designer: Browser) -> str:
    items = ["summary", "field:address", "tab:details", "section:1", "field:rank", "hidden"]
    form = {"item": items, "tab.details.is_on": "1"}
    return unescape(designer.send("/settings/layouts/customers/preview", form).text)


def loss(designer: Browser, key: str = "rank") -> str:
    address = f"/settings/fields/customers/{key}"
    version = re.search(r'name="version" value="(\d+)"', designer.get(address).text)
    assert version
    sent = {"version": version.group(1), "label_vi": "Hạng", "type": "integer"}
    answer = designer.send(address, sent)
    assert answer.status_code == 422
    return unescape(answer.text)


def test_an_expression_is_tried_on_no_record_that_its_author_does_not_see(
    designer: Browser,
) -> None:
    assert designer.get("/customers/").status_code == 403
    page = checked(designer, 'concat(address, "!")')
    assert "Hà Nội" not in page
    assert OTHER not in page
    assert "bản ghi trống" in page, "it says on what it was tried"
    assert "7" in checked(designer, "coalesce(revenue, 7)")


def test_an_expression_is_tried_on_the_newest_record_that_its_author_sees(
    designer: Browser,
) -> None:
    own_customers()
    page = checked(designer, "address")
    assert MINE in page
    assert "12 Huế" in page


def test_an_expression_over_a_hidden_field_says_nothing_about_a_record(designer: Browser) -> None:
    far = {"type": "computed", "label_vi": "Xa", "expression": "length(address)"}
    apply(Change("fields", "customers.far", far))
    own_customers(address="masked")
    for expression in ("length(address)", "far + 1"):
        page = checked(designer, expression)
        assert MINE not in page
        assert "bản ghi trống" in page
    assert MINE in checked(designer, "length(rank)")


def test_the_preview_of_a_layout_is_blank_for_who_sees_no_record(designer: Browser) -> None:
    page = preview(designer)
    for secret in (OTHER, MINE, "Hà Nội", "bạc kín"):
        assert secret not in page
    assert "Hạng" in page, "the fields are there"
    assert "không có giá trị" in page
    assert OTHER not in unescape(designer.get("/settings/layouts/customers").text)


def test_the_preview_of_a_layout_shows_what_its_author_sees(designer: Browser) -> None:
    own_customers(rank="hidden")
    page = preview(designer)
    assert MINE in page
    assert "12 Huế" in page
    assert OTHER not in page
    assert "vàng" not in page


def test_the_losses_of_a_change_of_type_are_numbers_and_what_its_author_sees(
    designer: Browser,
) -> None:
    page = loss(designer)
    assert re.search(r"<b>2</b> không còn phù hợp", page)
    for secret in (OTHER, MINE, "vàng", "bạc kín"):
        assert secret not in page
    own_customers()
    page = loss(designer)
    assert "vàng" in page
    assert "KH-1" in page
    assert "bạc kín" not in page
    own_customers(rank="hidden")
    assert "vàng" not in loss(designer)


def test_what_is_there_twice_is_named_to_who_sees_it_only(designer: Browser) -> None:
    for number in range(2):
        make_customer(code=f"KH-B{number}", custom={"boss": "Trùm Kín"})
    address = "/settings/fields/customers/boss"
    sent = {"version": "1", "label_vi": "Sếp", "type": "text", "is_unique": "1"}
    answer = designer.send(address, sent)
    assert answer.status_code == 422
    assert "Trùm Kín" not in unescape(answer.text)
    role(customers={"actions": ["see"], "reach": "all"})
    assert "Trùm Kín" in unescape(designer.send(address, sent).text)
