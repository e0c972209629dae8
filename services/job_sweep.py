"""Takes up background work that was lost: runs that never reached the queue, and dead workers'."""

from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId

from models import JobRun
from models.job_run import CANCELLED, FAILED, QUEUED, RUNNING
from rules.errors import N_
from services import job_queue
from services.job_runs import ATTEMPTS, WRONG_CLOCK, enqueue, lapsed, log

Stored = dict[str, Any]

DELIVERIES = 5  # in a row that may fail before a run is given up that no worker can even begin
GRACE = timedelta(seconds=10)  # a queued run gets to reach the queue by itself

GIVEN_UP = N_(
    "The work was interrupted again and again and was given up. Start it again; if it fails again, give the log to an administrator."
)
UNDELIVERED = N_(
    "No worker could begin this job: %(reason)s. Give this to an administrator, then start it again."
)


def sweep(now: datetime) -> list[ObjectId]:
    """Takes up what was lost: runs that never reached the queue, and those whose worker died.

    Returns the ids that were put into the queue. Run it every few seconds.
    """
    _end_lapsed(now)
    lost = _lost(now)
    if not lost:
        return []
    waiting, failed = job_queue.waiting_ids(), job_queue.failed_deliveries()
    pushed = []
    for run_id in lost:
        if run_id in waiting or (run_id in failed and _give_up(run_id, failed[run_id], now)):
            continue
        enqueue(run_id)
        pushed.append(run_id)
    return pushed


def _lost(now: datetime) -> list[ObjectId]:
    """Runs that should be in the queue and perhaps are not."""
    # One that a clock in the future wrote would otherwise wait until then.
    untouched = {
        "$or": [{"updated_at": {"$lt": now - GRACE}}, {"updated_at": {"$gt": now + WRONG_CLOCK}}]
    }
    return _ids({"state": QUEUED, **untouched}) + _ids({"state": RUNNING, **lapsed(now)})


def _give_up(run_id: ObjectId, reason: str, now: datetime) -> bool:
    """Counts a delivery that failed; True when the run has ended with it."""
    runs = JobRun.collection()
    counted = runs.find_one_and_update(
        {"_id": run_id, "state": QUEUED},
        # The next delivery waits for the grace time, so that a worker can be put right.
        {"$inc": {"failed_deliveries": 1}, "$set": {"updated_at": now}},
        return_document=True,
    )
    if counted is None:
        return False
    log(run_id, f"{now:%Y-%m-%d %H:%M:%S}Z no worker could begin: {reason}")
    if counted["failed_deliveries"] < DELIVERIES:
        return False
    over: Stored = {"state": FAILED, "ended_at": now, "error": UNDELIVERED}
    ended = runs.update_one(
        {"_id": run_id, "state": QUEUED, "failed_deliveries": {"$gte": DELIVERIES}},
        {
            "$set": {**over, "error_params": {"reason": reason}},
            "$unset": {"alone": ""},
            "$inc": {"version": 1},
        },
    )
    return ended.matched_count == 1


def _end_lapsed(now: datetime) -> None:
    """Ends lapsed runs that a person cancelled, or that have died too often."""
    runs = JobRun.collection()
    silent: Stored = {"state": RUNNING, **lapsed(now)}
    over: Stored = {"ended_at": now, "updated_at": now, "lease_until": None}
    # A run may go back to the queue between the request and the moment in which it would notice.
    stopped: Stored = {"$or": [silent, {"state": QUEUED}]}
    runs.update_many(
        {**stopped, "cancel_requested_at": {"$ne": None}},
        {"$set": {**over, "state": CANCELLED}, "$unset": {"alone": ""}},
    )
    runs.update_many(
        {**silent, "attempts": {"$gte": ATTEMPTS}},
        {"$set": {**over, "state": FAILED, "error": GIVEN_UP}, "$unset": {"alone": ""}},
    )


def _ids(criteria: Stored) -> list[ObjectId]:
    return [row["_id"] for row in JobRun.collection().find(criteria, {"_id": 1})]
