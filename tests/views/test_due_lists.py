"""The due lists: filters, explained dates, pages (S1.12, S1.15, B.1)."""

import re
from datetime import date
from html import unescape

import pytest
from bson import ObjectId

from models import Customer, Order, Site, Staff
from rules.scope import Actor
from services import care, recompute
from services.care import CareEntry
from tests.factories import NOW, TODAY, make_area, make_customer, make_order, make_product
from tests.views.conftest import Browser
from tests.views.due_lists import (
    CUSTOMERS,
    ORDERS,
    appointed,
    due_order,
    in_days,
    listed,
    rows,
    text_of,
)

pytestmark = pytest.mark.usefixtures("desk")


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


def test_the_site_document_is_not_needed(desk: Browser) -> None:
    Site.collection().delete_many({})
    due_order(1)
    assert desk.get(ORDERS).status_code == 200
