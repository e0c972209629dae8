"""The reader's language, and the catalogues behind it."""

from typing import Any

from flask import Flask, current_app, g, request
from flask_babel import Babel, get_domain
from markupsafe import Markup
from pymongo.errors import PyMongoError

from config import Settings
from services.catalogues import CATALOGUES, compile_catalogues
from stores.errors import StoreError
from views.context import person

LOCALES = ("vi", "en")
LOCALE_COOKIE = "locale"


def register(app: Flask, settings: Settings) -> None:
    """Translates into the person's language; catalogues are compiled when they changed."""
    compile_catalogues(CATALOGUES)
    Babel(
        app,
        default_locale=settings.locale,
        default_timezone=settings.timezone,
        default_translation_directories=str(CATALOGUES),
        locale_selector=choose_locale,
    )
    # Templates say hundreds of words a page: look the catalogue up once for each request.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        said, lambda one, many, number: catalogue().ungettext(one, many, number), newstyle=True
    )
    app.jinja_env.globals["_"] = in_template


def catalogue() -> Any:
    """The catalogue of the reader's language, for this request."""
    known = g.get("catalogue")
    if known is None:
        known = g.catalogue = get_domain().get_translations()
    return known


def said(message: str) -> str:
    """The text in the reader's language, its parameters not filled in yet."""
    return str(catalogue().ugettext(message))


def in_template(message: str, **params: Any) -> Markup:
    """`_()` of templates: what is said without parameters is looked up once, and not per page."""
    if params:
        return Markup(said(message)) % params  # noqa: S704 - a catalogue holds markup
    known = vars(catalogue()).setdefault("in_templates", {})
    if message not in known:
        known[message] = Markup(said(message)) % {}  # noqa: S704
    return known[message]  # type: ignore[no-any-return]


def choose_locale() -> str:
    """The person's own choice, else the browser's cookie, else the site's language."""
    settings: Settings = current_app.config["CAREBOOK"]
    cookie = request.cookies.get(LOCALE_COOKIE)
    for chosen in (_own_locale(), cookie):
        if chosen in LOCALES:
            return chosen
    return settings.locale


def _own_locale() -> str | None:
    try:
        staff = person()
    except (PyMongoError, StoreError):
        return None  # the page that says so still needs a language
    return staff.locale if staff is not None else None
