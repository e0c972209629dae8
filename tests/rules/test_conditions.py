"""Conditions: the text form, what is refused, what holds, and the sentence."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.built_in_fields import BUILT_IN_KINDS
from rules.conditions import (
    AND,
    DEEPEST,
    MOST_CONDITIONS,
    NOTHING,
    OR,
    Condition,
    Context,
    Group,
    conditions,
    criteria,
    holds,
    read,
    sentence,
    usable,
    write,
)
from rules.errors import InvalidInput
from rules.text import fold, nfc

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
TODAY = date(2026, 11, 21)  # a Saturday
CONTEXT = Context(TODAY, HANOI, me="me-id")
FIELDS = BUILT_IN_KINDS["customers"].fields

values = st.text(max_size=20).map(nfc).filter(bool)
single = st.builds(
    Condition,
    st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True),
    st.sampled_from(["in", "is", "ge", "between", "empty"]),
    st.lists(values, max_size=3).map(tuple),
)


def groups(depth: int) -> st.SearchStrategy[Group]:
    part = single if depth == 1 else st.one_of(single, groups(depth - 1))
    return st.builds(
        Group, st.sampled_from([AND, OR]), st.lists(part, min_size=1, max_size=3).map(tuple)
    )


@given(groups(4).filter(lambda tree: len(list(conditions(tree))) <= MOST_CONDITIONS))
def test_what_is_written_is_read_again(tree: Group) -> None:
    assert read(write(tree)) == tree


@given(st.text(alphabet="ando(r,).%2ax é", max_size=40) | st.text(max_size=40))
def test_reading_raises_nothing_but_invalid_input(text: str) -> None:
    try:
        tree = read(text)
    except InvalidInput:
        return
    assert read(write(tree)) == tree


def test_a_condition_alone_is_a_group_of_one() -> None:
    assert read("name.is(An)") == Group(AND, (Condition("name", "is", ("An",)),))


def test_an_empty_text_is_no_tree() -> None:
    assert read(" ") is None
    assert read("and(or(),and())") is None
    assert write(None) == ""


@pytest.mark.parametrize(
    "text",
    [
        *("and(", "and(name.is(An)", "name.is(An))", "name", "name.is", "(name.is(An))"),
        *("and(name.is(An)or(name.is(Ba)))", "Name.is(An)", "name.$where(1)", "and.is"),
    ],
)
def test_a_text_that_is_no_tree_names_the_place(text: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be read at"):
        read(text)


def test_too_much_is_refused() -> None:
    deep = "and(" * DEEPEST + "name.is(An)" + ")" * DEEPEST
    assert read(deep)
    with pytest.raises(InvalidInput, match="too deep"):
        read(f"or({deep})")
    many = ",".join(["name.is(An)"] * MOST_CONDITIONS)
    assert read(f"or({many})")
    with pytest.raises(InvalidInput, match="too many conditions"):
        read(f"or({many},name.is(An))")
    with pytest.raises(InvalidInput, match="between 1 and 200"):
        read(f"area.in({','.join('a' * 201)})")
    with pytest.raises(InvalidInput, match="too long"):
        read("x" * 30_000)


def test_what_cannot_be_asked_is_left_out_and_said() -> None:
    tree = read("and(name.is(An),secret.is(x),or(revenue.ge(abc),revenue.contains(1)))")
    found, problems = usable(tree, FIELDS, CONTEXT)
    assert found == Group(AND, (Condition("name", "is", ("An",)),))
    assert [str(one) for one in problems] == [
        "There is no field “secret” to filter by; its condition was left out.",
        "The condition on “Revenue” was left out. "
        "“abc” is not a number. Write digits, for example 1250000.",
        "The field “Revenue” cannot be asked “contains”; it was left out.",
    ]


def test_a_hidden_field_is_refused_as_one_that_never_was() -> None:
    seen = {key: one for key, one in FIELDS.items() if key != "national_id"}
    hidden = usable(read("national_id.is(012)"), seen, CONTEXT)
    never = usable(read("nothing_here.is(012)"), seen, CONTEXT)
    assert hidden[0] is None
    assert never[0] is None
    texts = [str(found[1][0]).replace(key, "X") for found, key in
             ((hidden, "national_id"), (never, "nothing_here"))]  # fmt: skip
    assert texts[0] == texts[1]


def test_a_condition_that_cannot_be_asked_matches_nothing() -> None:
    assert criteria(read("or(secret.is(x))"), FIELDS, CONTEXT) == NOTHING
    assert criteria(read("revenue.ne(abc)"), FIELDS, CONTEXT) == NOTHING
    assert criteria(None, FIELDS, CONTEXT) == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gender.in(robot)", "is not a choice"),
        ("revenue.between(1,2,3)", "A value is missing"),
        ("revenue.between(5,2)", "ends before it begins"),
        ("birthday.between(2026-01-02,2026-01-01)", "ends before it begins"),
        ("birthday.on(31/02/2026)", "is not a date"),
        ("birthday.within(someday)", "is not a period"),
        ("birthday.last_days(many)", "is not a number of days"),
        ("birthday.before(-99999d)", "is not a number of days"),
        ("birthday.after(0001-01-01)", "is not a date"),
        ("revenue.eq(Infinity)", "is not a number"),
        ("revenue.eq(9e99)", "is not a number"),
        ("phones.phone(abc)", "is not a phone number"),
        ("name.is()", "A value is missing"),
        ("area.in()", "Choose between 1"),
    ],
)
def test_a_wrong_value_is_named_with_its_remedy(text: str, says: str) -> None:
    found, problems = usable(read(text), FIELDS, CONTEXT)
    assert found is None
    assert len(problems) == 1
    assert says in str(problems[0])


def test_an_id_that_is_none_is_refused_and_me_is_staff_alone() -> None:
    context = Context(TODAY, HANOI, me="x", read_id=int)
    assert usable(read("owner.in(me)"), FIELDS, context)[1] == []
    assert len(usable(read("area.in(me)"), FIELDS, context)[1]) == 1
    assert len(usable(read("owner.in(abc)"), FIELDS, context)[1]) == 1


def met(text: str, **values: Any) -> bool:
    return holds(read(text), values, CONTEXT)


def test_contains_finds_vietnamese_letters_whatever_was_typed() -> None:
    for typed in ("hoa dat", "HOÀ ĐẠT", "hòa", "đạt"):
        assert met(f"name.contains({typed})", name="Nguyễn Hoà  Đạt")
        assert fold(typed) in fold("Nguyễn Hoà  Đạt")
    assert met("name.starts(nguyen)", name="Nguyễn Hoà")
    assert not met("name.starts(hoa)", name="Nguyễn Hoà")
    assert not met("name.contains(.*)", name="Nguyễn Hoà")
    assert not met("name.is(nguyễn)", name="Nguyễn")


@given(st.text(alphabet="aăâáạặđĐdeêệoôơởuưữyỹ 01.*[", max_size=8), st.text(max_size=4))
def test_contains_agrees_with_folding(typed: str, beside: str) -> None:
    if fold(typed):
        text = nfc(beside + typed + beside)
        assert met(f"name.contains({'%20'.join(typed.split())})", name=text) or fold(
            typed
        ) not in fold(text)


def test_a_phone_is_found_in_any_format() -> None:
    for typed in ("0912440785", "%2B84912440785", "0912.440.785", "912 440", "0912 44"):
        assert met(f"phones.phone({typed})", phones=["0987 000 111", "0912 440 785"])
    assert not met("phones.phone(0912440786)", phones=["0912 440 785"])


def test_days_are_local_days_of_the_site() -> None:
    late = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)  # half past midnight of the 21st in Hanoi
    assert met("created.on(today)", created=late)
    assert not met("created.on(yesterday)", created=late)
    assert met("created.after(yesterday)", created=late)
    assert met("created.last_days(0)", created=late)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("within(this_week)", date(2026, 11, 16), date(2026, 11, 22)),
        ("within(last_week)", date(2026, 11, 9), date(2026, 11, 15)),
        ("within(next_week)", date(2026, 11, 23), date(2026, 11, 29)),
        ("within(this_month)", date(2026, 11, 1), date(2026, 11, 30)),
        ("within(next_month)", date(2026, 12, 1), date(2026, 12, 31)),
        ("within(last_quarter)", date(2026, 7, 1), date(2026, 9, 30)),
        ("within(next_quarter)", date(2027, 1, 1), date(2027, 3, 31)),
        ("within(this_year)", date(2026, 1, 1), date(2026, 12, 31)),
        ("within(+7d)", TODAY, date(2026, 11, 28)),
        ("within(-7d)", date(2026, 11, 14), TODAY),
        ("on(+7d)", date(2026, 11, 28), date(2026, 11, 28)),
        ("on(this_month)", date(2026, 11, 1), date(2026, 11, 30)),
        ("next_days(7)", TODAY, date(2026, 11, 28)),
        ("last_days(30)", date(2026, 10, 22), TODAY),
        ("between(-1d,2026-11-28)", date(2026, 11, 20), date(2026, 11, 28)),
    ],
)
def test_relative_days(text: str, first: date, last: date) -> None:
    one = date.resolution
    for day, inside in ((first - one, False), (first, True), (last, True), (last + one, False)):
        assert met(f"due.{text}", due=day) is inside


def test_more_than_days_ago_leaves_that_day_out() -> None:
    assert not met("due.days_ago(30)", due=date(2026, 10, 22))
    assert met("due.days_ago(30)", due=date(2026, 10, 21))
    assert not met("due.days_ago(30)", due=None)


def test_what_is_empty_meets_denials_alone() -> None:
    assert met("name.empty()")
    assert met("groups.empty()", groups=[])
    assert met("revenue.ne(5)")
    assert met("groups.none(vip)", groups=None)
    assert not met("revenue.lt(5)")
    assert not met("name.filled()", name="")
    assert not met("groups.filled()", groups=[None])


def test_groups_join_by_and_and_or() -> None:
    text = "and(name.is(An),or(revenue.ge(10),tags.in(%23VIP)))"
    assert met(text, name="An", revenue=Decimal(10))
    assert met(text, name="An", tags=["vip"])
    assert not met(text, name="An", revenue=9)
    assert not met(text, name="Ba", revenue=11)


def test_the_sentence_says_it_all() -> None:
    tree = read(
        "and(area.in(a1,a2),or(relationship.in(hot),revenue.ge(1000000)),"
        "due.next_days(7),owner.in(me),last_contact.before(-30d),gender.in(female))"
    )
    names = {"a1": "Huế", "a2": "Hà Nội", "hot": "Nóng"}
    context = Context(TODAY, HANOI, value_label=lambda field, value: names[value], locale="en")
    assert str(sentence(tree, FIELDS, context)) == (
        "Area is any of: ['Huế', 'Hà Nội'] and (Relationship is any of: ['Nóng'] or "
        "Revenue ≥ 1000000) and Care date in the next 7 days and "
        "Person responsible is any of: [Sentence(message='me', params={})] and "
        "Last contact before 30 days ago and "
        "Gender is any of: [Sentence(message='Female', params={})]"
    )
    assert sentence(None, FIELDS, context) is None
