"""What stands at a dotted path of a stored record: one value, or the values of a list."""

from typing import Any

import pytest

from rules.record_paths import single_value, value_at

RECORD: dict[str, Any] = {
    "name": "Lan",
    "phones": ["0912 345 678", "0987 654 321"],
    "care": {"due_on": "2026-05-14", "basis": {"product": "MX1"}},
    "lines": [{"code": "A"}, {"name": "no code"}, {"code": None}, "not a line", {"code": "B"}],
    "months": [{"days": [{"n": 1}, {"n": 2}]}, {"days": [{"n": 3}]}, {}],
    "nothing": None,
}


@pytest.mark.parametrize("read", [single_value, value_at])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("name", "Lan"),
        ("care.due_on", "2026-05-14"),
        ("care.basis.product", "MX1"),
        ("phones", ["0912 345 678", "0987 654 321"]),
        ("missing", None),
        ("care.missing.product", None),
        ("nothing.at.all", None),
        ("name.length", None),
    ],
)
def test_without_a_list_on_the_way_there_is_one_value(read: Any, path: str, expected: Any) -> None:
    assert read(RECORD, path) == expected


def test_a_single_value_is_never_inside_of_a_list() -> None:
    assert single_value(RECORD, "lines.code") is None


def test_through_a_list_lead_the_values_that_are_there() -> None:
    assert value_at(RECORD, "lines.code") == ["A", "B"]


def test_a_list_in_which_nothing_is_there_gives_no_values() -> None:
    assert value_at(RECORD, "lines.missing") == []
    assert value_at({"lines": []}, "lines.code") == []


def test_each_record_of_a_list_keeps_the_values_of_its_own_list() -> None:
    assert value_at(RECORD, "months.days.n") == [[1, 2], [3]]
