"""The person's own page: password, look and language, and the browsers where they are logged in."""

from flask import Response, flash, redirect, request, session, url_for
from flask_admin import expose
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as BaseResponse
from wtforms import PasswordField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import PasswordInput

from models import Staff
from rules.errors import N_, InvalidInput
from rules.passwords import LENGTH_MIN
from services import accounts, credentials, mail, morning_mail, second_factor, staff_sessions
from services.login_attempts import LockedOut
from views.base import ScreenView
from views.browsers import shown_sessions
from views.context import local_path, now, person, settings
from views.forms import CarebookForm
from views.identity import SESSION_KEY
from views.limits import locked_text


class PasswordForm(CarebookForm):
    current = PasswordField(lazy_gettext("Current password"), [InputRequired(), Length(max=1000)])
    new = PasswordField(
        lazy_gettext("New password"),
        [InputRequired(), Length(max=1000)],
        widget=PasswordInput(hide_value=False),  # what was typed stays after a refusal
    )


class AccountView(ScreenView):
    """Every member of staff has this page."""

    endpoint_name = "account"
    url_path = "/account"
    label = N_("My account")
    icon = "user-circle"

    @expose("/")
    def index(self) -> str:
        return self._page(PasswordForm())

    @expose("/password", methods=("POST",))
    def password(self) -> BaseResponse | tuple[str, int]:
        form = PasswordForm()
        if not form.validate():
            return self._page(form), 422
        try:
            credentials.change_password(
                _me(), form.current.data, form.new.data, now(), keep_session=_my_key()
            )
        except LockedOut as error:
            form.form_errors.append(locked_text(error.seconds))
            return self._page(form), error.status
        except InvalidInput as error:
            form.take_errors(error)
            return self._page(form), error.status
        flash(gettext("Your password is changed. Other browsers are logged out."), "success")
        return redirect(url_for("account.index"), 303)

    @expose("/theme", methods=("POST",))
    def theme(self) -> BaseResponse:
        accounts.choose_theme(_me(), request.form.get("theme") or None)
        if request.headers.get("X-Requested-With") == "carebook":
            return Response(status=204)
        return redirect(local_path(request.form.get("next")) or url_for("account.index"), 303)

    @expose("/morning-mail", methods=("POST",))
    def morning_mail(self) -> BaseResponse:
        """Switches the mail with one's due work on or off."""
        morning_mail.choose(_me(), is_wanted="is_wanted" in request.form)
        flash(gettext("Saved."), "success")
        return redirect(url_for("account.index"), 303)

    @expose("/sessions/<name>/close", methods=("POST",))
    def close_session(self, name: str) -> BaseResponse:
        staff = _me()
        for opened in staff.sessions:
            if staff_sessions.session_name(opened.key) == name:
                staff_sessions.close_session(staff, opened.key)
        flash(gettext("That browser is logged out."), "success")
        return redirect(url_for("account.index"), 303)

    @expose("/sessions/close-others", methods=("POST",))
    def close_other_sessions(self) -> BaseResponse:
        staff_sessions.close_other_sessions(_me(), _my_key())
        flash(gettext("All other browsers are logged out."), "success")
        return redirect(url_for("account.index"), 303)

    def _page(self, form: PasswordForm) -> str:
        staff = _me()
        return self.render(
            "account/account.html",
            form=form,
            staff=staff,
            sessions=shown_sessions(staff, my_key=_my_key()),
            shortest=LENGTH_MIN,
            has_mail=mail.is_on(settings()),
            second_factor_on=second_factor.is_on(staff),
        )


def _me() -> Staff:
    staff = person()
    if staff is None:
        raise RuntimeError("The account page needs a login.")
    return staff


def _my_key() -> str:
    return str(session.get(SESSION_KEY, ""))
