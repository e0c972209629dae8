"""`ui` in templates: the macros of `_partials/ui.html`, and the icon, which a page has dozens of."""

from functools import lru_cache
from typing import Any

from flask import Flask, g, render_template, request
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from views.assets import asset
from views.context import configured, locale

CSRF_FIELD = Markup('<input type="hidden" name="csrf_token" value="{}">')
CSRF_PLACE = Markup("<!-- token -->")  # in parts that are remembered, see fragments
DECORATION = Markup('aria-hidden="true"')


class Ui:
    """What templates call `ui`.

    A global and not an import in each template, so that a block rendered alone has it too.
    """

    def __init__(self, app: Flask) -> None:
        self._environment = app.jinja_env

    def icon(self, name: str, title: str = "", **attributes: str) -> Markup:
        """An outline icon. With a title it is read aloud, else it is decoration."""
        return _icon(asset("icons.svg"), name, title, attributes.get("class", ""))

    def csrf(self) -> Markup:
        """The hidden field of every form that writes."""
        return CSRF_PLACE if "csrf_place" in g else csrf_field()

    def kept(self, template: str) -> Markup:
        """A part that is the same on all pages of this language, drawn once."""
        key = ("kept", template, locale(), request.root_path)
        return configured().once(key, lambda: Markup(render_template(template)))  # noqa: S704

    def __getattr__(self, name: str) -> Any:
        return getattr(self._environment.get_template("_partials/ui.html").module, name)


def csrf_field() -> Markup:
    """The field with the token of this request."""
    if "csrf_field" not in g:
        g.csrf_field = CSRF_FIELD.format(generate_csrf())
    return g.csrf_field  # type: ignore[no-any-return]


@lru_cache(maxsize=1024)
def _icon(file: str, name: str, title: str, css: str) -> Markup:
    classes = f"icon {css}" if css else "icon"
    read = Markup('role="img" aria-label="{}"').format(title) if title else DECORATION
    return Markup('<svg class="{}" {}><use href="{}#{}"></use></svg>').format(
        classes, read, file, name
    )


def register(app: Flask) -> None:
    """Makes `ui` known to templates."""
    app.jinja_env.globals["ui"] = Ui(app)
