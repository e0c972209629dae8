"""Background work: created with a change, claimed by one worker, watched, cancelled, taken up again.

`JobRun` is the truth. The queue only carries ids: an id that is lost or delivered twice does no
harm, because a worker goes on only after it has claimed the run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from models import JobRun
from models.job_run import CANCELLED, FAILED, QUEUED, RUNNING
from rules.errors import N_, InvalidInput, NotFound
from rules.scope import Actor
from services import job_queue

Stored = dict[str, Any]

LEASE = timedelta(seconds=30)  # renewed while the worker lives; then the run may be taken again
ATTEMPTS = 3  # before a run that keeps dying is given up
GRACE = timedelta(seconds=10)  # a queued run gets to reach the queue by itself
LOG_LINES, LOG_LINE_LENGTH = 200, 500

GIVEN_UP = N_(
    "The work was interrupted again and again and was given up. Start it again; if it fails again, give the log to an administrator."
)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one worker to go on with one attempt of a run."""

    run_id: ObjectId
    worker: str
    attempt: int

    @property
    def criteria(self) -> Stored:
        """Matches the run only while the worker still holds it."""
        return {
            "_id": self.run_id,
            "state": RUNNING,
            "worker": self.worker,
            "attempts": self.attempt,
        }


def create(
    name: str,
    arguments: Mapping[str, Any],
    by: Actor,
    *,
    session: ClientSession | None = None,
    slot: str | None = None,
    at: datetime | None = None,
) -> ObjectId:
    """Writes a queued run of the job `name`; call `enqueue` with its id after the commit.

    A `slot` exists once: without a session, a second call returns the id of the first.
    """
    at = at or datetime.now(UTC)
    document: Stored = {
        "name": name,
        "arguments": dict(arguments),
        "state": QUEUED,
        "progress": 0,
        "counts": {},
        "log": [],
        "attempts": 0,
        "started_by": by.staff_id,
        "started_by_name": by.name,
        "version": 1,
        "created_at": at,
        "updated_at": at,
    }
    if slot is not None:
        document["slot"] = slot
    try:
        run_id: ObjectId = JobRun.collection().insert_one(document, session=session).inserted_id
    except DuplicateKeyError:
        # Inside a transaction the failed insert has ended it already.
        existing = of_slot(slot) if slot is not None and session is None else None
        if existing is None:
            raise
        return existing
    return run_id


def of_slot(slot: str) -> ObjectId | None:
    """The run of this slot, or None when it has not been created."""
    # The server uses the partial index only for a query that repeats its condition.
    found = JobRun.collection().find_one({"slot": {"$eq": slot, "$type": "string"}}, {"_id": 1})
    return found["_id"] if found else None


def enqueue(run_id: ObjectId) -> None:
    """Hands a run to the workers. When the queue is away, the scheduler's sweep does it later."""
    job_queue.push(run_id)


def claim(run_id: ObjectId, worker: str, now: datetime) -> JobRun | None:
    """The run, now held by `worker`; None when it is not there to be taken.

    Free are queued runs and running ones whose lease has lapsed. `worker` names one process at
    one time, so that a worker never takes the lease of its own predecessor for its own.
    """
    taken = JobRun.collection().find_one_and_update(
        {"_id": run_id, "attempts": {"$lt": ATTEMPTS}, "cancel_requested_at": None, **_free(now)},
        {
            "$set": {
                "state": RUNNING,
                "worker": worker,
                "lease_until": now + LEASE,
                "started_at": now,
                "updated_at": now,
                "progress": 0,
                "total": None,
                "error": None,
            },
            "$inc": {"attempts": 1, "version": 1},
        },
        return_document=True,
    )
    return JobRun._from_son(taken) if taken else None


def _free(now: datetime) -> Stored:
    return {"$or": [{"state": QUEUED}, {"state": RUNNING, "lease_until": {"$lt": now}}]}


def lease_of(run: JobRun) -> Lease:
    """The lease that `claim` has just given."""
    return Lease(run.pk, run.worker, run.attempts)


def renew(lease: Lease, now: datetime) -> bool:
    """Holds the run for another while; False when it was lost to somebody else."""
    renewed = JobRun.collection().update_one(lease.criteria, {"$set": {"lease_until": now + LEASE}})
    return renewed.matched_count == 1


def finish(lease: Lease, state: str, now: datetime, *, error: str | None = None) -> bool:
    """Ends the run as done, failed or cancelled; False when it was lost to somebody else."""
    return _leave(lease, {"state": state, "ended_at": now, "error": error}, now)


def give_back(lease: Lease, error: str, now: datetime) -> bool:
    """After an unexpected failure: lets the run be tried again, or fails it after ATTEMPTS."""
    if lease.attempt >= ATTEMPTS:
        return finish(lease, FAILED, now, error=error)
    return _leave(lease, {"state": QUEUED, "error": error}, now)


def _leave(lease: Lease, values: Stored, now: datetime) -> bool:
    left = JobRun.collection().update_one(
        lease.criteria,
        {"$set": {**values, "lease_until": None, "updated_at": now}, "$inc": {"version": 1}},
    )
    return left.matched_count == 1


def log(run_id: ObjectId, *lines: str) -> None:
    """Appends lines to the run's log, which keeps the newest LOG_LINES."""
    short = [line[:LOG_LINE_LENGTH] for line in lines]
    JobRun.collection().update_one(
        {"_id": run_id}, {"$push": {"log": {"$each": short, "$slice": -LOG_LINES}}}
    )


def request_cancel(run_id: ObjectId, at: datetime) -> None:
    """Asks a run to stop; a waiting one stops at once, a running one between two ranges.

    Raises:
        NotFound: no such run. InvalidInput: it has ended already.
    """
    runs = JobRun.collection()
    asked: Stored = {"cancel_requested_at": at, "updated_at": at}
    waiting = runs.update_one(
        {"_id": run_id, "state": QUEUED},
        {"$set": {**asked, "state": CANCELLED, "ended_at": at}, "$inc": {"version": 1}},
    )
    if waiting.matched_count:
        return
    running = runs.update_one(
        {"_id": run_id, "state": RUNNING}, {"$set": asked, "$inc": {"version": 1}}
    )
    if not running.matched_count:
        _refuse(run_id, N_("This job has ended already; there is nothing to cancel."))


def retry(run_id: ObjectId, at: datetime) -> None:
    """Lets a failed or cancelled run start anew.

    Raises:
        NotFound: no such run. InvalidInput: it has not failed.
    """
    again = JobRun.collection().update_one(
        {"_id": run_id, "state": {"$in": [FAILED, CANCELLED]}},
        {
            "$set": {"state": QUEUED, "attempts": 0, "updated_at": at},
            "$unset": {"cancel_requested_at": "", "ended_at": "", "error": ""},
            "$inc": {"version": 1},
        },
    )
    if not again.matched_count:
        _refuse(run_id, N_("Only a job that failed or was cancelled can be started again."))
    enqueue(run_id)


def _refuse(run_id: ObjectId, message: str) -> None:
    if JobRun.collection().find_one({"_id": run_id}, {"_id": 1}) is None:
        raise NotFound
    raise InvalidInput(message)


def sweep(now: datetime) -> list[ObjectId]:
    """Takes up what was lost: runs that never reached the queue, and those whose worker died.

    Returns the ids that were put into the queue. Run it every few seconds.
    """
    _end_lapsed(now)
    lost = _ids({"state": QUEUED, "updated_at": {"$lt": now - GRACE}})
    lost += _ids({"state": RUNNING, "lease_until": {"$lt": now}})
    if not lost:
        return []
    waiting = job_queue.waiting_ids()
    pushed = [run_id for run_id in lost if run_id not in waiting]
    for run_id in pushed:
        enqueue(run_id)
    return pushed


def _end_lapsed(now: datetime) -> None:
    """Ends lapsed runs that a person cancelled, or that have died too often."""
    runs = JobRun.collection()
    lapsed: Stored = {"state": RUNNING, "lease_until": {"$lt": now}}
    over: Stored = {"ended_at": now, "updated_at": now, "lease_until": None}
    runs.update_many(
        {**lapsed, "cancel_requested_at": {"$ne": None}}, {"$set": {**over, "state": CANCELLED}}
    )
    runs.update_many(
        {**lapsed, "attempts": {"$gte": ATTEMPTS}},
        {"$set": {**over, "state": FAILED, "error": GIVEN_UP}},
    )


def _ids(criteria: Stored) -> list[ObjectId]:
    return [row["_id"] for row in JobRun.collection().find(criteria, {"_id": 1})]

