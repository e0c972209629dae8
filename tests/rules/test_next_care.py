"""S1.7, S1.8, S1.15: a customer's nearest date, and the suggested contacts of an order."""

from datetime import date

import pytest

from rules.care_dates import (
    APPOINTED,
    ENDED,
    NONE,
    SUGGESTED,
    ContactAdvice,
    OpenCare,
    next_care,
    suggested_contacts,
)

SOON, LATER = date(2026, 5, 3), date(2026, 6, 1)


def an_order(code, due_on=SOON, state=SUGGESTED):
    return OpenCare(state, due_on, {"kind": "interval"}, f"id of {code}", code)


def test_the_nearest_of_several_orders_counts():
    found = next_care([an_order("B", LATER), an_order("C", SOON), an_order("A", LATER)])
    assert (found.order_code, found.due_on, found.state) == ("C", SOON, SUGGESTED)


def test_the_own_appointment_counts_when_it_is_nearer():
    own = OpenCare(APPOINTED, SOON)
    assert next_care([an_order("A", LATER)], own) is own


def test_on_the_same_day_an_order_goes_before_the_own_appointment():
    assert next_care([an_order("A")], OpenCare(APPOINTED, SOON)).order_code == "A"


@pytest.mark.parametrize("codes", [["10", "9"], ["9", "10"]])
def test_on_the_same_day_the_order_code_that_sorts_first_counts(codes):
    assert next_care([an_order(code) for code in codes]).order_code == "10"


def test_ended_orders_are_not_waiting():
    found = next_care([an_order("A", None, ENDED), an_order("B", None, NONE)])
    assert (found.state, found.due_on, found.order_id) == (NONE, None, None)


def test_a_customer_whose_own_care_ended_and_has_nothing_open_is_ended():
    assert next_care([], OpenCare(ENDED, None)).state == ENDED


def test_an_open_order_counts_although_the_own_care_ended():
    assert next_care([an_order("A")], OpenCare(ENDED, None)).state == SUGGESTED


def test_nobody_waits_without_orders_and_appointment():
    assert next_care([]) == OpenCare(NONE, None)


def test_the_most_demanding_product_decides_the_contacts():
    advice = [ContactAdvice(7, 1, 3), ContactAdvice(30, 2, 2), ContactAdvice(5, None, None)]
    assert suggested_contacts(advice) == (2, 3)


def test_products_without_care_suggest_no_contacts():
    assert suggested_contacts([ContactAdvice(0, 5, 9)]) == (None, None)


def test_the_most_is_never_below_the_fewest():
    assert suggested_contacts([ContactAdvice(7, 4, None), ContactAdvice(7, 1, 2)]) == (4, 4)
