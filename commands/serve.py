"""`carebook serve`: everything on this machine, under one supervisor."""

import sys
import time
import urllib.error
import urllib.request

import click

from commands import first_login, log
from commands.migrate import bring_up_to_date
from commands.status import local_address
from commands.supervise import Supervisor
from commands.web import check_address
from config import PROJECT_ROOT, Settings
from stores import mongo, valkey
from stores.embedded import EmbeddedServer
from stores.errors import StoreError

START_SECONDS = 60
RETRY_SECONDS = 5  # between attempts to start a store that cannot start


@click.command()
@click.pass_obj
def serve(settings: Settings) -> None:
    """Run stores, web server, job workers and scheduler until Ctrl-C.

    Starts the embedded stores unless MONGO_URL and VALKEY_URL name others, migrates, and loads
    demonstration data into an empty database unless CAREBOOK_DEMO=0.

    \b
    Example:
      CAREBOOK_PORT=8080 CAREBOOK_DEMO=0 carebook serve
    """
    log.start(settings)
    check_address(settings)
    servers = [
        server for server in (mongo.attach(settings), valkey.attach(settings)) if server is not None
    ]
    bring_up_to_date(settings)
    valkey.connect(settings)
    how_to_log_in = _how_to_log_in(settings)
    supervisor = Supervisor(_commands(settings), watch=StoreWatch(servers))
    supervisor.run(when_started=lambda: _announce(settings, supervisor, how_to_log_in))


def _commands(settings: Settings) -> dict[str, list[str]]:
    program = [sys.executable, str(PROJECT_ROOT / "app.py")]
    workers = {f"worker {n + 1}": [*program, "worker"] for n in range(settings.job_workers)}
    return {"web": [*program, "web"], **workers, "scheduler": [*program, "scheduler"]}


class StoreWatch:
    """Starts embedded servers that died. A server that cannot start is tried again and again."""

    def __init__(self, servers: list[EmbeddedServer]) -> None:
        self.servers = servers
        self.said: dict[str, str] = {}  # the newest problem of each server, to tell it once
        self.again_at = 0.0

    def __call__(self) -> bool:
        """True when a server has moved to another port."""
        if time.monotonic() < self.again_at:
            return False
        moved = [server for server in self.servers if self._has_moved(server)]
        return bool(moved)

    def _has_moved(self, server: EmbeddedServer) -> bool:
        port = server.port
        try:
            started = server.ensure_running()
        except StoreError as error:
            self.again_at = time.monotonic() + RETRY_SECONDS
            if self.said.get(server.name) != str(error):
                click.echo(f"carebook: {error}", err=True)
            self.said[server.name] = str(error)
            return False
        if started:
            click.echo(f"carebook: {server.title} had ended and was started again.", err=True)
        self.said.pop(server.name, None)
        return server.port != port


def _announce(settings: Settings, supervisor: Supervisor, how_to_log_in: list[str]) -> None:
    _wait_for_answer(settings, supervisor)
    if supervisor.stopping:
        return
    click.echo(f"\nCarebook runs at {settings.address}")
    for line in how_to_log_in:
        click.echo(line)
    click.echo("Ctrl-C stops it.\n")
    sys.stdout.flush()


def _wait_for_answer(settings: Settings, supervisor: Supervisor) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not supervisor.stopping and not _answers(settings):
        supervisor.turn()
        web = supervisor.children[0]
        if web.deaths > 2 or time.monotonic() > deadline:
            raise StoreError(
                "The web server does not start.",
                "The lines above say why; `carebook web` shows it alone.",
            )
        time.sleep(0.1)


def _answers(settings: Settings) -> bool:
    try:
        with urllib.request.urlopen(f"{local_address(settings)}/healthz", timeout=2):  # noqa: S310
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _how_to_log_in(settings: Settings) -> list[str]:
    """Lines for people. Loads the demonstration data first when that is wanted and possible."""
    from commands import demo
    from services import demo as demonstration

    if settings.demo and (first_login.is_empty() or demonstration.is_unfinished()):
        demo.load(settings)
    if settings.demo and first_login.has_demonstration():
        return demo.how_to_log_in(settings)
    return first_login.first_administrator(settings)
