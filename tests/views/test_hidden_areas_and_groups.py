"""Trees, filters, groups and counts by area or product group are for those who may see that field."""

from collections.abc import Callable
from typing import Any

import pytest
from bson import ObjectId

from models import Area, Product, ProductGroup, Staff
from rules.permissions import Access, KindPermission, Role
from rules.scope import SYSTEM, Actor
from services import configuration_changes
from services.configuration_changes import Change
from services.recompute import recompute_customers
from services.scope import recompute_all_scope
from tests.factories import NOW, TODAY, make_customer, make_order, make_product, make_record
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")
AREA, GROUP = "Vùng Kín", "Nhóm Kín"


@pytest.fixture
def ids(db: Any) -> dict[str, ObjectId]:
    """A due order of a customer in an area, for a product of a group."""
    area = Area.collection().insert_one({"name": AREA, "search": "vung kin"}).inserted_id
    group = {"name": GROUP, "path": [GROUP], "parent_id": None, "ancestor_ids": []}
    group_id = ProductGroup.collection().insert_one(group).inserted_id
    code = make_product("SP1")
    grouped = {"group_id": group_id, "group_ids": [group_id]}
    Product.collection().update_one({"code": code}, {"$set": grouped})
    customer = make_customer(name="Khách Có Vùng", area_id=area)
    order = make_order(
        customer, {code: 1}, due_on=TODAY, code="DH-1", area_id=area, group_ids=[group_id]
    )
    recompute_customers([customer])
    recompute_all_scope(at=NOW)
    return {"area": area, "group": group_id, "customer": customer, "order": order}


@pytest.fixture
def give(agent: Actor, browser_of: Callable[[Actor], Browser]) -> Callable[..., Browser]:
    """A browser of somebody who sees everything but these fields: `give(customers="area")`."""

    def make(**hidden: str) -> Browser:
        kinds: dict[str, dict[str, Any]] = {
            kind: {"actions": ["see", "edit", "create", "export"], "reach": "all"}
            for kind in ("customers", "orders", "products", "entries", "phieu")
        }
        for kind, key in hidden.items():
            kinds[kind]["fields"] = {key: "hidden"}
        content = {"label_vi": "Tổng đài", "kinds": kinds, "abilities": ["assign"]}
        changes = [
            Change("kinds", "phieu", {"label_vi": "P", "has_customer": True, "has_care": True}),
            Change("roles", "operator", content),
        ]
        configuration_changes.apply(changes, says="x", by=SYSTEM, at=NOW)
        Staff.collection().update_one({"_id": agent.staff_id}, {"$set": {"roles": ["operator"]}})
        return browser_of(agent)

    return make


def addresses(ids: dict[str, ObjectId]) -> list[str]:
    area, group = ids["area"], ids["group"]
    return [
        "/",
        "/orders/due",
        f"/orders/due?area={area}",
        "/orders/due/by-area",
        f"/orders/due/by-area?area={area}",
        "/orders/due/by-area/count",
        "/orders/due/by-group",
        f"/orders/due/by-group?group={group}",
        "/orders/due?group=area&mode=group",
        "/orders/due/menu/columns",
        "/orders/due/export/csv",
        "/customers",
        f"/customers?area={area}",
        "/customers?group=area",
        "/customers/due",
        "/customers/export/csv",
        "/products",
        f"/products?group={group}",
        "/products?group=group",
        "/products/export/csv",
        "/assignments/products",
        f"/assignments/products?group={group}",
        "/assignments/customers",
        f"/assignments/customers?area={area}",
        f"/customers/{ids['customer']}",
        f"/orders/{ids['order']}",
        f"/care/orders/{ids['order']}",
        f"/care/customers/{ids['customer']}?for=customer",
        "/search?q=vung",
    ]


def telling(browser: Browser, ids: dict[str, ObjectId], name: str) -> list[str]:
    return [address for address in addresses(ids) if name in browser.get(address).text]


def test_who_sees_the_area_finds_it_in_many_places(
    give: Callable[..., Browser], ids: dict[str, ObjectId]
) -> None:
    browser = give()
    assert len(telling(browser, ids, AREA)) > 8
    assert len(telling(browser, ids, GROUP)) > 4


@pytest.mark.parametrize("kind", ["customers", "orders"])
def test_a_hidden_area_is_in_no_tree_filter_group_or_file(
    give: Callable[..., Browser], ids: dict[str, ObjectId], kind: str
) -> None:
    """An order repeats the area of its customer: hidden there, it is hidden here."""
    browser = give(**{kind: "area"})
    told = telling(browser, ids, AREA)
    assert not [one for one in told if kind == "customers" or one.startswith("/orders")]
    assert browser.get("/orders/due/by-area").status_code == 403
    assert browser.get("/orders/due/by-area/count").status_code == 403
    assert 'data-screen="orders_due_by_area"' not in browser.get("/orders/due").text
    nowhere = f"/orders/due?area={ObjectId()}"
    assert "DH-1" in browser.get(nowhere).text, "the filter is not theirs, and narrows nothing"


def test_a_hidden_group_is_in_no_tree_filter_or_file(
    give: Callable[..., Browser], ids: dict[str, ObjectId]
) -> None:
    browser = give(products="group")
    assert telling(browser, ids, GROUP) == []
    assert browser.get("/orders/due/by-group").status_code == 403
    assert 'data-screen="orders_due_by_group"' not in browser.get("/orders/due").text
    page = browser.get("/assignments/products").text
    assert "SP1" in page
    assert "list-side" not in page
    assert "SP1" in browser.get(f"/assignments/products?group={ObjectId()}").text


def test_the_care_form_of_a_document_hides_the_area_of_its_customer(
    give: Callable[..., Browser], ids: dict[str, ObjectId], agent: Actor
) -> None:
    made = make_record("phieu", agent.staff_id, customer_id=ids["customer"])
    assert AREA in give().get(f"/care/records/{made}").text
    response = give(customers="area").get(f"/care/records/{made}")
    assert response.status_code == 200
    assert AREA not in response.text


def test_whoever_has_no_customers_sees_the_area_of_an_order_as_their_role_says() -> None:
    see = frozenset({"see"})
    orders = KindPermission(see, "all")
    alone = Access((Role("kho", "Kho", kinds={"orders": orders}),))
    assert alone.level("orders", "area") == "see"
    hidden = KindPermission(see, "all", fields={"area": "hidden"})
    both = Access((Role("kho", "Kho", kinds={"orders": orders, "customers": hidden}),))
    assert both.level("orders", "area") == "hidden"
    assert both.names_fields("orders")
    assert not alone.names_fields("orders")
