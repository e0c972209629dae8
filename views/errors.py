"""Turns errors into what a person reads: a page, a toast, a flash or JSON, in their language."""

import secrets

import structlog
from bson.errors import InvalidId
from flask import Flask, Response, flash, jsonify, render_template, request
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from mongoengine.errors import DoesNotExist
from pymongo.errors import AutoReconnect, ConnectionFailure
from werkzeug.exceptions import HTTPException

from rules.errors import N_, CareError, NotFound, StoreUnavailable
from stores.errors import StoreError
from views.context import is_htmx
from views.formats import say_error

log = structlog.get_logger(__name__)

# status: (title, text)
TEXTS = {
    400: (
        N_("This request is not right"),
        N_("Something about this request is not right. Go back and try again."),
    ),
    403: (
        N_("Not allowed"),
        N_("You do not have the right to do this. Ask an administrator."),
    ),
    404: (
        N_("Not found"),
        N_("There is no such page. It may have been moved, or the address has a typing error."),
    ),
    405: (
        N_("This cannot be opened like this"),
        N_("This address only takes what a form sends. Go back and use the form."),
    ),
    409: (N_("Somebody was faster"), N_("The record changed meanwhile. Load it again.")),
    413: (
        N_("Too large"),
        N_(
            "This is larger than Carebook takes, so nothing of it was saved. A file may have 20 MB, "
            "all files of a form 250 MB together, a text 1 MB. Go back and choose less: what you "
            "typed may still stand in the form."
        ),
    ),
    422: (N_("Please check"), N_("Some fields need another look.")),
    429: (N_("Too many attempts"), N_("Wait a moment, then try again.")),
    500: (
        N_("Something went wrong"),
        N_("This is our fault, not yours. Try again; if it stays, give the number to support."),
    ),
    503: (
        N_("The database cannot be reached"),
        N_("The database cannot be reached right now. Try again in a moment."),
    ),
}
CSRF_TITLE = N_("This page was open for too long")
CSRF_TEXT = N_(
    "Your login changed since this page was opened, so nothing was saved. "
    "Load the page again and save once more."
)
UNKEPT = ("csrf_token", "password", "current", "new", "again")  # never shown again
UNTYPED = (
    "file",
    "upload_key",
    "entry_key",
    "count",
    "version",
    "queue",
)  # hidden fields: nobody misses them


def register(app: Flask) -> None:
    """Handles every error in one place."""
    app.register_error_handler(CareError, _on_care_error)
    app.register_error_handler(CSRFError, _on_csrf_error)
    app.register_error_handler(HTTPException, _on_http_error)
    for missing in (InvalidId, DoesNotExist):
        app.register_error_handler(missing, lambda error: _on_care_error(NotFound()))
    for away in (ConnectionFailure, AutoReconnect, StoreError):
        app.register_error_handler(away, _on_store_error)
    app.register_error_handler(Exception, _on_unforeseen)


def flash_error(error: CareError) -> None:
    """Shows the error as a toast on the next page."""
    flash(say_error(error), "error")


def _on_care_error(error: CareError) -> Response:
    # The record of a form may be gone: what was typed is shown, to be copied.
    return answer(error.status, say_error(error), typed=_typed())


def _on_csrf_error(error: CSRFError) -> Response:
    # What was typed is shown for copying, not in a form to be sent again: a form of another site
    # must not become ours by a click.
    return answer(409, gettext(CSRF_TEXT), title=gettext(CSRF_TITLE), typed=_typed())


def _typed() -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in request.form.items(multi=True)
        if value.strip() and not name.startswith("_") and name not in (*UNKEPT, *UNTYPED)
    ]


def _on_http_error(error: HTTPException) -> Response | HTTPException:
    status = error.code or 500
    if status < 400:
        return error  # a redirect
    known = TEXTS.get(status) or TEXTS[400 if status < 500 else 500]
    response = answer(status, gettext(known[1]))
    for name, value in error.get_headers(request.environ):
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _on_store_error(error: Exception) -> Response:
    log.error("store unavailable", path=request.path, error=str(error))
    return answer(503, say_error(StoreUnavailable()))


def _on_unforeseen(error: Exception) -> Response:
    number = secrets.token_hex(4)
    log.exception("unforeseen error", number=number, path=request.path, method=request.method)
    return answer(500, gettext(TEXTS[500][1]), number=number)


def answer(
    status: int,
    text: str,
    *,
    title: str | None = None,
    number: str | None = None,
    typed: list[tuple[str, str]] | None = None,
) -> Response:
    """The error as the asker can take it: a toast for htmx, JSON, or a page."""
    if is_htmx():
        body = render_template("_partials/toast.html", text=text, kind="error", number=number)
        return Response(body, status, {"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"})
    if request.accept_mimetypes.best == "application/json":
        response = jsonify(error=text, number=number)
        response.status_code = status
        return response
    known = TEXTS.get(status) or TEXTS[400 if status < 500 else 500]
    # When the server is in trouble the page must not need the database for a name or a menu.
    template = "errors/trouble.html" if status >= 500 else "errors/error.html"
    body = render_template(
        template,
        status=status,
        heading=title or gettext(known[0]),
        text=text,
        number=number,
        typed=typed or [],
    )
    return Response(body, status)
