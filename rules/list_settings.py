"""What administrators set for a list, as it is stored: row colours, actions of a row, filters.

The content may come from an imported file or an older version of the program: whatever does not
fit is left out, and never breaks a list.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rules.pick_lists import COLOURS

__all__ = [
    "ACTIONS",
    "COLOURS",
    "RowColour",
    "action_keys",
    "filter_keys",
    "item_key",
    "row_colours",
]

MOST_COLOURS = 20

# What a right click on a row offers, in the order in which it does so unless somebody changes it.
ACTIONS = (
    "open",
    "open_new",
    "care",
    "edit",
    "edit_cell",
    "copy_phone",
    "filter_value",
    "customer",
    "changes",
    "why",
    "viewers",
    "delete",
)


@dataclass(frozen=True, slots=True)
class RowColour:
    """Rows that meet the condition (its text, rules/conditions.py) have this colour."""

    where: str
    colour: str


def item_key(list_key: str, role: str = "") -> str:
    """Under which key of the section `lists` the settings are; role "": those for everybody."""
    return f"{list_key}@{role}" if role else list_key


def row_colours(content: Mapping[str, Any]) -> tuple[RowColour, ...]:
    """The colours in their order: the first condition that a row meets gives its colour."""
    found = [
        RowColour(str(one["where"]), one["colour"])
        for one in _list(content.get("row_colours"))
        if isinstance(one, Mapping) and one.get("where") and one.get("colour") in COLOURS
    ]
    return tuple(found[:MOST_COLOURS])


def action_keys(content: Mapping[str, Any]) -> tuple[str, ...]:
    """The actions of a row in their order; all of them where nothing was chosen."""
    if not isinstance(content.get("actions"), list):
        return ACTIONS
    return _known(content["actions"], ACTIONS)


def filter_keys(content: Mapping[str, Any]) -> frozenset[str] | None:
    """The quick filters that are shown; None: all that the list has."""
    chosen = content.get("filters")
    return frozenset(map(str, chosen)) if isinstance(chosen, list) else None


def _known(chosen: Iterable[Any], known: Iterable[str]) -> tuple[str, ...]:
    offered = set(known)
    texts = (one for one in chosen if isinstance(one, str) and one in offered)
    return tuple(dict.fromkeys(texts))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
