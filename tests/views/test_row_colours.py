"""Rows of a list coloured by conditions: for whom, why, and what a broken one does."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from rules.scope import Actor
from services import configuration_changes
from services.configuration_changes import Change
from tests.factories import NOW, TODAY, make_customer, make_order
from tests.views.conftest import Browser

HOT = {"where": "relationship.in(hot)", "colour": "red"}
pytestmark = pytest.mark.usefixtures("morning", "shipped")
Set = Callable[..., None]


@pytest.fixture
def configure(administrator: Actor) -> Set:
    def apply(*changes: Change) -> None:
        configuration_changes.apply(changes, says="t", by=administrator, at=NOW)

    return apply


@pytest.fixture
def colours(configure: Set) -> Set:
    """Sets the row colours of the list of customers."""
    return lambda *rules: configure(Change("lists", "customers", {"row_colours": list(rules)}))


def colour_of(page: str, record_id: Any) -> tuple[str, str]:
    """(colour, reason) of a row; ("", "") for none."""
    found = re.search(rf'<tr id="row-{record_id}"([^>]*)>', page)
    assert found, page
    colour = re.search(r'class="row-(\w+)', found.group(1))
    title = re.search(r'title="([^"]*)"', found.group(1))
    return (colour.group(1) if colour else ""), (title.group(1) if title else "")


def test_the_first_condition_that_holds_colours_the_row_and_says_why(
    desk: Browser, colours: Set
) -> None:
    hot, new = make_customer(relationship="hot"), make_customer(relationship="new")
    colours(HOT, {"where": "relationship.in(hot,new)", "colour": "green"})
    page = desk.get("/customers/").text
    colour, why = colour_of(page, hot)
    assert colour == "red"
    assert why
    assert colour_of(page, new)[0] == "green"
    assert 'class="row-legend"' in page
    assert why in page.split('class="row-legend"')[1]


def test_the_legend_names_only_colours_of_the_page(desk: Browser, colours: Set) -> None:
    make_customer(relationship="new")
    colours(HOT)
    assert "row-legend" not in desk.get("/customers/").text


def test_a_condition_on_a_field_that_no_column_shows_is_fetched(
    desk: Browser, configure: Set
) -> None:
    configure(
        Change("fields", "customers.rank", {"type": "integer", "label_vi": "Hạng"}),
        Change(
            "lists",
            "customers",
            {
                "columns": [{"key": "name"}],
                "row_colours": [{"where": "rank.ge(5)", "colour": "blue"}],
            },
        ),
    )
    high, low = make_customer(custom={"rank": 5}), make_customer(custom={"rank": 4})
    page = desk.get("/customers/").text
    assert colour_of(page, high)[0] == "blue"
    assert colour_of(page, low) == ("", "")


def test_a_computed_field_colours_by_what_it_is_computed_from(
    desk: Browser, configure: Set
) -> None:
    rank = {"type": "integer", "label_vi": "Hạng"}
    twice = {"type": "computed", "label_vi": "Gấp đôi", "expression": "rank * 2"}
    wanted = {"row_colours": [{"where": "twice.ge(10)", "colour": "teal"}]}
    configure(
        Change("fields", "customers.rank", rank),
        Change("fields", "customers.twice", twice),
        Change("lists", "customers", wanted),
    )
    high, low = make_customer(custom={"rank": 5}), make_customer(custom={"rank": 4})
    page = desk.get("/customers/").text
    assert colour_of(page, high)[0] == "teal"
    assert colour_of(page, low)[0] == ""


@pytest.mark.parametrize("level", ["hidden", "masked"])
def test_a_field_that_a_role_may_not_read_colours_nothing_for_it(
    desk: Browser,
    configure: Set,
    administrator: Actor,
    browser_of: Callable[[Actor], Browser],
    level: str,
) -> None:
    """Else the colour would tell what the field does not."""
    role = {
        "label_vi": "Chăm sóc",
        "kinds": {
            "customers": {
                "actions": ["see", "edit"],
                "reach": "all",
                "fields": {"note": level},
            }
        },
    }
    noted = {"where": "and(note.contains(VIP),relationship.in(new))", "colour": "purple"}
    configure(
        Change("roles", "care_agent", role),
        Change("lists", "customers", {"row_colours": [noted]}),
    )
    customer = make_customer(note="VIP", relationship="new")
    page = desk.get("/customers/").text
    assert colour_of(page, customer) == ("", "")
    assert "list-problem" not in page
    office = browser_of(administrator).get("/customers/").text
    assert colour_of(office, customer)[0] == "purple"


@pytest.mark.parametrize(
    "broken",
    ["relationship.in(", "nothing.is(1)", "relationship.in(gone)", "name.ge(1)"],
)
def test_a_broken_condition_colours_nothing_and_only_administrators_hear_of_it(
    desk: Browser,
    colours: Set,
    administrator: Actor,
    browser_of: Callable[[Actor], Browser],
    broken: str,
) -> None:
    hot = make_customer(relationship="hot")
    colours({"where": broken, "colour": "green"}, HOT)
    page = desk.get("/customers/").text
    assert colour_of(page, hot)[0] == "red"
    assert "list-problem" not in page
    assert "list-problem" in browser_of(administrator).get("/customers/").text


@pytest.mark.parametrize(
    "broken",
    [
        {"row_colours": "red"},
        {"row_colours": [7, None, {"where": 5}, {"colour": "red"}]},
        {"row_colours": [{"where": "relationship.in(hot)", "colour": "url(x)"}]},
        {"filters": "all", "actions": {"open": 1}},
        {"filters": [None, {}], "actions": [[], 1, "open"]},
    ],
)
def test_broken_content_breaks_no_list(desk: Browser, configure: Set, broken: Any) -> None:
    hot = make_customer(relationship="hot")
    configure(Change("lists", "customers", broken))
    assert colour_of(desk.get("/customers/").text, hot)[0] == ""


def test_labels_in_the_reason_are_escaped(desk: Browser, configure: Set, colours: Set) -> None:
    field = {"type": "text", "label_vi": '<script>alert(1)</script>"', "label_en": ""}
    configure(Change("fields", "customers.bad", field))
    customer = make_customer(custom={"bad": "x"})
    colours({"where": "bad.is(x)", "colour": "red"})
    page = desk.get("/customers/").text
    assert "&lt;script&gt;" in colour_of(page, customer)[1]
    assert "<script>alert" not in page


def test_orders_are_coloured_too_and_one_row_alone_keeps_its_colour(
    desk: Browser, configure: Set
) -> None:
    order = make_order(make_customer(), due_on=TODAY, status="done")
    rule = {"where": "due.on(today)", "colour": "yellow"}
    configure(Change("lists", "orders_due", {"row_colours": [rule]}))
    assert colour_of(desk.get("/orders/due/").text, order)[0] == "yellow"
    row = desk.get(f"/orders/due/rows/{order}").text
    assert 'class="row-yellow is-changed"' in row


def test_quick_filters_that_are_not_chosen_leave_the_bar_while_they_are_not_in_force(
    desk: Browser, configure: Set
) -> None:
    make_customer(relationship="hot")
    chip = "relationship=hot"
    assert chip in desk.get("/customers/").text
    configure(Change("lists", "customers", {"filters": ["q"]}))
    page = desk.get("/customers/").text
    assert chip not in page
    assert "data-filter" in page  # the filter builder stays
    assert "is-on" in desk.get("/customers/?relationship=hot").text
