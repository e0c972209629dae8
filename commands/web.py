"""`carebook web`: the web server."""

import errno
import os
import shutil
import socket
import sys
from importlib import import_module
from typing import Any

import click
from gunicorn.app.base import BaseApplication
from gunicorn.errors import HaltServer

from commands import lifeline, log
from config import Settings
from stores import mongo, valkey
from stores.diagnosis import no_directory
from stores.errors import StoreError

GRACE_SECONDS = 8  # for running requests when the server stops
REQUEST_SECONDS = 120  # a worker that is silent for longer is replaced


class WebServer(BaseApplication):  # type: ignore[misc]
    """gunicorn with threads; each worker process makes the application and connects by itself."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__(prog="carebook web")

    def load_config(self) -> None:
        chosen: dict[str, Any] = {
            "bind": [f"[{self.settings.host}]:{self.settings.port}"]
            if ":" in self.settings.host
            else [f"{self.settings.host}:{self.settings.port}"],
            "workers": self.settings.web_workers,
            "worker_class": "gthread",
            "threads": self.settings.web_threads,
            "timeout": REQUEST_SECONDS,
            "graceful_timeout": GRACE_SECONDS,
            "keepalive": 15,
            # The filter of a list stands in its address; longer ones the builder refuses in words.
            "limit_request_line": 8190,
            # The control socket would lie outside the data directory, and nobody uses it.
            "control_socket_disable": True,
            "loglevel": "debug" if self.settings.log_level.upper() == "DEBUG" else "warning",
            "proc_name": "carebook",
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        # By name: `commands` lies below `app` in the layers.
        return import_module("app").create_app(self.settings)


def check_address(settings: Settings) -> None:
    """Raises StoreError when the web server could not listen on its address."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise _address_problem(settings, error) from error
        except OverflowError as error:
            raise _address_problem(settings, OSError(errno.EINVAL, str(error))) from error


def _address_problem(settings: Settings, error: OSError) -> StoreError:
    if error.errno == errno.EADDRINUSE:
        return StoreError(
            f"Port {settings.port} is in use by another program, perhaps another Carebook.",
            f"End it, or choose another port: CAREBOOK_PORT={settings.port + 1} carebook serve.",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return StoreError(
            f"This user may not listen on port {settings.port}.",
            "Choose one above 1023 with CAREBOOK_PORT.",
        )
    return StoreError(
        f"CAREBOOK_HOST={settings.host} is not an address of this machine ({error.strerror}).",
        "Use 127.0.0.1, 0.0.0.0 or one of the machine's own addresses.",
    )


def _share_measurements(settings: Settings) -> None:
    """Gives the web processes a place where each leaves its numbers, so that any can tell all.

    Whatever lies there is of processes that have ended: nobody else listens on this port.
    """
    place = settings.data.absolute() / "metrics" / f"web-{settings.port}"
    try:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise no_directory(settings.data, error) from error
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(place)


@click.command()
@click.pass_obj
def web(settings: Settings) -> None:
    """Run the web server on CAREBOOK_HOST and CAREBOOK_PORT.

    The database has to be migrated before; `carebook serve` does all of it.

    \b
    Example:
      CAREBOOK_PORT=8080 carebook web
    """
    lifeline.hold()
    log.start(settings)
    check_address(settings)
    _share_measurements(settings)
    # Before the fork: a process that takes the place of a dead one has all of it at once.
    import_module("views")
    # This process forks: it keeps embedded stores running, but only its workers connect.
    mongo.attach(settings)
    valkey.attach(settings)
    try:
        WebServer(settings).run()
    except HaltServer as halt:  # gunicorn has logged why
        sys.exit(halt.exit_status)
