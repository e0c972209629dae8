"""The API for programs: a key in the header, JSON back. Cookies count for nothing here."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from flask import Blueprint, Response, g, jsonify, request
from flask_babel import gettext

from rules.api_scopes import READ
from rules.errors import N_, CareError, InvalidInput
from services import api_tokens
from services.api_tokens import Caller
from views.context import now, public
from views.formats import say_error

blueprint = Blueprint("api", __name__, url_prefix="/api")

View = TypeVar("View", bound=Callable[..., object])

NO_KEY = N_("Send a valid API key: Authorization: Bearer cb_...")
NO_SCOPE = N_("This API key may not be used for this. Make one that allows it: %(scope)s.")


def needs(scope: str) -> Callable[[View], View]:
    """Lets a view answer only those whose key has this scope; `caller()` is who asks."""

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(*args: object, **kwargs: object) -> object:
            found = _caller()
            if found is None:
                return _refused(401, gettext(NO_KEY))
            if scope not in found.scopes:
                return _refused(403, gettext(NO_SCOPE, scope=scope))
            g.caller = found
            return view(*args, **kwargs)

        return public(guarded)  # type: ignore[return-value]

    return wrap


def caller() -> Caller:
    """Who calls, in a view that `needs` a scope."""
    found: Caller = g.caller
    return found


@blueprint.get("/me")
@needs(READ)
def me() -> Response:
    """Whose key it is and what it may be used for."""
    found = caller()
    return jsonify(
        name=found.actor.name,
        staff_id=str(found.actor.staff_id) if found.actor.staff_id else None,
        kind=found.token["kind"],
        roles=sorted(found.actor.roles),
        key=found.token["name"],
        scopes=sorted(found.scopes),
        expires_at=found.token["expires_at"].isoformat(),
    )


@blueprint.errorhandler(CareError)
def on_care_error(error: CareError) -> Response:
    """Programs get every refusal as JSON, with what is wrong with each field."""
    wrong = error.fields if isinstance(error, InvalidInput) else {}
    fields = {key: say_error(one) for key, one in wrong.items()}
    return _refused(error.status, say_error(error), **({"fields": fields} if fields else {}))


def _caller() -> Caller | None:
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer":
        return None
    return api_tokens.caller(
        secret.strip(), now(), screen=request.path.strip("/"), address=request.remote_addr or ""
    )


def _refused(status: int, text: str, **more: object) -> Response:
    response = jsonify(error=text, **more)
    response.status_code = status
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Carebook"'
    return response
