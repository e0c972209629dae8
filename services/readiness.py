"""Whether the stores answer, quickly enough to serve people."""

import threading
import time
from collections.abc import Callable

import pymongo
import structlog

from config import Settings
from stores import mongo, valkey

LIMIT_SECONDS = 2.0

log = structlog.get_logger(__name__)


def is_ready(settings: Settings, limit_seconds: float = LIMIT_SECONDS) -> bool:
    """Whether MongoDB and Valkey both answer within the limit."""
    return all(answering(settings, limit_seconds).values())


def answering(settings: Settings, limit_seconds: float = LIMIT_SECONDS) -> dict[str, bool]:
    """Whether each store answers within the limit, by its name; asked at the same time."""

    def ask_mongo() -> object:
        with pymongo.timeout(limit_seconds):
            return mongo.connect(settings).command("ping")

    questions: dict[str, Callable[[], object]] = {
        "mongodb": ask_mongo,
        "valkey": lambda: valkey.connect(settings).ping(),
    }
    answers = {name: _Answer(question) for name, question in questions.items()}
    deadline = time.monotonic() + limit_seconds
    return {name: answer.arrived(deadline) for name, answer in answers.items()}


class _Answer:
    """Asks in a thread of its own, so that a store that hangs does not hang the answer."""

    def __init__(self, question: Callable[[], object]) -> None:
        self._ok = False
        self._question = question
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        try:
            self._question()
            self._ok = True
        except Exception as error:  # whatever it is, the store is not ready
            log.warning("store not ready", error=str(error))

    def arrived(self, deadline: float) -> bool:
        self._thread.join(max(0.0, deadline - time.monotonic()))
        return self._ok
