"""Numbers are read as the language of the page writes them, and shown so that they stay the same."""

import random
from decimal import Decimal

import pytest

from rules.errors import InvalidInput
from rules.numbers import decimal, in_language, typed_decimal, typed_money, whole

LANGUAGES = ("vi", "en")


@pytest.mark.parametrize(
    ("language", "text", "number"),
    [
        ("vi", "1.234.567,5", "1234567.5"),
        ("vi", "1,234", "1.234"),
        ("vi", "1.234", "1234"),
        ("vi", "1234567,5 ₫", "1234567.5"),
        ("vi", "1 234 567,5", "1234567.5"),
        ("vi", "12,5 %", "12.5"),
        ("vi", "12.5", "12.5"),  # a keyboard without a comma beside its digits
        ("vi", "0.250", "0.25"),
        ("vi", "-1.234,5", "-1234.5"),
        ("en", "1,234,567.5", "1234567.5"),
        ("en", "1,234", "1234"),
        ("en", "1.234", "1.234"),
        ("en", "1,234 ₫", "1234"),
        ("en", "0.250", "0.25"),
        ("en", ".5", "0.5"),
        ("en", "−1,234.5", "-1234.5"),
    ],
)
def test_a_number_is_read_by_the_language_of_its_page(
    language: str, text: str, number: str
) -> None:
    assert decimal(text, language) == Decimal(number)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        *(("en", text) for text in ("1.234.567", "12,5", "1.234,5", "1,23", "0,250", "1,2345")),
        *(("vi", text) for text in ("1,234,567", "1,234.5", "1.2.3", "1.23.456", "1,2,3")),
        *((language, text) for language in LANGUAGES for text in ("abc", ".", ",", "1..5", "-")),
    ],
)
def test_what_the_language_does_not_write_is_refused_with_an_example(
    language: str, text: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        decimal(text, language)
    assert refused.value.params == {
        "value": text,
        "example": {"vi": "1.250,5", "en": "1,250.5"}[language],
    }


@pytest.mark.parametrize(
    ("language", "text"), [("vi", "1,250"), ("vi", "12,5"), ("en", "1.250"), ("en", "12.5")]
)
def test_a_part_of_a_dong_is_never_taken_for_a_thousand(language: str, text: str) -> None:
    with pytest.raises(InvalidInput, match="whole number"):
        whole(text, language)


def test_files_may_write_numbers_either_way() -> None:
    assert whole("1,250,000") == whole("1.250.000") == 1_250_000
    assert decimal("1,234.5") == decimal("1.234,5") == Decimal("1234.5")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_shown_is_read_as_the_same_number(language: str) -> None:
    chance = random.Random(7)
    edges = [0, 1, -1, 999, 1000, -1000, 1234567, 10**14, 1250]
    for number in [*edges, *(chance.randrange(-(10**14), 10**14) for _ in range(500))]:
        assert whole(in_language(typed_money(number), language), language) == number
        assert whole(in_language(str(number), language), language) == number
        for places in (1, 3, 6):
            part = Decimal(number % 10**12).scaleb(-places).normalize()
            shown = in_language(typed_decimal(part), language)
            assert decimal(shown, language) == part
            assert in_language(shown, language) == typed_decimal(part)
