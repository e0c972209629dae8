"""The due lists: filters, explained dates, groups and areas with counts (S1.12 to S1.15, B.1)."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from bson import ObjectId

from models import Customer, Order, ProductGroup, Site, Staff
from rules.scope import Actor
from services import care, recompute
from services.care import CareEntry
from tests.factories import NOW, TODAY, make_area, make_customer, make_order, make_product
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("desk")
ROW = re.compile(r'<tr id="row-([0-9a-f]{24})"')
ORDERS, CUSTOMERS = "/orders/due", "/customers/due"


def in_days(days: int) -> date:
    return TODAY + timedelta(days=days)


def rows(page: str) -> list[ObjectId]:
    return [ObjectId(found) for found in ROW.findall(page)]


def listed(desk: Browser, address: str) -> list[ObjectId]:
    response = desk.get(address)
    assert response.status_code == 200
    return rows(response.text)


def text_of(page: str) -> str:
    """What people read, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def due_order(days: int, **values: Any) -> ObjectId:
    return make_order(
        values.pop("customer", None) or make_customer(), {}, due_on=in_days(days), **values
    )


def appointed(days: int, by: Actor) -> ObjectId:
    """An order with an appointment in so many days."""
    order = due_order(-1)
    entry = CareEntry("Đã gọi", "satisfied", in_days(days))
    care.log_order_care(
        order, entry, by=by, at=NOW, today=TODAY, entry_key=str(order), expected_count=0
    )
    return order


def speak_english(actor: Actor) -> None:
    Staff.objects(pk=actor.staff_id).update_one(set__locale="en")


def test_it_shows_what_is_due_within_a_week_nearest_first(desk: Browser) -> None:
    last, first, today = due_order(7), due_order(-30), due_order(0)
    due_order(8)
    make_order(make_customer(), {})
    assert listed(desk, ORDERS) == [first, today, last]


@pytest.mark.parametrize(
    ("due", "days"),
    [
        ("overdue", [-3, -1]),
        ("today", [-3, -1, 0]),
        ("week", [-3, -1, 0, 1, 7]),
        ("all", [-3, -1, 0, 1, 7, 8, 400]),
        (f"{in_days(0)}..{in_days(7)}", [0, 1, 7]),
        (f"{in_days(1)}..", [1, 7, 8, 400]),
        (f"..{in_days(-2)}", [-3]),
        (f"{in_days(1):%d/%m/%Y}..{in_days(1):%d/%m/%Y}", [1]),
    ],
)
def test_it_filters_by_care_date(desk: Browser, due: str, days: list[int]) -> None:
    """S1.14."""
    orders = {day: due_order(day) for day in (-3, -1, 0, 1, 7, 8, 400)}
    assert listed(desk, f"{ORDERS}?due={due}") == [orders[day] for day in days]


def test_it_filters_by_status(desk: Browser, colleague: Actor) -> None:
    """S1.13; the date range holds for both kinds of date (S1.14)."""
    new, cared = due_order(2), appointed(3, colleague)
    appointed(30, colleague)
    ended = due_order(1)
    Order.collection().update_one({"_id": ended}, {"$set": {"care.state": "ended"}})
    assert listed(desk, ORDERS) == [new, cared]
    assert listed(desk, f"{ORDERS}?state=new") == [new]
    assert listed(desk, f"{ORDERS}?state=cared") == [cared]


def test_it_filters_by_area(desk: Browser) -> None:
    here, there = make_area("Cầu Giấy, Hà Nội"), make_area("Quận 1, TP.HCM")
    mine, nowhere = due_order(1, area_id=here), due_order(1)
    due_order(1, area_id=there)
    page = desk.get(f"{ORDERS}?area={here}").text
    assert rows(page) == [mine]
    assert "khu vực Cầu Giấy, Hà Nội" in text_of(page)
    assert listed(desk, f"{ORDERS}?area=none") == [nowhere]


def test_filters_combine_and_are_said_in_one_sentence(desk: Browser, colleague: Actor) -> None:
    area = make_area()
    due_order(2, area_id=area)
    cared = appointed(3, colleague)
    Order.collection().update_one({"_id": cared}, {"$set": {"area_id": area}})
    page = desk.get(f"{ORDERS}?state=cared&due=all&area={area}").text
    assert rows(page) == [cared]
    says = text_of(re.search(r'<p class="list-says">.*?</p>', page, re.S).group())  # type: ignore[union-attr]
    assert says == "Đang hiện: đã chăm sóc , khu vực Cầu Giấy, Hà Nội . Xóa bộ lọc"


def test_the_explanation_of_a_suggested_date(desk: Browser, agent: Actor) -> None:
    """B.1, in both languages, with the product's name."""
    code = make_product("SP1", interval=5, name="Trà Thái Nguyên")
    placed_on = in_days(-8)
    order = make_order(make_customer(), {code: 2}, placed_on=placed_on)
    recompute.recompute_orders([order])
    page = text_of(desk.get(ORDERS).text)
    assert "23/11/2026 · 2 ngày nữa" in page
    assert "23/11 = 13/11 + 5 ngày × 2 · Trà Thái Nguyên" in page
    speak_english(agent)
    page = text_of(desk.get(ORDERS).text)
    assert "23/11/2026 · in 2 days" in page
    assert "23/11 = 13/11 + 5 days × 2 · Trà Thái Nguyên" in page


def test_the_explanation_says_the_year_where_it_is_another_one(desk: Browser) -> None:
    code = make_product("SP1", interval=366)
    order = make_order(make_customer(), {code: 1}, placed_on=date(2025, 11, 20))
    recompute.recompute_orders([order])
    assert "21/11/2026 = 20/11/2025 + 366 ngày × 1" in text_of(desk.get(ORDERS).text)


def test_the_explanation_of_an_appointment(desk: Browser, agent: Actor, colleague: Actor) -> None:
    appointed(3, colleague)
    assert "Hẹn bởi Trần Văn Bình ngày 21/11" in text_of(desk.get(ORDERS).text)
    speak_english(agent)
    assert "Appointment set by Trần Văn Bình on 21/11" in text_of(desk.get(ORDERS).text)


@pytest.mark.parametrize(
    ("days", "says", "level"),
    [
        (-2, "· quá 2 ngày", "late"),
        (-1, "· quá 1 ngày", "late"),
        (0, "· hôm nay", "today"),
        (1, "· ngày mai", "soon"),
    ],
)
def test_it_says_how_near_a_date_is(desk: Browser, days: int, says: str, level: str) -> None:
    due_order(days)
    page = desk.get(ORDERS).text
    assert says in page
    assert f'class="due is-{level}"' in page


def test_a_row_leads_to_the_care_form_and_the_records(desk: Browser) -> None:
    """S1.17: the green square in the cell of the number."""
    customer = make_customer(name="Lê Hoà")
    order = due_order(1, customer=customer, code="DH-7")
    page = desk.get(ORDERS).text
    square = re.search(r'<a class="care-square"[^>]*>', page)
    assert square
    assert f'href="/care/orders/{order}"' in square.group()
    assert f'hx-get="/care/orders/{order}"' in square.group()
    assert 'aria-label="Ghi chăm sóc: DH-7"' in square.group()
    assert f'href="/orders/{order}"' in page
    assert f'href="/customers/{customer}"' in page


def test_a_customer_is_one_row_with_its_nearest_order(desk: Browser) -> None:
    """S1.7."""
    customer = make_customer(code="KH-9", relationship="hot")
    due_order(3, customer=customer, code="DH-later")
    due_order(1, customer=customer, code="DH-sooner")
    recompute.recompute_customers([customer])
    page = desk.get(CUSTOMERS).text
    assert rows(page) == [customer]
    assert "DH-sooner" in page
    assert "DH-later" not in page
    assert "Nóng" in text_of(page)
    assert f'href="/care/customers/{customer}"' in page


def test_a_customer_may_be_due_by_its_own_appointment(desk: Browser, colleague: Actor) -> None:
    """S1.15: a prospect without any order."""
    customer = make_customer()
    entry = CareEntry("Hẹn gặp", "satisfied", in_days(2))
    care.log_customer_care(
        customer, entry, by=colleague, at=NOW, today=TODAY, entry_key="k", expected_count=0
    )
    page = desk.get(f"{CUSTOMERS}?state=cared").text
    assert rows(page) == [customer]
    assert "Hẹn bởi Trần Văn Bình ngày 21/11" in text_of(page)
    assert listed(desk, f"{CUSTOMERS}?state=new") == []


@pytest.mark.parametrize("due", ["overdue", "today", "all"])
def test_customers_have_the_same_filters(desk: Browser, due: str) -> None:
    area = make_area()
    customers = {}
    for days in (-1, 0, 30):
        customers[days] = make_customer(area_id=area)
        due_order(days, customer=customers[days])
    recompute.recompute_customers(customers.values())
    days_shown = {"overdue": [-1], "today": [-1, 0], "all": [-1, 0, 30]}[due]
    expected = [customers[days] for days in days_shown]
    assert listed(desk, f"{CUSTOMERS}?due={due}&area={area}") == expected
    assert listed(desk, f"{CUSTOMERS}?due={due}&area=none") == []


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


def test_a_big_count_is_capped(desk: Browser) -> None:
    customer = make_customer()
    template = Order.collection().find_one({"_id": due_order(0, customer=customer)}) or {}
    Order.collection().insert_many(
        template | {"_id": ObjectId(), "code": f"X{number}"} for number in range(1001)
    )
    assert ">1.000+<" in desk.get(f"{ORDERS}/count").text


def test_pages_follow_each_other(desk: Browser) -> None:
    orders = [due_order(days // 20) for days in range(120)]
    page = desk.get(ORDERS).text
    seen = rows(page)
    while found := re.search(r'rel="next" href="([^"]+)"', page):
        page = desk.get(unescape(found.group(1))).text
        seen += rows(page)
    assert seen == orders
    back = re.search(r'rel="prev" href="([^"]+)"', page)
    assert back
    assert listed(desk, unescape(back.group(1))) == orders[50:100]


def test_pages_keep_filter_and_sort(desk: Browser) -> None:
    for days in range(60):
        due_order(-days)
    page = desk.get(f"{ORDERS}?due=overdue&sort=-due").text
    found = re.search(r'rel="next" href="([^"]+)"', page)
    assert found
    following = unescape(found.group(1))
    assert "due=overdue" in following
    assert "sort=-due" in following
    assert len(listed(desk, following)) == 9


def test_the_other_sort_is_one_click_away(desk: Browser) -> None:
    first, last = due_order(-5), due_order(5)
    page = desk.get(ORDERS).text
    assert 'aria-sort="ascending"' in page
    link = re.search(r'aria-sort="ascending">\s*<a href="([^"]+)"', page)
    assert link
    reverse = desk.get(unescape(link.group(1))).text
    assert rows(reverse) == [last, first]
    assert 'aria-sort="descending"' in reverse


def test_an_empty_list_says_what_to_do(desk: Browser) -> None:
    assert "Không có đơn hàng nào đến hạn" in desk.get(ORDERS).text
    assert "Không có khách hàng nào đến hạn" in desk.get(CUSTOMERS).text


def test_a_typed_range_becomes_an_address(desk: Browser) -> None:
    response = desk.get(
        f"{ORDERS}/range/due?range_from=1/11/2026&range_to=30-11-2026&state=new&due=week"
    )
    assert response.status_code == 302
    assert response.location == "/orders/due/?state=new&due=2026-11-01..2026-11-30"
    response = desk.get(f"{ORDERS}/range/due?range_from=&range_to=&state=new")
    assert response.location == "/orders/due/?state=new"


def test_a_range_that_is_no_range_is_named_on_the_list(desk: Browser) -> None:
    response = desk.get(f"{ORDERS}/range/due?range_from=31/2/2026", follow_redirects=True)
    assert "“31/2/2026” không phải là ngày" in response.text
    response = desk.get(
        f"{ORDERS}/range/due?range_from=2/2/2026&range_to=1/2/2026", follow_redirects=True
    )
    assert "02/02/2026 – 01/02/2026" in response.text


def test_one_row_can_be_read_alone(desk: Browser) -> None:
    order = due_order(1)
    response = desk.get(f"{ORDERS}/rows/{order}")
    assert rows(response.text) == [order]
    assert "is-changed" in response.text
    assert "<html" not in response.text
    assert desk.get(f"{ORDERS}/rows/{ObjectId()}").status_code == 404


def test_a_row_shows_an_order_that_just_ended(desk: Browser) -> None:
    order = due_order(1)
    Order.collection().update_one(
        {"_id": order}, {"$set": {"care": {"state": "ended", "count": 1}}}
    )
    assert rows(desk.get(f"{ORDERS}/rows/{order}").text) == [order]


def test_an_order_without_customer_or_total_is_shown(desk: Browser) -> None:
    order = due_order(1)
    Order.collection().update_one({"_id": order}, {"$set": {"customer_id": None, "total": None}})
    page = desk.get(ORDERS).text
    assert rows(page) == [order]
    assert "Không có khách hàng" in page


def test_a_deleted_customer_does_not_break_the_list(desk: Browser) -> None:
    order = due_order(1)
    Customer.collection().delete_many({})
    assert listed(desk, ORDERS) == [order]


@pytest.mark.parametrize("query", ["", "?state=cared&due=all"])
def test_the_orders_due_cost_at_most_seven_queries(
    agent: Actor,
    morning: None,
    shipped: None,
    colleague: Actor,
    browser_of: Callable[[Actor], Browser],
    queries: list[str],
    query: str,
) -> None:
    """Fifty rows, each of another customer and area, half of them with a product."""
    for number in range(60):
        code = make_product(interval=3)
        area = make_area(f"Khu vực {number}")
        customer = make_customer(area_id=area)
        make_order(customer, {code: 1}, due_on=in_days(2), area_id=area)
    appointed(3, colleague)
    desk = browser_of(agent)
    desk.get(ORDERS + query)  # the first page of a revision reads its configuration
    queries.clear()
    page = desk.get(ORDERS + query).text
    assert len(rows(page)) == (1 if query else 50)
    assert len(queries) <= 7, queries
    assert queries[0] == "find staff"


def test_the_customers_due_and_the_counts_cost_few_queries(
    agent: Actor,
    morning: None,
    shipped: None,
    browser_of: Callable[[Actor], Browser],
    queries: list[str],
) -> None:
    customers = [make_customer(area_id=make_area(f"Khu vực {number}")) for number in range(20)]
    for customer in customers:
        due_order(1, customer=customer)
    recompute.recompute_customers(customers)
    desk = browser_of(agent)
    desk.get(CUSTOMERS)
    queries.clear()
    assert len(listed(desk, CUSTOMERS)) == 20
    assert len(queries) <= 6, queries
    queries.clear()
    desk.get(f"{ORDERS}/count")
    assert queries == ["find staff", "find site", "aggregate orders"]


@pytest.mark.parametrize(
    ("address", "document"),
    [
        ("/orders/due", "orders"),
        ("/orders/due?sort=-due&state=new", "orders"),
        ("/orders/due?area=none", "orders"),
        (f"/orders/due/by-group?group={'1' * 24}", "orders"),
        ("/customers/due", "customers"),
        ("/customers", "customers"),
        ("/customers?sort=-name", "customers"),
        ("/customers?sort=created", "customers"),
        ("/customers?sort=-created", "customers"),
        ("/care/history", "interactions"),
        ("/products", "products"),
        ("/jobs", "job_runs"),
    ],
)
def test_every_list_is_sorted_by_an_index(
    manager: Actor,
    morning: None,
    shipped: None,
    browser_of: Callable[[Actor], Browser],
    monkeypatch: pytest.MonkeyPatch,
    connected: Any,
    address: str,
    document: str,
) -> None:
    """A sort in memory would read the whole collection for one page."""
    from services import lists

    plans: list[str] = []
    fetch = lists.fetch_page

    def explained(collection: Any, criteria: Any, sort: Any, **options: Any) -> Any:
        direction = -1 if sort.descending else 1
        found = collection.find(criteria).sort([(sort.path, direction), ("_id", direction)])
        plans.append(repr(found.limit(51).explain()["queryPlanner"]["winningPlan"]))
        return fetch(collection, criteria, sort, **options)

    monkeypatch.setattr(lists, "fetch_page", explained)
    assert browser_of(manager).get(address).status_code == 200
    assert len(plans) == 1
    assert "'IXSCAN'" in plans[0]
    assert "'SORT'" not in plans[0], plans[0]


def test_the_site_document_is_not_needed(desk: Browser) -> None:
    Site.collection().delete_many({})
    due_order(1)
    assert desk.get(ORDERS).status_code == 200
