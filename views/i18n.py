"""The reader's language, and the catalogues behind it."""

import os
import tempfile
from pathlib import Path
from typing import Any

import structlog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, current_app, g, request
from flask_babel import Babel, get_domain
from pymongo.errors import PyMongoError

from config import PROJECT_ROOT, Settings
from stores.errors import StoreError
from views.context import person

LOCALES = ("vi", "en")
LOCALE_COOKIE = "locale"
CATALOGUES = PROJECT_ROOT / "translations"

log = structlog.get_logger(__name__)


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


def catalogue() -> Any:
    """The catalogue of the reader's language, for this request."""
    if "catalogue" not in g:
        g.catalogue = get_domain().get_translations()
    return g.catalogue


def said(message: str) -> str:
    """The text in the reader's language, its parameters not filled in yet."""
    return str(catalogue().ugettext(message))


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


def compile_catalogues(directory: Path) -> None:
    """Brings each .mo file up to its .po file; two processes at once do no harm."""
    for source in directory.glob("*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        try:
            _compile(source, target)
        except OSError as error:
            log.warning("catalogue not compiled", catalogue=str(source), error=str(error))


def _compile(source: Path, target: Path) -> None:
    with source.open("rb") as file:
        catalogue = read_po(file, locale=source.parent.parent.name)
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".mo")
    with os.fdopen(handle, "wb") as file:
        write_mo(file, catalogue)
    os.chmod(draft, 0o644)
    os.replace(draft, target)
