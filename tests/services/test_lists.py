"""One page of a list by key range, and capped counts (B.10)."""

from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from models import Customer, Order
from rules.filters import Criteria
from services import lists
from services.lists import Page, Sort
from tests.factories import TODAY, make_customer, make_order

DUE = Sort("care.due_on")
LATEST = Sort("care.due_on", descending=True)
OPEN: Criteria = {"care.state": "suggested"}


@pytest.fixture
def orders(db: Any) -> list[ObjectId]:
    """Eleven due orders in their order: many of the same day, so that ids decide."""
    days = [0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 3]
    return [make_order(None, {}, due_on=TODAY + timedelta(days=day)) for day in days]


def fetch(sort: Sort = DUE, size: int = 3, criteria: Criteria | None = None, **key: Any) -> Page:
    return lists.fetch_page(Order.collection(), criteria or OPEN, sort, size=size, **key)


def ids(page: Page) -> list[ObjectId]:
    return [row["_id"] for row in page.rows]


def forward(sort: Sort) -> list[Page]:
    pages = [fetch(sort)]
    while pages[-1].next_key:
        pages.append(fetch(sort, after=pages[-1].next_key))
    return pages


@pytest.mark.parametrize("sort", [DUE, LATEST])
def test_pages_follow_each_other_without_a_gap(orders: list[ObjectId], sort: Sort) -> None:
    pages = forward(sort)
    expected = orders[::-1] if sort.descending else orders
    assert [one for page in pages for one in ids(page)] == expected
    assert [len(page.rows) for page in pages] == [3, 3, 3, 2]


@pytest.mark.parametrize("sort", [DUE, LATEST])
def test_pages_lead_back_the_same_way(orders: list[ObjectId], sort: Sort) -> None:
    pages = forward(sort)
    page = pages[-1]
    for expected in reversed(pages[:-1]):
        assert page.previous_key
        page = fetch(sort, before=page.previous_key)
        assert ids(page) == ids(expected)
        assert page.next_key == expected.next_key
    assert page.previous_key is None


def test_one_full_page_has_no_neighbours(orders: list[ObjectId]) -> None:
    page = fetch(size=len(orders))
    assert (page.next_key, page.previous_key) == (None, None)


def test_an_empty_list_has_no_neighbours(db: Any) -> None:
    assert fetch() == Page([], None, None)


def test_rows_that_left_the_list_meanwhile_leave_no_gap(orders: list[ObjectId]) -> None:
    first = fetch()
    Order.collection().delete_many({"_id": {"$in": orders[1:4]}})
    assert ids(fetch(after=first.next_key)) == orders[4:7]


def test_it_starts_anew_when_nothing_is_left_beyond_the_key(orders: list[ObjectId]) -> None:
    second = fetch(after=fetch().next_key)
    Order.collection().delete_many({"_id": {"$in": orders[:3]}})
    page = fetch(before=second.previous_key)
    assert ids(page) == orders[3:6]
    assert page.previous_key is None
    last = forward(DUE)[-1]
    Order.collection().delete_many({"_id": {"$in": [row["_id"] for row in last.rows]}})
    assert ids(fetch(after=last.previous_key)) != []


@pytest.mark.parametrize(
    "key",
    [
        "",
        "~",
        "nonsense",
        "nonsense~2026-11-21T00:00:00+00:00",
        f"{'0' * 24}~nonsense",
        f"{'0' * 24}~0001-01-01T00:00:00+14:00",
        f"{'0' * 24}~9999-12-31T23:59:59-14:00",
        "\x00~\x00",
        f"{'z' * 24}~'x",
        "~" * 5000,
        f"{'0' * 24}~'{{'$gt': ''}}",
        f"{'0' * 24}~'text instead of a date",
    ],
)
@pytest.mark.parametrize("side", ["after", "before"])
def test_a_key_that_makes_no_sense_starts_at_the_first_page(
    orders: list[ObjectId], side: str, key: str
) -> None:
    assert ids(fetch(**{side: key})) == orders[:3]


def test_a_key_may_be_an_instant_of_another_zone(orders: list[ObjectId]) -> None:
    key = fetch().next_key
    assert key
    moved = key.replace("T00:00:00+00:00", "T07:00:00+07:00")
    assert moved != key
    assert ids(fetch(after=moved)) == orders[3:6]


def test_texts_sort_and_page_too(db: Any) -> None:
    names = ["an", "bao", "bao", "chi", "dung"]
    made = [make_customer(search=name) for name in names]
    page = lists.fetch_page(Customer.collection(), {}, Sort("search"), size=2)
    assert ids(page) == made[:2]
    page = lists.fetch_page(Customer.collection(), {}, Sort("search"), size=2, after=page.next_key)
    assert ids(page) == made[2:4]


def test_the_filter_holds_on_every_page(orders: list[ObjectId]) -> None:
    Order.collection().update_many(
        {"_id": {"$in": orders[::2]}}, {"$set": {"care.state": "appointed"}}
    )
    page = fetch(size=2)
    assert ids(page) + ids(fetch(size=9, after=page.next_key)) == orders[1::2]


def test_it_fetches_only_what_is_asked_for(orders: list[ObjectId]) -> None:
    page = fetch(size=1, projection={"code": 1})
    assert set(page.rows[0]) == {"_id", "code"}


def test_counts_stop_at_the_cap(orders: list[ObjectId]) -> None:
    collection = Order.collection()
    assert lists.capped_count(collection, OPEN, cap=5) == 6
    assert lists.capped_count(collection, OPEN, cap=11) == 11
    assert lists.capped_count(collection, {"care.state": "ended"}) == 0


def test_several_counts_come_in_one_round_trip(orders: list[ObjectId]) -> None:
    asked = {"": OPEN, "ended": {"care.state": "ended"}, "$odd.name": {"_id": orders[0]}}
    found = lists.capped_counts(Order.collection(), asked, cap=5)
    assert found == {"": 6, "ended": 0, "$odd.name": 1}
    assert lists.capped_counts(Order.collection(), {}) == {}


def test_labels_cost_nothing_for_no_ids_and_find_the_others(orders: list[ObjectId]) -> None:
    assert lists.labels(Order.collection(), [None, None], ("code",)) == {}
    found = lists.labels(Order.collection(), [orders[0], None, ObjectId()], ("code",))
    assert set(found) == {orders[0]}
    assert set(found[orders[0]]) == {"_id", "code"}
