"""Patterns of administrators: what matches, what is refused, and that none keeps the server busy."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.errors import InvalidInput
from rules.patterns import compiled


@pytest.mark.parametrize(
    ("pattern", "fitting", "other"),
    [
        (r"[A-Z]{2}-\d{4}", "HD-2026", "hd-2026"),
        (r"^\d{10}(-\d{3})?$", "0301234567-001", "0301234567-"),
        ("a|bc|", "bc", "ab"),
        ("(VIP|PRO) ?[0-9]+", "VIP 12", "VIP"),
        (r"\w+@\w+\.vn", "a@b.vn", "a@b.com"),
        (r"[^\d]*", "Đặng", "A1"),
        ("x{2,}", "xxxx", "x"),
        ("x{0,2}", "", "xxx"),
        (r"[\]\[]+", "[]", "a"),
        ("", "", "a"),
        ("(a|b)*c", "ababc", "abab"),
        (".{3}", "a đ"[:3], "ab"),
    ],
)
def test_the_whole_text_has_to_match(pattern: str, fitting: str, other: str) -> None:
    assert compiled(pattern).matches(fitting)
    assert not compiled(pattern).matches(other)


@pytest.mark.parametrize(
    "pattern",
    [
        *("(", ")", "[", "[]", "[z-a]", "*", "a**", "a{3,1}", "(?=a)", r"\1", r"\b", "a{999}{999}"),
        *(
            "(?P<n>a)",
            "(?i)a",
            "((a{50}){50}){50}",
            "a" * 201,
            "a$b",
            "\\",
            "x{2}?",
            "a{400}b{400}",
        ),
    ],
)
def test_a_pattern_that_is_not_one_is_refused_in_words(pattern: str) -> None:
    with pytest.raises(InvalidInput):
        compiled(pattern)


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "(a|a)*b", "(a*)*b", "(a?){200}a{200}", "(.*)(.*)(.*)x"]
)
def test_no_pattern_keeps_the_server_busy(pattern: str) -> None:
    start = time.process_time()
    assert not compiled(pattern).matches("a" * 400 + "c")
    assert time.process_time() - start < 2


@settings(max_examples=300, deadline=None)
@given(
    st.text("ab|()*+?.[]^-\\d{}12,$", max_size=12),
    st.text("ab12.-", max_size=8),
)
def test_it_agrees_with_the_usual_meaning_or_refuses(pattern: str, text: str) -> None:
    try:
        mine = compiled(pattern)
    except InvalidInput:
        return
    assert mine.matches(text) == bool(re.fullmatch(pattern, text))
