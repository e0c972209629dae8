"""Nonsense in an address gives a sentence in the reader's language, never a 500."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from bson import ObjectId

from models import Interaction, Staff
from rules.scope import Actor
from services import recompute
from tests.factories import NOW, TODAY, make_area, make_customer, make_order, make_product
from tests.views.conftest import Browser

LISTS = (
    "/orders/due",
    "/orders/due/by-group",
    "/orders/due/by-area",
    "/customers/due",
    "/customers",
    "/care/history",
    "/products",
    "/jobs",
)
ZERO = "0" * 24


@pytest.fixture
def boss(
    morning: None, shipped: None, manager: Actor, browser_of: Callable[[Actor], Browser]
) -> Browser:
    """A manager's browser, with something in every list."""
    customer = make_customer(area_id=make_area())
    code = make_product()
    make_order(customer, {code: 1}, due_on=TODAY + timedelta(days=1))
    recompute.recompute_customers([customer])
    Interaction.collection().insert_one(
        {
            "kind": "care",
            "at": NOW,
            "customer_id": customer,
            "staff_id": manager.staff_id,
            "staff_name": manager.name,
            "content": "Đã gọi",
        }
    )
    return browser_of(manager)


def problems(page: str) -> list[str]:
    found = re.findall(r'<p class="[^"]*list-problem[^"]*"[^>]*>(.*?)</p>', page, re.S)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", one)).split()) for one in found]


QUERIES = (
    "page=-1",
    "page=99999999999999999999999",
    "sort=nonsense",
    "sort=-",
    "sort=--due",
    "sort=$where",
    "sort=due&sort=-due",
    "after=nonsense",
    f"after={ZERO}~0001-01-01T00:00:00%2B14:00",
    f"after={ZERO}~9999-12-31T23:59:59-14:00",
    f"after={ZERO}~'x&before={ZERO}~'x",
    f"after={ZERO}~'%00",
    f"before={'~' * 3000}",
    "after[$gt]=",
    "state[$ne]=x",
    "q[$regex]=.*",
    "q=%00",
    "q=%FF%FE",
    "q=%ED%A0%80",
    "q=" + "x" * 3000,
    "q=.*%2B%3F(((((",
    "q=%5C",
    "q=$where",
    "area=nonsense",
    f"area={ZERO}",
    "area=" + "0" * 3000,
    "area=none",
    "group=none",
    f"group={ZERO}",
    "state=nonsense",
    "state=&due=&area=&q=",
    "state=new&state=cared",
    "due=nonsense",
    "due=0001-01-01..9999-12-31",
    "due=31/02/2026..",
    "due=2026-11-28..2026-11-15",
    "due=..",
    "at=0001-01-01..",
    "at=..9999-12-31",
    "at=9999-12-31",
    "at=x..y..z",
    f"staff={ZERO}&customer={ZERO}",
    "staff=none",
    "feedback=nonsense",
    "relationship=$ne",
    "care=nonsense",
    "nonsense=1",
    "endpoint=x&_external=1&_scheme=ftp&_anchor=x&_method=POST&values=1&self=1&state=new",
    "%00=%00",
    "=",
    "&&&;;",
    "<script>=<script>",
    "%25(name)s=%25(value)d",
)


@pytest.mark.parametrize("address", LISTS)
def test_no_list_breaks(boss: Browser, address: str) -> None:
    parts = ["", "/count", "/range/due", "/range/at"]
    parts += ["/summary"] if "history" in address else []
    for query in QUERIES:
        for part in parts:
            response = boss.get(f"{address}{part}?{query}")
            assert response.status_code in (200, 302, 404), (part, query)
            assert "<script>=" not in response.text, (part, query)
            if response.status_code == 302:
                assert response.location.startswith("/"), (part, query)


@pytest.mark.parametrize(
    ("query", "vi", "en"),
    [
        ("nonsense=1", "không có bộ lọc “nonsense”", "has no filter “nonsense”"),
        ("state[$ne]=x", "không có bộ lọc “state[$ne]”", "has no filter “state[$ne]”"),
        ("state=odd", "“Trạng thái” không có giá trị “odd”", "“Status” does not know “odd”"),
        ("area=odd", "“Khu vực” không có giá trị “odd”", "“Area” does not know “odd”"),
        ("due=odd", "“Ngày chăm sóc” không có giá trị “odd”", "“Care date” does not know “odd”"),
        ("due=31/2/2026..", "“31/2/2026” không phải là ngày", "“31/2/2026” is not a date"),
        ("due=2/2/2026..1/2/2026", "02/02/2026 – 01/02/2026", "02/02/2026 – 01/02/2026"),
    ],
)
def test_the_list_says_what_it_left_out_and_shows_the_rest(
    boss: Browser, manager: Actor, query: str, vi: str, en: str
) -> None:
    for language, says in (("vi", vi), ("en", en)):
        Staff.objects(pk=manager.staff_id).update_one(set__locale=language)
        page = boss.get(f"/orders/due?{query}").text
        [problem] = problems(page)
        assert says in problem
        assert '<tr id="row-' in page


def test_several_problems_are_all_named(boss: Browser) -> None:
    page = boss.get("/orders/due?a=1&b=2&state=x&due=y").text
    assert len(problems(page)) == 4


def test_what_it_names_is_short_and_escaped(boss: Browser) -> None:
    page = boss.get("/orders/due?state=" + quote("<b>" * 900)).text
    [problem] = problems(page)
    assert len(problem) < 200
    assert "<b><b>" not in page


def test_the_first_of_repeated_arguments_counts(boss: Browser) -> None:
    page = boss.get("/orders/due?state=cared&state=new").text
    assert '<tr id="row-' not in page
    assert not problems(page)


RECORDS = (
    "/customers/{}",
    "/customers/{}?tab=nonsense",
    "/customers/{}/edit",
    "/orders/{}",
    "/care/orders/{}",
    "/care/customers/{}",
    "/products/{}/care",
    "/queue?skip={}",
    "/orders/due/rows/{}",
    "/customers/rows/{}",
    "/care/history/rows/{}",
    "/products/rows/{}",
    "/jobs/rows/{}",
)


BAD_IDS = ("nonsense", "0", "-1", "0" * 23, "0" * 25, "z" * 24, "%00" * 24, "é" * 24, "x" * 2000)


@pytest.mark.parametrize("address", RECORDS)
def test_a_malformed_id_is_not_found(boss: Browser, address: str) -> None:
    for record_id in (*BAD_IDS, "{}", "[$ne]"):
        response = boss.get(address.format(record_id))
        assert response.status_code == 404, record_id
        assert "<html" in response.text
        assert "Không tìm thấy" in response.text


@pytest.mark.parametrize("address", [one for one in RECORDS if "skip" not in one])
def test_the_id_of_nothing_is_not_found(boss: Browser, address: str) -> None:
    response = boss.get(address.format(ObjectId()))
    assert response.status_code == 404
    assert "Không tìm thấy" in response.text


@pytest.mark.parametrize("address", RECORDS)
def test_the_id_of_something_else_is_not_found(boss: Browser, address: str) -> None:
    area = make_area("Nơi khác")
    response = boss.get(address.format(area))
    assert response.status_code == (302 if "skip" in address else 404)


@pytest.mark.parametrize(
    "address",
    ["/customers/{}/edit", "/products/{}/care", "/orders/{}/delete", "/orders/{}/restore"],
)
def test_forms_about_nothing_are_not_found(boss: Browser, address: str) -> None:
    for record_id in ("nonsense", str(ObjectId())):
        assert boss.send(address.format(record_id), {"name": "x"}).status_code == 404


@pytest.mark.parametrize("kind", ["area", "group", "staff", "customer"])
@pytest.mark.parametrize(
    "query", ["", "q=", "q=%00", "q=.*(", "q=" + "x" * 3000, "q[$ne]=1", "q=0"]
)
def test_lookups_take_everything(boss: Browser, kind: str, query: str) -> None:
    assert boss.get(f"/lookup/{kind}?{query}").status_code == 200


def test_there_is_no_lookup_of_anything_else(boss: Browser) -> None:
    assert boss.get("/lookup/orders").status_code == 404
    assert boss.get("/lookup").status_code == 404


def test_a_range_of_something_that_is_no_filter_is_not_found(boss: Browser) -> None:
    for key in ("endpoint", "_external", "nonsense", "%00"):
        assert boss.get(f"/orders/due/range/{key}?range_from=1/1/2026").status_code == 404


def test_the_bare_address_of_orders_leads_to_the_due_ones(boss: Browser) -> None:
    response = boss.get("/orders?endpoint=x&_external=1&due=all")
    assert response.status_code == 302
    assert response.location.startswith("/orders/due")


def test_the_wrong_method_is_told_how(boss: Browser) -> None:
    response = boss.get(f"/orders/{ObjectId()}/delete")
    assert response.status_code == 405
    assert "<html" in response.text


def test_the_messages_are_in_the_readers_language(boss: Browser, manager: Actor) -> None:
    Staff.objects(pk=manager.staff_id).update_one(set__locale="en")
    page: Any = boss.get(f"/orders/{ObjectId()}")
    assert "Not found" in page.text
    assert "This record does not exist" in page.text
