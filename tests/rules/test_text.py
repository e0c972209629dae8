"""B.4, S2.2: text is stored composed and found without diacritics."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.text import fold, hashtags, nfc, search_text


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Hoà", "hoa"),
        ("Hòa", "hoa"),
        ("Ngô Thị  Ánh Nguyệt", "ngo thi anh nguyet"),
        ("ĐẶNG ĐỨC Đạt", "dang duc dat"),
        ("Thuở Ưng Ử", "thuo ung u"),
        ("  STRASSE\tß ", "strasse ss"),
        ("İstanbul", "istanbul"),
    ],
)
def test_it_folds(typed, folded):
    assert fold(typed) == folded
    assert fold(unicodedata.normalize("NFD", typed)) == folded


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(), st.booleans())
def test_stored_text_is_stable_composed_and_can_be_encoded(text, multiline):
    stored = nfc(text, multiline=multiline)
    assert nfc(stored, multiline=multiline) == stored
    assert unicodedata.is_normalized("NFC", stored)
    stored.encode("utf-8")


def test_it_drops_what_cannot_be_seen():
    assert nfc(" Lan\x00\u202e\u200b \x07Anh\t ") == "Lan Anh"


def test_line_breaks_stay_only_where_they_are_wanted():
    assert nfc("a\r\nb\rc") == "a b c"
    assert nfc("a\r\nb\rc", multiline=True) == "a\nb\nc"


def test_the_search_text_of_a_record_skips_what_is_missing():
    assert search_text("Trần Đức", None, ["0912", "", "A@B.vn"], "") == "tran duc 0912 a@b.vn"


def test_hashtags_are_lower_case_and_named_once():
    text = "Gọi #Tele, #tưvấn rồi #TELE (#cskh). #1 http://x.vn/#trang a#b"
    assert hashtags(text) == ["tele", "tưvấn", "cskh"]
    assert hashtags(unicodedata.normalize("NFD", text)) == ["tele", "tưvấn", "cskh"]


@given(st.text())
def test_no_text_breaks_the_hashtags(text):
    assert all(hashtags(f"#{tag}") == [tag] for tag in hashtags(text))
