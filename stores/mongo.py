"""The connection to MongoDB of this process."""

import os
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

import mongoengine
from pymongo import MongoClient, uri_parser
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from config import Settings
from stores.embedded_mongo import EmbeddedMongo
from stores.errors import StoreError

T = TypeVar("T")
Document = dict[str, Any]

WAIT_MS = 5000  # for a server that is away: a person waits in front of the screen
JOB_WAIT_MS = 30_000  # nobody waits in front of a job: it sits out the election of a new primary
CONFIRM_MS = 10_000
OPTIONS: dict[str, Any] = {
    "tz_aware": True,
    "uuidRepresentation": "standard",
    "serverSelectionTimeoutMS": WAIT_MS,
    "connectTimeoutMS": WAIT_MS,
    "appname": "carebook",
    # Whatever the URL says: what is acknowledged outlives the primary that acknowledged it, and
    # what failed because the primary went away is tried once more with the next one.
    "w": "majority",
    "retryWrites": True,
    "retryReads": True,
}

_settings: Settings | None = None
_server: EmbeddedMongo | None = None
_client: MongoClient[Document] | None = None
_inherited: list[Any] = []  # a forked child must not close its parent's connections

# What is to be called after the commit of each session's transaction.
_after_commit: WeakKeyDictionary[ClientSession, list[Callable[[], None]]] = WeakKeyDictionary()
_lock = threading.RLock()  # threads of a web process may connect at the same time


def connect(settings: Settings, *, wait_ms: int = WAIT_MS) -> Database[Document]:
    """The database, ready for use; starts or joins the embedded server when no URL is set.

    `wait_ms` is the patience with a server that is away. Idempotent. A forked child connects anew by itself at its first use.

    Raises:
        StoreError: the server cannot be started, reached or used.
    """
    global _settings, _client
    with _lock:
        if _client is not None and _settings != settings:
            disconnect()
        if _client is None:
            attach(settings)
            _client = _open(settings, OPTIONS | {"serverSelectionTimeoutMS": wait_ms})
            _settings = settings
            mongoengine.disconnect()
            mongoengine.register_connection(
                "default",
                name=settings.mongo_database,
                uuidRepresentation="standard",
                mongo_client_class=lambda **_: client(),
            )
        return _client[settings.mongo_database]


def attach(settings: Settings) -> EmbeddedMongo | None:
    """Keeps the embedded server running for this process, without a connection to it.

    For processes that fork. None when MONGO_URL chooses an external server.
    """
    global _server
    with _lock:
        if settings.mongo_url is not None:
            return None
        if _server is None or _server.data != settings.data.absolute():
            if _server is not None:
                _server.release()
            _server = EmbeddedMongo(settings.data)
        _server.attach()
        return _server


def client() -> MongoClient[Document]:
    """The connected client. Raises StoreError before `connect`."""
    if _client is not None:
        return _client
    return connect(_known_settings()).client


def database() -> Database[Document]:
    """The connected database. Raises StoreError before `connect`."""
    return client()[_known_settings().mongo_database]


def settings() -> Settings:
    """The settings that this process connected with, for another process to do the same."""
    return _known_settings()


def zone() -> ZoneInfo:
    """The time zone of the site whose database is connected; local dates are dates of this zone."""
    return _known_settings().zone


def server_time() -> datetime:
    """The time of the database server, aware: one clock for the processes of all hosts."""
    said: datetime = client().admin.command("hello")["localTime"]
    return said.replace(tzinfo=UTC)


def in_transaction(work: Callable[[ClientSession], T]) -> T:
    """What `work(session)` returns, after its writes were committed together by a majority.

    `work` may be called again when the server asks for it (a write conflict, a new primary): it
    must have no effects but those through its session. An exception undoes all of them.
    """

    def attempt(session: ClientSession) -> T:
        _after_commit[session] = []
        return work(session)

    with client().start_session() as session:
        result = session.with_transaction(
            attempt,
            read_concern=ReadConcern("snapshot"),
            write_concern=WriteConcern("majority"),
            read_preference=ReadPreference.PRIMARY,
        )
        calls = _after_commit.pop(session, [])
    for call in calls:
        call()
    return result


def after_commit(session: ClientSession, call: Callable[[], None]) -> None:
    """Has `call` called once when the transaction of this session was committed, if it is."""
    calls = _after_commit.setdefault(session, [])
    if call not in calls:
        calls.append(call)


def find_confirmed(
    collection: Collection[Document], criteria: Mapping[str, Any]
) -> Document | None:
    """The document that matches, once a majority of the servers is known to hold it.

    For an answer that promises what somebody else's unfinished write may still take back: a
    primary shows what it has written before the others have it.
    """
    sure = collection.with_options(read_concern=ReadConcern("linearizable"))
    return sure.find_one(criteria, max_time_ms=CONFIRM_MS)


def disconnect() -> None:
    """Closes the connection and leaves the embedded server; the last one out stops it."""
    global _settings, _server, _client
    with _lock:
        mongoengine.disconnect()
        if _client is not None:
            _client.close()
        if _server is not None:
            _server.release()
        _settings = _server = _client = None


def _known_settings() -> Settings:
    if _settings is None:
        raise StoreError("MongoDB was asked before it was connected.", "Call stores.mongo.connect.")
    return _settings


def _open(settings: Settings, options: dict[str, Any]) -> MongoClient[Document]:
    if settings.mongo_url is None:
        assert _server is not None  # noqa: S101 attach() has just set it
        return _server.client(**options)
    return _open_external(settings.mongo_url.get_secret_value(), options)


def _open_external(url: str, options: dict[str, Any]) -> MongoClient[Document]:
    try:
        opened: MongoClient[Document] = MongoClient(url, **options)
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise StoreError(
            "MONGO_URL is not a MongoDB URL.",
            "It reads mongodb://USER:PASSWORD@HOST:PORT/?replicaSet=NAME, with special characters of the password as %XX.",
        ) from error
    try:
        hello = opened.admin.command("hello")
        _refuse_standalone(hello, _hosts(url))
        # `hello` needs no login: only this shows that the password is right.
        opened.admin.command("ping")
        opened.get_database("admin").command("connectionStatus")
    except (ConnectionFailure, ServerSelectionTimeoutError) as error:
        opened.close()
        raise StoreError(
            f"MongoDB at {_hosts(url)} (MONGO_URL) does not answer.",
            "Start it, correct MONGO_URL, or unset MONGO_URL to use the embedded server.",
        ) from error
    except OperationFailure as error:
        opened.close()
        raise StoreError(
            f"MongoDB at {_hosts(url)} (MONGO_URL) refuses the login.",
            "Correct user, password and authSource in MONGO_URL.",
        ) from error
    except (PyMongoError, StoreError):
        opened.close()
        raise
    return opened


def _refuse_standalone(hello: Document, hosts: str) -> None:
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise StoreError(
            f"MongoDB at {hosts} (MONGO_URL) is a single server without a replica set, so it has no transactions.",
            "Start it with `--replSet NAME` and run `rs.initiate()` once; one member is enough.",
        )


def _hosts(url: str) -> str:
    """The hosts of a URL, without its password."""
    try:
        return ", ".join(f"{host}:{port}" for host, port in uri_parser.parse_uri(url)["nodelist"])
    except (PyMongoError, ValueError):
        return "?"


def _forget_parent() -> None:
    """In a forked child: its parent's connection is not its own."""
    global _server, _client, _lock
    _lock = threading.RLock()
    if _client is not None:
        # Closing it here would say goodbye on the parent's sockets.
        _inherited.extend([_client, mongoengine.connection._connections.pop("default", None)])
        settings = mongoengine.connection._connection_settings.get("default")
        mongoengine.disconnect()
        if settings is not None:
            mongoengine.connection._connection_settings["default"] = settings
    _server = _client = None


os.register_at_fork(after_in_child=_forget_parent)
