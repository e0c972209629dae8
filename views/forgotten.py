"""[Quên mật khẩu]: a new link by mail; the answer does not tell who works here."""

from flask import Blueprint, Response, abort, render_template, request
from flask_babel import lazy_gettext
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from services import invitations, mail
from views.context import current_visitor, now, public, settings
from views.forms import CarebookForm
from views.limits import forgotten_wait_seconds, wait_text

blueprint = Blueprint("forgotten", __name__)


class AddressForm(CarebookForm):
    email = StringField(lazy_gettext("E-mail"), [InputRequired(), Length(max=200)])


@blueprint.route("/forgot", methods=["GET", "POST"])
@public
def forgotten() -> Response:
    """Asks for the address; says the same whatever it is."""
    if not mail.is_on(settings()):
        abort(404)
    form = AddressForm()
    if request.method == "GET":
        return _page(form, 200)
    if not form.validate():
        return _page(form, 422)
    wait = forgotten_wait_seconds(form.email.data)
    if wait:
        form.form_errors.append(wait_text(wait))
        return _page(form, 429)
    invitations.ask_for_link(form.email.data, by=current_visitor(), now=now())
    return _page(form, 200, is_sent=True)


def _page(form: AddressForm, status: int, *, is_sent: bool = False) -> Response:
    return Response(render_template("security/forgotten.html", form=form, is_sent=is_sent), status)
