"""The one list page: filters by name in the address, one query a page, flat rows.

A screen declares columns, filters and sorts and turns stored rows into cells; everything else
(address, problems, sentence, paging, counts, one row alone) is here.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bson import ObjectId
from bson.errors import InvalidId
from flask import Flask, abort, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from rules.errors import CareError, InvalidInput, TakesTooLong
from rules.filters import (
    ChoiceFilter,
    Criteria,
    Filter,
    FilterState,
    parse_date,
    parse_filters,
)
from rules.permissions import Access
from rules.sentences import Sentence
from services import lists
from services.configuration import Configuration
from services.lists import Page, Sort
from views import formats
from views.addresses import url_to
from views.base import ConfiguredModelView
from views.cells import EMPTY, Cell, Column, RowView
from views.context import configured, current_actor, locale, today
from views.i18n import said
from views.pick_filters import FIELD

# Names in the address that are not filters.
STANDING = ("view", "where", "sort", "group", "mode")
EXACT = "exact"  # asks for a number that is not capped
PAGING = ("after", "before", "sort", "page", "view", "where", "group", "mode", "month", EXACT)


# Filters whose key is not that of the field that they ask for.
FIELDS_OF_FILTERS = {"state": "care_state", "at": "at", "carer": "carers"}
# Filters over what records of another kind say: (kind, filter) is about (kind, field).
FOREIGN_FILTERS = {("orders", "group"): ("products", "group")}


def sees_filter(kind: str, key: str, access: Access) -> bool:
    """Whether the filter of a list over this kind asks for a field that may be read as it is."""
    asked = FIELDS_OF_FILTERS.get(key, key.removeprefix(FIELD))
    of, field = FOREIGN_FILTERS.get((kind, key), (kind, asked))
    return field not in configured().kinds[of].fields or access.sees(of, field)


@dataclass(slots=True)
class ListPage:
    """What the list template shows."""

    screen: "ListScreen"
    columns: Sequence[Column]
    state: FilterState
    rows: list[RowView]
    page: Page
    sort: str
    says: list[str]
    names: dict[str, str]
    problems: Sequence[CareError] = ()
    unfinished: TakesTooLong | None = None  # why there are no rows although there may be some

    @property
    def is_sized(self) -> bool:
        """Whether somebody gave columns their width."""
        return any(column.width for column in self.columns)


class ListScreen(ConfiguredModelView):
    """Base of all lists. Subclasses set the attributes and `cells`."""

    columns: tuple[Column, ...] = ()
    sorts: dict[str, Sort] = {}
    default_sort = ""
    fields: tuple[str, ...] = ()  # what the query fetches
    base_criteria: Criteria = {}
    empty_text = ""
    counted: str | None = None  # the choice filter whose choices show counts
    side_template: str | None = None  # beside the rows
    side_filter = ""  # the filter that the side shows, so that the bar does not repeat it
    top_template: str | None = None  # above the rows
    care_in_turn = False  # whether the list offers [Chăm sóc lần lượt]
    list_page = "lists/page.html"
    has_ticks = False  # whether rows can be ticked, to be changed together
    has_menu = False  # whether rows have a menu of their own
    kind = ""  # of the rows, where roles say what of them is seen

    @property
    def list_key(self) -> str:
        """What choices and settings of this list are kept under."""
        return str(self.endpoint)

    def page_label(self) -> str:
        """What the page is called, in the reader's language."""
        return str(gettext(self.label))

    def list_filters(self) -> tuple[Filter, ...]:
        """The filters in the order of the filter bar."""
        return ()

    def added_filters(self) -> Sequence[Filter]:
        """Those that administrators added to the bar, over fields of the kind."""
        return ()

    def cells(self, row: dict[str, Any], refs: dict[str, Any]) -> RowView:
        """The row as it is shown; `refs` is what `references` returned."""
        raise NotImplementedError

    def references(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Labels of everything the rows refer to: one query per kind of reference."""
        return {}

    def parts_key(self, shown: ListPage) -> Hashable | None:
        """What the parts of the page around its rows depend on beside the configuration, see
        `fragments`; None: they are drawn each time."""
        return None

    def shown_columns(self) -> Sequence[Column]:
        """The columns of this request, in their order."""
        return self.columns

    def offered_sorts(self) -> Mapping[str, Sort]:
        """What the list may be sorted by, by the name in the address."""
        return self.sorts

    def row_views(self, rows: Sequence[dict[str, Any]]) -> list[RowView]:
        """The rows as they are shown, in the order of `shown_columns`."""
        rows = self.seen(rows)
        refs = self.references(rows)
        return [self.cells(row, refs) for row in rows]

    def new_url(self) -> str | None:
        """Where a record is added to this list; None where nobody, or not this person, adds any."""
        return None

    def side(self, state: FilterState) -> dict[str, Any]:
        """What the side template (a tree of groups, for instance) needs."""
        return {}

    def shows_filter(self, key: str, state: FilterState) -> bool:
        """Whether a filter stands in the bar; it is in force there or not."""
        return True

    def names(self, state: FilterState) -> dict[str, str]:
        """Names of the records that filters refer to, by filter key, for the sentence."""
        return {}

    @expose("/")
    def index_view(self) -> Any:
        state = self.state()
        try:
            return self._list(state, self.first_page(state), self.page_template())
        except TakesTooLong as error:
            return self._list(state, Page([], None, None), self.list_page, error)

    def _list(
        self, state: FilterState, page: Page, template: str, error: TakesTooLong | None = None
    ) -> Any:
        names = self.names(state)
        shown = ListPage(
            screen=self,
            columns=self.shown_columns(),
            state=state,
            rows=self.row_views(page.rows),
            page=page,
            sort=self._sort_key(),
            says=[formats.say(_named(says, names.get(key))) for key, says in state.sentences()],
            names=names,
            problems=[*state.problems, *self.problems()],
            unfinished=error,
        )
        key = self.parts_key(shown)
        return self.render(template, list=shown, parts_key=key, **self.side(state))

    @expose("/count")
    def count_view(self) -> Any:
        """The counts of the list and of each choice, after the page itself (B.10); none where
        counting takes too long. With `exact` the number of all rows, when it is asked for."""
        state = self.state()
        if request.args.get(EXACT):
            number = lists.exact_count(self.model.collection(), self.criteria(state))
            return self.render("lists/exact_count.html", number=number)
        wanted = {"": self.criteria(state)}
        choices = next((one for one in state.filters if one.key == self.counted), None)
        if isinstance(choices, ChoiceFilter):
            rest = self.criteria(state, without=[choices.key])
            for choice in choices.choices:
                wanted[choice.key] = lists.merge([rest, choice.criteria])
        try:
            counts = lists.capped_counts(self.model.collection(), wanted)
        except TakesTooLong:
            return "", 204
        exact = None
        if counts[""] > lists.COUNT_CAP:
            exact = url_to(f"{self.endpoint}.count_view", **{**state.raw, EXACT: "1"})
        return self.render("lists/counts.html", counts=counts, counted=self.counted, exact=exact)

    @expose("/range/<key>")
    def range_view(self, key: str) -> Any:
        """From two typed days to the address of the list with that range; the list checks it."""
        known = {one.key for one in self.offered_filters()}
        if key not in known:
            abort(404)
        start, end = (_iso(request.args.get(name, "")) for name in ("range_from", "range_to"))
        # Known names alone: url_for takes some other names for its own options.
        kept = (known | set(STANDING)) - {key}
        rest = {name: text for name, text in request.args.items() if name in kept}
        chosen = {key: f"{start}..{end}"} if start or end else {}
        return redirect(url_for(f"{self.endpoint}.index_view", **rest | chosen))

    @expose("/rows/<row_id>")
    def row_view(self, row_id: str) -> Any:
        """One row alone, to replace it in place after a change."""
        row = self.model.collection().find_one(
            lists.merge([{"_id": object_id(row_id)}, self.scope()]), self._projection()
        )
        if row is None:
            abort(404)
        return self.render(
            "lists/row.html",
            rows=self.row_views([row]),
            columns=self.shown_columns(),
            changed=True,
        )

    def scope(self) -> Criteria:
        """The records that the person may see on this list; part of every query of it."""
        return {}

    def state(self) -> FilterState:
        args = {name: request.args.get(name, "") for name in request.args}
        return parse_filters(self.offered_filters(), args, known=PAGING)

    def offered_filters(self) -> tuple[Filter, ...]:
        """The filters without those over fields that the person may not see as they are."""
        found = (*self.list_filters(), *self.added_filters())
        return tuple(one for one in found if self._may_filter(one.key)) if self.kind else found

    def _may_filter(self, key: str) -> bool:
        return sees_filter(self.kind, key, current_actor().access)

    def has_side(self, state: FilterState) -> bool:
        """Whether the tree beside the list is shown: its filter is one that the reader has."""
        keys = {one.key for one in state.filters}
        return self.side_template is not None and self.side_filter in keys

    def criteria(self, state: FilterState, *, without: Sequence[str] = ()) -> Criteria:
        return lists.merge(
            [self.base_criteria, self.scope(), state.criteria(today(), without=without)]
        )

    def address(self, state: FilterState, /, **changes: str | None) -> str:
        """The address of this list with some filters changed; None leaves one out."""
        shown = {one.key: one.default for one in state.filters}
        args = {
            name: text for name, text in (state.raw | changes).items() if text != shown.get(name)
        }
        return url_to(f"{self.endpoint}.index_view", **args)

    def first_page(self, state: FilterState) -> Page:
        """The rows of the page; a screen that shows them in another way reads them itself."""
        return self._page(state)

    def page_template(self) -> str:
        return self.list_page

    def seen(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows without what the person may not see, masked where they are so."""
        by = current_actor()
        if not self.kind or not by.is_limited(self.kind):
            return list(rows)
        return [by.shown(self.kind, row) for row in rows]

    def beside(self, state: FilterState, key: str) -> dict[str, str]:
        """What the form of the filter `key` sends along, so that the rest stays as it is."""
        return {name: text for name, text in state.raw.items() if name != key}

    def bare_address(self) -> str:
        """The list without any filter."""
        return url_to(f"{self.endpoint}.index_view")

    def _page(self, state: FilterState) -> Page:
        return lists.fetch_page(
            self.model.collection(),
            self.criteria(state),
            self._sort(),
            after=request.args.get("after"),
            before=request.args.get("before"),
            size=self.page_size(),
            projection=self._projection(),
            is_secret=bool(self.kind) and current_actor().is_limited(self.kind),
        )

    def problems(self) -> list[CareError]:
        """What of the request could not be used, beside filters, to be said above the list."""
        return []

    def standing(self) -> dict[str, str]:
        """What of the address stays when filters change."""
        return {}

    def page_size(self) -> int:
        """Rows on a page."""
        return lists.PAGE_SIZE

    def _projection(self) -> dict[str, int]:
        return dict.fromkeys(self.fields, 1)

    def _sort_key(self) -> str:
        asked = request.args.get("sort", "")
        return asked if asked.lstrip("-") in self.offered_sorts() else self.default_sort

    def _sort(self) -> Sort:
        key = self._sort_key()
        sort = self.offered_sorts()[key.lstrip("-")]
        return replace(sort, descending=sort.descending != key.startswith("-"))


def _named(says: Sentence, name: str | None) -> Sentence:
    """The sentence of a filter with the name of the record behind its id."""
    if not name:
        return says
    inner = {
        key: _named(one, name) for key, one in says.params.items() if isinstance(one, Sentence)
    }
    return Sentence(says.message, says.params | {"name": name} | inner)


def picked(config: Configuration, list_key: str, key: str | None) -> Cell:
    """A pick-list value as a coloured pill; empty for no value."""
    value = config.value(list_key, key)
    if value is None:
        return EMPTY
    return Cell("pill", value.label(locale()), colour=value.colour)


def shown_day(text: str) -> str:
    """A day of an address (2026-11-28) as people read it; what is no date as it stands."""
    try:
        return formats.format_date(parse_date(text))
    except InvalidInput:
        return text


def register(app: Flask) -> None:
    """Makes the functions known that list templates use."""
    app.jinja_env.filters["iso_date"] = shown_day
    # Not `_`, which trusts its text as markup: labels of pick lists are typed by people.
    app.jinja_env.filters["in_words"] = lambda label: said(label) if label else ""
    app.jinja_env.globals["count_text"] = count_text


def _iso(text: str) -> str:
    """A typed day as it stands in an address; what is no date stays for the list to complain."""
    try:
        day = parse_date(text)
    except InvalidInput:
        return text.strip()[:30]
    return day.isoformat() if day else ""


def links(endpoint: str, name: str) -> Callable[[Any], str]:
    """The address of a record of this endpoint by its id; built once for all rows of a page."""
    before, after = url_to(endpoint, **{name: "_id_"}).split("_id_")
    return lambda record_id: f"{before}{record_id}{after}"


def object_id(text: str) -> ObjectId:
    """The id behind a piece of an address; 404 for one that cannot be an id."""
    try:
        return ObjectId(text)
    except (InvalidId, TypeError):
        abort(404)


def count_text(number: int) -> str:
    """A capped count as people read it: 81, or "1.000+" (B.10)."""
    if number > lists.COUNT_CAP:
        return f"{formats.format_number(lists.COUNT_CAP)}+"
    return formats.format_number(number)
