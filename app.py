"""Wires everything: `create_app` for web servers, `cli` for the `carebook` command."""

from typing import TYPE_CHECKING

from commands import cli
from config import Settings

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["cli", "create_app"]


def create_app(settings: Settings | None = None) -> "Flask":
    """The web application, connected to its stores."""
    from flask import Flask

    from stores import mongo

    settings = settings or Settings()
    mongo.connect(settings)
    app = Flask(__name__)

    @app.get("/healthz")
    def healthz() -> str:
        return "ok"

    return app


if __name__ == "__main__":
    cli(prog_name="carebook")
