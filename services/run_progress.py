"""The progress of a run as its JobRun shows it."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from pymongo.errors import PyMongoError

from models import JobRun
from services import job_runs
from services.job_runs import Lease

FLUSH_SECONDS = 1.0  # people look at progress about once a second
HEARTBEAT_SECONDS = 8.0  # three may fail before the lease lapses


class LeaseLost(Exception):
    """Another worker has taken the run, because this one was silent for too long."""


class RunProgress:
    """Collects what a job reports and writes it about once a second; notices cancel requests.

    Implements `services.progress.Progress`.

    Raises:
        LeaseLost: from any method, when the run belongs to another worker now.
    """

    def __init__(self, lease: Lease, now: Callable[[], datetime] | None = None) -> None:
        self.lease = lease
        self._now = now or (lambda: datetime.now(UTC))
        self._done = 0
        self._counts = Counter[str]()
        self._total: int | None = None
        self._cancelled = False
        self.told_to_stop = False  # the job has asked, and was told to stop
        self._flush_at = 0.0

    def set_total(self, total: int) -> None:
        """Tells how many records there are to do."""
        self._total = total
        self.flush()

    def advance(self, done: int = 1) -> None:
        """Tells that `done` more records are finished."""
        self._done += done
        self._flush_if_due()

    def count(self, name: str, number: int = 1) -> None:
        """Adds to a named result."""
        self._counts[name] += number
        self._flush_if_due()

    def is_cancelled(self) -> bool:
        """Whether a person asked to stop, at most about a second ago."""
        self._flush_if_due()
        self.told_to_stop = self._cancelled
        return self._cancelled

    def log(self, line: str) -> None:
        """Adds a line to the run's log."""
        job_runs.log(self.lease.run_id, line)

    def flush(self) -> None:
        """Writes what was collected and renews the lease."""
        found = JobRun.collection().find_one_and_update(
            self.lease.criteria, self._update(), {"cancel_requested_at": 1}, return_document=True
        )
        if found is None:
            raise LeaseLost
        self._done = 0
        self._counts.clear()
        self._cancelled = found.get("cancel_requested_at") is not None
        self._flush_at = time.monotonic() + FLUSH_SECONDS

    def _flush_if_due(self) -> None:
        if time.monotonic() >= self._flush_at:
            self.flush()

    def _update(self) -> dict[str, Any]:
        now = self._now()
        values: dict[str, Any] = {"lease_until": now + job_runs.LEASE, "updated_at": now}
        if self._total is not None:
            values["total"] = self._total
        added = {f"counts.{name}": number for name, number in self._counts.items()}
        return {"$set": values, "$inc": {"progress": self._done, **added}}


@contextmanager
def heartbeat(lease: Lease) -> Iterator[None]:
    """Renews the lease in the background, for work that reports seldom."""
    ended = threading.Event()
    thread = threading.Thread(target=_beat, args=(lease, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat(lease: Lease, ended: threading.Event) -> None:
    while not ended.wait(HEARTBEAT_SECONDS):
        try:
            if not job_runs.renew(lease, datetime.now(UTC)):
                return
        except PyMongoError:
            continue  # the next beat may reach the database; otherwise the lease lapses
