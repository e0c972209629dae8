"""Which fields of a form somebody touched, and which somebody else changed meanwhile."""

from hypothesis import given
from hypothesis import strategies as st

from rules.three_way import clashes, touched

SHOWN = {"name": "An", "note": "một\nhai"}
forms = st.fixed_dictionaries({"a": st.sampled_from("xyz"), "b": st.sampled_from("xyz")})


def test_a_field_is_touched_when_it_says_something_else() -> None:
    assert touched(SHOWN, {"name": "Bình", "note": "một\r\nhai\r\n"}) == {"name": "Bình"}


def test_a_field_that_the_form_did_not_show_counts_as_touched() -> None:
    assert touched({}, {"name": "An"}) == {"name": "An"}


def test_only_a_touched_field_that_changed_to_something_else_clashes() -> None:
    stored = {"name": "Chi", "note": "khác"}
    assert clashes(SHOWN, stored, {"name": "Bình", "note": "một\nhai"}) == ["name"]
    assert clashes(SHOWN, stored, {"name": "Chi", "note": "một\nhai"}) == []


@given(shown=forms, stored=forms, typed=forms)
def test_without_a_clash_nobody_loses_a_change(
    shown: dict[str, str], stored: dict[str, str], typed: dict[str, str]
) -> None:
    if clashes(shown, stored, typed):
        return
    merged = stored | touched(shown, typed)
    for name in shown:
        theirs, mine = stored[name] != shown[name], typed[name] != shown[name]
        assert not theirs or merged[name] == stored[name]
        assert not mine or merged[name] == typed[name]
