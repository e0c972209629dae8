"""B.3: one number has one key however it is typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.phones import dialled, format_phone, phone_key, phone_with_remark

SPELLINGS = [
    "0912440785", "+84912440785", "84912440785", "0084 912 440 785", "+84 (0)912 440 785",
    "0912.440.785", "0912-440-785", "912440785", "０９１２４４０７８５", "0912440785 (Anh Ba)",
    "0912440785 / 0987654321", "Zalo: 0912 440 785", "0912440785 ext 5",
]  # fmt: skip

RENUMBERED = [
    ("0120", "070"), ("0121", "079"), ("0122", "077"), ("0126", "076"), ("0128", "078"),
    ("0123", "083"), ("0124", "084"), ("0125", "085"), ("0127", "081"), ("0129", "082"),
    ("0162", "032"), ("0163", "033"), ("0164", "034"), ("0165", "035"), ("0166", "036"),
    ("0167", "037"), ("0168", "038"), ("0169", "039"), ("0186", "056"), ("0188", "058"),
    ("0199", "059"),
]  # fmt: skip


@pytest.mark.parametrize("typed", SPELLINGS)
def test_every_spelling_is_the_same_number(typed):
    assert phone_key(typed) == "+84912440785"
    assert format_phone(typed) == "0912 440 785"


@pytest.mark.parametrize(("old", "new"), RENUMBERED)
@pytest.mark.parametrize("front", ["0", "84", "+84", "+84 0"])
def test_an_eleven_digit_number_is_its_successor(old, new, front):
    number = "2440785"
    assert phone_key(front + old[1:] + number) == phone_key(new + number) == f"+84{new[1:]}2440785"


def test_a_landline_keeps_its_area_code():
    assert phone_key("(024) 3825 1234") == phone_key("+84 24 3825 1234") == "+842438251234"


def test_a_foreign_number_is_shown_with_its_country():
    assert phone_key("+44 20 7946 0958") == "+442079460958"
    assert format_phone("+44 20 7946 0958") == "+44 20 7946 0958"


@pytest.mark.parametrize("typed", ["", "abc", "12345", "1-2-3"])
def test_less_than_six_digits_are_no_number(typed):
    assert phone_key(typed) is None


def test_an_unknown_number_keeps_its_digits():
    assert phone_key("000 11 222") == "00011222"
    assert format_phone(" 000 11 222 ") == "000 11 222"


@given(st.text())
def test_no_text_breaks_it(text):
    format_phone(text)
    key = phone_key(text)
    assert key is None or (len(key) >= 6 and key.lstrip("+").isdigit())


@given(st.from_regex(r"0[0-9 .-]{8,12}", fullmatch=True))
def test_the_key_of_a_key_is_itself(typed):
    key = phone_key(typed)
    assert key is None or phone_key(key) == key


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("0912440785 (Anh Ba)", "0912 440 785 (Anh Ba)"),
        ("Zalo: +84912440785", "Zalo: 0912 440 785"),
        ("0912440785 ext 5", "0912 440 785 ext 5"),
        ("0912440785 / 0987654321", "0912 440 785 / 0987654321"),
        ("Ba 01222440785", "Ba 0772 440 785"),
        ("000 11 222 (nội bộ)", "000 11 222 (nội bộ)"),
        ("(024) 3825 1234", "024 3825 1234"),
    ],
)
def test_what_stands_around_a_number_is_kept(typed, kept):
    assert phone_with_remark(typed) == kept
    assert phone_with_remark(kept) == kept
    assert phone_key(kept) == phone_key(typed)


def test_a_telephone_dials_the_number_without_the_remark():
    assert dialled("0912 440 785 (Anh Ba, tầng 2)") == "0912440785"
    assert dialled("+44 20 7946 0958") == "+442079460958"
