"""Wires everything: `create_app` for web servers, `cli` for the `carebook` command."""

from typing import TYPE_CHECKING

from commands import cli
from config import PROJECT_ROOT, Settings

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["cli", "create_app"]

# These ask the stores by themselves, or not at all.
WITHOUT_STORES = ("static", "health.healthz", "health.readyz", "metrics.metrics")


def create_app(settings: Settings | None = None) -> "Flask":
    """The web application.

    It connects to its stores with the first request of each process, because a client must not
    cross the fork of a web server.
    """
    # The command line must not load the web application for its help.
    from flask import Flask, request
    from werkzeug.middleware.proxy_fix import ProxyFix

    import views
    from stores import mongo, valkey
    from stores.keys import secret_key
    from views import (
        addresses,
        assets,
        errors,
        formats,
        fragments,
        i18n,
        identity,
        limits,
        logs,
        metrics,
        security,
        ui,
    )

    chosen = settings or Settings()
    app = Flask("carebook", root_path=str(PROJECT_ROOT))
    app.config.update(CAREBOOK=chosen, SECRET_KEY=secret_key(chosen))
    app.url_map.strict_slashes = False
    if chosen.public_url:
        # Behind a proxy: its word on the client's address, scheme and host.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]

    metrics.register(app)

    @app.before_request
    def connect_stores() -> None:
        if request.endpoint not in WITHOUT_STORES:
            mongo.connect(chosen)
            valkey.expect(chosen)  # a saved form may start a job

    # In the order in which they must see a request.
    logs.register(app, chosen)
    i18n.register(app, chosen)
    security.register(app, chosen)
    limits.register(app, chosen.login_rate, lambda: valkey.connect(chosen).connection_pool)
    identity.register(app)
    assets.register(app)
    formats.register(app)
    addresses.register(app)
    ui.register(app)
    fragments.register(app)
    errors.register(app)
    views.register(app)
    return app


if __name__ == "__main__":
    cli(prog_name="carebook")
