"""Forms built from the fields of a kind: what is shown, kept, refused and escaped."""

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from bson import ObjectId

from models import ConfigurationItem, Customer, Order, Product
from rules.scope import Actor
from services.configuration_changes import Change, apply
from tests.factories import NOW, make_customer, make_order, make_product
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("desk")


@pytest.fixture
def define(administrator: Actor) -> Callable[..., None]:
    """Adds fields to customers: `define(level={"type": "integer"})`."""

    def add(kind: str = "customers", **fields: dict[str, Any]) -> None:
        made = [
            Change("fields", f"{kind}.{key}", {"label_vi": f"Nhãn {key}"} | content)
            for key, content in fields.items()
        ]
        apply(made, says="fields", by=administrator, at=NOW)

    return add


def shown(page: str, key: str) -> str:
    """The markup of one field."""
    found = re.search(rf'data-field="{key}".*?(?=data-field=|<footer)', page, re.S)
    assert found, key
    return unescape(found.group(0))


def stored(customer_id: ObjectId) -> dict[str, Any]:
    return Customer.collection().find_one({"_id": customer_id}) or {}


def test_a_new_field_is_in_the_form_and_is_saved(
    desk: Browser, define: Callable[..., None]
) -> None:
    customer = make_customer()
    define(
        level={"type": "integer"},
        vip={"type": "yes_no"},
        likes={"type": "choices", "pick_list": "source"},
    )
    address = f"/customers/{customer}/edit"
    assert "Nhãn level" in desk.get(address).text
    sent = {"was.level": "", "level": "1.250", "was.vip": "no", "vip": ["no", "yes"]}
    response = desk.send(address, sent | {"was.likes": "", "likes": ["", "zalo", "facebook"]})
    assert response.status_code == 303
    assert stored(customer)["custom"] == {"level": 1250, "vip": True, "likes": ["zalo", "facebook"]}
    page = desk.get(address).text
    assert 'value="1250"' in shown(page, "level")
    assert re.search(r'value="zalo" checked', shown(page, "likes"))


def test_switched_off_and_unticked_is_saved_too(desk: Browser, define: Callable[..., None]) -> None:
    customer = make_customer(custom={"vip": True, "likes": ["zalo"]})
    define(vip={"type": "yes_no"}, likes={"type": "choices", "pick_list": "source"})
    sent = {"was.vip": "yes", "vip": "no", "was.likes": "zalo", "likes": ""}
    assert desk.send(f"/customers/{customer}/edit", sent).status_code == 303
    assert stored(customer)["custom"] == {"vip": False}


def test_a_field_that_a_role_may_not_fill_in_is_absent_and_refused(
    desk: Browser, define: Callable[..., None], db: Any
) -> None:
    customer = make_customer(custom={"secret": "mật"})
    define(secret={"type": "text", "is_retired": True})
    address = f"/customers/{customer}/edit"
    page = desk.get(address).text
    assert "secret" not in page
    assert "mật" not in page
    response = desk.send(address, {"was.note": "", "note": "x", "secret": "của tôi"})
    assert response.status_code == 422
    assert "không phải là trường bạn được điền" in unescape(response.text)
    assert stored(customer)["custom"] == {"secret": "mật"}


def test_a_condition_comes_as_data_and_the_server_decides(
    desk: Browser, define: Callable[..., None]
) -> None:
    define(reason={"type": "text", "visible_when": "and(relationship.in(lost),revenue.ge(5))"})
    customer = make_customer(relationship="lost", facts={"revenue": 9})
    page = desk.get(f"/customers/{customer}/edit").text
    found = shown(page, "reason")
    assert re.match(r'data-field="reason" data-family="text" data-when="[^>]*">', found)
    when = re.search(r'data-field="reason"[^>]*data-when="([^"]*)"', page)
    assert when
    # What is not part of the form is answered by the server, and its value does not leave it.
    assert json.loads(unescape(when.group(1))) == {
        "and": [{"field": "relationship", "operator": "in", "values": ["lost"]}, True]
    }
    other = make_customer(relationship="new")
    page = desk.get(f"/customers/{other}/edit").text
    assert re.search(r'data-field="reason"[^>]* hidden>', page)
    response = desk.send(f"/customers/{other}/edit", {"was.reason": "", "reason": "x"})
    assert response.status_code == 422
    assert "Mục này không áp dụng" in unescape(response.text)


def test_labels_help_and_choices_are_escaped(desk: Browser, define: Callable[..., None]) -> None:
    bad = "<script>alert(1)</script>"
    ConfigurationItem.collection().update_one(
        {"section": "pick_lists", "key": "source"},
        {"$push": {"content.values": {"key": bad, "label_vi": bad, "label_en": bad}}},
    )
    define(
        a={"type": "choice", "pick_list": "source", "label_vi": bad, "help_vi": bad},
        b={"type": "choices", "pick_list": "source", "label_vi": "x" * 500},
    )
    customer = make_customer(custom={"a": bad, "b": [bad]})
    page = desk.get(f"/customers/{customer}/edit").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_customer_is_added_from_the_list(desk: Browser) -> None:
    assert 'href="/customers/new"' in desk.get("/customers").text
    page = desk.get("/customers/new").text
    new_id = re.search(r'name="record_id" value="([0-9a-f]{24})"', page)
    assert new_id
    sent = {
        "record_id": new_id.group(1),
        "name": "Lê Hoà",
        "kind": "person",
        "phones": "0912440785",
    }
    for _ in range(2):  # a double click adds one
        response = desk.send("/customers/new", sent)
        assert response.status_code == 303
        assert response.location == f"/customers/{new_id.group(1)}"
    assert Customer.collection().count_documents({}) == 1


def test_a_mistake_keeps_what_was_typed(desk: Browser) -> None:
    sent = {"name": "", "kind": "person", "note": "gõ <cả> buổi"}
    response = desk.send("/customers/new", sent | {"record_id": str(ObjectId())})
    assert response.status_code == 422
    assert "gõ &lt;cả&gt; buổi" in response.text
    assert Customer.collection().count_documents({}) == 0


def test_a_known_number_is_said_while_it_is_typed(desk: Browser) -> None:
    known = make_customer(name="Ngô <b>Ba</b>", phone_keys=["+84912440785"])
    page = desk.get("/customers/same-phone?phones=0912440785").text
    assert "Ngô &lt;b&gt;Ba&lt;/b&gt;" in page
    assert f"/customers/{known}" in page
    assert desk.get(f"/customers/same-phone?phones=0912440785&besides={known}").text.strip() == ""
    assert desk.get("/customers/same-phone?phones=%00%22x").text.strip() == ""


def test_orders_and_products_have_the_same_form(
    desk: Browser,
    manager: Actor,
    browser_of: Callable[[Actor], Browser],
    define: Callable[..., None],
) -> None:
    define("orders", box={"type": "text"})
    define("products", maker={"type": "text"})
    order = make_order(make_customer(), status="confirmed")
    response = desk.send(
        f"/orders/{order}/edit", {"version": "1", "status": "shipping", "box": "7"}
    )
    assert response.status_code == 303
    found = Order.collection().find_one({"_id": order}) or {}
    assert (found["status"], found["custom"]) == ("shipping", {"box": "7"})
    product = (Product.collection().find_one({"code": make_product("SP1")}) or {})["_id"]
    assert desk.get(f"/products/{product}/edit").status_code == 403
    boss = browser_of(manager)
    assert "Nhãn maker" in boss.get(f"/products/{product}/edit").text
    sent = {"version": "1", "name": "Trà", "interval": "9", "maker": "Đà Lạt"}
    assert boss.send(f"/products/{product}/edit", sent).status_code == 303
    found = Product.collection().find_one({"_id": product}) or {}
    assert (found["name"], found["care_interval_days"]) == ("Trà", 9)
    assert found["search"] == "tra sp1"


@pytest.mark.parametrize("kind", ["customers", "products", "orders"])
def test_a_reference_is_searched_by_name(desk: Browser, kind: str) -> None:
    make_customer(name="Lê Hoà", search_words=["le", "hoa"], code="KH-9")
    make_product("SP-9", search_words=["tra"])
    make_order(None, code="DH-9")
    words = {"customers": "hoà", "products": "trà", "orders": "DH-9"}[kind]
    page = desk.get(f"/lookup/reference/{kind}", query_string={"q": words}).text
    assert page.count('role="option"') == 1
    assert desk.get(f"/lookup/reference/{kind}?q=zzz").text.count('role="option"') == 0
    assert desk.get("/lookup/reference/nothing").status_code == 404
