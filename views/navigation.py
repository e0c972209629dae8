"""The sidebar: which screens, in which section and order."""

import threading
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from cachetools import LRUCache
from flask import Flask, current_app
from flask_babel import gettext

from rules.errors import N_
from views.context import configured, current_actor, locale, person


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
    Section(N_("Customers"), (Entry("customers", N_("Customer list"), "users"),)),
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
            Entry("field_settings", N_("Fields"), "forms"),
            Entry("pick_lists", N_("Pick lists"), "list-tree"),
            Entry("relationships", N_("Relationship rules"), "heart-handshake"),
            Entry("schedules", N_("Schedules"), "clock"),
            Entry("audit", N_("Change log"), "list-check"),
            Entry("access_settings", N_("Security"), "shield-lock"),
        ),
    ),
)


_known: LRUCache[Hashable, list[tuple[str, list["Link"]]]] = LRUCache(maxsize=64)
_lock = threading.Lock()  # the threads of a web process share the sidebars


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
    key = (locale(), configured().revision, roles)
    with _lock:
        found = _known.get(key)
    if found is None:
        found = _sidebar()
        with _lock:
            _known[key] = found
    return found


def _sidebar() -> list[tuple[str, list[Link]]]:
    views = _views()
    shown = []
    for section in SECTIONS:
        links = [
            _link(entry, views[entry.endpoint])
            for entry in section.entries
            if _is_open(entry, views)
        ]
        if links:
            shown.append((gettext(section.label), links))
    return shown


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
    """Makes `sidebar()` known to the layout."""
    app.jinja_env.globals["sidebar"] = sidebar
