"""Log lines as JSON on standard error, each with the request that it belongs to."""

import logging
import secrets
import sys

import structlog
from flask import Flask, request

from config import Settings


def register(app: Flask, settings: Settings) -> None:
    """Logs from the chosen level on; a request is known by a short random name."""
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_to_standard_error,
    )
    app.before_request(_name_request)


def _to_standard_error(*_: object) -> structlog.PrintLogger:
    # Looked up at each line, so that a redirected standard error is respected.
    return structlog.PrintLogger(sys.stderr)


def _name_request() -> None:
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(
        request=secrets.token_hex(4), method=request.method, path=request.path
    )
