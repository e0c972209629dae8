"""The connection to Valkey of this process."""

import os
import threading
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from config import Settings
from stores.embedded_valkey import EmbeddedValkey
from stores.errors import StoreError

_settings: Settings | None = None
_server: EmbeddedValkey | None = None
_client: "redis.Redis | None" = None

_lock = threading.RLock()  # threads of a web process may connect at the same time


def connect(settings: Settings) -> "redis.Redis":
    """A client, ready for use; starts or joins the embedded server when no URL is set. Idempotent.

    Raises:
        StoreError: the server cannot be started or reached.
    """
    global _settings, _client
    with _lock:
        if _client is not None and _settings != settings:
            disconnect()
        if _client is None:
            attach(settings)
            _client = _open(settings)
            _settings = settings
        return _client


def attach(settings: Settings) -> EmbeddedValkey | None:
    """Keeps the embedded server running for this process, without a connection to it.

    None when VALKEY_URL chooses an external server.
    """
    global _server
    with _lock:
        if settings.valkey_url is not None:
            return None
        if _server is None or _server.data != settings.data.absolute():
            if _server is not None:
                _server.release()
            _server = EmbeddedValkey(settings.data)
        _server.attach()
        return _server


def expect(settings: Settings) -> None:
    """Names the server that `client` connects to when somebody first asks for it.

    For web processes: their pages do not need Valkey, and must not wait for it.
    """
    global _settings
    with _lock:
        if _client is None:
            _settings = settings


def client() -> "redis.Redis":
    """The connected client. Raises StoreError before `connect` or `expect`."""
    if _client is not None:
        return _client
    if _settings is None:
        raise StoreError("Valkey was asked before it was connected.", "Call stores.valkey.connect.")
    return connect(_settings)


def disconnect() -> None:
    """Closes the connection and leaves the embedded server; the last one out stops it."""
    global _settings, _server, _client
    with _lock:
        if _client is not None:
            _client.close()
        if _server is not None:
            _server.release()
        _settings = _server = _client = None


def _open(settings: Settings) -> "redis.Redis":
    options: dict[str, Any] = {
        "socket_connect_timeout": 5,
        "health_check_interval": 30,
        # A restarted server is back within a second or two.
        "retry": Retry(ExponentialBackoff(cap=1, base=0.05), 5),
    }
    if settings.valkey_url is None:
        assert _server is not None  # noqa: S101 attach() has just set it
        return _server.client(**options)
    return _open_external(settings.valkey_url.get_secret_value(), options)


def _open_external(url: str, options: dict[str, Any]) -> "redis.Redis":
    # Both spell Redis's own schemes; valkey:// is what people write for Valkey.
    for scheme in ("valkeys", "valkey+unix", "valkey"):
        if url.startswith(f"{scheme}://"):
            spelled = {"valkeys": "rediss", "valkey+unix": "unix", "valkey": "redis"}[scheme]
            url = spelled + url[len(scheme) :]
            break
    try:
        opened = redis.Redis.from_url(url, **options)
    except ValueError as error:
        raise StoreError(
            "VALKEY_URL is not a Valkey URL.", "It reads redis://:PASSWORD@HOST:PORT/0."
        ) from error
    try:
        opened.ping()
    except redis.AuthenticationError as error:
        opened.close()
        raise StoreError(
            f"Valkey at {_host(url)} (VALKEY_URL) refuses the login.",
            "Correct the password in VALKEY_URL.",
        ) from error
    except redis.RedisError as error:
        opened.close()
        raise StoreError(
            f"Valkey at {_host(url)} (VALKEY_URL) does not answer.",
            "Start it, correct VALKEY_URL, or unset VALKEY_URL to use the embedded server.",
        ) from error
    return opened


def _host(url: str) -> str:
    """The host of a URL, without its password."""
    parts = urlsplit(url)
    return f"{parts.hostname or parts.path}{f':{parts.port}' if parts.port else ''}"


def _forget_parent() -> None:
    """In a forked child: its parent's membership is not its own; redis-py renews sockets itself."""
    global _server, _client, _lock
    _lock = threading.RLock()
    _server = _client = None


os.register_at_fork(after_in_child=_forget_parent)
