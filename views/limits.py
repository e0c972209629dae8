"""How often a login may be tried, counted in Valkey."""

import time
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app, g
from flask_babel import gettext, ngettext
from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded
from flask_limiter.util import get_remote_address
from redis._parsers.encoders import Encoder

from rules.scope import Actor
from services.accounts import plain_email

REVEALS = "60 per hour"  # masked values that one person is shown
MAILS_TO_ONE = "3 per hour"
MAILS_FROM_ONE = "30 per hour"


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
    app.extensions["carebook_reveal_limit"] = limiter.limit(
        REVEALS, key_func=lambda: f"reveal {g.limited_email}"
    )
    # One person's mailbox, whoever asks; one asker, whatever the mailboxes.
    app.extensions["carebook_mails_to_limit"] = limiter.limit(
        MAILS_TO_ONE, key_func=lambda: f"mail to {g.limited_email}"
    )
    app.extensions["carebook_mails_from_limit"] = limiter.limit(
        MAILS_FROM_ONE, key_func=lambda: f"mail from {get_remote_address()}"
    )


def login_wait_seconds(email: str) -> int:
    """Counts this login attempt; how many seconds to wait, 0 when it may go ahead."""
    return _wait_seconds("carebook_login_limit", email)


def reveal_wait_seconds(by: Actor) -> int:
    """Counts this look behind a mask; how many seconds to wait, 0 when it may go ahead."""
    return _wait_seconds("carebook_reveal_limit", str(by.staff_id))


def forgotten_wait_seconds(email: str) -> int:
    """Counts this request for a new password; how many seconds to wait, 0 when it may go ahead."""
    return _wait_seconds("carebook_mails_to_limit", email) or _wait_seconds(
        "carebook_mails_from_limit", email
    )


def _wait_seconds(limit: str, email: str) -> int:
    g.limited_email = plain_email(email)[:200]
    try:
        with current_app.extensions[limit]:
            return 0
    except RateLimitExceeded:
        broken = current_app.extensions["carebook_limiter"].current_limit
        return max(1, round(broken.reset_at - time.time())) if broken else 60


def _login_key() -> str:
    """Address and account together: a stranger cannot lock anybody out from another address."""
    return f"{get_remote_address()} {g.limited_email}"


def wait_text(seconds: int) -> str:
    """Says how long to wait after too many attempts."""
    sentence = gettext("Too many attempts.")
    return f"{sentence} {_again_text(seconds)}"


def locked_text(seconds: int) -> str:
    """Says how long an account stays locked."""
    sentence = gettext("This account is locked for a while after too many wrong attempts.")
    return f"{sentence} {_again_text(seconds)}"


def _again_text(seconds: int) -> str:
    if seconds < 120:
        return str(
            ngettext("Try again in %(num)d second.", "Try again in %(num)d seconds.", seconds)
        )
    minutes = -(-seconds // 60)
    return str(ngettext("Try again in %(num)d minute.", "Try again in %(num)d minutes.", minutes))
