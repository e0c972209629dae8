"""Pick lists as administrators shape them: values, their keys, colours and tree (S3.1 to S3.4)."""

from collections.abc import Mapping, Sequence
from typing import Any

from rules.errors import N_, CareError, InvalidInput
from rules.field_definitions import LABEL_LENGTH, key_of
from rules.text import nfc

COLOURS = {
    "gray": N_("gray"),
    "red": N_("red"),
    "orange": N_("orange"),
    "yellow": N_("yellow"),
    "green": N_("green"),
    "teal": N_("teal"),
    "azure": N_("azure"),
    "blue": N_("blue"),
    "purple": N_("purple"),
}
VALUES_LIMIT = 1000
TREES = frozenset({"group"})  # lists whose values stand under each other

Value = Mapping[str, Any]


def read(values: Sequence[Mapping[str, str]], known: Sequence[Value]) -> list[dict[str, Any]]:
    """The values that were typed, in their order; a new one gets a key made of its name.

    Args:
        values: {key, label_vi, label_en, colour, parent, retired} each; rows without a name and a
            key are left out.
        known: the values as they are stored, whose keys stay.

    Raises InvalidInput with `fields` by place, "0.label_vi".
    """
    errors: dict[str, CareError] = {}
    stored = {str(one["key"]): one for one in known}
    rows = [one for one in values if nfc(one.get("label_vi", "")) or one.get("key")]
    if len(rows) > VALUES_LIMIT:
        raise InvalidInput(
            N_("A list has at most %(limit)s values. Retire some."), limit=VALUES_LIMIT
        )
    found: list[dict[str, Any]] = []
    taken = set(stored)
    for place, row in enumerate(rows):
        label_vi, label_en = nfc(row.get("label_vi", "")), nfc(row.get("label_en", ""))
        key = row.get("key", "")
        if key and key not in stored:
            key = ""  # keys are made here, and never by a form
        if not label_vi:
            errors[f"{place}.label_vi"] = InvalidInput(N_("Write the name that people read."))
        for name, text in (("label_vi", label_vi), ("label_en", label_en)):
            if len(text) > LABEL_LENGTH:
                errors[f"{place}.{name}"] = InvalidInput(
                    N_("This has %(length)s characters; shorten it to at most %(limit)s."),
                    length=len(text),
                    limit=LABEL_LENGTH,
                )
        if not key:
            key = key_of(label_vi or "v", taken.__contains__)
        taken.add(key)
        colour = row.get("colour", "")
        value = dict(stored.get(key, {})) | {
            "key": key,
            "label_vi": label_vi,
            "label_en": label_en,
            "colour": colour if colour in COLOURS else "gray",
            "retired": row.get("retired", "") in ("1", "yes"),
        }
        value.pop("parent", None)
        if row.get("parent"):
            value["parent"] = row["parent"]
        found.append(value)
    errors |= _doubles(found) | _wrong_parents(found)
    if errors:
        raise InvalidInput(fields=errors)
    return found


def as_tree(values: Sequence[Value]) -> list[tuple[Value, int]]:
    """(value, depth): each value behind the one above it, siblings in their order.

    A value whose parent is missing, or that stands under itself, stands at the top.
    """
    keys = {one["key"] for one in values}
    below: dict[str, list[Value]] = {}
    for one in values:
        parent = one.get("parent") or ""
        below.setdefault(parent if parent in keys else "", []).append(one)
    found: list[tuple[Value, int]] = []

    def walk(parent: str, depth: int) -> None:
        for one in below.get(parent, ()):
            found.append((one, depth))
            walk(one["key"], depth + 1)

    walk("", 0)
    reached = {one["key"] for one, _ in found}
    return [*found, *((one, 0) for one in values if one["key"] not in reached)]


def _doubles(values: Sequence[Value]) -> dict[str, CareError]:
    """Two values in use with one name: nobody could tell them apart."""
    seen: set[str] = set()
    found: dict[str, CareError] = {}
    for place, one in enumerate(values):
        label = one["label_vi"].casefold()
        if one["retired"] or not label:
            continue
        if label in seen:
            found[f"{place}.label_vi"] = InvalidInput(
                N_("“%(label)s” is there already. Take another name, or merge the two."),
                label=one["label_vi"][:60],
            )
        seen.add(label)
    return found


def _wrong_parents(values: Sequence[Value]) -> dict[str, CareError]:
    parents = {one["key"]: one.get("parent") or "" for one in values}
    found: dict[str, CareError] = {}
    for place, one in enumerate(values):
        above, seen = parents[one["key"]], {one["key"]}
        while above in parents and above not in seen:
            seen.add(above)
            above = parents[above]
        if above:
            problem = N_("This would stand under itself. Choose another one above it.")
            if above not in parents:
                problem = N_("The value above it is not in the list. Choose another one.")
            found[f"{place}.parent"] = InvalidInput(problem)
    return found
