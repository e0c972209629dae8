"""Whether the process lives and whether it can serve, for load balancers and supervisors."""

from flask import Blueprint, Response

from services.readiness import is_ready
from views.context import public, settings

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """200 while the process answers."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
@public
def readyz() -> Response:
    """200 when both stores answer within two seconds, else 503."""
    if is_ready(settings()):
        return Response("ready\n", mimetype="text/plain")
    return Response("not ready\n", 503, mimetype="text/plain", headers={"Retry-After": "2"})
