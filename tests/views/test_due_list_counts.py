"""Groups and areas beside the due lists, and counts (S1.13, S1.14, B.10)."""

import re
from html import unescape
from typing import Any

import pytest
from bson import ObjectId

from models import Order, ProductGroup
from rules.scope import Actor
from tests.factories import make_area, make_customer
from tests.views.conftest import Browser
from tests.views.due_lists import (
    ORDERS,
    appointed,
    due_order,
    listed,
    rows,
    text_of,
)

pytestmark = pytest.mark.usefixtures("desk")


def make_group(name: str, parent: dict[str, Any] | None = None) -> dict[str, Any]:
    group = {
        "_id": ObjectId(),
        "name": name,
        "path": [*(parent["path"] if parent else []), name],
        "parent_id": parent["_id"] if parent else None,
        "ancestor_ids": [*parent["ancestor_ids"], parent["_id"]] if parent else [],
    }
    ProductGroup.collection().insert_one(group)
    return group


def side(page: str) -> str:
    found = re.search(r'<nav class="list-side.*?</nav>', page, re.S)
    assert found
    return text_of(found.group())


def test_by_group_shows_a_tree_with_counts(desk: Browser) -> None:
    drinks, toys = make_group("Đồ uống"), make_group("Đồ chơi")
    tea = make_group("Trà", drinks)
    green = make_group("Trà xanh", tea)
    path = [drinks["_id"], tea["_id"], green["_id"]]
    one, two = due_order(1, group_ids=path), due_order(2, group_ids=path[:2])
    due_order(2, group_ids=[toys["_id"]])
    address = "/orders/due/by-group"
    page = desk.get(address).text
    assert len(rows(page)) == 3
    assert side(page) == "Mọi nhóm hàng Đồ chơi 1 Đồ uống 2"
    page = desk.get(f"{address}?group={tea['_id']}").text
    assert rows(page) == [one, two]
    assert side(page) == "Mọi nhóm hàng Đồ chơi 1 Đồ uống 2 Trà 2 Trà xanh 1"
    assert "nhóm hàng Trà" in text_of(page)
    assert listed(desk, f"{address}?group={green['_id']}") == [one]


def test_counts_beside_the_list_follow_the_other_filters(desk: Browser, colleague: Actor) -> None:
    drinks = make_group("Đồ uống")
    due_order(1, group_ids=[drinks["_id"]])
    due_order(-1, group_ids=[drinks["_id"]])
    address = "/orders/due/by-group"
    assert side(desk.get(f"{address}?due=overdue").text).endswith("Đồ uống 1")
    assert side(desk.get(f"{address}?state=cared").text).endswith("Đồ uống 0")


def test_by_area_shows_areas_with_counts(desk: Browser) -> None:
    here = make_area("Cầu Giấy, Hà Nội")
    make_area("Quận 1, TP.HCM")
    mine, nowhere = due_order(1, area_id=here), due_order(1)
    address = "/orders/due/by-area"
    page = desk.get(address).text
    assert side(page) == ("Mọi khu vực Cầu Giấy, Hà Nội 1 Quận 1, TP.HCM 0 Chưa có khu vực 1")
    assert listed(desk, f"{address}?area={here}") == [mine]
    page = desk.get(f"{address}?area=none").text
    assert rows(page) == [nowhere]
    assert side(page).endswith("Chưa có khu vực 1")


def test_a_company_without_groups_and_areas_is_told_where_they_come_from(desk: Browser) -> None:
    assert "Chưa có nhóm hàng" in side(desk.get("/orders/due/by-group").text)
    assert desk.get("/orders/due/by-area").status_code == 200


def test_counts_come_after_the_page(desk: Browser, colleague: Actor) -> None:
    """B.10: the list itself does not count."""
    due_order(1)
    due_order(2)
    appointed(3, colleague)
    page = desk.get(ORDERS).text
    assert re.search(r'id="count-total"[^>]*hx-get="/orders/due/count', page)
    counts = desk.get(f"{ORDERS}/count").text
    found = dict(re.findall(r'id="count-([a-z-]+)"[^>]*>([^<]*)<', counts))
    assert found == {"total": "3", "state-all": "3", "state-new": "2", "state-cared": "1"}
    counts = desk.get(f"{ORDERS}/count?state=new&due=today").text
    found = dict(re.findall(r'id="count-([a-z-]+)"[^>]*>([^<]*)<', counts))
    assert found == {"total": "0", "state-all": "0", "state-new": "0", "state-cared": "0"}


def test_a_big_count_is_capped_until_it_is_asked_for(desk: Browser) -> None:
    customer = make_customer()
    template = Order.collection().find_one({"_id": due_order(0, customer=customer)}) or {}
    Order.collection().insert_many(
        template | {"_id": ObjectId(), "code": f"X{number}"} for number in range(1001)
    )
    capped = desk.get(f"{ORDERS}/count").text
    button = re.search(r'<button[^>]*hx-get="([^"]+)"[^>]*>1\.000\+<', capped)
    assert button
    assert text_of(desk.get(unescape(button[1])).text) == "1.002"
