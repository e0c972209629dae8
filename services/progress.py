"""How long work reports what it has done and learns that it should stop."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bson import ObjectId


class AboutRun(Exception):
    """Ends or interrupts a run as a whole; it is not the fault of the records at hand."""


class Cancelled(AboutRun):
    """A person asked to stop. What was done until here is complete in itself."""


class ShareLost(AboutRun):
    """Another worker goes on with this share, because this one was silent for too long."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a walk: the ids behind `after` up to `upto`; None: no bound."""

    number: int = 0
    after: ObjectId | None = None
    upto: ObjectId | None = None


WHOLE = Share()


class Progress(Protocol):
    """Given to work that goes on for longer than a person waits for a page."""

    def set_total(self, total: int) -> None:
        """Tells how many records there are to do, as far as known."""

    def advance(self, done: int = 1) -> None:
        """Tells that `done` more records are finished."""

    def count(self, name: str, number: int = 1) -> None:
        """Adds to a named result, such as `orders_changed`."""

    def is_cancelled(self) -> bool:
        """Whether a person asked to stop; ask between pieces of work."""

    def shares(self, step: str, split: Callable[[], Sequence[Share]]) -> Iterator[Share]:
        """The shares of this step that this worker is to do, one after the other.

        A share is done when the next one is asked for. After the last one all are done, those of
        other workers too. `split` is asked when nobody has split this step yet.
        """

    def reached(self, record_id: ObjectId) -> None:
        """Tells that the share at hand is done up to and with this record."""

    def set_aside(
        self,
        kind: str,
        record_id: ObjectId,
        reason: str,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        """Tells that this record could not be worked on, and why.

        With `params`, even empty ones, the reason is an English gettext id.
        """


class NoProgress:
    """For callers that do not watch, and work alone."""

    def set_total(self, total: int) -> None:
        pass

    def advance(self, done: int = 1) -> None:
        pass

    def count(self, name: str, number: int = 1) -> None:
        pass

    def is_cancelled(self) -> bool:
        return False

    def shares(self, step: str, split: Callable[[], Sequence[Share]]) -> Iterator[Share]:
        yield WHOLE

    def reached(self, record_id: ObjectId) -> None:
        pass

    def set_aside(
        self,
        kind: str,
        record_id: ObjectId,
        reason: str,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        pass


def stop_if_cancelled(progress: Progress) -> None:
    """Raises Cancelled when a person asked to stop."""
    if progress.is_cancelled():
        raise Cancelled
