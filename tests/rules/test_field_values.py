"""What is typed into a field of each type: read, checked, and shown again as it is typed."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.errors import InvalidInput
from rules.field_values import EARLIEST, LATEST, default, parse, relative_day, typed
from rules.fields import TYPES, Field, Typing
from rules.text import nfc
from tests.factories import TODAY, ZONE


def refer(kind: str, text: str) -> str:
    if not text.isalnum():
        raise InvalidInput("no such %(kind)s", kind=kind)
    return text


TYPING = Typing(TODAY, ZONE, lambda key: frozenset({"vip", "gold"}), refer)


def field(type_: str, **more: Any) -> Field:
    return Field("f", type_, "custom.f", pick_list="levels", **more)


def value(type_: str, text: Any, **more: Any) -> Any:
    return parse(field(type_, **more), text, TYPING)


def refused(type_: str, text: Any, **more: Any) -> str:
    with pytest.raises(InvalidInput) as error:
        value(type_, text, **more)
    return str(error.value)


@pytest.mark.parametrize("type_", [key for key in TYPES if key not in ("computed", "tags")])
@pytest.mark.parametrize("text", ["", "   ", "\t\r\n", "\u200b", [], [""]])
def test_nothing_is_nothing_in_every_type(type_: str, text: Any) -> None:
    assert value(type_, text) is None
    assert typed(field(type_), None, ZONE) == ""


@pytest.mark.parametrize("type_", ["computed", "tags"])
def test_what_follows_from_other_fields_cannot_be_typed(type_: str) -> None:
    assert "cannot be typed" in refused(type_, "1")


@pytest.mark.parametrize(
    ("type_", "text", "expected"),
    [
        ("text", "  Trần   Văn\tĐạt ", "Trần Văn Đạt"),
        ("long_text", "một\r\nhai", "một\nhai"),
        ("integer", "1.250", 1250),
        ("integer", "-7", -7),
        ("integer", "5,0", 5),
        ("money", "1.250.000 ₫", 1_250_000),
        ("money", "1,250,000đ", 1_250_000),
        ("money", "1 250 000 VNĐ", 1_250_000),
        ("decimal", "12,5", Decimal("12.5")),
        ("decimal", "12.5", Decimal("12.5")),
        ("decimal", "1.250", Decimal(1250)),
        ("decimal", "1,250", Decimal("1.25")),
        ("decimal", "1.234,50", Decimal("1234.5")),
        ("decimal", "1,234.50", Decimal("1234.5")),
        ("decimal", "0.125", Decimal("0.125")),
        ("decimal", ".5", Decimal("0.5")),
        ("percent", "12,5 %", Decimal("12.5")),
        ("decimal", "１２", Decimal(12)),
        ("date", "28/11/2026", date(2026, 11, 28)),
        ("date", "2026-11-28", date(2026, 11, 28)),
        ("date_time", "28/11/2026 14:30", datetime(2026, 11, 28, 7, 30, tzinfo=UTC)),
        ("date_time", "28/11/2026 7h", datetime(2026, 11, 28, 0, 0, tzinfo=UTC)),
        ("date_time", "2026-11-28T14:30", datetime(2026, 11, 28, 7, 30, tzinfo=UTC)),
        ("date_time", "28/11/2026", datetime(2026, 11, 27, 17, 0, tzinfo=UTC)),
        ("yes_no", "Có", True),
        ("yes_no", ["no", "yes"], True),
        ("yes_no", "không", False),
        ("choice", "vip", "vip"),
        ("choices", ["vip", "gold", "vip"], ["vip", "gold"]),
        ("choices", "vip, gold", ["vip", "gold"]),
        ("phone", "+84912440785", "0912 440 785"),
        (
            "phones",
            "0912440785 (Ba, sáng), 02838234567",
            ["0912 440 785 (Ba, sáng)", "028 3823 4567"],
        ),
        ("email", "An@CongTy.vn", "An@congty.vn"),
        ("link", "congty.vn/a?b=1", "https://congty.vn/a?b=1"),
        ("link", "http://congty.vn", "http://congty.vn"),
        ("staff", "a1", "a1"),
        ("staff_list", "a1, b2", ["a1", "b2"]),
        ("file", ["a1"], ["a1"]),
    ],
)
def test_it_reads_what_people_write(type_: str, text: Any, expected: Any) -> None:
    assert value(type_, text) == expected


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        *(
            ("integer", text)
            for text in ("1.5", "1,25", "abc", "1e3", "1_000", "--1", "1.25.000", "∞", "٣")
        ),
        *(("integer", text) for text in ("9" * 16, "9" * 5000, "1.000,5", "1,,000", ".", ",", "+")),
        *(
            ("decimal", text)
            for text in ("1,2,3", "1.2.3", "NaN", "1.2,3.4", "0,1234567", "=1+1", "1/2")
        ),
        *(("money", text) for text in ("12,50", "₫", "1.250,5")),
        *(
            ("date", text)
            for text in ("31/02/2026", "0001-01-01", "28/11", "9999-12-31", "hôm nay")
        ),
        *(
            ("date_time", text)
            for text in ("28/11/2026 25:00", "14:30", "28/11/2026 14:99", "1000-01-01 x")
        ),
        *(("yes_no", text) for text in ("maybe", "<script>", "2")),
        *(("choice", text) for text in ("gone", "vip, gold", "<script>", "$where")),
        ("choices", ["vip", "gone"]),
        ("choices", [f"k{n}" for n in range(101)]),
        *(("phone", text) for text in ("abc", "12345", "0912440785" * 9)),
        ("phones", ", ".join(f"09124407{n:02}" for n in range(11))),
        *(("email", text) for text in ("an", "an@", "a b@congty.vn", "an@congty.vn, b@congty.vn")),
        *(
            ("link", text)
            for text in ("javascript:alert(1)", "data:text/html,x", "http://", "a b.vn")
        ),
        *(
            ("link", text)
            for text in ("ftp://congty.vn", "https://x.vn/<b>", "https://a.vn:99999", "https://[")
        ),
        ("link", "javascript://congty.vn/%0aalert(1)"),
        ("staff", "$ne"),
        ("text", "x" * 401),
        ("long_text", "x" * 401),
    ],
)
def test_it_refuses_what_is_something_else_in_words(type_: str, text: Any) -> None:
    assert refused(type_, text)


@pytest.mark.parametrize(
    ("type_", "limits", "inside", "outside"),
    [
        ("integer", {"minimum": "1", "maximum": "10"}, ["1", "10"], ["0", "11"]),
        ("money", {"minimum": "1.000"}, ["1000"], ["999"]),
        ("decimal", {"maximum": "0,5"}, ["0.5"], ["0.51"]),
        (
            "date",
            {"minimum": "today", "maximum": "+7d"},
            ["21/11/2026", "28/11/2026"],
            ["20/11/2026", "29/11/2026"],
        ),
        ("date_time", {"minimum": "today"}, ["21/11/2026 0:00"], ["20/11/2026 23:59"]),
        ("text", {"minimum": "2", "maximum": "3"}, ["ab", "abc"], ["a", "abcd"]),
        ("choices", {"minimum": "2"}, ["vip,gold"], ["vip"]),
        ("text", {"pattern": "[A-Z]{2}\\d+"}, ["AB1"], ["ab1", "AB"]),
    ],
)
def test_limits_of_the_field_hold(
    type_: str, limits: dict[str, str], inside: list[str], outside: list[str]
) -> None:
    for text in inside:
        assert value(type_, text, **limits) is not None
    for text in outside:
        assert refused(type_, text, **limits)


def test_limits_that_make_no_sense_hinder_nobody() -> None:
    assert value("integer", "5", minimum="abc", maximum="?") == 5
    assert value("text", "a", pattern="(") == "a"


def test_a_default_is_today_me_or_what_is_typed() -> None:
    def begins(type_: str, text: str) -> Any:
        return default(field(type_, default=text), TYPING)

    assert begins("date", "today") == TODAY
    assert begins("date", "-1d") == date(2026, 11, 20)
    assert begins("date_time", "today") == datetime(2026, 11, 21, tzinfo=ZONE)
    assert begins("choice", "vip") == "vip"
    assert begins("yes_no", "yes") is True
    assert begins("choice", "gone") is None
    assert begins("text", "") is None
    assert relative_day("+99999d", date(9999, 1, 1)) is None


CLEAN = st.text(max_size=60).map(nfc).filter(bool)
INSTANTS = st.integers(-(10**7), 10**8).map(
    lambda minutes: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
VALUES = {
    "text": CLEAN,
    "long_text": st.text(max_size=60).map(lambda text: nfc(text, multiline=True)).filter(bool),
    "integer": st.integers(-(10**15) + 1, 10**15 - 1),
    "money": st.integers(-(10**15) + 1, 10**15 - 1),
    "decimal": st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=6),
    "percent": st.decimals(-1000, 1000, allow_nan=False, allow_infinity=False, places=3),
    "date": st.dates(EARLIEST, LATEST),
    "date_time": INSTANTS,
    "yes_no": st.booleans(),
    "choice": st.sampled_from(["vip", "gold"]),
    "choices": st.lists(st.sampled_from(["vip", "gold"]), min_size=1, unique=True),
}


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(VALUES)), st.data())
def test_what_a_form_shows_is_read_as_the_same_value(type_: str, data: st.DataObject) -> None:
    one = data.draw(VALUES[type_])
    assert value(type_, typed(field(type_), one, ZoneInfo("Asia/Ho_Chi_Minh"))) == one


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(sorted(TYPES)), st.text(max_size=40) | st.lists(st.text(max_size=8), max_size=4)
)
def test_whatever_is_typed_it_is_a_value_or_a_message(type_: str, text: Any) -> None:
    try:
        one = value(type_, text)
    except InvalidInput:
        return
    assert value(type_, typed(field(type_), one, ZONE)) == one
