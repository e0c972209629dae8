"""The guard in front of every page: login, CSRF, headers, cookies, limits."""

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, redirect, request, session, url_for
from flask_wtf import CSRFProtect
from werkzeug.wrappers import Response as BaseResponse

from config import Settings
from models import Staff
from services import second_factor, staff_sessions
from services.staff_sessions import SESSION_DAYS
from views import api
from views.context import is_htmx, local_path, person
from views.identity import SESSION_KEY

FORM_MAX_BYTES = 1024 * 1024
REQUEST_MAX_BYTES = 21 * 1024 * 1024  # of strangers and programs
# Of people who are logged in: several files of 20 MB (S2.5), and one that is too large as well, so
# that it is refused by name beside its field and what was typed comes back with the form.
FILES_MAX_BYTES = 250 * 1024 * 1024

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# What somebody with a duty may open: the pages on which it is done, and the way out.
OPEN_ON_DUTY = (
    *("account.index", "account.password", "account.theme", "login.logout"),
    *("second_factor.index", "second_factor.begin", "second_factor.picture"),
    "second_factor.confirm",
)
TWO_YEARS = "max-age=63072000; includeSubDomains"


def register(app: Flask, settings: Settings) -> None:
    """Puts the guard in place; must come before everything that answers requests."""
    app.config.update(
        SESSION_COOKIE_NAME="carebook",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        # The cookie is renewed when the session is noted as seen, and not with every style sheet.
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(days=SESSION_DAYS),
        MAX_CONTENT_LENGTH=REQUEST_MAX_BYTES,
        MAX_FORM_MEMORY_SIZE=FORM_MAX_BYTES,
        # A page stays open all day; its token lives as long as the login.
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.before_request(_limit_forms)
    # The login comes first: a page of a closed session says "log in", not "token missing".
    app.before_request(_require_login)
    protect = CSRFProtect(app)
    # It takes keys in a header and no cookies: there is nothing that another site could abuse.
    protect.exempt(api.blueprint)
    app.after_request(_add_headers)


def _limit_forms() -> None:
    """Says how much of a form is read, before anything reads it."""
    if request.mimetype == "application/x-www-form-urlencoded":
        # Werkzeug limits the memory of multipart forms only; a plain form is read whole.
        request.max_content_length = FORM_MAX_BYTES
    elif request.mimetype == "multipart/form-data" and _needs_login():
        request.max_content_length = FILES_MAX_BYTES


def login_redirect() -> BaseResponse:
    """Sends a stranger to the login and back to where they were; htmx moves the whole page."""
    if is_htmx():
        address = urlsplit(request.headers.get("HX-Current-URL", ""))
        target = _login_url(f"{address.path}?{address.query}" if address.query else address.path)
        return Response("", 401, {"HX-Redirect": target})
    asked = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else None
    return redirect(_login_url(asked), 303)


def _login_url(asked: str | None) -> str:
    asked = local_path(asked)
    return url_for("login.login", next=asked if asked != "/" else None)


def _needs_login() -> bool:
    if request.endpoint is None or request.endpoint == "static":
        return False
    return not getattr(current_app.view_functions[request.endpoint], "is_public", False)


def _require_login() -> BaseResponse | None:
    """Nothing answers without a login unless it says so with `@public`."""
    if not _needs_login():
        return None
    staff = person()
    if staff is None:
        return login_redirect()
    return _duty_redirect(staff)


def _duty_redirect(staff: Staff) -> BaseResponse | None:
    """Whoever must choose a password or set up a second factor does that first."""
    if request.endpoint in OPEN_ON_DUTY:
        return None
    opened = staff_sessions.session_of(staff, session.get(SESSION_KEY))
    # Whoever comes from the sign-in service may never have had a password here.
    if staff.must_change_password and not (opened and opened.is_by_service):
        target = url_for("account.index")
    elif second_factor.is_missing(staff) and not (opened and opened.has_factor):
        target = url_for("second_factor.index")
    else:
        return None
    if not is_htmx():
        return redirect(target, 303)
    here = urlsplit(request.headers.get("HX-Current-URL", "")).path
    if here.startswith(url_for("account.index").rstrip("/")):
        # What the frame asks for while the duty is being done must not reload the page.
        return Response("", 204)
    return Response("", 403, {"HX-Redirect": target})


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", TWO_YEARS)
    if request.endpoint != "static":  # views/assets.py sees to those
        # Customers' data must not come back out of a shared computer's cache after the logout.
        response.headers.setdefault("Cache-Control", "no-store")
        response.vary.update(("Cookie", "HX-Request"))
    return response
