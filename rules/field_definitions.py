"""What an administrator types about a field becomes its definition, checked piece by piece."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from rules import conditions, expressions, field_values, patterns
from rules.conditions import Context
from rules.errors import N_, CareError, InvalidInput
from rules.fields import CHOICE, CHOICES, FILES, KEY_PATTERN, RESERVED, TYPES, Field, Kind, Typing
from rules.kinds import INDISPENSABLE
from rules.text import fold, nfc

LABEL_LENGTH = 500
HELP_LENGTH = 1000
TEXT_LENGTH = 2000  # of a default, a condition, an expression
TEXTS = (
    *("label_vi", "label_en", "help_vi", "help_en", "pick_list", "expression"),
    *("visible_when", "default", "minimum", "maximum", "pattern"),
)
FLAGS = ("is_required", "is_unique", "is_filtered_often", "is_personal")
RENAMED = ("label_vi", "label_en", "help_vi", "help_en", "is_required")

# Which options a type has, beside label and help.
LIMITED = frozenset(
    (
        *("text", "long_text", "integer", "decimal", "money", "percent", "date", "date_time"),
        *("choices", "file", "picture"),
    )
)
PATTERNED = frozenset(("text", "phone", "email", "link"))
UNIQUE = frozenset(
    ("text", "integer", "decimal", "money", "date", "date_time", "phone", "email", "link")
)
FREQUENT = frozenset(
    key
    for key, one in TYPES.items()
    if one.is_offered and key not in ("long_text", "computed") and one.family != FILES
)


def key_of(label: str, taken: Callable[[str], bool]) -> str:
    """A key made of the label, "Hạng khách" -> "hang_khach", that is not taken yet."""
    words = re.sub(r"[^a-z0-9]+", "_", fold(label)).strip("_")
    plain = words if words[:1].isalpha() else f"f_{words}".rstrip("_")
    plain = plain[:36].rstrip("_")
    number, found = 1, plain
    while taken(found) or found in RESERVED:
        number += 1
        found = f"{plain}_{number}"
    return found


def definition(typed: Mapping[str, str], *, is_built_in: bool = False) -> dict[str, Any]:
    """The definition that was typed, with what its type has no use for left out.

    Raises InvalidInput with `fields` for texts that are missing or too long.
    """
    errors: dict[str, CareError] = {}
    found: dict[str, Any] = {}
    for name in TEXTS:
        text = nfc(typed.get(name, ""))
        limit = {"label": LABEL_LENGTH, "help_": HELP_LENGTH}.get(name[:5], TEXT_LENGTH)
        if len(text) > limit:
            errors[name] = InvalidInput(
                N_("This has %(length)s characters; shorten it to at most %(limit)s."),
                length=len(text),
                limit=limit,
            )
        found[name] = text
    found |= {name: typed.get(name) in ("1", "yes") for name in FLAGS}
    found["type"] = typed.get("type", "")
    if not is_built_in and not found["label_vi"]:
        errors["label_vi"] = InvalidInput(N_("Write the name that people read."))
    if not is_built_in and not _is_offered(found["type"]):
        errors["type"] = InvalidInput(N_("Choose a value from the list."))
    if errors:
        raise InvalidInput(fields=errors)
    if is_built_in:
        return {name: found[name] for name in RENAMED if found[name]}
    return {name: value for name, value in found.items() if value and _has(found["type"], name)}


def checked_key(key: str) -> str:
    """The key as it may be stored. Raises InvalidInput."""
    if not re.match(KEY_PATTERN, key) or key in RESERVED:
        raise InvalidInput(
            N_("The key “%(key)s” cannot be used. Take another one of a-z, 0-9 and _."),
            key=key[:60],
        )
    return key


def problems(field: Field, kind: Kind, typing: Typing, context: Context) -> dict[str, CareError]:
    """{option: what is wrong} of a definition beside the other fields of its kind."""
    found: dict[str, CareError] = {}

    def look(name: str, check: Callable[[], object]) -> None:
        try:
            check()
        except InvalidInput as error:
            found[name] = error

    look("minimum", lambda: field_values.bound(field, field.minimum, typing))
    look("maximum", lambda: field_values.bound(field, field.maximum, typing))
    look("pattern", lambda: patterns.compiled(field.pattern) if field.pattern else None)
    look("visible_when", lambda: _check_condition(field, kind, context))
    look("expression", lambda: _check_expression(field, kind))
    if not found:
        look("maximum", lambda: _check_order(field, typing))
    if not found:
        look("default", lambda: _check_default(field, typing))
    return found


def _check_condition(field: Field, kind: Kind, context: Context) -> None:
    tree = conditions.read(field.visible_when)
    others = {key: one for key, one in kind.fields.items() if one.is_usable and key != field.key}
    for problem in conditions.usable(tree, others, context)[1]:
        raise problem


def _check_expression(field: Field, kind: Kind) -> None:
    if field.type != "computed":
        return
    if not field.expression:
        raise InvalidInput(N_("Write how the value is computed, for example: revenue / 12"))
    others = {key: one for key, one in kind.fields.items() if one.is_usable and key != field.key}
    problem = expressions.check(field.expression, others)
    if problem is not None:
        raise InvalidInput(problem.message, **problem.params)
    texts = {key: one.expression for key, one in others.items() if one.type == "computed"}
    way = expressions.cycle(field.key, texts | {field.key: field.expression})
    if way:
        raise InvalidInput(
            N_("This field is computed from itself: %(way)s. Change one of the expressions."),
            way=" → ".join(way),
        )


def _check_order(field: Field, typing: Typing) -> None:
    first = field_values.bound(field, field.minimum, typing)
    last = field_values.bound(field, field.maximum, typing)
    if first is not None and last is not None and first > last:
        raise InvalidInput(N_("The greatest value is below the least one."))


def _check_default(field: Field, typing: Typing) -> None:
    if field.default and field_values.default(field, typing) is None:
        field_values.parse(field, field.default, typing)


def may_be_retired(field: Field) -> bool:
    """Whether screens can do without the field."""
    return field.key not in INDISPENSABLE


def _is_offered(type_: str) -> bool:
    return type_ in TYPES and TYPES[type_].is_offered


_ONLY: Mapping[str, Callable[[str], bool]] = {
    "pick_list": lambda type_: TYPES[type_].family in (CHOICE, CHOICES),
    "expression": lambda type_: type_ == "computed",
    "minimum": lambda type_: type_ in LIMITED,
    "maximum": lambda type_: type_ in LIMITED,
    "pattern": lambda type_: type_ in PATTERNED,
    "is_unique": lambda type_: type_ in UNIQUE,
    "is_filtered_often": lambda type_: type_ in FREQUENT,
    "is_required": lambda type_: type_ != "computed",
    "default": lambda type_: type_ != "computed" and TYPES[type_].family != FILES,
}


def _has(type_: str, option: str) -> bool:
    """Whether the type has any use for the option."""
    return option not in _ONLY or _ONLY[option](type_)
