"""Computed fields: what the language knows, and what is said about a mistake."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.expressions import check, cycle, inputs, result, value, with_computed
from rules.fields import Field
from rules.kinds import compile_kinds

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
TODAY = date(2026, 11, 21)
FIELDS = {
    one.key: one
    for one in (
        Field("revenue", "money", "revenue"),
        Field("orders", "integer", "orders"),
        Field("name", "text", "name"),
        Field("stage", "choice", "stage"),
        Field("birthday", "date", "birthday"),
        Field("seen", "date_time", "seen"),
        Field("vip", "yes_no", "vip"),
        Field("area", "area", "area_id"),
        Field("tags", "tags", "tags"),
        Field("said", "long_text", "history.content"),
    )
}


def found(text: str, **values: Any) -> Any:
    assert check(text, FIELDS) is None
    return value(text, values, TODAY, HANOI)


@pytest.mark.parametrize(
    ("text", "gives"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("-2 - -3", 1),
        ("7 / 2", Decimal("3.5")),
        ("7 / 0", None),
        ("round(2.5)", 3),
        ("round(-2.5)", -3),
        ("round(1.005, 2)", Decimal("1.01")),
        ("min(3, 1, 2)", 1),
        ("max(1, 2) = 2 and not false", True),
        ("1 = 1 or 1 / 0 = 1", True),
        ("if(revenue > 10, 'big', \"small\")", "small"),
        ("coalesce(revenue, orders, 5)", 5),
        ("abs(-4)", 4),
        ("year(today)", 2026),
        ("days(today, today + 7)", 7),
        ("today - 1", date(2026, 11, 20)),
        ("(today + 3) - today", 3),
        ("length(concat('Hoà', ' ', 'Đạt'))", 7),
        ("today + 99999999", None),
        ("999999999999999 * 999999999999999 * 10", None),
        ("1 ≠ 2", True),
        ("1 <> 1", False),
    ],
)
def test_what_an_expression_gives(text: str, gives: Any) -> None:
    assert found(text) == gives


def test_fields_are_named_by_their_keys() -> None:
    assert found("revenue / orders", revenue=1000, orders=4) == 250
    assert found("days(birthday, today)", birthday=date(2026, 11, 1)) == 20
    assert found("if(stage = 'hot' and vip, 1, 0)", stage="hot", vip=True) == 1
    assert found("length(name)", name="") is None


def test_an_instant_is_its_local_day() -> None:
    late = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)
    assert found("days(seen, today)", seen=late) == 0


def test_what_is_empty_makes_the_result_empty() -> None:
    assert found("revenue + 1") is None
    assert found("revenue > 1") is None
    assert found("if(revenue > 1, 1, 2)") == 2
    assert found("not (revenue > 1)") is True
    assert found("min(revenue, 1)") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The expression is empty"),
        ("revenu + 1", "At “revenu + 1” (letter 1): there is no field “revenu”."),
        ("1 + ", "letter 5): a field, a number or a text in quotes is missing here."),
        ("(1 + 2", "a closing bracket is missing here."),
        ("1 2", "At “2” (letter 3): an operator such as + or a comma is missing here."),
        ("name + 1", "At “name + 1” (letter 1): this is a text, where a number is needed."),
        ("1 + name", "At “name” (letter 5): this is a text, where a number is needed."),
        ("1 + today", "this is a day, where a number is needed."),
        ("if(1, 2, 3)", "At “1, 2, 3)” (letter 4): this is a number, where yes or no is needed."),
        ("if(vip, 2, name)", "this is a text, where a number is needed."),
        ("system(1)", "there is no function “system”. There are: if, min,"),
        ("abs(1, 2)", "abs takes 1 to 1 values, and 2 are given."),
        ("min(1,)", "a value is missing after the comma."),
        ("name.upper", "this sign does not belong to the language."),
        ("__import__('os')", "there is no function “__import__”"),
        ("[1]", "this sign does not belong to the language."),
        ("area = 1", "the field “area” holds nothing that can be computed with."),
        ("length(said)", "holds nothing that can be computed with."),
        ("round(1, orders)", "write the number of decimal places"),
        ("1 < 2 < 3", "an operator such as + or a comma is missing here."),
        ("(" * 40 + "1" + ")" * 40, "too deep in each other"),
        ("1+" * 200 + "1", "too many parts"),
        ("1" * 501, "too long"),
        ("1" * 40, "this number is too long"),
        ("'open", "this sign does not belong to the language."),
    ],
)
def test_a_mistake_is_named_at_its_place(text: str, says: str) -> None:
    assert says in str(check(text, FIELDS))


@given(st.text(max_size=60) | st.text(alphabet="if(1,2)+-*/ nameorvip<=\"'", max_size=60))
def test_no_text_breaks_the_check_or_the_value(text: str) -> None:
    check(text, FIELDS)
    value(text, {"name": "An", "vip": True}, TODAY)


def test_long_chains_of_signs_are_no_trouble() -> None:
    assert check("-" * 400 + "1", FIELDS) is not None
    assert check("not " * 24 + "vip", FIELDS) is None
    assert "too many operations in a row" in str(check("not " * 25 + "vip", FIELDS))


def test_the_result_has_a_family() -> None:
    assert result("today + 1", FIELDS) == "day"
    assert result("name = 'An'", FIELDS) == "flag"
    assert result("coalesce(stage, name)", FIELDS) == "text"


def computed(**expressions: str) -> dict[str, Any]:
    return {
        f"customers.{key}": {"type": "computed", "label_vi": key, "expression": text}
        for key, text in expressions.items()
    }


def test_computed_fields_build_on_each_other() -> None:
    fields = compile_kinds(
        {"fields": computed(c="b * 2", b="a + 1", a="order_count", d="today + a")}, frozenset()
    )["customers"].fields
    assert [fields[key].problem for key in "abcd"] == [None] * 4
    assert fields["d"].family == "day"
    values = with_computed({"order_count": 4}, fields, TODAY)
    assert [values[key] for key in "abc"] == [4, 5, 10]
    assert values["d"] == date(2026, 11, 25)


def test_a_cycle_is_a_problem_of_each_field_on_it() -> None:
    fields = compile_kinds(
        {"fields": computed(a="b + 1", b="c + 1", c="a + 1", d="a + 1", e="order_count", f="f")},
        frozenset(),
    )["customers"].fields
    assert "a → b → c → a" in str(fields["a"].problem)
    assert "b → c → a → b" in str(fields["b"].problem)
    assert "f → f" in str(fields["f"].problem)
    assert "there is no field “a”" in str(fields["d"].problem)
    assert fields["e"].problem is None
    assert with_computed({"order_count": 1}, fields, TODAY)["e"] == 1
    assert cycle("d", {"d": "a", "a": "b", "b": "a"}) == []


def test_an_expression_that_names_a_retired_field_is_a_problem() -> None:
    sections = computed(a="old + 1") | {
        "customers.old": {"type": "integer", "label_vi": "Cũ", "is_retired": True}
    }
    fields = compile_kinds({"fields": sections}, frozenset())["customers"].fields
    assert "there is no field “old”" in str(fields["a"].problem)


def test_a_condition_of_visibility_that_cannot_be_read_is_a_problem() -> None:
    sections = {"customers.a": {"type": "text", "label_vi": "A", "visible_when": "and(name.is("}}
    fields = compile_kinds({"fields": sections}, frozenset())["customers"].fields
    assert "cannot be read at" in str(fields["a"].problem)


def test_the_stored_fields_behind_a_computed_one_are_known_through_others_and_through_circles():
    expressions = {"a": "b + price", "b": "pieces * 2", "c": "d", "d": "c + price", "e": "1 +"}
    fields = {
        key: Field(key, "computed", f"custom.{key}", expression=one)
        for key, one in expressions.items()
    }
    assert inputs(fields) == {
        "a": {"price", "pieces"},
        "b": {"pieces"},
        "c": {"price"},
        "d": {"price"},
        "e": set(),
    }
