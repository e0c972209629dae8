"""The sidebar: which screens, in which section and order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup

from rules import menus
from rules.errors import N_
from rules.kinds import RECORDS
from rules.permissions import SEE
from rules.saved_views import FOR_EVERYONE, SavedView
from rules.scope import Actor
from services import saved_view_reading
from views import site_records
from views.base import meets
from views.context import configured, current_actor, locale, person
from views.field_cells import kind_label


@dataclass(frozen=True, slots=True)
class Entry:
    """A screen in the sidebar. Name and icon are the view's own unless given here."""

    endpoint: str
    label: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the screens under it; `key` names it in a configured menu."""

    key: str
    label: str
    entries: tuple[Entry, ...]


PINS = "pins"

SECTIONS = (
    Section("today", N_("Today"), (Entry("today", N_("Today's work"), "sun"),)),
    Section("pins", N_("Pinned views"), ()),
    Section(
        "care",
        N_("Care"),
        (
            Entry("orders_due", N_("Orders due for care"), "receipt"),
            Entry("orders_due_by_group", N_("… by product group"), "category"),
            Entry("orders_due_by_area", N_("… by area"), "map-pin"),
            Entry("customers_due", N_("Customers due for care"), "user-heart"),
            Entry("history", N_("Care history"), "history"),
        ),
    ),
    Section("customers", N_("Customers"), (Entry("customers", N_("Customer list"), "users"),)),
    Section("views", N_("Shared views"), ()),
    Section(
        "management",
        N_("Management"),
        (
            Entry("products", N_("Products"), "package"),
            Entry("assign_products", N_("Carers of products"), "package"),
            Entry("assign_customers", N_("Carers of customers"), "user-heart"),
            Entry("care_mode", N_("Care mode"), "adjustments"),
            Entry("handover", N_("Absence, hand-over"), "calendar-off"),
            Entry("jobs", N_("Background jobs"), "player-play"),
            Entry("trash", N_("Trash"), "trash"),
        ),
    ),
    Section(
        "settings",
        N_("Settings"),
        (
            Entry("staff", N_("Staff"), "user-cog"),
            Entry("roles", N_("Roles"), "user-shield"),
            Entry("teams", N_("Teams"), "users-group"),
            Entry("kind_settings", N_("Kinds of documents"), "folder-plus"),
            Entry("field_settings", N_("Fields"), "forms"),
            Entry("list_settings", N_("Lists"), "table"),
            Entry("layout_settings", N_("Record layout"), "layout-grid"),
            Entry("pick_lists", N_("Pick lists"), "list-tree"),
            Entry("menu_settings", N_("Menu"), "layout-list"),
            Entry("relationships", N_("Relationship rules"), "heart-handshake"),
            Entry("schedules", N_("Schedules"), "clock"),
            Entry("audit", N_("Change log"), "list-check"),
            Entry("configuration", N_("Configuration"), "versions"),
            Entry("access_settings", N_("Security"), "shield-lock"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as the sidebar shows it to this person."""

    endpoint: str
    label: str
    icon: str
    url: str


@dataclass(frozen=True, slots=True)
class Group:
    """A heading of the sidebar with its links; the group `pins` has those of the person."""

    key: str
    label: str
    links: tuple[Link, ...]


def sidebar_markup() -> Markup:
    """The sidebar as it stands on this page; for people without pins of their own drawn once."""

    def draw() -> Markup:
        return Markup(render_template("_partials/sidebar.html"))  # noqa: S704

    if pinned():
        return draw()
    # Only entries of the sidebar: what somebody types into an address must not be kept for each.
    entries = {link.endpoint for group in sidebar() for link in group.links}
    here = screen_here() if screen_here() in entries else ""
    key = ("sidebar markup", here, locale(), current_actor().roles, request.root_path)
    return configured().once(key, draw)


def sidebar() -> list[Group]:
    """The sections with the screens that the person may open, as the menu of the roles has them."""
    actor = current_actor() if person() is not None else None
    roles = actor.roles if actor else frozenset()
    return configured().once(("sidebar", locale(), roles), lambda: _sidebar(roles))


def every_link() -> list[Link]:
    """What the person may open, whether the menu shows it or not: for whoever searches."""
    return [link for link in links().values() if not link.endpoint.startswith(menus.OPTIONAL)]


@dataclass(frozen=True, slots=True)
class Pinned:
    """A saved view in the sidebar."""

    view_id: str
    label: str
    icon: str
    url: str


def pinned() -> list[Pinned]:
    """The views that the person pinned, of lists that it may open."""
    staff = person()
    pins = [pin for pin in (staff.pins if staff else ()) if not pin.is_gone]
    icons = _list_icons() if pins else {}
    return [
        Pinned(
            str(pin.view_id),
            pin.name,
            icons[pin.screen],
            site_records.list_address(pin.screen, view=str(pin.view_id)),
        )
        for pin in pins
        if pin.screen in icons
    ]


def _list_icons(actor: Actor | None = None) -> dict[str, str]:
    """{key of a list: icon} of the lists that the person, or another actor, may open."""
    who = actor or current_actor()
    kinds = {
        site_records.list_key(key): configured().kinds[key].icon
        for key in _site_kind_keys()
        if who.may(key, SEE)
    }
    screens = {
        key: view.icon
        for key, view in _views().items()
        if key != site_records.ENDPOINT and _is_open(view, actor)
    }
    return screens | kinds


def _sidebar(roles: Iterable[str]) -> list[Group]:
    arranged = menus.for_roles(shipped_menu(), configured().section("menus"), roles)
    return groups(arranged, links())


def groups(arranged: Iterable[menus.MenuSection], known: Mapping[str, Link]) -> list[Group]:
    """The sections that have anything to show, with their links."""
    found = []
    for one in arranged:
        shown = tuple(known[entry] for entry in one.shown if entry in known)
        if shown or one.key == PINS:
            found.append(Group(one.key, heading(one), shown))
    return found


def heading(section: menus.MenuSection) -> str:
    """What a section is called: its own name, or that of the section that ships."""
    shipped = next((one.label for one in SECTIONS if one.key == section.key), "")
    return section.own_label(locale()) or (gettext(shipped) if shipped else section.key)


def shipped_menu() -> list[menus.MenuSection]:
    """Every entry there is, the site's kinds and shared views with them, where it ships."""
    more = {
        "customers": tuple(f"{site_records.ENDPOINT}/{one}" for one in _site_kind_keys()),
        "views": tuple(_shared()),
    }
    return [
        menus.MenuSection(
            one.key, (*(entry.endpoint for entry in one.entries), *more.get(one.key, ()))
        )
        for one in SECTIONS
    ]


def links(actor: Actor | None = None) -> dict[str, Link]:
    """{key of an entry: its link} of everything that the person, or another actor, may open."""
    views = _views()
    found = {
        entry.endpoint: _link(entry, views[entry.endpoint])
        for section in SECTIONS
        for entry in section.entries
        if entry.endpoint in views and _is_open(views[entry.endpoint], actor)
    }
    who = actor or current_actor()
    found |= {link.endpoint: link for link in _site_kinds(who)}
    lists = _list_icons(who)
    for key, view in _shared().items():
        is_theirs = view.audience == FOR_EVERYONE or view.roles & who.roles
        if view.screen in lists and is_theirs:
            address = site_records.list_address(view.screen, view=str(view.id))
            found[key] = Link(key, view.name, lists[view.screen], address)
    return found


def _shared() -> dict[str, SavedView]:
    """{key of an entry: shared view}; sharing one is a revision of the configuration."""

    def read() -> dict[str, SavedView]:
        return {f"{menus.OPTIONAL}{one.key}": one for one in saved_view_reading.shared()}

    return configured().once("shared views", read)


def _site_kind_keys() -> list[str]:
    return [
        one.key
        for one in configured().kinds.values()
        if one.collection == RECORDS and not one.is_retired
    ]


def _site_kinds(actor: Actor) -> list[Link]:
    """The kinds of documents that the site defined (B.14)."""
    return [
        Link(
            f"records/{key}",
            kind_label(configured().kinds[key], locale()),
            configured().kinds[key].icon,
            url_for("records.index_view", slug=key),
        )
        for key in _site_kind_keys()
        if actor.may(key, SEE)
    ]


def _views() -> dict[str, Any]:
    return {
        view.endpoint: view for admin in current_app.extensions["admin"] for view in admin._views
    }


def _is_open(view: Any, actor: Actor | None) -> bool:
    return bool(meets(actor, view.needs, view.reads) if actor else view.is_accessible())


def _link(entry: Entry, view: Any) -> Link:
    return Link(
        endpoint=entry.endpoint,
        label=gettext(entry.label or view.label),
        icon=entry.icon or view.icon,
        url=view.get_url(f"{view.endpoint}.{view._default_view}"),
    )


def register(app: Flask) -> None:
    """Makes the sidebar known to the layout."""
    app.jinja_env.globals["sidebar"] = sidebar
    app.jinja_env.globals["sidebar_markup"] = sidebar_markup
    app.jinja_env.globals["pinned"] = pinned
    app.jinja_env.globals["screen_here"] = screen_here


def screen_here() -> str:
    """The entry of the sidebar where the reader is: a screen, or a kind of the site."""
    here = str(request.blueprint or "")
    return f"records/{g.get('slug')}" if here == site_records.ENDPOINT else here
