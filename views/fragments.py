"""Parts of a page that are drawn once for as long as nothing changes that they show.

Most of a list's page stands around its rows: tabs of views, filters, headings, menus. They come
again on every page of the list and each time it is opened.
"""

from collections.abc import Callable, Hashable
from threading import Lock

from cachetools import LRUCache
from flask import Flask, g
from markupsafe import Markup

from views.context import configured
from views.ui import CSRF_PLACE, csrf_field

PARTS_KEPT = 2000  # some megabytes of each web process, gone with the revision of the configuration


class _Parts:
    """Markup by key; the threads of a process share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: LRUCache[Hashable, Markup] = LRUCache(maxsize=PARTS_KEPT)

    def get(self, key: Hashable) -> Markup | None:
        with self._lock:
            return self._known.get(key)

    def put(self, key: Hashable, drawn: Markup) -> None:
        with self._lock:
            self._known[key] = drawn


def remembered(name: str, key: Hashable, caller: Callable[[], Markup]) -> Markup:
    """What the block `{% call %}` draws; `key` names all that it depends on beside the configuration.

    None as a key draws it each time. Forms get the token of this request.
    """
    if key is None:
        return caller()
    parts = configured().once("fragments", _Parts)
    drawn = parts.get((name, key))
    if drawn is None:
        drawn = _drawn(caller)
        parts.put((name, key), drawn)
    return drawn.replace(CSRF_PLACE, csrf_field()) if CSRF_PLACE in drawn else drawn


def _drawn(caller: Callable[[], Markup]) -> Markup:
    """With a place for the token, which is another one for each person and login."""
    g.csrf_place = True
    try:
        return caller()
    finally:
        del g.csrf_place


def register(app: Flask) -> None:
    """Makes `remembered` known to templates."""
    app.jinja_env.globals["remembered"] = remembered
