"""The person's own second factor: a picture for the telephone, recovery codes, and the way back."""

import io

import segno
from flask import Response, flash, redirect, url_for
from flask_admin import expose
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as BaseResponse
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from models import Staff
from rules.errors import N_, InvalidInput, NotFound
from rules.second_factor import address_of
from services import second_factor
from services.login_attempts import LockedOut
from views.base import ScreenView
from views.context import current_actor, now, person
from views.errors import flash_error
from views.forms import CarebookForm
from views.limits import locked_text


class ConfirmForm(CarebookForm):
    code = StringField(lazy_gettext("Code"), [InputRequired(), Length(max=20)])


class PasswordForm(CarebookForm):
    password = PasswordField(lazy_gettext("Current password"), [InputRequired(), Length(max=1000)])


class SecondFactor(ScreenView):
    """Every member of staff has this page, also before anything else if a role needs it."""

    endpoint_name, url_path, icon = "second_factor", "/account/second-factor", "shield-lock"
    label = N_("Second factor")

    @expose("/")
    def index(self) -> str:
        return self._page()

    @expose("/begin", methods=("POST",))
    def begin(self) -> BaseResponse:
        try:
            second_factor.begin(_me())
        except InvalidInput as error:
            flash_error(error)
        return redirect(url_for(".index"), 303)

    @expose("/picture.svg")
    def picture(self) -> Response:
        """What the telephone reads; only until it is confirmed."""
        staff = _me()
        secret = second_factor.pending_secret(staff)
        if not secret:
            raise NotFound()
        drawn = io.BytesIO()
        code = segno.make(address_of(secret, staff.email), error="m")
        code.save(drawn, kind="svg", scale=5, border=3, light="#fff", dark="#000", svgclass=None)
        return Response(drawn.getvalue(), mimetype="image/svg+xml")

    @expose("/confirm", methods=("POST",))
    def confirm(self) -> BaseResponse | tuple[str, int] | str:
        form = ConfirmForm()
        if not form.validate():
            return self._page(confirm=form), 422
        try:
            codes = second_factor.confirm(_me(), form.code.data, current_actor(), now())
        except InvalidInput as error:
            form.take_errors(error)
            return self._page(confirm=form), error.status
        return self._page(codes=codes)

    @expose("/recovery-codes", methods=("POST",))
    def recovery_codes(self) -> BaseResponse | tuple[str, int] | str:
        """New recovery codes, after the password."""
        form = PasswordForm()
        if not form.validate():
            return self._page(renew=form), 422
        try:
            codes = second_factor.renew_recovery_codes(
                _me(), form.password.data, current_actor(), now()
            )
        except LockedOut as error:
            form.form_errors.append(locked_text(error.seconds))
            return self._page(renew=form), error.status
        except InvalidInput as error:
            form.take_errors(error)
            return self._page(renew=form), error.status
        return self._page(codes=codes)

    @expose("/off", methods=("POST",))
    def off(self) -> BaseResponse | tuple[str, int]:
        form = PasswordForm()
        if not form.validate():
            return self._page(off=form), 422
        try:
            second_factor.switch_off(_me(), form.password.data, current_actor(), now())
        except LockedOut as error:
            form.form_errors.append(locked_text(error.seconds))
            return self._page(off=form), error.status
        except InvalidInput as error:
            form.take_errors(error)
            return self._page(off=form), error.status
        flash(gettext("The second factor is off."), "success")
        return redirect(url_for("account.index"), 303)

    def _page(self, **shown: object) -> str:
        staff = _me()
        staff.reload()  # what this request has just changed
        forms = {"confirm": ConfirmForm, "renew": PasswordForm, "off": PasswordForm}
        context = {name: shown.get(name) or make(formdata=None) for name, make in forms.items()}
        return self.render(
            "account/second_factor.html",
            staff=staff,
            codes=shown.get("codes"),
            pending_secret=second_factor.pending_secret(staff),
            is_on=second_factor.is_on(staff),
            is_due=second_factor.is_missing(staff),
            **context,
        )


def _me() -> Staff:
    staff = person()
    if staff is None:
        raise RuntimeError("This page needs a login.")
    return staff
