"""Parts of a page that are drawn once for as long as nothing changes that they show.

Most of a list's page stands around its rows: tabs of views, filters, headings, menus. They come
again on every page of the list and each time it is opened.
"""

from collections.abc import Callable, Hashable

from flask import Flask, g
from markupsafe import Markup

from views.kept import kept
from views.ui import CSRF_PLACE, csrf_field


def remembered(name: str, key: Hashable, caller: Callable[[], Markup]) -> Markup:
    """What the block `{% call %}` draws; `key` names all that it depends on beside the configuration.

    None as a key draws it each time. Forms get the token of this request.
    """
    if key is None:
        return caller()
    parts = kept("fragments")
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
