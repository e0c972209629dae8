"""Logging in and out, and choosing a password through a one-time link."""

from flask import Blueprint, Response, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext, lazy_gettext
from flask_security import logout_user
from werkzeug.wrappers import Response as BaseResponse
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import PasswordInput

from models import Staff
from rules.errors import CareError, InvalidInput, NotFound
from rules.passwords import LENGTH_MAX, LENGTH_MIN
from services import accounts, credentials, logins, mail, sign_in, staff_sessions
from services.login_attempts import LockedOut
from views import second_step
from views.context import current_visitor, local_path, now, person, public, settings
from views.formats import say_error
from views.forms import CarebookForm
from views.i18n import LOCALE_COOKIE, LOCALES
from views.identity import SESSION_KEY
from views.limits import locked_text, login_wait_seconds, wait_text

blueprint = Blueprint("login", __name__)

LEFT_SERVICE = "left_service"  # in the signed cookie: the session that ended came from there
YEAR_SECONDS = 365 * 24 * 3600


class LoginForm(CarebookForm):
    email = StringField(lazy_gettext("E-mail"), [InputRequired(), Length(max=200)])
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
    wait = login_wait_seconds(form.email.data or "")
    if wait:
        form.form_errors.append(wait_text(wait))
        return _login_page(form, 429, wait)
    if not form.validate():
        return _login_page(form, 422)
    try:
        staff = logins.check_password(
            form.email.data, form.password.data, by=current_visitor(), now=now()
        )
    except LockedOut as error:
        form.form_errors.append(locked_text(error.seconds))
        return _login_page(form, error.status, error.seconds)
    if staff is None:
        form.form_errors.append(gettext("E-mail or password is not right."))
        return _login_page(form, 422)
    return second_step.go_on(staff, _next_page(), how="password")


@blueprint.post("/logout")
def logout() -> BaseResponse:
    """Ends this browser's session, here and on the server."""
    staff, key = person(), session.get(SESSION_KEY, "")
    opened = staff_sessions.session_of(staff, key) if staff is not None else None
    if staff is not None:
        staff_sessions.close_session(staff, key)
    logout_user()
    session.clear()
    if opened is not None and opened.is_by_service:
        session[LEFT_SERVICE] = True
    flash(gettext("You are logged out."), "success")
    response = redirect(url_for("login.login"), 303)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@blueprint.route("/link/<secret>", methods=["GET", "POST"])
@public
def link(secret: str) -> BaseResponse | str:
    """A one-time link: the person chooses a password and is logged in."""
    try:
        staff = credentials.staff_behind_link(secret, now())
        form = NewPasswordForm()
        if not form.validate_on_submit():
            return _link_page(form, staff, 422 if form.is_submitted() else 200)
        staff = credentials.use_link(secret, form.password.data, now())
    except InvalidInput as error:
        form.password.errors = [*form.password.errors, say_error(error)]
        return _link_page(form, staff, 422)
    except NotFound as error:
        return _dead_link_page(error)
    flash(gettext("Your password is set. Welcome, %(name)s!", name=staff.name), "success")
    return second_step.go_on(staff, url_for("login.login"), how="link")


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


def _next_page() -> str:
    return local_path(request.values.get("next")) or "/"


def _login_page(form: LoginForm, status: int, wait: int = 0) -> Response:
    page = render_template(
        "security/login.html",
        form=form,
        next=_next_page(),
        has_mail=mail.is_on(settings()),
        service=settings().oidc_name if sign_in.is_on(settings()) else None,
        leave_service=_leave_service(),
    )
    return Response(page, status, {"Retry-After": str(wait)} if wait else None)


def _leave_service() -> str | None:
    """For somebody who has just logged out here: the way out of the sign-in service, too."""
    if not session.pop(LEFT_SERVICE, False) or not sign_in.is_on(settings()):
        return None
    return sign_in.logout_address(settings(), f"{settings().address}{url_for('login.login')}")


def _link_page(form: NewPasswordForm, staff: Staff, status: int) -> Response:
    page = render_template(
        "security/link.html", form=form, staff=staff, shortest=LENGTH_MIN, longest=LENGTH_MAX
    )
    return Response(page, status)


def _dead_link_page(error: CareError) -> Response:
    page = render_template("security/dead_link.html", text=say_error(error))
    return Response(page, error.status)
