"""What becomes of a value when the type of its field changes: kept, converted, or lost."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any

from rules import field_values
from rules.errors import InvalidInput
from rules.fields import FILES, Field, Typing
from rules.text import fold

KEPT, CONVERTED, LOST = "kept", "converted", "lost"

# (field, value) -> what people call a choice or a record; "" when nobody calls it anything.
Names = Callable[[Field, Any], str]


def convert(old: Field, new: Field, value: Any, typing: Typing, names: Names) -> tuple[str, Any]:
    """(KEPT, CONVERTED or LOST, the value under the new type; None when it is lost)."""
    if new.type == old.type and new.pick_list == old.pick_list:
        return KEPT, value
    for text in _texts(old, value, typing.zone, names):
        try:
            found = field_values.parse(new, _typed_for(new, text, typing), typing)
        except InvalidInput:
            continue
        if found is not None:
            is_same = type(found) is type(value) and found == value
            return (KEPT if is_same else CONVERTED), found
    return LOST, None


def _texts(old: Field, value: Any, zone: tzinfo, names: Names) -> list[str]:
    """The ways to write the old value, the best first."""
    if old.family == FILES:  # the ids of files say nothing to people
        return list(filter(None, [names(old, value)]))
    plain = field_values.typed(old, value, zone)
    if old.refers_to or old.pick_list:
        parts = value if isinstance(value, list) else [value]
        called = ", ".join(filter(None, (names(old, one) for one in parts)))
        return [text for text in (called, plain) if text]
    if old.family == "instant":
        return [plain, plain.split(" ")[0]]
    return [plain]


def _typed_for(new: Field, text: str, typing: Typing) -> str:
    """For a choice, the key behind what may be its label."""
    if not new.pick_list:
        return text
    known: Mapping[str, str] = typing.labels(new.pick_list) if typing.labels else {}
    parts = text.split(",") if new.type == "choices" else [text]
    return ", ".join(known.get(fold(part), part.strip()) for part in parts)
