"""How a configuration in force can be broken: by what was retired or changed after it was written.

A file may bring such a part along, as the system that it comes from had it; what cannot be read,
or names what was never there, is a mistake in the file.
"""

from collections.abc import Mapping
from typing import Any

from rules import conditions, expression_text
from rules.errors import InvalidInput
from rules.expressions import cycle, names
from rules.fields import RESERVED, TYPES, Field

Content = Mapping[str, Any]


def can_be_live(
    key: str, content: Content, fields: Mapping[str, Field], pick_lists: frozenset[str]
) -> bool:
    """Whether a broken field can be read, and names only fields and pick lists that are there.

    Args:
        fields: all of its kind, the retired ones among them.
    """
    type_ = str(content.get("type") or "")
    if key in RESERVED or type_ not in TYPES or not TYPES[type_].is_offered:
        return False
    if type_ in ("choice", "choices") and content.get("pick_list") not in pick_lists:
        return False
    try:
        asked = {
            one.field
            for one in conditions.conditions(
                conditions.read(str(content.get("visible_when") or ""))
            )
        }
        if type_ == "computed":
            asked |= _computed_from(key, str(content.get("expression") or ""), fields)
    except InvalidInput:
        return False
    return asked <= fields.keys()


def _computed_from(key: str, expression: str, fields: Mapping[str, Field]) -> frozenset[str]:
    """The fields that an expression names. Raises InvalidInput where it can never be computed."""
    expression_text.parse(expression)
    if cycle(key, {name: one.expression for name, one in fields.items() if one.expression}):
        raise InvalidInput()
    return names(expression)
