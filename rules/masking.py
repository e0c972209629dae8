"""What a person sees of a record whose fields are partly masked or hidden.

A masked text keeps what tells it apart from another one and no more; other values that are masked
are left out like hidden ones, and the page says that there is one.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from rules.fields import TEXT, Field, Kind
from rules.permissions import HIDDEN, LEVELS, MASKED, SEEN, Access

DOT = "•"
DOTS = DOT * 3
Record = Mapping[str, Any]

# Other places of a record that tell what a field says.
COPIES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "customers": {
        "phones": ("phone_keys", "search", "search_words"),
        "emails": ("search", "search_words"),
        "tax_code": ("search", "search_words"),
        "relationship": ("relationship_set", "relationship_chosen"),
        "due": ("care.basis", "own_care.due_on", "own_care.basis"),
        "said": ("history",),
    },
    "orders": {"due": ("care.basis",)},
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What of a kind's records is not shown as it is: paths that are left out, texts to mask."""

    left_out: tuple[str, ...] = ()
    masked: tuple[Field, ...] = ()

    def shown(self, record: Record) -> dict[str, Any]:
        """A copy of the stored record, as far as it may be shown."""
        found = dict(record)
        for path in self.left_out:
            _change(found, path.split("."), None)
        for field in self.masked:
            _change(found, field.path.split("."), partial(masked, field))
        return found


NO_LIMITS = Limits()


def limits_of(kind: Kind, access: Access) -> Limits:
    """The limits of a kind for somebody with this access."""
    if not access.names_fields(kind.key):
        return NO_LIMITS
    levels = {key: access.level(kind.key, key) for key in kind.fields}
    unseen = [
        one for one in kind.fields.values() if LEVELS.index(levels[one.key]) < LEVELS.index(SEEN)
    ]
    texts = tuple(one for one in unseen if levels[one.key] == MASKED and one.family == TEXT)
    gone = [one.path for one in unseen if one not in texts]
    copies = COPIES.get(kind.key, {})
    gone += [path for one in unseen for path in copies.get(one.key, ())]
    return Limits(tuple(dict.fromkeys(gone)), texts)


def is_hidden(access: Access, kind: str, field_key: str) -> bool:
    """Whether not even the label of the field appears."""
    return access.level(kind, field_key) == HIDDEN


def masked(field: Field, value: Any) -> Any:
    """A text, or each of a list of texts, with most of it left out; None for no value."""
    if isinstance(value, list):
        return [masked(field, one) for one in value if one]
    if not value or not isinstance(value, str):
        return None
    if field.type in ("phone", "phones"):
        return masked_phone(value)
    if field.type in ("email", "emails"):
        return f"{value[0]}{DOTS}@…"
    return masked_text(value)


def masked_phone(text: str) -> str:
    """`0912 345 678` becomes `09•• ••• 678`; a remark after the number is left out."""
    number = text.partition("(")[0].strip()
    digits = re.sub(r"\D", "", number)
    if len(digits) < 8:
        return DOTS
    kept = f"{digits[:2]}{DOT * (len(digits) - 5)}{digits[-3:]}"
    return " ".join(filter(None, (kept[:-6], kept[-6:-3], kept[-3:])))


def masked_text(text: str) -> str:
    """The first and the last character of a longer text, nothing of a short one."""
    return f"{text[0]}{DOTS}{text[-1]}" if len(text) > 4 else DOTS


def _change(found: dict[str, Any], path: list[str], change: Callable[[Any], Any] | None) -> None:
    """Changes the value at a path of a copy, or takes it out; lists on the way are gone through."""
    name, rest = path[0], path[1:]
    if name not in found:
        return
    if not rest:
        if change is None:
            del found[name]
        else:
            found[name] = change(found[name])
        return
    inner = found[name]
    if isinstance(inner, Mapping):
        found[name] = dict(inner)
        _change(found[name], rest, change)
    elif isinstance(inner, list):
        found[name] = [dict(one) if isinstance(one, Mapping) else one for one in inner]
        for one in found[name]:
            if isinstance(one, dict):
                _change(one, rest, change)
