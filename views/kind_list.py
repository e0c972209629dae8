"""A list over a kind of document: columns from its fields, chosen, ordered and resized by people.

A screen says which kind, which columns come first, and how its own special columns look; fields
that a site adds, renames or hides appear by themselves (views/list_columns.py).
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from flask import abort, g, request
from flask_admin import expose

from rules.errors import N_, CareError, InvalidInput, TakesTooLong
from rules.fields import Field, Kind
from rules.filters import ChoiceFilter, Filter, FilterState, parse_filters
from rules.permissions import CONFIGURE
from services import computed, lists, references
from services.lists import Page, Sort, projection_of
from views import typed_numbers
from views.addresses import url_to
from views.assets import asset
from views.bulk_edit import BulkEditing
from views.cell_edit import CellEdit
from views.cells import Cell, Column, RowView
from views.column_choice import ColumnChoice
from views.context import configured, current_actor, locale, person, previewing, today
from views.field_cells import label, maker
from views.filtering import WhereFilter, rest_of
from views.list_columns import (
    PAGE_SIZES,
    ChosenColumn,
    CompiledList,
    compile_list,
    read_columns,
)
from views.list_files import ListFiles
from views.list_modes import ListModes
from views.list_screen import FIELDS_OF_FILTERS, PAGING, ListPage, ListScreen
from views.pick_filters import FIELD, field_filter, has_field_filter
from views.record_forms import controls
from views.row_colours import Legend, painter
from views.row_menu import RowMenu
from views.typed_numbers import is_number
from views.view_choice import ViewChoice

Row = dict[str, Any]
Make = Callable[[Row], Cell]
LONGEST_ASKED = 2000  # characters of an address whose parts are remembered
ICONS = "icons.svg"  # its address changes with its content
MENUS = ("columns", "layout", "row", "save", "view")
NO_COLOUR = (None, "")
SORTED_AT_MOST = 10_000  # rows that are sorted without an index


class KindList(
    ViewChoice, ColumnChoice, ListFiles, ListModes, CellEdit, BulkEditing, RowMenu, ListScreen
):
    """Base of the lists over a kind. Subclasses set `kind` and `columns`, and may add `special`.

    `fields` are the stored paths that special columns need beside those of the shown fields,
    `refers` the fields whose references they name; `title` is the path of what a row is called.
    """

    kind = ""
    refers: tuple[str, ...] = ()
    title = "name"
    usual_page_size = lists.PAGE_SIZE
    list_page = "lists/kind.html"
    has_menu = True

    def special(self, refs: dict[str, Any]) -> Mapping[str, Make]:
        """What makes the cells of the screen's own columns, by the column's key.

        `refs` is what `references` returned, and under "names" {kind: {id: name}} of what fields
        refer to.
        """
        return {}

    def document_kind(self) -> Kind:
        """The kind as it is configured now."""
        return configured().kinds[self.kind]

    def compiled(self) -> CompiledList:
        """What this list offers to the reader; compiled once per revision, role and language."""
        return self._once(
            "compiled",
            lambda: compile_list(self, configured(), current_actor().access, locale()),
        )

    def where(self) -> WhereFilter:
        """The filter tree of this request, and what is wrong with it."""
        return self._once("where", lambda: WhereFilter(self.kind))

    def rest(self) -> str:
        """The address of this request without its filter tree and its place among the pages."""
        return rest_of(request.args.items(multi=True))

    def state(self) -> FilterState:
        return self._once("state", self._state)

    def _state(self) -> FilterState:
        filters = (*self.offered_filters(), self.where())
        found = parse_filters(filters, self.arguments(), known=PAGING)
        return replace(found, problems=(*found.problems, *self.where().problems))

    def field_filters(self, kind: Kind) -> list[ChoiceFilter]:
        """The quick filters that administrators can add: over choices that no other one asks for."""
        asked = {FIELDS_OF_FILTERS.get(one.key, one.key) for one in self.list_filters()}
        return [
            field_filter(kind.key, one)
            for one in kind.fields.values()
            if one.key not in asked and has_field_filter(one)
        ]

    def added_filters(self) -> Sequence[Filter]:
        chosen = self.compiled().filters or ()
        if not any(key.startswith(FIELD) for key in chosen):
            return ()
        return [one for one in self.field_filters(self.document_kind()) if one.key in chosen]

    def shown_columns(self) -> Sequence[Column]:
        compiled = self.compiled()
        return self._once(
            "columns",
            lambda: [_sized(compiled.columns[one.key], one.width) for one in self.chosen()],
        )

    def chosen(self) -> tuple[ChosenColumn, ...]:
        """The columns that the person chose for this list, else those that everybody starts with."""
        compiled = self.compiled()
        own = read_columns(self.preferences().get("columns"), compiled.columns)
        view = self.view()
        saved = read_columns(list(view.columns), compiled.columns) if view and not own else ()
        return own or saved or compiled.default

    def preferences(self) -> Mapping[str, Any]:
        """What the person chose for this list: columns with widths, rows a page."""
        staff = person()
        stored = (staff.lists or {}).get(self.choice_key(), {}) if staff else {}
        return cast(Mapping[str, Any], stored)

    def parts_key(self, shown: ListPage) -> Hashable | None:
        staff, by = person(), current_actor()
        asked = [one for one in request.args.items(multi=True) if one[0] not in ("after", "before")]
        if staff is None or previewing() or sum(len(text) for _, text in asked) > LONGEST_ASKED:
            return None
        return (
            *(self.list_key, request.root_path, request.path, locale(), today(), asset(ICONS)),
            *(staff.id, staff.name, staff.email, staff.theme, staff.views_saved_at),
            *(repr(staff.lists), repr(staff.opens_with), by.roles, by.stands_in_for),
            *(tuple(asked), tuple(shown.says), tuple(shown.names.items())),
            *(shown.sort, bool(shown.rows)),
        )

    def offered_sorts(self) -> Mapping[str, Sort]:
        return self.compiled().sorts

    def page_size(self) -> int:
        view = self.view()
        own = self.preferences().get("page_size") or (view.page_size if view else None)
        return own if own in PAGE_SIZES else self.compiled().page_size

    def link(self, view: str, state: FilterState, **more: str) -> str:
        """The address of another view of this list, about the same rows in the same order."""
        return url_to(f"{self.endpoint}.{view}", **{**state.raw, **self.standing(), **more})

    def row_views(self, rows: Sequence[Row]) -> list[RowView]:
        rows = self.seen(rows)
        painted = self._painted(rows)
        makes = self._makers(rows)
        title = self.title
        return [
            RowView(
                str(row["_id"]), [make(row) for make in makes], str(row.get(title) or ""), *paint
            )
            for row, paint in zip(rows, painted, strict=True)
        ]

    def _painted(self, rows: Sequence[Row]) -> Iterable[tuple[str | None, str]]:
        """(colour, reason) of each row. Conditions name only fields that the reader sees."""
        if not self.compiled().colours.rules:
            return [NO_COLOUR] * len(rows)
        paint, legend = painter(self.compiled().colours, self.kind)
        painted = [paint(row) for row in rows]
        shown = {colour for colour, _ in painted}
        self._once("legend", lambda: tuple(one for one in legend if one.colour in shown))
        return painted

    def colour_legend(self) -> Sequence[Legend]:
        """What the colours on this page say."""
        return self._once("legend", tuple)

    def _makers(self, rows: Sequence[Row]) -> list[Make]:
        config, language, kind = configured(), locale(), self.document_kind()
        referring = [kind.fields[key] for key in self.refers if key in kind.fields]
        # Filled in once it is known which columns are the screen's own: one query for all of them.
        names: dict[str, dict[Any, str]] = {field.refers_to: {} for field in referring}
        special = self.special({**self.references(rows), "names": names})
        fields = {
            column.key: cast(Field, column.field)
            for column in self.shown_columns()
            if column.key not in special
        }
        found = references.of_rows(rows, [*fields.values(), *referring], by=current_actor())
        for one, known in found.items():
            names.setdefault(one, {}).update(known)
        return [
            special.get(column.key)
            or cast(Make, maker(fields[column.key], config, language, names, kind=kind))
            for column in self.shown_columns()
        ]

    def shows(self, key: str) -> bool:
        """Whether the column is among those shown."""
        return any(column.key == key for column in self.shown_columns())

    def _projection(self) -> dict[str, int]:
        kind = self.document_kind()
        shown = [column.field for column in self.shown_columns() if column.field]
        paths = [path for field in shown for path in computed.paths_of(field, kind)]
        sort = self.offered_sorts().get(self._sort_key().lstrip("-"))
        coloured = self.compiled().colours.paths
        sorted_by = sort.path if sort else "_id"
        return projection_of([*self.fields, *paths, *coloured, self.title, sorted_by])

    def _sort_key(self) -> str:
        return self._once("sort", self._asked_sort)

    def _asked_sort(self) -> str:
        """The sort of the address; one that no index serves only while the list is short."""
        compiled = self.compiled()
        asked = self.arguments().get("sort", "")
        sort = compiled.sorts.get(asked.lstrip("-"))
        if sort is None:
            return compiled.default_sort
        if sort.is_indexed or self._is_short():
            return asked
        self.problems().append(
            InvalidInput(
                N_(
                    "Only %(limit)s rows can be sorted by “%(field)s”. Narrow the list by a filter,"
                    " or ask an administrator to mark the field “filter often”."
                ),
                limit=SORTED_AT_MOST,
                field=compiled.columns[asked.lstrip("-")].heading,
            )
        )
        return compiled.default_sort

    def _is_short(self) -> bool:
        collection, criteria = self.model.collection(), self.criteria(self.state())
        try:
            return lists.capped_count(collection, criteria, cap=SORTED_AT_MOST) <= SORTED_AT_MOST
        except TakesTooLong:
            return False

    def problems(self) -> list[CareError]:
        return self._once("problems", self._standing_problems)

    def _standing_problems(self) -> list[CareError]:
        """What is wrong with the settings of the list, for those who can put it right."""
        return list(self.compiled().colours.problems) if current_actor().can(CONFIGURE) else []

    def shows_filter(self, key: str, state: FilterState) -> bool:
        """Whether the filter stands in the bar: chosen by administrators, or in force."""
        shown = self.compiled().filters
        usual = next((one.default for one in state.filters if one.key == key), "")
        return shown is None or key in shown or state.raw.get(key, usual) != usual

    def in_words(self, field: Field, typed: str) -> str:
        """The text of a form as people read it: labels for keys, names for ids."""
        if is_number(field):
            return typed_numbers.in_words(field, typed) if typed else ""
        made = controls(self.document_kind(), {field.key: typed}, {}, only=[field.key])
        names = {one.key: one.label for one in made[0].choices} if made else {}
        return ", ".join(names.get(one.strip(), one.strip()) for one in typed.split(",") if one)

    @expose("/menu/<name>")
    def menu_view(self, name: str) -> Any:
        """A menu of the list, once it is opened: most pages are read without any."""
        if name not in MENUS:
            abort(404)
        empty = Page([], None, None)
        menu = ListPage(self, self.shown_columns(), self.state(), [], empty, "", [], {})
        return self.render(f"lists/menu_{name}.html", list=menu)

    def field_label(self, field: Field) -> str:
        return label(field, locale())

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        """What is worked out once per request and list."""
        known = g.setdefault("lists", {}).setdefault(self.endpoint, {})
        if name not in known:
            known[name] = make()
        return known[name]


def _sized(column: Column, width: int | None) -> Column:
    return column if column.width == width else replace(column, width=width)
