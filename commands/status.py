"""`carebook status`: what runs, where, and what waits."""

import importlib.metadata
import urllib.error
import urllib.request
from typing import Any

import click

from config import Settings
from models import JobRun
from models.job_run import FAILED, QUEUED, RUNNING
from services import migration
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
    for name, value in _facts(settings):
        click.echo(f"{name + ':':<16}{value}")


def _facts(settings: Settings) -> list[tuple[str, str]]:
    database = mongo.connect(settings)
    queue = valkey.connect(settings)
    version = database.client.admin.command("buildInfo")["version"]
    info: dict[str, Any] = queue.info("server")
    pending = migration.pending()
    return [
        ("Carebook", importlib.metadata.version("carebook")),
        ("Web", _web(settings)),
        ("MongoDB", f"{version}, {_place(mongo.attach(settings), _mongo_address())}"),
        ("Database", f"{settings.mongo_database}, {_size(database)}"),
        (
            "Migrations",
            f"{len(pending)} pending: run `carebook migrate`" if pending else "none pending",
        ),
        (
            "Valkey",
            f"{info.get('valkey_version') or info['redis_version']}, "
            f"{_place(valkey.attach(settings), _valkey_address())}",
        ),
        ("Jobs", _jobs()),
    ]


def _web(settings: Settings) -> str:
    try:
        with urllib.request.urlopen(f"{local_address(settings)}/healthz", timeout=3):  # noqa: S310
            return f"answers at {settings.address}"
    except urllib.error.HTTPError as error:
        return f"something answers at {settings.address} with {error.code}"
    except OSError:
        return f"does not run at {settings.address}"


def local_address(settings: Settings) -> str:
    """Where this machine reaches the web server."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 compared, not bound
    host = everywhere.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _place(server: EmbeddedServer | None, address: str) -> str:
    if server is None:
        return f"external at {address}"
    return f"embedded at {address}, files in {server.files}, process {server.pid()}"


def _mongo_address() -> str:
    return ", ".join(f"{host}:{port}" for host, port in sorted(mongo.client().nodes))


def _valkey_address() -> str:
    known = valkey.client().get_connection_kwargs()
    return str(known.get("path") or f"{known.get('host')}:{known.get('port')}")


def _size(database: Any) -> str:
    stats = database.command("dbStats")
    return f"{stats['objects']} documents, {stats['storageSize'] / 1e6:.1f} MB"


def _jobs() -> str:
    counts = {
        state: JobRun.collection().count_documents({"state": state})
        for state in (QUEUED, RUNNING, FAILED)
    }
    return ", ".join(f"{count} {state}" for state, count in counts.items())
