"""Saved views of a list: `view=` in the address, arguments beside it win; mixed into KindList.

The address says only what differs from the view, so that a view that is changed changes every link
to it.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from bson import ObjectId
from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from rules import saved_views as rules
from rules.errors import N_, CareError, InvalidInput
from rules.filters import FilterState
from rules.permissions import CONFIGURE, SHARE_VIEWS
from rules.saved_views import ALL, SavedView
from services import preferences, saved_view_pins, saved_view_reading, saved_views
from services.saved_views import Content
from views import formats
from views.addresses import url_to, with_query
from views.context import configured, current_actor, locale, now, person, sent_version
from views.filtering import WHERE, known_part
from views.pick_filters import FIELD

# What of an address stays while filters change, beside the filters themselves.
STANDING = ("sort", "group", "mode")


class ViewChoice:
    """The tabs above a list and what becomes of its address. Expects the methods of KindList."""

    endpoint: str
    list_key: str

    @expose("/")
    def index_view(self) -> Any:
        """The list; its bare address leads to the view that it opens with, if there is one."""
        usual = None if request.args else self.usual_view()
        if usual is not None:
            return redirect(url_for(f"{self.endpoint}.index_view", view=usual.id))
        return super().index_view()  # type: ignore[misc]

    def views(self) -> list[SavedView]:
        """The views that the person sees, by name."""
        return self._once("views", self._views)  # type: ignore[attr-defined, no-any-return]

    def _views(self) -> list[SavedView]:
        by, staff = current_actor(), person()
        if staff is None or staff.id != by.staff_id:  # a preview of somebody else
            return saved_view_reading.of_screen(self.list_key, by=by)
        return saved_view_reading.kept_of_screen(
            self.list_key, configured(), by=by, saved_at=staff.views_saved_at
        )

    def usual_view(self) -> SavedView | None:
        return rules.usual(self.views(), self._chosen_view(), current_actor())

    def _chosen_view(self) -> Any:
        staff = person()
        return (staff.opens_with or {}).get(self.list_key) if staff else None

    def view(self) -> SavedView | None:
        """The view in the address; one that is not there for the reader is a problem in words."""
        return self._once("view", self._asked_view)  # type: ignore[attr-defined, no-any-return]

    def _asked_view(self) -> SavedView | None:
        asked = request.args.get("view", "")
        if asked in ("", ALL):
            return None
        found = next((one for one in self.views() if str(one.id) == asked), None)
        if found is None:
            self.problems().append(  # type: ignore[attr-defined]
                InvalidInput(
                    N_("This view is not there any more, or not shared with you: all is shown.")
                )
            )
        return found

    def given(self) -> Mapping[str, str]:
        """The arguments of the view in the address; {} without one.

        Fields that the reader lacks are not in them, so that no link names one; who configures
        the fields sees the whole filter, and reads what is wrong with it.
        """
        return self._once("given", self._given)  # type: ignore[attr-defined, no-any-return]

    def _given(self) -> Mapping[str, str]:
        found = dict(self._stored_arguments())
        lacking = self._lacking(found)
        if lacking:
            self.problems().append(  # type: ignore[attr-defined]
                InvalidInput(
                    N_(
                        "This view is filtered, sorted or grouped by a field that is not there for"
                        " you. That part is left out."
                    )
                )
            )
        found = {name: text for name, text in found.items() if name not in lacking}
        if WHERE in found and not current_actor().can(CONFIGURE):
            known = known_part(found[WHERE], self.kind)  # type: ignore[attr-defined]
            if known != found[WHERE]:
                # It names nothing: which field it is would already tell something.
                self.problems().append(  # type: ignore[attr-defined]
                    InvalidInput(
                        N_(
                            "The filter of this view uses a field that is not there for you. That"
                            " part is left out, so that there may be more rows."
                        )
                    )
                )
            found[WHERE] = known
        return {name: text for name, text in found.items() if text}

    def _lacking(self, found: Mapping[str, str]) -> set[str]:
        """The names of those arguments, beside the filter tree, that ask for what the reader lacks."""
        if not found:
            return set()
        compiled = self.compiled()  # type: ignore[attr-defined]
        offered = {one.key for one in self.offered_filters()}  # type: ignore[attr-defined]
        asked = {one.key for one in self.list_filters()}  # type: ignore[attr-defined]
        asked |= {name for name in found if name.startswith(FIELD)}
        lacking = asked - offered
        if found.get("sort", "").lstrip("-") not in {"", *compiled.sorts}:
            lacking.add("sort")
        # Some lists have a filter by that name.
        if "group" not in offered | lacking and found.get("group", "") not in {
            "",
            *compiled.fields,
        }:
            lacking |= {"group", "mode"}
        return lacking & set(found)

    def _stored_arguments(self) -> Mapping[str, str]:
        view = self.view()
        return (view.arguments or {}) if view else {}

    def arguments(self) -> Mapping[str, str]:
        """The arguments in force: those of the view, and over them those of the address."""
        return self._once(  # type: ignore[attr-defined, no-any-return]
            "arguments", lambda: {**self.given(), **request.args.to_dict()}
        )

    def standing(self) -> dict[str, str]:
        """Arguments beside filters that other addresses about the same rows carry."""
        found = self.arguments()
        kept = {name: found[name] for name in STANDING if found.get(name)}
        return kept | ({"view": request.args["view"]} if request.args.get("view") else {})

    def address(self, state: FilterState, /, **changes: str | None) -> str:
        """The address of this list with some arguments changed; None: back to the usual."""
        given, usual = self.given(), self._usual_arguments(state)
        beside = dict(self._beside(state))  # worked out once: a page has dozens of these
        for name, text in changes.items():
            beside.pop(name, None)
            own = {name: given[name]} if name in given else {}
            beside |= rules.differing({name: text}, own, usual)
        return with_query(self._bare(), self._asked_view_argument() | dict(sorted(beside.items())))

    def beside(self, state: FilterState, key: str) -> dict[str, str]:
        """What the form of the filter `key` sends along: the view and what differs from it."""
        wanted = {name: text for name, text in self._in_force(state).items() if name != key}
        given = {name: text for name, text in self.given().items() if name != key}
        differing = rules.differing(wanted, given, self._usual_arguments(state))
        return self._asked_view_argument() | differing

    def _beside(self, state: FilterState) -> dict[str, str]:
        """What the address says now beside the view."""
        return self._once(  # type: ignore[attr-defined, no-any-return]
            "beside",
            lambda: rules.differing(
                self._in_force(state), self.given(), self._usual_arguments(state)
            ),
        )

    def _asked_view_argument(self) -> dict[str, str]:
        view = request.args.get("view")
        return {"view": view} if view else {}

    def _bare(self) -> str:
        return self._once(  # type: ignore[attr-defined, no-any-return]
            "bare", lambda: url_to(f"{self.endpoint}.index_view")
        )

    def _in_force(self, state: FilterState) -> dict[str, str | None]:
        """The arguments as they apply, with those of the view that this reader cannot use."""
        return self._once("in force", lambda: self._in_force_of(state))  # type: ignore[attr-defined, no-any-return]

    def _in_force_of(self, state: FilterState) -> dict[str, str | None]:
        found = self.arguments()
        kept = {name: text for name, text in self.given().items() if name not in request.args}
        return {**kept, **state.raw, **{name: found.get(name) for name in STANDING}}

    def _usual_arguments(self, state: FilterState) -> dict[str, str]:
        return self._once("usual", lambda: self._usual_of(state))  # type: ignore[attr-defined, no-any-return]

    def _usual_of(self, state: FilterState) -> dict[str, str]:
        usual = {one.key: one.default for one in state.filters if one.default}
        return usual | {"sort": self.compiled().default_sort}  # type: ignore[attr-defined]

    def bare_address(self) -> str:
        """The list without filters and views, even where it opens with one."""
        view = ALL if self.usual_view() else None
        return url_to(f"{self.endpoint}.index_view", view=view)

    def choice_key(self) -> str:
        """Under which name the person's columns are kept: of the list, or of the view."""
        view = self.view()
        return f"{self.list_key}~{view.id}" if view else self.list_key

    def content(self) -> Content:
        """What is seen now, as a view keeps it."""
        state = self.state()  # type: ignore[attr-defined]
        usual = self._usual_arguments(state)
        found = self._in_force(state)
        kept = {name: text for name, text in found.items() if text and text != usual.get(name)}
        stored = self._stored_arguments()
        # With what this reader does not know of; a layout belongs to its grouping.
        given, is_grouped = self.given(), "group" in kept
        for name, text in stored.items():
            is_lacking = text != given.get(name) and not (name == "mode" and is_grouped)
            if is_lacking and kept.get(name) == given.get(name):
                kept[name] = text
        return Content(kept, self._kept_columns(), self.page_size())  # type: ignore[attr-defined]

    def _kept_columns(self) -> list[Mapping[str, Any]]:
        """The columns that are shown; those of the view as they are while the person chose none."""
        view = self.view()
        if view is not None and view.columns and not self.preferences().get("columns"):  # type: ignore[attr-defined]
            return list(view.columns)
        return [{"key": one.key, "width": one.width} for one in self.chosen()]  # type: ignore[attr-defined]

    def has_changes(self) -> bool:
        """Whether what is seen differs from the view in the address."""
        view = self.view()
        if view is None:
            return False
        seen = self.content()
        own = person().lists or {}  # type: ignore[union-attr]
        return dict(seen.arguments) != dict(view.arguments or {}) or self.choice_key() in own

    def tabs(self) -> "Tabs":
        return Tabs(self)

    @expose("/views", methods=("POST",))
    def save_view(self) -> Any:
        """Saves what is seen: `do` is create, update or discard. Back to the list with the view."""
        try:
            view = self._saved()
        except CareError as error:
            flash(formats.say_error(error), "error")
            return redirect(self.address(self.state()), code=303)  # type: ignore[attr-defined]
        return redirect(url_for(f"{self.endpoint}.index_view", view=view.id), code=303)

    def _saved(self) -> SavedView:
        by, form = current_actor(), request.form
        view = self.view()
        if form.get("do") == "create":
            made = saved_views.create(
                self.list_key,
                form.get("name", ""),
                self.content(),
                by=by,
                at=now(),
                audience=form.get("audience", rules.PRIVATE),
                roles=form.getlist("roles"),
            )
            if form.get("pin"):
                saved_view_pins.pin(made.id, by=by)
            flash(gettext("View “%(name)s” saved.", name=made.name), "success")
            if view is not None:  # the columns that were tried belong to the new view now
                preferences.forget_list(by.staff_id, self.choice_key())
            return made
        if view is None:
            raise InvalidInput(N_("This view is not there any more, or not shared with you."))
        if form.get("do") == "update":
            saved_views.update(
                view.id,
                self.content(),
                version=sent_version(),
                by=by,
                at=now(),
            )
            flash(gettext("View “%(name)s” saved.", name=view.name), "success")
        preferences.forget_list(by.staff_id, self.choice_key())
        return view


class Tabs:
    """What the template of the tabs asks."""

    def __init__(self, screen: Any) -> None:
        self.views = screen.views()
        self.view: SavedView | None = screen.view()
        self.usual: SavedView | None = screen.usual_view()
        self.is_changed: bool = screen.has_changes()
        self.is_narrowed = bool(self.view is None and screen.content().arguments)
        self.save_url = f"{url_to(f'{screen.endpoint}.save_view')}?{whole_query()}"
        self.all_url = screen.bare_address()
        self._actor = current_actor()
        self._pinned = {pin.view_id for pin in (person().pins or ())}  # type: ignore[union-attr]
        self._endpoint = screen.endpoint

    def url(self, view: SavedView) -> str:
        return url_to(f"{self._endpoint}.index_view", view=view.id)

    def may_change(self) -> bool:
        return self.view is not None and rules.may_change(self.view, self._actor)

    def may_delete(self) -> bool:
        return self.view is not None and rules.may_delete(self.view, self._actor)

    def may_share(self) -> bool:
        return self._actor.can(SHARE_VIEWS)

    def is_pinned(self) -> bool:
        return self.view is not None and self.view.id in self._pinned

    def is_usual(self) -> bool:
        return self.view is not None and self.usual is not None and self.usual.id == self.view.id

    def roles(self) -> list[tuple[str, str]]:
        """(key, label) of the roles that a view may be for."""
        language = locale()
        return [
            (key, (one.label_en if language == "en" else "") or one.label_vi)
            for key, one in configured().roles.items()
        ]


def whole_query() -> str:
    """The arguments of this request without its place among the pages."""
    pages = ("after", "before", "month")
    return urlencode([one for one in request.args.items(multi=True) if one[0] not in pages])


def view_id(text: str) -> ObjectId:
    """The id in an address. Raises InvalidInput for none."""
    if not ObjectId.is_valid(text):
        raise InvalidInput(N_("This view is not there any more, or not shared with you."))
    return ObjectId(text)
