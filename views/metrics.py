"""`/metrics`: numbers for Prometheus, for this machine or for whoever knows the token."""

import hmac
import ipaddress
import os
import time
from collections.abc import Iterable
from datetime import UTC, datetime

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from config import Settings
from services import monitoring
from views.context import public, settings

blueprint = Blueprint("metrics", __name__)

# Set by `carebook web` before its processes start; unset where one process serves all.
SHARED_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

WITHOUT_KEY = (
    "Send the token: Authorization: Bearer TOKEN (setting CAREBOOK_METRICS_TOKEN of the server).\n"
)
NOT_HERE = (
    "Only this machine may ask, and not through a proxy. Set CAREBOOK_METRICS_TOKEN for others.\n"
)

_own = CollectorRegistry()
_durations = Histogram(
    "carebook_request_seconds",
    "Time from a request to its answer, by route.",
    ("route", "method", "status"),
    buckets=BUCKETS,
    registry=_own,
)


def register(app: Flask) -> None:
    """Times every request; must be registered first, so that it sees each one whole."""
    app.before_request(_begin)
    app.after_request(_end)
    app.register_blueprint(blueprint)


def _begin() -> None:
    g.begun_seconds = time.perf_counter()


def _end(response: Response) -> Response:
    # By rule and not by address: ids and strangers' addresses would be a series each.
    route = request.url_rule.rule if request.url_rule else "none"
    method = request.method if request.method in METHODS else "other"
    status = f"{response.status_code // 100}xx"
    if "begun_seconds" in g:
        taken = time.perf_counter() - g.begun_seconds
        _durations.labels(route, method, status).observe(taken)
    return response


@blueprint.get("/metrics")
@public
def metrics() -> Response:
    """Request durations of all web processes here, and the state of jobs, schedules and stores."""
    if refusal := _refusal(settings()):
        return refusal
    text = generate_latest(_requests()) + generate_latest(_stores(settings()))
    return Response(text, content_type=CONTENT_TYPE_LATEST)


def _refusal(chosen: Settings) -> Response | None:
    if chosen.metrics_token is None:
        return None if _is_this_machine() else Response(NOT_HERE, 403, mimetype="text/plain")
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    wanted = chosen.metrics_token.get_secret_value().encode()
    if kind.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), wanted):
        return None
    headers = {"WWW-Authenticate": 'Bearer realm="metrics"'}
    return Response(WITHOUT_KEY, 401, mimetype="text/plain", headers=headers)


def _is_this_machine() -> bool:
    """Whether the connection itself comes from this machine; a proxy here speaks for others."""
    if any(request.headers.get(name) for name in ("X-Forwarded-For", "Forwarded", "Via")):
        return False
    before = request.environ.get("werkzeug.proxy_fix.orig", request.environ)
    try:
        return ipaddress.ip_address(before.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _requests() -> CollectorRegistry:
    if SHARED_DIRECTORY not in os.environ:
        return _own
    shared = CollectorRegistry()
    MultiProcessCollector(shared)
    return shared


def _stores(chosen: Settings) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_StoreNumbers(chosen))
    return registry


class _StoreNumbers:
    """Reads the numbers of the stores when they are asked for."""

    def __init__(self, chosen: Settings) -> None:
        self._settings = chosen

    def describe(self) -> list[GaugeMetricFamily]:
        return []

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for gauge in monitoring.gauges(self._settings, datetime.now(UTC)):
            family = GaugeMetricFamily(gauge.name, gauge.meaning, labels=gauge.labels)
            for labels, value in gauge.values.items():
                family.add_metric(labels, value)
            yield family
