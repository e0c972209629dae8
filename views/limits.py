"""How often a login may be tried, counted in Valkey."""

import time
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app, request
from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded
from flask_limiter.util import get_remote_address
from redis._parsers.encoders import Encoder

from services.accounts import plain_email


class _LatePool:
    """Stands for a connection pool that is only connected at its first use."""

    def __init__(self, pool: Callable[[], Any]) -> None:
        self._pool = pool

    # The client reads this as soon as it is made; the real connections have their own.
    connection_kwargs: dict[str, Any] = {}

    def get_encoder(self) -> Encoder:
        return Encoder("utf-8", "strict", False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool(), name)


def register(app: Flask, login_rate: str, pool: Callable[[], Any]) -> None:
    """Counts in Valkey; while that is away, each web process counts for itself."""
    limiter = Limiter(
        key_func=get_remote_address,
        app=app,
        storage_uri="redis://",
        storage_options={"connection_pool": _LatePool(pool)},
        strategy="moving-window",
        in_memory_fallback_enabled=True,
        key_prefix="carebook",
    )
    app.extensions["carebook_limiter"] = limiter
    app.extensions["carebook_login_limit"] = limiter.limit(login_rate, key_func=_login_key)


def login_wait_seconds() -> int:
    """Counts this login attempt; how many seconds to wait, 0 when it may go ahead."""
    try:
        with current_app.extensions["carebook_login_limit"]:
            return 0
    except RateLimitExceeded:
        broken = current_app.extensions["carebook_limiter"].current_limit
        return max(1, round(broken.reset_at - time.time())) if broken else 60


def _login_key() -> str:
    """Address and account together: a stranger cannot lock anybody out from another address."""
    return f"{get_remote_address()} {plain_email(request.form.get('email', ''))[:200]}"
