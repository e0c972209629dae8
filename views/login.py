"""Logging in and out, and choosing a password through a one-time link."""

from flask import Blueprint, Response, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext, lazy_gettext, ngettext
from flask_security import login_user, logout_user
from werkzeug.wrappers import Response as BaseResponse
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import PasswordInput

from models import Staff
from rules.errors import CareError, InvalidInput, NotFound
from rules.passwords import LENGTH_MAX, LENGTH_MIN
from services import accounts
from views.context import local_path, now, person, public, settings
from views.formats import say_error
from views.forms import CarebookForm
from views.i18n import LOCALE_COOKIE, LOCALES
from views.identity import SESSION_KEY
from views.limits import login_wait_seconds

blueprint = Blueprint("login", __name__)

YEAR_SECONDS = 365 * 24 * 3600


class LoginForm(CarebookForm):
    email = StringField(lazy_gettext("Email"), [InputRequired(), Length(max=200)])
    password = PasswordField(lazy_gettext("Password"), [InputRequired(), Length(max=1000)])


class NewPasswordForm(CarebookForm):
    password = PasswordField(
        lazy_gettext("New password"),
        [InputRequired(), Length(max=1000)],
        widget=PasswordInput(hide_value=False),  # what was typed stays after a refusal
    )


@blueprint.route("/login", methods=["GET", "POST"])
@public
def login() -> BaseResponse | str:
    """The login page; leads on to where the person wanted to go."""
    if person() is not None:
        return redirect(_next_page(), 303)
    form = LoginForm()
    if request.method == "GET":
        return _login_page(form, 200)
    wait = login_wait_seconds()
    if wait:
        form.form_errors.append(_wait_text(wait))
        return _login_page(form, 429, wait)
    if not form.validate():
        return _login_page(form, 422)
    staff = accounts.authenticate(form.email.data, form.password.data)
    if staff is None:
        form.form_errors.append(gettext("E-mail or password is not right."))
        return _login_page(form, 422)
    start_session(staff)
    return redirect(_next_page(), 303)


@blueprint.post("/logout")
def logout() -> BaseResponse:
    """Ends this browser's session, here and on the server."""
    staff = person()
    if staff is not None:
        accounts.close_session(staff, session.get(SESSION_KEY, ""))
    logout_user()
    session.clear()
    flash(gettext("You are logged out."), "success")
    response = redirect(url_for("login.login"), 303)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@blueprint.route("/link/<secret>", methods=["GET", "POST"])
@public
def link(secret: str) -> BaseResponse | str:
    """A one-time link: the person chooses a password and is logged in."""
    try:
        staff = accounts.staff_behind_link(secret, now())
        form = NewPasswordForm()
        if not form.validate_on_submit():
            return _link_page(form, staff, 422 if form.is_submitted() else 200)
        staff = accounts.use_link(secret, form.password.data, now())
    except InvalidInput as error:
        form.password.errors = [*form.password.errors, say_error(error)]
        return _link_page(form, staff, 422)
    except NotFound as error:
        return _dead_link_page(error)
    start_session(staff)
    flash(gettext("Your password is set. Welcome, %(name)s!", name=staff.name), "success")
    return redirect(url_for("login.login"), 303)


@blueprint.post("/language")
@public
def language() -> BaseResponse:
    """Switches the language: for good when logged in, else for this browser."""
    chosen = request.form.get("locale", "")
    staff = person()
    if staff is not None:
        accounts.choose_locale(staff, chosen)
    response = redirect(local_path(request.form.get("next")) or "/", 303)
    if chosen in LOCALES:
        response.set_cookie(
            LOCALE_COOKIE,
            chosen,
            max_age=YEAR_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=settings().secure_cookies,
        )
    return response


def start_session(staff: Staff) -> None:
    """Logs the person in with a fresh cookie: nothing from before the login survives."""
    before = person()
    if before is not None:
        accounts.close_session(before, session.get(SESSION_KEY, ""))
    session.clear()
    key = accounts.open_session(
        staff,
        now(),
        address=request.remote_addr or "",
        agent=request.headers.get("User-Agent", ""),
    )
    login_user(staff)
    session[SESSION_KEY] = key
    session.permanent = True


def _next_page() -> str:
    return local_path(request.values.get("next")) or "/"


def _login_page(form: LoginForm, status: int, wait: int = 0) -> Response:
    page = render_template("security/login.html", form=form, next=_next_page())
    return Response(page, status, {"Retry-After": str(wait)} if wait else None)


def _link_page(form: NewPasswordForm, staff: Staff, status: int) -> Response:
    page = render_template(
        "security/link.html", form=form, staff=staff, shortest=LENGTH_MIN, longest=LENGTH_MAX
    )
    return Response(page, status)


def _dead_link_page(error: CareError) -> Response:
    page = render_template("security/dead_link.html", text=say_error(error))
    return Response(page, error.status)


def _wait_text(seconds: int) -> str:
    if seconds < 120:
        return str(
            ngettext(
                "Too many attempts. Try again in %(num)d second.",
                "Too many attempts. Try again in %(num)d seconds.",
                seconds,
            )
        )
    minutes = -(-seconds // 60)
    return str(
        ngettext(
            "Too many attempts. Try again in %(num)d minute.",
            "Too many attempts. Try again in %(num)d minutes.",
            minutes,
        )
    )
