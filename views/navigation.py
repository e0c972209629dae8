"""The sidebar: which screens, in which section and order."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_babel import gettext

from rules.errors import N_
from views import site_records
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
    """A heading and the screens under it."""

    label: str
    entries: tuple[Entry, ...]


CUSTOMERS = N_("Customers")
SECTIONS = (
    Section(N_("Today"), (Entry("today", N_("Today's work"), "sun"),)),
    Section(
        N_("Care"),
        (
            Entry("orders_due", N_("Orders due for care"), "receipt"),
            Entry("orders_due_by_group", N_("… by product group"), "category"),
            Entry("orders_due_by_area", N_("… by area"), "map-pin"),
            Entry("customers_due", N_("Customers due for care"), "user-heart"),
            Entry("history", N_("Care history"), "history"),
        ),
    ),
    Section(CUSTOMERS, (Entry("customers", N_("Customer list"), "users"),)),
    Section(
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
        N_("Settings"),
        (
            Entry("staff", N_("Staff"), "user-cog"),
            Entry("roles", N_("Roles"), "user-shield"),
            Entry("teams", N_("Teams"), "users-group"),
            Entry("kind_settings", N_("Kinds of documents"), "folder-plus"),
            Entry("field_settings", N_("Fields"), "forms"),
            Entry("list_settings", N_("Lists"), "table"),
            Entry("pick_lists", N_("Pick lists"), "list-tree"),
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


def sidebar() -> list[tuple[str, list[Link]]]:
    """The sections with the screens that exist and that the person may open."""
    roles = current_actor().roles if person() is not None else frozenset()
    return configured().once(("sidebar", locale(), roles), _sidebar)


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


def _list_icons() -> dict[str, str]:
    """{key of a list: icon} of the lists that the person may open."""
    kinds = {site_records.list_key(one.key): one.icon for one in site_records.site_kinds()}
    screens = {
        key: view.icon
        for key, view in _views().items()
        if key != site_records.ENDPOINT and view.is_accessible()
    }
    return screens | kinds


def _sidebar() -> list[tuple[str, list[Link]]]:
    views = _views()
    shown = []
    for section in SECTIONS:
        links = [
            _link(entry, views[entry.endpoint])
            for entry in section.entries
            if _is_open(entry, views)
        ]
        if section.label == CUSTOMERS:
            links += _site_kinds()
        if links:
            shown.append((gettext(section.label), links))
    return shown


def _site_kinds() -> list[Link]:
    """The kinds of documents that the site defined (B.14)."""
    return [
        Link(
            f"records/{kind.key}",
            kind_label(kind, locale()),
            kind.icon,
            url_for("records.index_view", slug=kind.key),
        )
        for kind in site_records.site_kinds()
    ]


def _views() -> dict[str, Any]:
    return {
        view.endpoint: view for admin in current_app.extensions["admin"] for view in admin._views
    }


def _is_open(entry: Entry, views: dict[str, Any]) -> bool:
    return entry.endpoint in views and views[entry.endpoint].is_accessible()


def _link(entry: Entry, view: Any) -> Link:
    return Link(
        endpoint=entry.endpoint,
        label=gettext(entry.label or view.label),
        icon=entry.icon or view.icon,
        url=view.get_url(f"{view.endpoint}.{view._default_view}"),
    )


def register(app: Flask) -> None:
    """Makes `sidebar()` and `pinned()` known to the layout."""
    app.jinja_env.globals["sidebar"] = sidebar
    app.jinja_env.globals["pinned"] = pinned
    app.jinja_env.globals["screen_here"] = screen_here


def screen_here() -> str:
    """The entry of the sidebar where the reader is: a screen, or a kind of the site."""
    here = str(request.blueprint or "")
    return f"records/{g.get('slug')}" if here == site_records.ENDPOINT else here
