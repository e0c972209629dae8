"""What administrators set for a list, as it is stored: row colours, actions of a row, filters.

The content may come from an imported file or an older version of the program: whatever does not
fit is left out, and never breaks a list.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rules.errors import N_, CareError, InvalidInput
from rules.pick_lists import COLOURS

__all__ = [
    "ACTIONS", "COLOURS", "WIDTH_LEAST", "WIDTH_MOST", "Offered", "RowColour", "Typed",
    "action_keys", "filter_keys", "item_key", "read", "row_colours",
]  # fmt: skip

MOST_COLOURS = 20
WIDTH_LEAST, WIDTH_MOST = 40, 900  # of a column, CSS pixels

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
    """The quick filters that are shown; None: those that the list has by itself."""
    chosen = content.get("filters")
    return frozenset(map(str, chosen)) if isinstance(chosen, list) else None


def _known(chosen: Iterable[Any], known: Iterable[str]) -> tuple[str, ...]:
    offered = set(known)
    texts = (one for one in chosen if isinstance(one, str) and one in offered)
    return tuple(dict.fromkeys(texts))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class Offered:
    """What a list has to choose from; `default_*` is what it shows while nothing is set."""

    columns: Sequence[str]
    default_columns: Sequence[str]
    sorts: Sequence[str]
    default_sort: str
    page_sizes: Sequence[int]
    default_page_size: int
    filters: Sequence[str]
    default_filters: Sequence[str]
    actions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Typed:
    """The settings as a form sends them; `colours` are (condition, colour) in their order."""

    columns: Sequence[str] = ()
    widths: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    page_size: str = ""
    filters: Sequence[str] = ()
    colours: Sequence[tuple[str, str]] = ()
    actions: Sequence[str] = ()


def read(typed: Typed, offered: Offered) -> dict[str, Any]:
    """The content to store: only what differs from the list without settings, so that what comes
    with a later version (a new filter, a new action) appears by itself.

    Conditions of colours are checked elsewhere: that needs the fields of the kind.

    Raises InvalidInput with `fields`: `columns`, `width.<key>`.
    """
    errors: dict[str, CareError] = {}
    columns = _known(typed.columns, offered.columns)
    if not columns:
        errors["columns"] = InvalidInput(N_("Tick at least one column."))
    shown = [{"key": key, **_width(key, typed, errors)} for key in columns]
    if errors:
        raise InvalidInput(fields=errors)
    found: dict[str, Any] = {}
    if shown != [{"key": key} for key in offered.default_columns]:
        found["columns"] = shown
    if typed.sort.lstrip("-") in offered.sorts and typed.sort != offered.default_sort:
        found["sort"] = typed.sort
    sizes = {str(one): one for one in offered.page_sizes}
    size = sizes.get(typed.page_size, offered.default_page_size)
    if size != offered.default_page_size:
        found["page_size"] = size
    filters = _known(offered.filters, typed.filters)
    if set(filters) != set(offered.default_filters):
        found["filters"] = list(filters)
    colours = [(where.strip(), colour) for where, colour in typed.colours if where.strip()]
    if colours:
        found["row_colours"] = [
            {"where": where, "colour": colour if colour in COLOURS else "gray"}
            for where, colour in colours[:MOST_COLOURS]
        ]
    actions = _known(typed.actions, offered.actions)
    if actions != tuple(offered.actions):
        found["actions"] = list(actions)
    return found


def _width(key: str, typed: Typed, errors: dict[str, CareError]) -> dict[str, int]:
    text = typed.widths.get(key, "").strip()
    if not text:
        return {}
    if text.isdecimal() and len(text) < 6 and WIDTH_LEAST <= int(text) <= WIDTH_MOST:
        return {"width": int(text)}
    errors[f"width.{key}"] = InvalidInput(
        N_("Write a whole number between %(least)s and %(most)s, or nothing."),
        least=WIDTH_LEAST,
        most=WIDTH_MOST,
    )
    return {}
