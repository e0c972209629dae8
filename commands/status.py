"""`carebook status`: what runs, where, and what waits."""

import importlib.metadata
import urllib.error
import urllib.request
from typing import Any

import click

from config import Settings
from models import JobRun
from models.job_run import FAILED, QUEUED, RUNNING
from rules.errors import N_
from services import migration
from services.catalogues import Words
from stores import mongo, valkey
from stores.embedded import EmbeddedServer


@click.command()
@click.pass_obj
def status(settings: Settings) -> None:
    """Show which stores are used, their versions and places, and the pending jobs.

    \b
    Example:
      carebook status
    """
    words = Words(settings.locale)
    facts = [(f"{words.say(name)}:", value) for name, value in _facts(settings, words)]
    width = max(len(name) for name, _ in facts) + 2
    for name, value in facts:
        click.echo(f"{name:<{width}}{value}")


def _facts(settings: Settings, words: Words) -> list[tuple[str, str]]:
    database = mongo.connect(settings)
    queue = valkey.connect(settings)
    version = database.client.admin.command("buildInfo")["version"]
    info: dict[str, Any] = queue.info("server")
    pending = migration.pending()
    return [
        (N_("Carebook"), importlib.metadata.version("carebook")),
        (N_("Web"), _web(settings, words)),
        (N_("MongoDB"), f"{version}, {_place(mongo.attach(settings), _mongo_address(), words)}"),
        (N_("Database"), f"{settings.mongo_database}, {_size(database, words)}"),
        (
            N_("Migrations"),
            words.say(N_("%(count)s pending: run `carebook migrate`"), count=len(pending))
            if pending
            else words.say(N_("none pending")),
        ),
        (
            N_("Valkey"),
            f"{info.get('valkey_version') or info['redis_version']}, "
            f"{_place(valkey.attach(settings), _valkey_address(), words)}",
        ),
        (N_("Jobs"), _jobs(words)),
    ]


def _web(settings: Settings, words: Words) -> str:
    where = {"address": settings.address}
    try:
        with urllib.request.urlopen(f"{local_address(settings)}/healthz", timeout=3):  # noqa: S310
            return words.say(N_("answers at %(address)s"), **where)
    except urllib.error.HTTPError as error:
        message = N_("something answers at %(address)s with %(code)s")
        return words.say(message, code=str(error.code), **where)
    except OSError:
        return words.say(N_("does not run at %(address)s"), **where)


def local_address(settings: Settings) -> str:
    """Where this machine reaches the web server."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 compared, not bound
    host = everywhere.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _place(server: EmbeddedServer | None, address: str, words: Words) -> str:
    if server is None:
        return words.say(N_("external at %(address)s"), address=address)
    return words.say(
        N_("embedded at %(address)s, files in %(files)s, process %(process)s"),
        address=address,
        files=str(server.files),
        process=str(server.pid()),
    )


def _mongo_address() -> str:
    return ", ".join(f"{host}:{port}" for host, port in sorted(mongo.client().nodes))


def _valkey_address() -> str:
    known = valkey.client().get_connection_kwargs()
    return str(known.get("path") or f"{known.get('host')}:{known.get('port')}")


def _size(database: Any, words: Words) -> str:
    stats = database.command("dbStats")
    size = f"{stats['storageSize'] / 1e6:.1f}"
    return words.say(N_("%(count)s documents, %(size)s MB"), count=int(stats["objects"]), size=size)


def _jobs(words: Words) -> str:
    counts = {
        state: JobRun.collection().count_documents({"state": state})
        for state in (QUEUED, RUNNING, FAILED)
    }
    return words.say(
        N_("%(queued)s waiting, %(running)s running, %(failed)s failed"),
        queued=counts[QUEUED],
        running=counts[RUNNING],
        failed=counts[FAILED],
    )
