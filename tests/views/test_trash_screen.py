"""[Thùng rác]: deleting with undo, looking for what was deleted, bringing it back, for good."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from bson import ObjectId

from models import Customer, Order, Product, Site, TrashedRecord
from rules.scope import Actor
from services import export
from tests.factories import TODAY, ZONE, make_customer, make_order, make_product
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")
NAME = "Khách đã xoá mất"


@pytest.fixture
def boss(manager: Actor, browser_of: Callable[[Actor], Browser]) -> Browser:
    return browser_of(manager)


@pytest.fixture
def customer(db: Any) -> ObjectId:
    made = make_customer(
        code="KH-XOA", name=NAME, search="khach da xoa mat", search_words=["khach", "xoa"]
    )
    make_order(made, {make_product("SP1"): 1}, code="DH-XOA", due_on=TODAY)
    return made


def batch() -> ObjectId:
    root = TrashedRecord.collection().find_one({"is_root": True})
    assert root
    found: ObjectId = root["_id"]
    return found


def test_deleting_offers_undo_in_a_toast(boss: Browser, customer: ObjectId) -> None:
    assert f'action="/customers/{customer}/delete"' in boss.get(f"/customers/{customer}").text
    response = boss.send(f"/customers/{customer}/delete")
    assert (response.status_code, response.location) == (303, "/customers/")
    page = boss.get("/customers").text
    assert f'action="/customers/{customer}/restore"' in page
    assert "toast-undo" in page
    response = boss.send(f"/customers/{customer}/restore")
    assert response.location == f"/customers/{customer}"
    assert NAME in boss.get(response.location).text
    assert Order.collection().find_one({"code": "DH-XOA"})


def test_it_is_seen_nowhere_but_in_the_trash(boss: Browser, customer: ObjectId) -> None:
    order = Order.collection().find_one({"code": "DH-XOA"})
    assert order
    boss.send(f"/customers/{customer}/delete")
    boss.get("/customers")  # the toast is shown once
    for address in (
        *("/", "/orders/due?due=all", "/orders/due/by-group", "/orders/due/by-area"),
        *("/customers/due?due=all", "/customers", "/customers?q=xoa", "/care/history"),
        *("/lookup/customer?q=xoa", "/today/queue", "/assignments/customers", "/jobs"),
    ):
        response = boss.get(address, follow_redirects=True)
        assert NAME not in response.text, address
        assert "DH-XOA" not in response.text, address
    for address in (
        *(f"/customers/{customer}", f"/customers/{customer}/edit", f"/viewers/{customer}"),
        *(f"/care/customers/{customer}", f"/care/orders/{order['_id']}"),
        *(f"/orders/{order['_id']}", f"/changes/customers/{customer}"),
        f"/customers/rows/{customer}",
    ):
        assert boss.get(address).status_code == 404, address
    assert re.search(r">\s*0\s*<", boss.get("/customers/count").text)
    for kind in export.EXPORTS:
        rows = export.rows(kind, fields=None, filters=(), zone=ZONE)
        assert not any("XOA" in str(cell) for row in rows for cell in row)


def test_the_list_says_what_who_when_and_until_when(boss: Browser, customer: ObjectId) -> None:
    boss.send(f"/customers/{customer}/delete")
    page = boss.get("/trash").text
    for text in (NAME, "KH-XOA", "1 đơn hàng", "Lê Thị Chi", "21/11/2026", "21/12/2026"):
        assert text in page, text
    assert NAME in boss.get("/trash?q=xoa").text
    assert NAME not in boss.get("/trash?q=zzz").text
    assert NAME not in boss.get("/trash?kind=orders").text
    Site.collection().update_one({"key": "site"}, {"$set": {"trash_days": None}})
    assert "21/12/2026" not in boss.get("/trash").text


def test_it_comes_back_from_the_trash(boss: Browser, customer: ObjectId) -> None:
    boss.send(f"/customers/{customer}/delete")
    page = boss.get(f"/trash/{batch()}").text
    assert "DH-XOA" in page
    response = boss.send(f"/trash/{batch()}/restore")
    assert response.location == f"/customers/{customer}"
    assert boss.send(f"/trash/{ObjectId()}/restore").status_code == 404


def test_a_taken_code_is_asked_for_again(boss: Browser, customer: ObjectId) -> None:
    boss.send(f"/customers/{customer}/delete")
    make_customer(code="KH-XOA")
    field = f"code-{batch()}"
    assert 'value="KH-XOA-2"' in boss.get(f"/trash/{batch()}").text
    response = boss.send(f"/trash/{batch()}/restore", {field: "KH-XOA"})
    assert response.status_code == 422
    assert "bản ghi khác" in response.text
    assert boss.send(f"/trash/{batch()}/restore", {field: "KH-MOI"}).status_code == 303
    found = Customer.collection().find_one({"_id": customer})
    assert found
    assert found["code"] == "KH-MOI"


def test_for_good_needs_the_code(boss: Browser, customer: ObjectId) -> None:
    boss.send(f"/customers/{customer}/delete")
    response = boss.send(f"/trash/{batch()}/purge", {"confirm": "KH"})
    assert response.status_code == 422
    assert 'id="confirm-error"' in response.text
    response = boss.send(f"/trash/{batch()}/purge", {"confirm": "KH-XOA"})
    assert (response.status_code, response.location) == (303, "/trash/")
    assert TrashedRecord.collection().count_documents({}) == 0


def test_a_product_is_deleted_from_its_panel(boss: Browser, customer: ObjectId) -> None:
    product = Product.collection().find_one({"code": "SP1"})
    assert product
    address = f"/products/{product['_id']}"
    assert f'action="{address}/delete"' in boss.get(f"{address}/care").text
    assert boss.send(f"{address}/delete").status_code == 303
    assert f'action="{address}/restore"' in boss.get("/products").text
    assert Product.collection().find_one({"code": "SP1"}) is None
    assert boss.send(f"{address}/restore").status_code == 303
    assert Product.collection().find_one({"code": "SP1"}) == product


def test_a_care_agent_neither_deletes_nor_looks_into_the_trash(
    agent: Actor, boss: Browser, browser_of: Callable[[Actor], Browser], customer: ObjectId
) -> None:
    desk = browser_of(agent)
    assert "/delete" not in desk.get(f"/customers/{customer}").text
    assert desk.send(f"/customers/{customer}/delete").status_code == 403
    boss.send(f"/customers/{customer}/delete")
    for address in ("/trash", f"/trash/{batch()}"):
        assert desk.get(address).status_code == 403
    for address in (f"/trash/{batch()}/restore", f"/trash/{batch()}/purge"):
        assert desk.send(address, {"confirm": "KH-XOA"}).status_code == 403
    assert desk.send(f"/customers/{customer}/restore").status_code == 403
    assert TrashedRecord.collection().count_documents({"is_root": True}) == 1
