"""How long work reports what it has done and learns that it should stop."""

from typing import Protocol


class Cancelled(Exception):
    """A person asked to stop. What was done until here is complete in itself."""


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


class NoProgress:
    """For callers that do not watch."""

    def set_total(self, total: int) -> None:
        pass

    def advance(self, done: int = 1) -> None:
        pass

    def count(self, name: str, number: int = 1) -> None:
        pass

    def is_cancelled(self) -> bool:
        return False


def stop_if_cancelled(progress: Progress) -> None:
    """Raises Cancelled when a person asked to stop."""
    if progress.is_cancelled():
        raise Cancelled
