"""S1.4, S1.5: the first care date of an order."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import models.care
import models.order
from rules import care_dates
from rules.care_dates import CareItem, care_items, first_care, net_quantities

BOUGHT = date(2026, 5, 2)

dates = st.dates()
intervals = st.integers(min_value=-5, max_value=36_500) | st.integers()
quantities = st.integers(min_value=-50, max_value=5_000) | st.integers()
codes = st.text(max_size=4)
items = st.lists(st.builds(CareItem, codes, quantities, intervals), max_size=8)
lines = st.lists(st.tuples(st.sampled_from("ABCD"), st.integers(-20, 50)), max_size=12)


def test_it_adds_the_interval_for_each_piece_bought():
    first = first_care(BOUGHT, [CareItem("X", 2, 5)])
    assert first is not None
    assert first.due_on == date(2026, 5, 12)
    assert (first.product_code, first.interval_days, first.quantity) == ("X", 5, 2)
    assert first.from_on == BOUGHT


def test_it_takes_the_earliest_product():
    first = first_care(BOUGHT, [CareItem("A", 3, 10), CareItem("B", 1, 7), CareItem("C", 1, 60)])
    assert first is not None
    assert first.product_code == "B"


@pytest.mark.parametrize("order", [["b", "B", "10", "9"], ["9", "10", "B", "b"]])
def test_it_decides_a_tie_by_the_code_that_sorts_first(order):
    first = first_care(BOUGHT, [CareItem(code, 1, 7) for code in order])
    assert first is not None
    assert first.product_code == "10"


@pytest.mark.parametrize("item", [CareItem("A", 5, 0), CareItem("A", 0, 5), CareItem("A", -2, -5)])
def test_it_skips_products_that_need_no_care_or_were_taken_back(item):
    assert first_care(BOUGHT, [item]) is None


@pytest.mark.parametrize("kind", ["return", "purchase"])
def test_only_a_sale_is_due(kind):
    assert first_care(BOUGHT, [CareItem("A", 1, 5)], kind=kind) is None


def test_an_order_without_a_customer_is_never_due():
    assert first_care(BOUGHT, [CareItem("A", 1, 5)], has_customer=False) is None


def test_leap_days_and_month_ends_are_counted():
    assert first_care(date(2024, 2, 28), [CareItem("A", 1, 1)]).due_on == date(2024, 2, 29)
    assert first_care(date(2023, 2, 28), [CareItem("A", 1, 1)]).due_on == date(2023, 3, 1)
    assert first_care(date(2024, 2, 29), [CareItem("A", 1, 366)]).due_on == date(2025, 3, 1)


def test_the_last_day_of_the_calendar_counts_and_the_day_after_does_not():
    assert first_care(date(9999, 12, 30), [CareItem("A", 1, 1)]).due_on == date.max
    assert first_care(date(9999, 12, 30), [CareItem("A", 2, 1)]) is None


def test_a_product_beyond_the_calendar_does_not_hide_another():
    first = first_care(BOUGHT, [CareItem("A", 10**30, 10**30), CareItem("B", 1, 3)])
    assert first is not None
    assert first.product_code == "B"


@given(dates, items)
def test_no_quantity_or_interval_makes_it_fail_and_no_date_is_before_the_purchase(placed_on, some):
    first = first_care(placed_on, some)
    assert first is None or first.due_on > placed_on


@given(dates, items, st.randoms())
def test_the_order_of_the_products_does_not_matter(placed_on, some, random):
    shuffled = random.sample(some, len(some))
    assert first_care(placed_on, shuffled) == first_care(placed_on, some)


@given(st.dates(max_value=date(2500, 1, 1)), st.integers(1, 1000), st.integers(1, 1000))
def test_buying_more_never_brings_the_date_nearer(placed_on, interval, quantity):
    fewer = first_care(placed_on, [CareItem("A", quantity, interval)])
    more = first_care(placed_on, [CareItem("A", quantity + 1, interval)])
    assert more is not None
    assert fewer is not None
    assert more.due_on - fewer.due_on == timedelta(days=interval)


@given(dates, items)
def test_it_is_the_earliest_of_the_dates_of_each_product_alone(placed_on, some):
    alone = [first.due_on for item in some if (first := first_care(placed_on, [item]))]
    first = first_care(placed_on, some)
    assert (first.due_on if first else None) == min(alone, default=None)


@given(lines, st.randoms())
def test_lines_are_summed_per_exact_code_in_any_order(some, random):
    intervals = {"A": 7, "B": 5}
    found = care_items(some, intervals)
    assert found == care_items(random.sample(some, len(some)), intervals)
    assert [item.code for item in found] == sorted(item.code for item in found)
    for code, quantity in net_quantities(some).items():
        assert quantity == sum(count for other, count in some if other == code)
        assert (quantity > 0) == (code in {item.code for item in found})


def test_codes_in_another_letter_case_are_other_products():
    assert net_quantities([("85123a", 1), ("85123A", 2), ("85123a", 3)]) == {
        "85123a": 4,
        "85123A": 2,
    }


def test_an_unknown_product_needs_no_care():
    assert care_items([("NEW", 3)], {}) == [CareItem("NEW", 3, 0)]


def test_rules_and_documents_use_the_same_words():
    for name in (
        "NONE",
        "SUGGESTED",
        "APPOINTED",
        "ENDED",
        "OPEN_STATES",
        "INTERVAL",
        "APPOINTMENT",
    ):
        assert getattr(care_dates, name) == getattr(models.care, name)
    assert care_dates.SALE == models.order.SALE
