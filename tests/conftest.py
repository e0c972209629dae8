"""The standing cast and the real servers that all tests share."""

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from pydantic import SecretStr
from pymongo.database import Database

from config import Settings
from models import DOCUMENTS, Staff
from rules.scope import ADMINISTRATOR, CARE_AGENT, MANAGER, Actor
from services import configuration
from services import shipped as shipped_data
from stores import locks, mongo, valkey
from stores.embedded_valkey import EmbeddedValkey

CAST = {
    "agent": ("Nguyễn Thị An", CARE_AGENT),
    "colleague": ("Trần Văn Bình", CARE_AGENT),
    "manager": ("Lê Thị Chi", MANAGER),
    "administrator": ("Phạm Văn Dũng", ADMINISTRATOR),
    "outsider": ("Hoàng Thị Giang", None),
}


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings for one test worker.

    All workers of a run share the embedded servers, each with a database of its own. MONGO_URL and
    VALKEY_URL in the environment choose other servers, as always.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    base = tmp_path_factory.getbasetemp()
    data = (base.parent if worker else base) / "data"
    chosen = Settings(
        data=data,
        mongo_database=f"carebook_test_{worker or 'alone'}",
        demo=False,
        login_rate="1000 per minute",
    )
    if worker and chosen.valkey_url is None:
        chosen.valkey_url = _valkey_database(data, int(worker.removeprefix("gw")))
    yield chosen
    mongo.disconnect()
    valkey.disconnect()
    for server in _servers:
        server.release()
    for name in ("mongo", "valkey"):
        _discard_if_last(data / name)


_servers: list[EmbeddedValkey] = []


def _valkey_database(data: Path, number: int) -> SecretStr:
    """The URL of this worker's own database in the shared server."""
    server = EmbeddedValkey(data)
    server.attach()
    _servers.append(server)
    return SecretStr(f"redis://:{server.password()}@127.0.0.1:{server.port}/{number}")


def _discard_if_last(home: Path) -> None:
    """The last worker removes the files of the server that it has just stopped."""
    if home.exists() and not locks.is_held(home / "users.lock"):
        shutil.rmtree(home / "files", ignore_errors=True)
        (home / "server.json").unlink(missing_ok=True)


@pytest.fixture(scope="session")
def connected(settings: Settings) -> Database[dict[str, Any]]:
    """The worker's database with all indexes."""
    database = mongo.connect(settings)
    for document in DOCUMENTS:
        document.ensure_indexes()
    return database


@pytest.fixture
def db(connected: Database[dict[str, Any]], settings: Settings) -> Database[dict[str, Any]]:
    """The connected database with indexes in place and all collections empty."""
    database = mongo.connect(settings)  # a test may have disconnected
    empty(database)
    configuration.forget()  # what an earlier test configured under the same revision
    return database


@pytest.fixture
def shipped(db: Database[dict[str, Any]]) -> None:
    """The pick lists and the site document that every installation starts with."""
    shipped_data.ensure()


def empty(database: Database[dict[str, Any]]) -> None:
    """Deletes all documents; much faster than dropping collections and making their indexes."""
    for name in database.list_collection_names():
        if database[name].find_one(projection={"_id": True}) is not None:
            database[name].delete_many({})


@pytest.fixture(name="valkey")
def empty_valkey(settings: Settings) -> "redis.Redis":
    """A client of an empty Valkey."""
    client = valkey.connect(settings)
    client.flushdb()
    return client


def _member(database: Database[dict[str, Any]], who: str) -> Actor:
    name, role = CAST[who]
    roles = [role] if role else []
    staff = Staff(
        email=f"{who}@example.com",
        name=name,
        roles=roles,
        fs_uniquifier=secrets.token_hex(16),
    ).save()
    return Actor(staff_id=staff.id, name=name, roles=frozenset(roles), screen="test")


@pytest.fixture
def agent(db: Database[dict[str, Any]]) -> Actor:
    """A care agent."""
    return _member(db, "agent")


@pytest.fixture
def colleague(db: Database[dict[str, Any]]) -> Actor:
    """Another care agent."""
    return _member(db, "colleague")


@pytest.fixture
def manager(db: Database[dict[str, Any]]) -> Actor:
    """A manager."""
    return _member(db, "manager")


@pytest.fixture
def administrator(db: Database[dict[str, Any]]) -> Actor:
    """An administrator."""
    return _member(db, "administrator")


@pytest.fixture
def outsider(db: Database[dict[str, Any]]) -> Actor:
    """Somebody with a login and without any role."""
    return _member(db, "outsider")
