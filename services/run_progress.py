"""The progress of a run as its JobRun shows it."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.errors import PyMongoError

from models import JobRun
from rules.errors import N_, CareError
from services import job_queue, job_runs, run_shares
from services.job_runs import Lease
from services.progress import AboutRun, Share, ShareLost, stop_if_cancelled
from stores import mongo

FLUSH_SECONDS = 1.0  # people look at progress about once a second
REASON_LENGTH = 500
WAIT_SECONDS = 0.2  # for shares that other workers do
HEARTBEAT_SECONDS = 8.0  # three may fail before the lease lapses


SET_ASIDE_LIMIT = 100  # more are not a few bad records but something that people should see

TOO_MANY = N_(
    "%(count)s records could not be worked on, so the job stopped. Give its log to an administrator."
)


class LeaseLost(AboutRun):
    """Another worker has taken the run, because this one was silent for too long."""


class MakeRoom(AboutRun):
    """A person's job waits; this run is nightly work and goes on behind it."""


class TooManySetAside(AboutRun, CareError):
    """So many records failed that going on would hide what is wrong."""

    message = TOO_MANY


class RunProgress:
    """Collects what a job reports and writes it about once a second; notices cancel requests.

    Implements `services.progress.Progress`.

    Raises:
        LeaseLost: from any method, when the run belongs to another worker now.
    """

    def __init__(
        self,
        lease: Lease,
        now: Callable[[], datetime] | None = None,
        *,
        makes_room: bool = False,
    ) -> None:
        self.lease = lease
        self._share: tuple[str, Share] | None = None  # (step, the share at hand)
        self._reached: ObjectId | None = None  # in this share
        self._set_aside: list[dict[str, Any]] = []
        self._set_aside_count = 0
        self._makes_room = makes_room
        self._now = now or mongo.server_time
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
        self._flush_outside_share()

    def count(self, name: str, number: int = 1) -> None:
        """Adds to a named result."""
        self._counts[name] += number
        self._flush_outside_share()

    def is_cancelled(self) -> bool:
        """Whether a person asked to stop, at most about a second ago."""
        if self._flush_if_due() and self._makes_room and job_queue.does_a_person_wait():
            raise MakeRoom
        self.told_to_stop = self._cancelled
        return self._cancelled

    def shares(self, step: str, split: Callable[[], Sequence[Share]]) -> Iterator[Share]:
        """The shares that this worker is to do; then waits until others have done theirs."""
        if run_shares.plan(self.lease, step, split) > 1:
            job_queue.invite(self.lease.run_id)
        while True:
            while share := run_shares.claim(self.lease, step, self._now()):
                self._share, self._reached = (step, share), None
                yield share
                self._end_share()
            if run_shares.are_done(self.lease, step):
                return
            stop_if_cancelled(self)
            time.sleep(WAIT_SECONDS)

    def _end_share(self) -> None:
        if self._share is not None:
            with suppress(ShareLost):
                self._write(ends_share=True)
        self._share = None

    def reached(self, record_id: ObjectId) -> None:
        """Tells that the share at hand is done up to and with this record."""
        self._reached = record_id
        self._flush_if_due()

    def release(self) -> None:
        """Lets other workers go on with what this one leaves unfinished."""
        run_shares.release(self.lease)

    def set_aside(
        self,
        kind: str,
        record_id: ObjectId,
        reason: str,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        """Tells that this record could not be worked on, and why.

        Raises:
            TooManySetAside: this is not about single records any more.
        """
        kept = {"kind": kind, "record_id": record_id, "reason": reason[:REASON_LENGTH]}
        if params is not None:
            kept["reason_params"] = job_runs.storable(params)
        self._set_aside.append(kept)
        self._set_aside_count += 1
        if self._set_aside_count > SET_ASIDE_LIMIT:
            self.flush()
            raise TooManySetAside(count=self._set_aside_count)

    def log(self, line: str) -> None:
        """Adds a line to the run's log."""
        job_runs.log(self.lease.run_id, line)

    def flush(self) -> None:
        """Writes what was collected and renews the lease."""
        self._write()

    def _write(self, *, ends_share: bool = False) -> None:
        held = run_shares.held(self.lease, *self._share) if self._share else self.lease.criteria
        found = JobRun.collection().find_one_and_update(
            held,
            self._update(ends_share=ends_share),
            {"cancel_requested_at": 1},
            return_document=True,
        )
        self._done = 0
        self._counts.clear()
        self._set_aside.clear()
        if found is None:
            self._lose()
            return
        self._cancelled = found.get("cancel_requested_at") is not None
        self._flush_at = time.monotonic() + FLUSH_SECONDS

    def _lose(self) -> None:
        """What was done since the last write counts for whoever goes on behind it."""
        run = JobRun.collection().find_one(self.lease.criteria, {"_id": 1})
        if run is None or self._share is None:
            raise LeaseLost
        self._share = None
        raise ShareLost

    def _flush_outside_share(self) -> None:
        # Within one, counts are written with the position that they belong to.
        if self._share is None:
            self._flush_if_due()

    def _flush_if_due(self) -> bool:
        if time.monotonic() < self._flush_at:
            return False
        self.flush()
        return True

    def _update(self, *, ends_share: bool) -> dict[str, Any]:
        now = self._now()
        until = now + job_runs.LEASE
        values: dict[str, Any] = {"updated_at": now}
        if not self.lease.helps:
            values["lease_until"] = until
        if self._total is not None:
            values["total"] = self._total
        # One update, so that after a kill the position and what was counted belong together.
        if self._share is not None:
            values |= {"shares.$.lease_until": until, "shares.$.is_done": ends_share}
            if self._reached is not None:
                values["shares.$.position"] = self._reached
        added = {f"counts.{name}": number for name, number in self._counts.items()}
        update: dict[str, Any] = {"$set": values, "$inc": {"progress": self._done, **added}}
        if self._set_aside:
            update["$push"] = {"set_aside": {"$each": list(self._set_aside)}}
            update["$inc"]["set_aside_count"] = len(self._set_aside)
        return update


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
            if not job_runs.renew(lease, mongo.server_time()):
                return
        except PyMongoError:
            continue  # the next beat may reach the database; otherwise the lease lapses
