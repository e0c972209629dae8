"""From the address of a list to criteria, a sentence, and problems to show."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from rules.errors import InvalidInput
from rules.filters import (
    Choice,
    ChoiceFilter,
    DueFilter,
    FilterState,
    InstantRangeFilter,
    ReferenceFilter,
    SearchFilter,
    merge,
    parse_date,
    parse_filters,
)
from rules.phones import phone_key
from rules.text import fold

TODAY = date(2026, 11, 21)


def start_of(*day: int) -> datetime:
    return datetime.combine(date(*day), time(), UTC)


STATE = ChoiceFilter(
    "state",
    "Status",
    (
        Choice("all", "All", "", {"care.state": {"$in": ["suggested", "appointed"]}}),
        Choice("new", "Not yet cared for", "not yet cared for", {"care.state": "suggested"}),
    ),
    "all",
)
DUE = DueFilter("due", "Care date", "care.due_on", lambda day: day)
AT = InstantRangeFilter("at", "Care time", "at", lambda day: start_of(day.year, day.month, day.day))
AREA = ReferenceFilter("area", "Area", "area_id", "area %(name)s", int)
SEARCH = SearchFilter("q", "Name", "search_words", phone_key)
ALL = (STATE, DUE, AT, AREA, SEARCH)


def parse(**args: str) -> FilterState:
    return parse_filters(ALL, args, known=("sort", "after"))


def criteria(**args: str) -> dict[str, Any]:
    state = parse(**args)
    assert not state.problems
    return state.criteria(TODAY)


def says(**args: str) -> list[str]:
    return [str(sentence) for _, sentence in parse(**args).sentences()]


def test_it_shows_the_defaults_when_the_address_says_nothing() -> None:
    assert criteria() == {
        "care.state": {"$in": ["suggested", "appointed"]},
        "care.due_on": {"$lte": TODAY + timedelta(days=7)},
    }
    assert says() == ["care date up to 7 days from today"]
    assert not parse().is_narrowed


def test_an_empty_argument_is_no_argument() -> None:
    assert criteria(state="", due=" ", area="", q="", at="") == criteria()


def test_it_narrows() -> None:
    assert parse(state="new").is_narrowed
    assert parse(q="an").is_narrowed
    assert not parse(state="all", due="week").is_narrowed


@pytest.mark.parametrize(
    ("due", "expected", "sentence"),
    [
        ("overdue", {"$lt": TODAY}, "care date before today"),
        ("today", {"$lte": TODAY}, "care date up to today"),
        (
            "2026-11-15..2026-11-28",
            {"$gte": date(2026, 11, 15), "$lte": date(2026, 11, 28)},
            "from 2026-11-15 to 2026-11-28",
        ),
        ("15/11/2026..", {"$gte": date(2026, 11, 15)}, "from 2026-11-15 on"),
        ("..28/11/2026", {"$lte": date(2026, 11, 28)}, "up to 2026-11-28"),
        ("1/2/2026..1/2/2026", {"$gte": date(2026, 2, 1), "$lte": date(2026, 2, 1)}, None),
        (
            "0001-01-01..9999-12-31",
            {"$gte": date.min, "$lte": date.max},
            "from 0001-01-01 to 9999-12-31",
        ),
    ],
)
def test_it_takes_care_dates(due: str, expected: dict[str, Any], sentence: str | None) -> None:
    """S1.14."""
    assert criteria(due=due)["care.due_on"] == expected
    assert sentence is None or says(due=due) == [sentence]


@pytest.mark.parametrize("due", ["all", ".."])
def test_any_date_is_no_criteria(due: str) -> None:
    assert "care.due_on" not in criteria(due=due)
    assert says(due=due) == []


def test_a_range_of_days_over_instants_holds_both_days() -> None:
    """S1.19."""
    wanted = {"$gte": start_of(2026, 11, 15), "$lt": start_of(2026, 11, 29)}
    assert criteria(at="2026-11-15..2026-11-28")["at"] == wanted
    assert criteria(at="15/11/2026")["at"] == {
        "$gte": start_of(2026, 11, 15),
        "$lt": start_of(2026, 11, 16),
    }
    assert criteria(at="..2026-11-28")["at"] == {"$lt": start_of(2026, 11, 29)}


def test_a_range_of_all_days_needs_no_instant_outside_the_calendar() -> None:
    def strict(day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=7)

    wide = InstantRangeFilter("at", "Care time", "at", strict)
    state = parse_filters((wide,), {"at": "0001-01-01..9999-12-31"})
    assert state.criteria(TODAY) == {}
    assert not state.problems


@pytest.mark.parametrize("key", ["due", "at"])
def test_a_range_that_ends_before_it_begins_is_named(key: str) -> None:
    state = parse(**{key: "2026-11-28..2026-11-15"})
    assert [str(one) for one in state.problems] == [
        "The range ends before it begins: 2026-11-28 – 2026-11-15. Swap the two dates."
    ]
    assert state.criteria(TODAY) == criteria()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"state": "nonsense"}, "“nonsense”"),
        ({"due": "yesterday"}, "“yesterday”"),
        ({"due": "2026-02-30.."}, "“2026-02-30” is not a date"),
        ({"due": "a..b..c"}, "“a” is not a date"),
        ({"at": "x"}, "“x” is not a date"),
        ({"area": "$ne"}, "“$ne”"),
        ({"nonsense": "1"}, "no filter “nonsense”"),
        ({"state[$ne]": "x"}, "no filter “state[$ne]”"),
    ],
)
def test_what_it_cannot_use_is_named_and_left_out(args: dict[str, str], says: str) -> None:
    state = parse(**args, q="an")
    assert len(state.problems) == 1
    assert says in str(state.problems[0])
    assert state.criteria(TODAY) == criteria(q="an")


def test_what_it_names_is_short() -> None:
    state = parse(state="x" * 5000, due="y" * 5000, **{"z" * 5000: "1"})
    assert len(state.problems) == 3
    assert all(len(str(one)) < 200 for one in state.problems)


def test_other_arguments_of_the_page_are_no_filters() -> None:
    assert not parse(sort="-due", after="x").problems


def test_a_reference_is_an_id_or_none() -> None:
    assert criteria(area="7")["area_id"] == 7
    assert criteria(area="none")["area_id"] is None
    [(key, sentence)] = parse(area="7", due="all").sentences()
    assert (key, sentence.params) == ("area", {"name": 7})


def test_search_looks_for_words_by_their_beginning_without_accents() -> None:
    assert criteria(q="  Đặng   Hoà ")["$and"] == [
        {"search_words": {"$regex": "^dang"}},
        {"search_words": {"$regex": "^hoa"}},
    ]
    assert says(q=" Đặng  Hoà ", due="all") == ["matching “Đặng Hoà”"]


@pytest.mark.parametrize(
    "word", [r".*+?^$()[]{}|\\", "a.b", "(an", "a|b", "\\", "[", "^x$", "#1 -"]
)
def test_search_takes_every_character_for_itself(word: str) -> None:
    found = SEARCH.criteria(SEARCH.parse(word), TODAY)["$and"]
    for part, wanted in zip(found, fold(word).split(), strict=True):
        pattern = part["search_words"]["$regex"]
        assert re.match(pattern, wanted)
        assert not re.match(pattern, "zzz")


@pytest.mark.parametrize("typed", ["0912 440 785", "+84 912-440-785", "84912440785", "0912440785"])
def test_search_finds_a_phone_in_any_format(typed: str) -> None:
    """B.3."""
    phone, words = SEARCH.criteria(SEARCH.parse(typed), TODAY)["$or"]
    assert phone == {"phone_keys": "+84912440785"}
    assert words["$and"]


def test_search_drops_what_no_store_can_search() -> None:
    assert SEARCH.parse("a\x00n\u200b \x07\n b") == "an b"
    assert SEARCH.criteria(SEARCH.parse("\x00\ud800"), TODAY) == {}
    assert len(SEARCH.parse("x " * 5000)) <= 100


def test_counts_leave_one_filter_out() -> None:
    state = parse(state="new", due="all")
    assert state.criteria(TODAY, without=["state"]) == {}


def test_merge_keeps_both_conditions_on_one_path() -> None:
    assert merge([{"a": 1}, {"b": 2}]) == {"a": 1, "b": 2}
    assert merge([{"a": 1, "c": 3}, {"a": 2}]) == {"$and": [{"a": 1, "c": 3}, {"a": 2}]}
    assert merge([]) == {}


@pytest.mark.parametrize(
    "text", ["28/11/2026", "2026-11-28", "28-11-2026", "28.11.2026", " 28/11/2026 "]
)
def test_it_reads_dates_as_people_write_them(text: str) -> None:
    assert parse_date(text) == date(2026, 11, 28)


@pytest.mark.parametrize(
    "text", ["31/11/2026", "29/02/2026", "2026", "28/11/26", "0/1/2026", "28/11/2026x", "\x00", "é"]
)
def test_it_names_what_is_no_date(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a date"):
        parse_date(text)


def test_no_text_is_no_date() -> None:
    assert parse_date("  ") is None
