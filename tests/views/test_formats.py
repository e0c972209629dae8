"""How values look in a page."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from bson.decimal128 import Decimal128
from flask import Flask

from models.base import stored_date
from rules.sentences import Sentence
from views import formats


@pytest.fixture(autouse=True)
def _request(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


@pytest.fixture
def in_english(app: Flask) -> Iterator[None]:
    with app.test_request_context(headers={"Cookie": "locale=en"}):
        yield


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (0, "0\u00a0₫"),
        (1250000, "1.250.000\u00a0₫"),
        (Decimal128("1250000.00"), "1.250.000\u00a0₫"),
        (Decimal128("12.5"), "12,50\u00a0₫"),
        (Decimal("-3500"), "-3.500\u00a0₫"),
        (None, ""),
    ],
)
def test_it_writes_money(amount: object, shown: str) -> None:
    assert formats.format_money(amount) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (1250, "1.250"),
        (Decimal128("1250.00"), "1.250"),
        (Decimal128("-1234567.5"), "-1.234.567,5"),
        (Decimal128("1E+16"), "10.000.000.000.000.000"),
        (Decimal128("1E+33"), "1" + ".000" * 11),
        (Decimal128("9" * 30 + ".25"), ".".join(["999"] * 10) + ",25"),
        (Decimal128("1E+6000"), "1E+6000"),
        (0.25, "0,25"),
        (None, ""),
    ],
)
def test_it_writes_numbers(number: object, shown: str) -> None:
    assert formats.format_number(number) == shown


@pytest.mark.parametrize("number", ["Infinity", "NaN"])
def test_it_writes_whatever_was_stored_as_a_number(number: str) -> None:
    assert formats.format_number(Decimal128(number))
    assert formats.format_money(Decimal128(number))


@pytest.mark.usefixtures("in_english")
def test_it_writes_money_in_english() -> None:
    assert formats.format_money(1250000) == "1,250,000\u00a0₫"


@pytest.mark.parametrize(
    ("day", "shown"),
    [
        (date(2028, 2, 29), "29/02/2028"),
        (date(9999, 12, 31), "31/12/9999"),
        (stored_date(date(2026, 1, 5)), "05/01/2026"),
        (None, ""),
    ],
)
def test_it_writes_dates(day: date | None, shown: str) -> None:
    assert formats.format_date(day) == shown


def test_it_writes_instants_in_the_sites_time_zone() -> None:
    midnight = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
    assert formats.format_datetime(midnight) == "21/11/2026 00:00"
    assert formats.format_datetime(None) == ""


def test_it_names_the_weekday() -> None:
    assert formats.format_long_date(date(2026, 11, 21)) == "Thứ Bảy, 21/11/2026"


def test_it_says_a_sentence_with_dates_numbers_and_sentences_inside() -> None:
    inner = Sentence("area %(name)s", {"name": "Hà Nội"})
    said = formats.say(
        Sentence("from %(start)s to %(end)s", {"start": date(2026, 5, 2), "end": inner})
    )
    assert said == "từ 02/05/2026 đến khu vực Hà Nội"
    assert formats.say(Sentence("%(count)s days late", {"count": 1200})) == "quá 1.200 ngày"
    assert formats.say(None) == ""


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Nguyễn Thị Bích Ngọc", "BN"),
        ("Trần Mai", "TM"),
        ("đỗ", "Đ"),
        ("", "?"),
        (None, "?"),
    ],
)
def test_it_takes_the_last_two_initials(name: str | None, shown: str) -> None:
    assert formats.initials(name) == shown


def test_it_keeps_the_colour_of_a_name() -> None:
    assert formats.avatar_class("Trần Mai") == formats.avatar_class("Trần Mai")
