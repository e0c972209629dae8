"""The way to a company's sign-in service and back (OpenID Connect)."""

import logging
from dataclasses import asdict

from flask import Blueprint, abort, flash, redirect, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from models import Staff
from rules.errors import CareError
from rules.id_tokens import SignInRefused
from services import logins, sign_in
from services.sign_in import Flow, ServiceAway
from views import second_step
from views.context import current_visitor, local_path, now, person, public, settings
from views.formats import say_error
from views.limits import login_wait_seconds, wait_text

blueprint = Blueprint("sign_in", __name__)
logger = logging.getLogger(__name__)

FLOW = "sign_in"  # in the signed cookie: the sign-in that this browser has begun


@blueprint.get("/login/sso")
@public
def begin() -> BaseResponse:
    """Sends the browser to the sign-in service.

    A link and no form: the policy of our pages lets no form lead to another site.
    """
    target = local_path(request.args.get("next")) or "/"
    if not sign_in.is_on(settings()):
        abort(404)
    if person() is not None:
        return redirect(target, 303)
    try:
        address, flow = sign_in.begin(settings(), target, redirect_uri=_back(), now=now())
    except ServiceAway as error:
        return _to_login(error, target)
    session[FLOW] = asdict(flow)
    return redirect(address, 303)


@blueprint.get("/login/sso/callback")
@public
def callback() -> BaseResponse:
    """Where the service sends the browser back to."""
    if not sign_in.is_on(settings()):
        abort(404)
    flow = _flow()
    target = local_path(flow.target if flow else None) or "/"
    wait = login_wait_seconds("sign-in service")
    if wait:
        flash(wait_text(wait), "error")
        return redirect(url_for("login.login"), 303)
    email = ""
    try:
        who = sign_in.finish(settings(), flow, request.args, redirect_uri=_back(), now=now())
        email = who.email
        staff = sign_in.staff_of(who, settings(), by=current_visitor(), now=now())
    except SignInRefused as error:
        logger.warning("A sign-in was refused: %s.", error.reason)
        logins.note_failed(email, None, current_visitor(), now(), locks=False)
        return _to_login(error, target)
    except CareError as error:
        return _to_login(error, target)
    return _let_in(staff, target)


def _let_in(staff: Staff, target: str) -> BaseResponse:
    return second_step.go_on(
        staff,
        target,
        how="sign-in service",
        is_by_service=True,
        has_factor=settings().oidc_trust_second_factor,
    )


def _flow() -> Flow | None:
    kept = session.pop(FLOW, None)
    try:
        return Flow(**kept) if isinstance(kept, dict) else None
    except TypeError:
        return None  # a cookie of another version


def _to_login(error: CareError, target: str) -> BaseResponse:
    flash(say_error(error), "error")
    return redirect(url_for("login.login", next=target if target != "/" else None), 303)


def _back() -> str:
    return f"{settings().address}{url_for('sign_in.callback')}"
