"""The key of a new kind or role follows from its name."""

import pytest

from rules import kind_settings, role_settings
from rules.errors import InvalidInput


def wrong_in_role(label: str, key: str) -> set[str]:
    typed = role_settings.Typed({"label_vi": label, "key": key, "reach.other": "own"}, lambda _: ())
    try:
        role_settings.checked(typed, key="", taken=(), fields={}, kept={})
    except InvalidInput as error:
        return set(error.fields)
    return set()


def wrong_in_kind(label: str, key: str) -> set[str]:
    try:
        kind_settings.checked({"label_vi": label, "key": key}, taken=())
    except InvalidInput as error:
        return set(error.fields)
    return set()


@pytest.mark.parametrize("wrong", [wrong_in_role, wrong_in_kind])
@pytest.mark.parametrize(
    ("label", "key", "fields"),
    [
        ("Phiếu bảo hành", "", set()),
        ("", "", {"label_vi"}),
        ("", "9", {"label_vi", "key"}),
        ("Phiếu", "Phiếu 1", {"key"}),
        ("***", "", {"key"}),
    ],
)
def test_only_what_the_person_can_mend_is_called_wrong(
    wrong: object, label: str, key: str, fields: set[str]
) -> None:
    assert callable(wrong)
    assert wrong(label, key) == fields
