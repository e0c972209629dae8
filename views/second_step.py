"""The second step of a login, and the session that a login ends in."""

import hashlib

from flask import Blueprint, Response, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext, lazy_gettext
from flask_security import login_user
from werkzeug.wrappers import Response as BaseResponse
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from models import Staff
from services import actors, logins, second_factor, staff_sessions
from services.login_attempts import LockedOut
from views.context import configured, current_visitor, local_path, now, person, public
from views.forms import CarebookForm
from views.identity import SESSION_KEY
from views.limits import locked_text, login_wait_seconds, wait_text

blueprint = Blueprint("second_step", __name__)

PENDING = "login_pending"  # in the signed cookie: the password was right, the code is still missing
PENDING_SECONDS = 5 * 60


class CodeForm(CarebookForm):
    code = StringField(lazy_gettext("Code"), [InputRequired(), Length(max=40)])


def go_on(
    staff: Staff, target: str, *, how: str, is_by_service: bool = False, has_factor: bool = False
) -> BaseResponse:
    """After the right password, link or sign-in: to the code if there is a second factor, else in.

    What waits for the code opens nothing: it is no session.

    Args:
        is_by_service: the person comes from the company's sign-in service.
        has_factor: the second factor was seen to there.
    """
    if has_factor or not second_factor.is_on(staff):
        start_session(staff, how=how, is_by_service=is_by_service, has_factor=has_factor)
        return redirect(target, 303)
    _end_session_before()
    session[PENDING] = {
        "id": staff.fs_uniquifier,
        "mark": _password_mark(staff),
        "at": int(now().timestamp()),
        "next": target,
        "how": how,
        "by_service": is_by_service,
    }
    return redirect(url_for("second_step.code"), 303)


@blueprint.route("/login/code", methods=["GET", "POST"])
@public
def code() -> BaseResponse | str:
    """Asks for the code of the telephone, or a recovery code."""
    if person() is not None:
        return redirect("/", 303)
    staff = _who_waits()
    if staff is None:
        session.pop(PENDING, None)
        flash(gettext("Log in again: the code was not typed in time."), "message")
        return redirect(url_for("login.login"), 303)
    form = CodeForm()
    if request.method == "GET":
        return _page(form, 200)
    wait = login_wait_seconds(staff.email)
    if wait:
        form.form_errors.append(wait_text(wait))
        return _page(form, 429, wait)
    if not form.validate():
        return _page(form, 422)
    return _try_code(staff, form)


def _try_code(staff: Staff, form: CodeForm) -> BaseResponse:
    try:
        is_right = logins.check_code(staff, form.code.data, by=current_visitor(), now=now())
    except LockedOut as error:
        form.form_errors.append(locked_text(error.seconds))
        return _page(form, error.status, error.seconds)
    if not is_right:
        wrong = gettext("This code is not right, or it was used already. Wait for the next one.")
        form.code.errors = [*form.code.errors, wrong]
        return _page(form, 422)
    pending = session.get(PENDING) or {}
    target = local_path(pending.get("next")) or "/"
    start_session(
        staff,
        how=f"{pending.get('how', 'password')} + code",
        is_by_service=bool(pending.get("by_service")),
    )
    return redirect(target, 303)


def start_session(
    staff: Staff, *, how: str, is_by_service: bool = False, has_factor: bool = False
) -> None:
    """Logs the person in with a fresh cookie: nothing from before the login survives."""
    _end_session_before()
    address = request.remote_addr or ""
    agent = request.headers.get("User-Agent", "")
    key = staff_sessions.open_session(
        staff,
        now(),
        address=address,
        agent=agent,
        is_by_service=is_by_service,
        has_factor=has_factor,
    )
    login_user(staff)
    session[SESSION_KEY] = key
    session.permanent = True
    by = actors.of_staff(staff, configured(), at=now(), screen="login", address=address)
    logins.note_success(staff, by, now(), how=how)


def _end_session_before() -> None:
    before = person()
    if before is not None:
        staff_sessions.close_session(before, session.get(SESSION_KEY, ""))
    kept = session.get("_flashes")
    session.clear()
    if kept:
        session["_flashes"] = kept


def _who_waits() -> Staff | None:
    """The person whose password was right a moment ago."""
    pending = session.get(PENDING)
    if not isinstance(pending, dict):
        return None
    if not 0 <= now().timestamp() - int(pending.get("at", 0)) + 1 <= PENDING_SECONDS:
        return None
    staff: Staff | None = Staff.objects(fs_uniquifier=pending.get("id"), active=True).first()
    if staff is None or pending.get("mark") != _password_mark(staff):
        return None
    return staff if second_factor.is_on(staff) else None


def _password_mark(staff: Staff) -> str:
    """Changes with the password: a new one ends every login that waits for its code."""
    return hashlib.sha256((staff.password or "").encode()).hexdigest()[:16]


def _page(form: CodeForm, status: int, wait: int = 0) -> Response:
    page = render_template("security/code.html", form=form)
    return Response(page, status, {"Retry-After": str(wait)} if wait else None)
