"""Background work: created with a change, claimed by one worker, watched, cancelled, started anew.

`JobRun` is the truth. The queue only carries ids: an id that is lost or delivered twice does no
harm, because a worker goes on only after it has claimed the run. services/job_sweep.py takes up what
was lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from models import JobRun
from models.job_run import CANCELLED, DONE, FAILED, LATER, NOW, QUEUED, RUNNING
from rules.errors import N_, InvalidInput, NotFound
from rules.scope import Actor
from services import job_queue

Stored = dict[str, Any]

LEASE = timedelta(seconds=30)  # renewed while the worker lives; then the run may be taken again
ATTEMPTS = 3  # before a run that keeps dying is given up
# Nobody holds a lease for so long: it was given by a clock that was wrong.
WRONG_CLOCK = timedelta(minutes=5)
LOG_LINES, LOG_LINE_LENGTH = 200, 500


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one worker to go on with one attempt of a run."""

    run_id: ObjectId
    worker: str
    attempt: int
    helps: bool = False  # beside the worker that holds the run, with shares of its walks

    @property
    def criteria(self) -> Stored:
        """Matches the run only while the worker still holds it, or may help with it."""
        if self.helps:
            return {"_id": self.run_id, "state": RUNNING}
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
    schedule: str | None = None,
    at: datetime | None = None,
    run_id: ObjectId | None = None,
) -> ObjectId:
    """Writes a queued run of the job `name`; call `enqueue` with its id after the commit.

    A `slot` exists once: without a session, a second call returns the id of the first. So does
    one of a `schedule` while its run before waits or works. A run for a slot is nightly work,
    which makes room for what people start.
    """
    at = at or datetime.now(UTC)
    document: Stored = {
        "_id": run_id or ObjectId(),
        "name": name,
        "arguments": dict(arguments),
        "state": QUEUED,
        "progress": 0,
        "counts": {},
        "log": [],
        "shares": [],
        "attempts": 0,
        "started_by": by.staff_id,
        "started_by_name": by.name,
        "version": 1,
        "created_at": at,
        "updated_at": at,
    }
    if slot is not None:
        document |= {"slot": slot, "priority": LATER}
    if schedule is not None:
        document |= {"schedule": schedule, "alone": schedule}
    try:
        JobRun.collection().insert_one(document, session=session)
    except DuplicateKeyError:
        # Inside a transaction the failed insert has ended it already.
        existing = None if session is not None else of_slot(slot) or active_run(schedule)
        if existing is None:
            raise
        return existing
    made: ObjectId = document["_id"]
    return made


def active_run(schedule: str | None) -> ObjectId | None:
    """The run of this schedule that waits or works, or None."""
    found = JobRun.collection().find_one(
        {"alone": {"$eq": schedule, "$type": "string"}}, {"_id": 1}
    )
    return found["_id"] if found else None


def of_slot(slot: str | None) -> ObjectId | None:
    """The run of this slot, or None when it has not been created."""
    # The server uses the partial index only for a query that repeats its condition.
    found = JobRun.collection().find_one({"slot": {"$eq": slot, "$type": "string"}}, {"_id": 1})
    return found["_id"] if found else None


def enqueue(run_id: ObjectId) -> None:
    """Hands a run to the workers. When the queue is away, the scheduler's sweep does it later."""
    found = JobRun.collection().find_one({"_id": run_id}, {"priority": 1}) or {}
    job_queue.push(run_id, found.get("priority", NOW))


def claim(run_id: ObjectId, worker: str, now: datetime) -> JobRun | None:
    """The run, now held by `worker`; None when it is not there to be taken.

    Free are queued runs and running ones whose lease has lapsed. `worker` names one process at
    one time, so that a worker never takes the lease of its own predecessor for its own.
    """
    resumes = {"$gt": [{"$size": {"$ifNull": ["$shares", []]}}, 0]}
    taken = JobRun.collection().find_one_and_update(
        {"_id": run_id, "attempts": {"$lt": ATTEMPTS}, "cancel_requested_at": None, **_free(now)},
        [
            {
                "$set": {
                    "state": RUNNING,
                    "worker": {"$literal": worker},
                    "lease_until": now + LEASE,
                    "started_at": now,
                    "updated_at": now,
                    "error": None,
                    "failed_deliveries": 0,
                    "attempts": {"$add": ["$attempts", 1]},
                    "shares": _FREED,
                    "version": {"$add": ["$version", 1]},
                    # What an attempt before has done counts only for one that goes on behind it.
                    "progress": {"$cond": [resumes, "$progress", 0]},
                    "counts": {"$cond": [resumes, "$counts", {"$literal": {}}]},
                }
            },
            {"$set": {"progress_before": "$progress"}},
        ],
        return_document=True,
    )
    return JobRun._from_son(taken) if taken else None


# Whoever held the run before is gone, and with it what it held of the shares.
_FREED: Stored = {
    "$map": {
        "input": {"$ifNull": ["$shares", []]},
        "as": "share",
        "in": {
            "$cond": [
                {"$eq": ["$$share.worker", "$worker"]},
                {"$mergeObjects": ["$$share", {"worker": None, "lease_until": None}]},
                "$$share",
            ]
        },
    }
}


def _free(now: datetime) -> Stored:
    return {"$or": [{"state": QUEUED}, {"state": RUNNING, **lapsed(now)}]}


def lapsed(now: datetime) -> Stored:
    """Matches leases that are over, and those that a clock in the future gave."""
    future = now + LEASE + WRONG_CLOCK
    return {"$or": [{"lease_until": {"$lt": now}}, {"lease_until": {"$gt": future}}]}


def lease_of(run: JobRun) -> Lease:
    """The lease that `claim` has just given."""
    return Lease(run.pk, run.worker, run.attempts)


def help_with(run_id: ObjectId, worker: str) -> tuple[JobRun, Lease] | None:
    """A run that another worker does, and the right to take shares of it; None when it is over."""
    found = JobRun.collection().find_one({"_id": run_id, "state": RUNNING})
    if found is None:
        return None
    return JobRun._from_son(found), Lease(run_id, worker, found["attempts"], helps=True)


def renew(lease: Lease, now: datetime) -> bool:
    """Holds the run and its share for another while; False when it was lost to somebody else."""
    until = now + LEASE
    own = {} if lease.helps else {"lease_until": until}
    renewed = JobRun.collection().update_one(
        lease.criteria,
        {"$set": {**own, "shares.$[mine].lease_until": until}},
        array_filters=[{"mine.worker": lease.worker, "mine.is_done": False}],
    )
    return renewed.matched_count == 1


def finish(
    lease: Lease,
    state: str,
    now: datetime,
    *,
    error: str | None = None,
    params: Mapping[str, Any] | None = None,
) -> bool:
    """Ends the run as done, failed or cancelled; False when it was lost to somebody else.

    `error` is an English gettext id, `params` its parameters.
    """
    values = {"state": state, "ended_at": now, "error": error}
    return _leave(lease, values | _params(params), now, gone=("alone",))


def give_back(
    lease: Lease, error: str, now: datetime, *, params: Mapping[str, Any] | None = None
) -> bool:
    """After an unexpected failure: lets the run be tried again, or fails it after ATTEMPTS."""
    if lease.attempt >= ATTEMPTS:
        return finish(lease, FAILED, now, error=error, params=params)
    return _leave(lease, {"state": QUEUED, "error": error} | _params(params), now)


def make_room(lease: Lease, now: datetime) -> bool:
    """Puts nightly work back for a while, so that a person's job goes first; no attempt is lost."""
    return _leave(lease, {"state": QUEUED}, now, attempts=-1)


def _params(params: Mapping[str, Any] | None) -> Stored:
    return {"error_params": storable(params)} if params else {}


def storable(params: Mapping[str, Any]) -> Stored:
    """Parameters of a text as they can be stored; what cannot is kept as its text."""
    plain = (str, int, float, bool, datetime, ObjectId, type(None))
    return {
        name: value if isinstance(value, plain) else str(value) for name, value in params.items()
    }


def _leave(
    lease: Lease, values: Stored, now: datetime, *, gone: tuple[str, ...] = (), attempts: int = 0
) -> bool:
    update: Stored = {
        "$set": {**values, "lease_until": None, "updated_at": now},
        "$inc": {"version": 1, "attempts": attempts},
    }
    if gone:
        update["$unset"] = dict.fromkeys(gone, "")
    return JobRun.collection().update_one(lease.criteria, update).matched_count == 1


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
        {
            "$set": {**asked, "state": CANCELLED, "ended_at": at},
            "$unset": {"alone": ""},
            "$inc": {"version": 1},
        },
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
    fresh = {"state": QUEUED, "attempts": 0, "progress": 0, "counts": {}, "priority": NOW}
    fresh |= {"shares": []}
    fresh |= {"failed_deliveries": 0}
    gone = ("cancel_requested_at", "ended_at", "error", "error_params", "position", "set_aside")
    stages: list[Stored] = [
        # Only one run of a schedule at a time: its key is unique while the run is active.
        {"$set": {**_literally(fresh), "updated_at": at, "alone": "$schedule"}},
        {"$set": {"version": {"$add": ["$version", 1]}, "set_aside_count": 0}},
        {"$unset": [*gone, "total"]},
    ]
    try:
        again = JobRun.collection().update_one(
            {"_id": run_id, "state": {"$in": [FAILED, CANCELLED]}}, stages
        )
    except DuplicateKeyError as error:
        raise InvalidInput(N_("This job runs already. Wait for it to end.")) from error
    if not again.matched_count:
        _refuse(run_id, N_("Only a job that failed or was cancelled can be started again."))
    enqueue(run_id)


def _literally(values: Stored) -> Stored:
    """Values for an update pipeline, in which an empty document would mean something else."""
    return {name: {"$literal": value} for name, value in values.items()}


def _refuse(run_id: ObjectId, message: str) -> None:
    if JobRun.collection().find_one({"_id": run_id}, {"_id": 1}) is None:
        raise NotFound
    raise InvalidInput(message)


def purge(before: datetime) -> int:
    """Deletes runs that ended before this instant; returns how many."""
    ended: Stored = {"state": {"$nin": [QUEUED, RUNNING]}, "ended_at": {"$lt": before}}
    return JobRun.collection().delete_many(ended).deleted_count


def purge_idle(schedule: str, before: datetime) -> int:
    """Deletes runs of a schedule that ended before this instant and had found nothing to do."""
    idle: Stored = {
        "schedule": schedule,
        "slot": {"$type": "string"},
        "state": DONE,
        "counts": {},
        "set_aside_count": {"$in": [None, 0]},
        "ended_at": {"$lt": before},
    }
    return JobRun.collection().delete_many(idle).deleted_count
