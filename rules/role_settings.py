"""What is typed on the screen of a role, as it is stored."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rules.conditions import read
from rules.errors import N_, CareError, InvalidInput
from rules.fields import KEY_PATTERN
from rules.permissions import ABILITIES, ACTIONS, ADMINISTRATOR, LEVELS, REACHES, SEE
from rules.roles import always_seen
from rules.text import fold

OTHERS = "other"  # in the form: kinds that no line names
NAME_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Typed:
    """The form of a role: single values, and lists of ticked ones, by name."""

    one: Mapping[str, str]
    several: Callable[[str], Sequence[str]]


def checked(
    typed: Typed,
    *,
    key: str,
    taken: Iterable[str],
    fields: Mapping[str, Iterable[str]],
    kept: Mapping[str, Any],
) -> tuple[str, dict[str, Any]]:
    """(key, content) of a role.

    What the form did not ask about stays as it is: a field or kind that is retired, or was while
    the form was open, comes back with the restrictions that it had.

    Args:
        key: of the role that is edited, "" for a new one.
        taken: keys that a new role cannot have.
        fields: the keys of the fields of each kind that has a line in the form.
        kept: the role as it is stored, or the one that it is a copy of; {} for neither.

    Raises InvalidInput with `fields`, every wrong one at once.
    """
    errors: dict[str, CareError] = {}
    label_vi, label_en = (_name(typed.one.get(name, "")) for name in ("label_vi", "label_en"))
    if not label_vi:
        errors["label_vi"] = InvalidInput(N_("Give it a name, at most 60 characters."))
    made = key or typed.one.get("key", "").strip() or key_from(label_vi)
    follows_name = not (made or label_vi)  # nothing is wrong with a key that nobody typed
    if not key and not follows_name and not re.match(KEY_PATTERN, made):
        errors["key"] = InvalidInput(N_("Use a-z, 0-9 and _, beginning with a letter."))
    elif not key and made in set(taken):
        errors["key"] = InvalidInput(N_("There is one with this key already. Choose another key."))
    content: dict[str, Any] = {"label_vi": label_vi, "label_en": label_en}
    if key != ADMINISTRATOR:
        content |= {
            "kinds": _kinds(typed, fields, kept.get("kinds") or {}, errors),
            "other_kinds": _kind(typed, OTHERS, (), {}, errors),
            "abilities": [one for one in ABILITIES if one in typed.several("abilities")],
        }
    if errors:
        raise InvalidInput(fields=errors)
    return made, content


def key_from(label: str) -> str:
    """A key made from a name: "Trưởng nhóm" becomes "truong_nhom"."""
    return re.sub(r"[^a-z0-9]+", "_", fold(label)).strip("_")[:40]


def _name(text: str) -> str:
    clean = " ".join(text.split())
    return clean if len(clean) <= NAME_LENGTH else ""


def _kinds(
    typed: Typed,
    fields: Mapping[str, Iterable[str]],
    kept: Mapping[str, Any],
    errors: dict[str, CareError],
) -> dict[str, Any]:
    """Every kind: as typed where the form asked about it, as it is stored where it did not."""
    asked = {kind: keys for kind, keys in fields.items() if f"reach.{kind}" in typed.one}
    return {kind: one for kind, one in kept.items() if kind not in asked} | {
        kind: _kind(typed, kind, keys, kept.get(kind) or {}, errors) for kind, keys in asked.items()
    }


def _kind(
    typed: Typed,
    kind: str,
    keys: Iterable[str],
    before: Mapping[str, Any],
    errors: dict[str, CareError],
) -> dict[str, Any]:
    ticked = typed.several(f"actions.{kind}")
    actions = [one for one in ACTIONS if one in ticked]
    if actions and SEE not in actions:
        actions.insert(0, SEE)  # nobody can change what they do not see
    reach = typed.one.get(f"reach.{kind}", "")
    if reach not in REACHES:
        errors[f"reach.{kind}"] = InvalidInput(N_("Choose one of the values offered."))
    content: dict[str, Any] = {"actions": actions, "reach": reach}
    where = typed.one.get(f"where.{kind}", "").strip()
    if where:
        try:
            read(where)
        except InvalidInput as error:
            errors[f"where.{kind}"] = error
        content["where"] = where
    levels = _levels(typed, kind, keys, before.get("fields") or {})
    return content | ({"fields": levels} if levels else {})


def _levels(
    typed: Typed, kind: str, keys: Iterable[str], before: Mapping[str, str]
) -> dict[str, str]:
    asked = {field for field in keys if f"level.{kind}.{field}" in typed.one}
    levels = {field: level for field, level in before.items() if field not in asked}
    levels |= {field: typed.one[f"level.{kind}.{field}"] for field in asked}
    return {
        field: level
        for field, level in levels.items()
        if level in LEVELS and field not in always_seen(kind)
    }
