"""Other ways to look at a list: in groups with counts and sums, as a board, as a calendar.

All of them show the rows of the same filters and scope, and stand in the address: `group` names the
field by its key, `mode` is `kanban` or `calendar`, `month` the month that is shown.
"""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import gettext

from models.base import stored_date
from rules import conditions
from rules.conditions import AND, Condition, Group
from rules.errors import InvalidInput
from rules.fields import CHOICE, CHOICES, DAY, FLAG, INSTANT, NUMBER, REFERENCE, REFERENCES, Field
from rules.filters import Criteria, merge
from rules.operators import MOST_VALUES
from services import computed, list_groups, lists, references, trees
from services.list_groups import Groups
from services.lists import Page, projection_of
from views import formats
from views.cells import EMPTY, Cell, RowView
from views.context import configured, current_actor, local_day_start, locale, settings, today
from views.field_cells import maker, of_family, options
from views.filtering import context_of

GROUPED = (CHOICE, CHOICES, FLAG, REFERENCE, REFERENCES)
KANBAN, CALENDAR = "kanban", "calendar"
OTHERS = "?"  # no key of a choice
CARDS = 20  # of a board's column
NOTHING = Page([], None, None)
A_DAY = 4  # of a calendar's day
FIRST_MONTH, LAST_MONTH = date(1900, 1, 1), date(2200, 12, 1)  # that a calendar shows


@dataclass(frozen=True, slots=True)
class Lane:
    """A column of a board, or a group: its value as text for forms, and as a cell.

    `note` says why no card can be moved to it: its value is chosen no more; "" where one can.
    """

    key: str
    shown: Cell
    count: int
    rows: Sequence[RowView] = ()
    sums: Sequence[tuple[str, str]] = ()
    url: str = ""
    more: bool = False
    note: str = ""

    @property
    def is_counted(self) -> bool:
        """Whether the count is exact, and not "1.000+"."""
        return self.count <= lists.COUNT_CAP


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar; `more` is how many rows do not fit."""

    on: date
    is_in_month: bool
    rows: Sequence[RowView]
    more: int
    url: str


class ListModes:
    """[Gộp nhóm], [Bảng], [Lịch] of a list; mixed into KindList."""

    def groupings(self) -> list[Field]:
        """The fields by whose value rows may be grouped."""
        return [one for one in self._fields() if one.family in GROUPED]

    def boards(self) -> list[Field]:
        """The fields that a board may stand for: choices with few values."""
        return [one for one in self._fields() if one.family == CHOICE]

    def calendars(self) -> list[Field]:
        """The fields that a calendar may stand for."""
        return [one for one in self._fields() if one.family in (DAY, INSTANT) and not one.is_list]

    def mode(self) -> str:
        """ "", `group`, `kanban` or `calendar`."""
        asked = self.arguments().get("mode", "")
        field = self.group_field()
        if field is None:
            return ""
        if asked == KANBAN and field in self.boards():
            return KANBAN
        if asked == CALENDAR and field in self.calendars():
            return CALENDAR
        return "group" if field in self.groupings() else ""

    def group_field(self) -> Field | None:
        """The field that the address names, if the reader may see it."""
        return self.compiled().fields.get(self.arguments().get("group", ""))  # type: ignore[attr-defined, no-any-return]

    def first_page(self, state: Any) -> Page:
        return Page([], None, None) if self.mode() else self._page(state)  # type: ignore[attr-defined, no-any-return]

    def page_template(self) -> str:
        return {
            "group": "lists/groups.html",
            KANBAN: "lists/kanban.html",
            CALENDAR: "lists/calendar.html",
        }.get(self.mode(), self.list_page)  # type: ignore[attr-defined]

    def lanes_of_groups(self, state: Any) -> tuple[list[Lane], Groups]:
        """The groups with counts and sums of the shown numbers, and what was found of them."""
        field = self.group_field()
        assert field is not None  # noqa: S101 - asked for in this mode only
        numbers = [
            column
            for column in self.shown_columns()  # type: ignore[attr-defined]
            if column.field and column.field.family == NUMBER and column.field.type != "computed"
        ]
        found = list_groups.grouped(
            self.model.collection(),  # type: ignore[attr-defined]
            self.criteria(state),  # type: ignore[attr-defined]
            field,
            [column.field for column in numbers],
            value=self._value_in_store(field),
        )
        make = self._value_maker(field, [one.value for one in found.groups])
        lanes = [
            Lane(
                _text(one.value),
                make(one.value),
                one.count,
                sums=[
                    (column.heading, _number(column.field, one.sums[column.field.key]))
                    for column in numbers
                ],
                url=self.address(  # type: ignore[attr-defined]
                    state, where=self._narrowed(field, one.value), group=None, mode=None
                ),
            )
            for one in found.groups
        ]
        return lanes, found

    def lanes_of_board(self, state: Any) -> list[Lane]:
        """One lane per value that may be chosen, and for every other one that rows have, or none.

        Each has its first rows.
        """
        field = self.group_field()
        assert field is not None  # noqa: S101 - asked for in this mode only
        collection = self.model.collection()  # type: ignore[attr-defined]
        rest = self.criteria(state)  # type: ignore[attr-defined]
        offered = options(field, configured(), locale())
        notes = {
            key: gettext("no longer in use") if retired else "" for key, *_, retired in offered
        }
        counts = self._counts(rest, field, list(notes))
        if counts.pop(OTHERS):
            others = list_groups.values(collection, _others(rest, field, list(notes)), field)
            notes |= {str(key): gettext("not in the pick list") for key in others}
            counts |= self._counts(rest, field, [str(key) for key in others])
        make = self._value_maker(field, list(notes))
        shown = [key for key, note in notes.items() if counts[key] or not note]
        known = {key for key, *_ in offered}
        return [
            self._lane(
                state,
                field,
                key,
                make(key) if key in known else Cell("text", key or gettext("None"), level="muted"),
                counts[key],
                notes.get(key, ""),
            )
            for key in [*shown, *([""] if counts[""] else [])]
        ]

    def _counts(self, rest: Any, field: Field, keys: Sequence[str]) -> dict[str, int]:
        """{key: rows}, also of those without a value ("") and with another one (OTHERS)."""
        wanted = {key: merge([rest, _has(field, key)]) for key in (*keys, "")}
        if not field.is_many:
            wanted[OTHERS] = _others(rest, field, keys)
        collection = self.model.collection()  # type: ignore[attr-defined]
        return {OTHERS: 0} | lists.capped_counts(collection, wanted)

    def _lane(self, state: Any, field: Field, key: str, shown: Cell, count: int, note: str) -> Lane:
        page = self._cards(merge([self.criteria(state), _has(field, key)])) if count else NOTHING  # type: ignore[attr-defined]
        return Lane(
            key,
            shown,
            count,
            rows=self.row_views(page.rows),  # type: ignore[attr-defined]
            more=page.next_key is not None,
            url=self.address(  # type: ignore[attr-defined]
                state, where=self._narrowed(field, key or None), group=None, mode=None
            ),
            note=note,
        )

    def _cards(self, criteria: Criteria) -> Page:
        return lists.fetch_page(
            self.model.collection(),  # type: ignore[attr-defined]
            criteria,
            self._sort(),  # type: ignore[attr-defined]
            size=CARDS,
            projection=projection_of([*self._projection(), "version"]),  # type: ignore[attr-defined]
        )

    def month(self) -> date:
        """The first day of the month that is shown; the present one for one that makes no sense."""
        usual = today().replace(day=1)
        try:
            asked = datetime.strptime(request.args.get("month", ""), "%Y-%m").date()  # noqa: DTZ007
        except ValueError:
            return usual
        return asked if FIRST_MONTH <= asked <= LAST_MONTH else usual

    def weeks(self, state: Any) -> list[list[Day]]:
        """The weeks of the month, Monday first, with the rows of each day."""
        field = self.group_field()
        assert field is not None  # noqa: S101 - asked for in this mode only
        first = self.month()
        days = list(calendar.Calendar().itermonthdates(first.year, first.month))
        value = self._value_in_store(field)
        criteria = merge([self.criteria(state), _within(field, value, days)])  # type: ignore[attr-defined]
        needed = computed.paths_of(field, self.document_kind())  # type: ignore[attr-defined]
        found = list_groups.by_day(
            self.model.collection(),  # type: ignore[attr-defined]
            criteria,
            field,
            projection_of([*self._projection(), *needed]),  # type: ignore[attr-defined]
            shown=A_DAY,
            zone=settings().zone,
            value=value,
        )
        shown = [row for _, rows in found.values() for row in rows]
        views = dict(zip((row["_id"] for row in shown), self.row_views(shown), strict=True))  # type: ignore[attr-defined]
        made = []
        for day in days:
            number, rows = found.get(day, (0, []))
            url = self.address(  # type: ignore[attr-defined]
                state, where=self._on_day(field, day), group=None, mode=None, month=None
            )
            made.append(
                Day(
                    day,
                    day.month == first.month,
                    [views[row["_id"]] for row in rows],
                    number - len(rows),
                    url,
                )
            )
        return [made[start : start + 7] for start in range(0, len(made), 7)]

    def month_beside(self, state: Any, months: int) -> str:
        """The address of the month before or after, as far as calendars reach."""
        first = self.month()
        number = first.year * 12 + first.month - 1 + months
        beside = date(number // 12, number % 12 + 1, 1)
        shown = min(max(beside, FIRST_MONTH), LAST_MONTH)
        return self.address(state, month=f"{shown:%Y-%m}")  # type: ignore[attr-defined, no-any-return]

    @expose("/group-rows")
    def group_rows_view(self) -> Any:
        """The first rows of one group, for htmx; the conditions name the group."""
        state = self.state()  # type: ignore[attr-defined]
        page = self._page(state)  # type: ignore[attr-defined]
        return self.render(  # type: ignore[attr-defined]
            "lists/row.html",
            rows=self.row_views(page.rows),  # type: ignore[attr-defined]
            columns=self.shown_columns(),  # type: ignore[attr-defined]
        )

    def _fields(self) -> list[Field]:
        return list(self.compiled().fields.values())  # type: ignore[attr-defined]

    def _value_in_store(self, field: Field) -> Any:
        fields = self.compiled().fields  # type: ignore[attr-defined]
        context = context_of(self.kind, None, fields)  # type: ignore[attr-defined]
        return list_groups.value_in_store(field, context, fields)

    def _value_maker(self, field: Field, values: Sequence[Any]) -> Any:
        """What turns a value of the field into a cell."""
        names: Mapping[str, Mapping[Any, str]] = {}
        if field.refers_to:
            known = references.names(field.refers_to, values, by=current_actor())
            names = {field.refers_to: known}
        if field.type == "computed":
            show = of_family(field)
            return lambda value: _none() if value is None else show(value)
        make = maker(field, configured(), locale(), names, kind=self.document_kind())  # type: ignore[attr-defined]
        path = field.path.split(".")

        def shown(value: Any) -> Cell:
            if value is None:
                return _none()
            row: Any = [value] if field.is_list else value
            for part in reversed(path):
                row = {part: row}
            cell = make(row)
            return (
                Cell("text", gettext("Not visible to you"), level="muted")
                if cell is EMPTY
                else cell
            )

        return shown

    def _narrowed(self, field: Field, value: Any) -> str:
        """The conditions of the address, and the field has this value."""
        if value is None:
            condition = Condition(field.key, "empty")
        elif field.family == FLAG:
            if not value:  # "no" alone has those without a value as well
                return self._with(Condition(field.key, "no"), Condition(field.key, "filled"))
            condition = Condition(field.key, "yes")
        else:
            return self._with(*self._exactly(field, _text(value)))
        return self._with(condition)

    def _exactly(self, field: Field, value: str) -> Sequence[Condition]:
        """A group of a tree's value has the records of that value, not of those below it."""
        chosen = Condition(field.key, "in", (value,))
        below = () if field.is_many else trees.below_of(configured())(field, value)
        return (chosen, Condition(field.key, "none", below[:MOST_VALUES])) if below else (chosen,)

    def _on_day(self, field: Field, day: date) -> str:
        return self._with(Condition(field.key, "on", (day.isoformat(),)))

    def _with(self, *added: Condition) -> str:
        try:
            tree = conditions.read(self.arguments().get("where", ""))
        except InvalidInput:
            tree = None
        parts = (tree, *added) if tree else added
        return conditions.write(Group(AND, parts))


def _within(field: Field, value: Any, days: Sequence[date]) -> Criteria:
    """Rows whose date lies within these days; `value` is how the store finds it."""
    if field.family == INSTANT:
        end = local_day_start(days[-1] + timedelta(days=1))
        return {field.path: {"$gte": local_day_start(days[0]), "$lt": end}}
    first, last = stored_date(days[0]), stored_date(days[-1])
    if field.type != "computed":
        return {field.path: {"$gte": first, "$lte": last}}
    is_within = {"$and": [{"$gte": ["$$day", first]}, {"$lte": ["$$day", last]}]}
    return {"$expr": {"$let": {"vars": {"day": value}, "in": is_within}}}


def _none() -> Cell:
    return Cell("text", gettext("None"), level="muted")


def _has(field: Field, key: str) -> Criteria:
    """Rows with this value of a choice; "" is for those without any."""
    return {field.path: key or {"$in": [None, ""]}}


def _others(rest: Criteria, field: Field, keys: Sequence[str]) -> Criteria:
    """Rows with a value of a choice that is none of these."""
    return merge([rest, {field.path: {"$nin": [*keys, None, ""]}}])


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _number(field: Field, total: Any) -> str:
    if field.type == "money":
        return formats.format_money(total)
    return formats.format_number(total)
