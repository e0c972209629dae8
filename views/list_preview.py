"""How a list would look with settings that are not saved: its first rows, as a role would see them.

The rows are those that the administrator sees on that list. What the role does not see as it is
left out or masked, and so is what the administrator does not see.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import g
from flask_babel import gettext

from rules import conditions
from rules.errors import CareError
from rules.filters import parse_filters
from rules.masking import limits_of
from rules.permissions import Access
from services import lists
from views.cells import Column, RowView
from views.context import configured, current_actor, locale
from views.kind_list import KindList
from views.list_columns import CompiledList, compile_list, draft_list
from views.list_screen import PAGING, sees_filter
from views.row_colours import Legend, RowColours

ROWS = 6


@dataclass(frozen=True, slots=True)
class ListPreview:
    """What the preview shows; `problems` are what keeps it, or a part of it, from being shown."""

    role: str
    columns: Sequence[Column] = ()
    rows: Sequence[RowView] = ()
    filters: Sequence[str] = ()
    sort: str = ""
    page_size: int = 0
    legend: Sequence[Legend] = ()
    problems: Sequence[CareError] = ()

    @property
    def is_sized(self) -> bool:
        return any(column.width for column in self.columns)


def previewed(shape: Any, role: str, content: Mapping[str, Any]) -> ListPreview:
    """The first rows of a list (views/list_settings.ListShape) with this content of settings.

    Args:
        role: whose columns, fields and filters it has; "": those of the administrator.
    """
    config, by = configured(), current_actor()
    access = config.access([role]) if role else by.access
    mine = compile_list(shape, config, by.access, locale())
    drafted = draft_list(shape, config, access, locale(), content)
    drafted = replace(drafted, colours=_seen_colours(drafted.colours, mine))
    columns = [
        replace(drafted.columns[one.key], width=one.width, is_editable=False)
        for one in drafted.default
        if one.key in mine.columns
    ]
    sort = drafted.default_sort
    if sort.lstrip("-") not in mine.sorts:
        sort = shape.default_sort
    screen = _screen(shape, access, drafted, columns, sort)
    rows = _first_rows(screen)
    shown = screen.row_views(rows)
    return ListPreview(
        role,
        columns,
        shown,
        _filters(shape, drafted, access),
        sort,
        drafted.page_size,
        screen.colour_legend() if rows else (),
        drafted.colours.problems,
    )


def _screen(
    shape: Any, access: Access, drafted: CompiledList, columns: Sequence[Column], sort: str
) -> KindList:
    """The screen of the list, offering what was drafted instead of what is stored."""
    if shape.screen.endpoint == "records":
        g.slug = shape.kind  # the one screen of all kinds that the site defined asks for it
    limits = limits_of(configured().kinds[shape.kind], access)
    by = current_actor()
    screen: Any = copy.copy(shape.screen)
    screen.compiled = lambda: drafted
    screen.shown_columns = lambda: columns
    screen._sort_key = lambda: sort
    screen.seen = lambda rows: [by.shown(shape.kind, limits.shown(row)) for row in rows]
    return screen  # type: ignore[no-any-return]


def _first_rows(screen: KindList) -> list[dict[str, Any]]:
    """As the list opens: within the scope of the reader, with the filters that are usual."""
    state = parse_filters(screen.offered_filters(), {}, known=PAGING)
    page = lists.fetch_page(
        screen.model.collection(),
        screen.criteria(state),
        screen._sort(),
        size=ROWS,
        projection=screen._projection(),
    )
    return page.rows


def _seen_colours(colours: RowColours, mine: CompiledList) -> RowColours:
    """The colours that say nothing about fields which the administrator does not see."""
    rules = tuple(
        rule
        for rule in colours.rules
        if all(one.field in mine.fields for one in conditions.conditions(rule.tree))
    )
    return replace(colours, rules=rules)


def _filters(shape: Any, drafted: CompiledList, access: Access) -> list[str]:
    """The labels of the quick filters in the bar."""
    chosen = drafted.filters
    usual = [
        (one.key, str(gettext(one.label)))
        for one in shape.screen.list_filters()
        if chosen is None or one.key in chosen
    ]
    added = [
        (one.key, one.label)
        for one in shape.screen.field_filters(configured().kinds[shape.kind])
        if one.key in (chosen or ())
    ]
    return [name for key, name in (*usual, *added) if sees_filter(shape.kind, key, access)]
