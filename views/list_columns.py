"""The columns that a list offers to somebody, compiled from the configuration once per revision.

A list over a kind offers the kind's fields, built in or defined by the site, beside the columns of
its own (a green square, an explained date). What a role may not see is not among them, and so can
neither be shown nor sorted by.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from flask_babel import gettext

from rules import list_settings
from rules.fields import DAY, FLAG, INSTANT, NUMBER, REFERENCE, TEXT, Field
from rules.list_settings import WIDTH_LEAST, WIDTH_MOST
from rules.permissions import EDIT, EDITED, Access
from services import field_values
from services.configuration import Configuration
from services.lists import Sort
from views.cells import Column
from views.field_cells import label
from views.row_colours import RowColours, compile_colours

SORTED_FAMILIES = (TEXT, NUMBER, DAY, INSTANT, FLAG, "choice", REFERENCE)
PAGE_SIZES = (20, 50, 100, 200)
COLUMNS_MOST = 40


@dataclass(frozen=True, slots=True)
class CompiledList:
    """What a list offers to everybody with the same roles and language.

    `fields` are those of the kind that they may read, `editable` those whose cells they may change.
    `columns` by key, those of the screen itself
    first; `default` are the keys shown without any choice, with widths; `sorts` by key; `filters`
    are the quick filters shown, None for all; `actions` what a right click on a row offers.
    """

    fields: Mapping[str, Field]
    editable: Mapping[str, Field]
    columns: Mapping[str, Column]
    default: tuple["ChosenColumn", ...]
    sorts: Mapping[str, Sort]
    default_sort: str
    page_size: int
    colours: RowColours
    filters: frozenset[str] | None
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChosenColumn:
    """A column that is shown; `width` None leaves it to the browser."""

    key: str
    width: int | None = None


def compile_list(screen: Any, config: Configuration, access: Access, locale: str) -> CompiledList:
    """The compiled list of a screen (views/kind_list.py); from memory while nothing changed."""
    key = ("list", screen.list_key, frozenset(role.key for role in access.roles), locale)
    return config.once(
        key, lambda: draft_list(screen, config, access, locale, _wanted(screen, config, access))
    )


def draft_list(
    screen: Any, config: Configuration, access: Access, locale: str, wanted: Mapping[str, Any]
) -> CompiledList:
    """The list as it would be with these settings, whatever is stored."""
    fields = config.fields(screen.kind, access)
    columns = {
        column.key: _own_column(column, config, access, screen.kind, locale)
        for column in screen.columns
        if not column.needs or column.needs[0] in fields
    }
    own = set(columns)
    hidden = {key for column in screen.columns for key in column.needs[:1]} - set(fields)
    for key, field in fields.items():
        if key not in own | hidden:
            columns[key] = _field_column(field, access, screen.kind, locale)
    sorts = _sorts(screen, fields, columns)
    default = read_columns(wanted.get("columns"), columns) or tuple(
        ChosenColumn(column.key) for column in screen.columns if column.key in columns
    )
    asked = str(wanted.get("sort") or "")
    size = wanted.get("page_size")
    may_edit = access.may(screen.kind, EDIT)
    return CompiledList(
        fields,
        field_values.editable(config.kinds[screen.kind], access) if may_edit else {},
        MappingProxyType(columns),
        default,
        MappingProxyType(sorts),
        asked if asked.lstrip("-") in sorts else screen.default_sort,
        size if size in PAGE_SIZES else screen.usual_page_size,
        compile_colours(list_settings.row_colours(wanted), screen.kind, config, access, locale),
        list_settings.filter_keys(wanted),
        list_settings.action_keys(wanted),
    )


def _wanted(screen: Any, config: Configuration, access: Access) -> Mapping[str, Any]:
    """What administrators set for this list: for one of the roles, else for everybody."""
    lists = config.section("lists")
    keys = [list_settings.item_key(screen.list_key, role.key) for role in access.roles]
    found = next((lists[key] for key in keys if key in lists), None)
    found = lists.get(screen.list_key) if found is None else found
    return found if isinstance(found, Mapping) else {}


def _own_column(
    column: Column, config: Configuration, access: Access, kind: str, locale: str
) -> Column:
    """A column of the screen itself, named like its field where a site renamed that."""
    field = config.kinds[kind].fields.get(column.needs[0]) if column.needs else None
    own = field.own_label(locale) if field and field.key == column.key else ""
    heading = own or str(gettext(column.label)) if column.label else ""
    if field is not None and not heading:
        heading = label(field, locale)
    may_edit = field is not None and field.key == column.key and is_editable(field, access, kind)
    return replace(column, heading=heading, field=column.field or field, is_editable=may_edit)


def _field_column(field: Field, access: Access, kind: str, locale: str) -> Column:
    return Column(
        field.key,
        sort=field.key if can_sort(field) else None,
        numeric=field.family == NUMBER,
        fold="panel",
        needs=(field.key,),
        heading=label(field, locale),
        field=field,
        is_editable=is_editable(field, access, kind),
    )


def can_sort(field: Field) -> bool:
    """Whether rows can be put in order by the field: it has one value, and that is stored."""
    return field.family in SORTED_FAMILIES and not field.is_list and field.type != "computed"


def is_editable(field: Field, access: Access, kind: str) -> bool:
    """Whether the value may be changed in the list itself."""
    return (
        not field.is_derived
        and field.family != "files"
        and access.level(kind, field.key) == EDITED
        and access.may(kind, EDIT)
    )


def _sorts(
    screen: Any, fields: Mapping[str, Field], columns: Mapping[str, Column]
) -> dict[str, Sort]:
    """The screen's own sorts, and one by each field with one value."""
    sorts = {
        key: sort
        for key, sort in screen.sorts.items()
        if any(column.sort == key for column in columns.values()) or key == screen.default_sort
    }
    for key, column in columns.items():
        if column.sort == key and key not in sorts and key in fields:
            field = fields[key]
            sorts[key] = Sort(field.path, may_lack=True, is_indexed=field.is_sorted)
    return sorts


def read_columns(chosen: Any, columns: Mapping[str, Column]) -> tuple[ChosenColumn, ...]:
    """A stored choice of columns without those that are gone; () when nothing is left."""
    found: dict[str, ChosenColumn] = {}
    for one in chosen if isinstance(chosen, list) else ():
        key = one.get("key") if isinstance(one, Mapping) else None
        if key in columns and len(found) < COLUMNS_MOST:
            found[key] = ChosenColumn(key, _width(one.get("width")))
    return tuple(found.values())


def _width(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return max(WIDTH_LEAST, min(WIDTH_MOST, value))
