"""The shares of a run's walks: who works on which, and how far it has come.

They stand in the JobRun, so that one update keeps position, counts and leases together. A share is
claimed by a conditional update; one whose lease has lapsed is free again, behind its position.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from models import JobRun
from services.job_runs import LEASE, Lease, lapsed
from services.progress import Share

Stored = dict[str, Any]


def plan(lease: Lease, step: str, split: Callable[[], Sequence[Share]]) -> int:
    """Writes the shares of a step unless somebody has; returns how many were written.

    Of two workers that split at the same time, the first one's shares count.
    """
    known = JobRun.collection().find_one({**lease.criteria, "shares.step": step}, {"_id": 1})
    if known is not None:
        return 0
    shares = [
        {
            "step": step,
            "number": share.number,
            "after": share.after,
            "upto": share.upto,
            "worker": None,
            "lease_until": None,
            "is_done": False,
        }
        for share in split()
    ]
    written = JobRun.collection().update_one(
        {**lease.criteria, "shares.step": {"$ne": step}}, {"$push": {"shares": {"$each": shares}}}
    )
    return len(shares) if written.modified_count else 0


def claim(lease: Lease, step: str, now: datetime) -> Share | None:
    """A share of this step to work on from its position; None when none is free."""
    free = {"step": step, "is_done": False, "$or": [{"lease_until": None}, lapsed(now)]}
    held = {"shares.$.worker": lease.worker, "shares.$.lease_until": now + LEASE}
    run = JobRun.collection().find_one_and_update(
        {**lease.criteria, "shares": {"$elemMatch": free}},
        {"$set": held},
        {"shares": 1},
        return_document=True,
    )
    for share in run["shares"] if run else ():
        if share["step"] == step and share["worker"] == lease.worker and not share["is_done"]:
            return Share(share["number"], share.get("position") or share["after"], share["upto"])
    return None


def are_done(lease: Lease, step: str) -> bool:
    """Whether all shares of this step are done, by whatever worker."""
    open_share = {"$elemMatch": {"step": step, "is_done": False}}
    return (
        JobRun.collection().find_one({**lease.criteria, "shares": open_share}, {"_id": 1}) is None
    )


def release(lease: Lease) -> None:
    """Lets others go on at once with what this worker leaves unfinished."""
    JobRun.collection().update_one(
        {"_id": lease.run_id, "shares.worker": lease.worker},
        {"$set": {"shares.$[mine].lease_until": None, "shares.$[mine].worker": None}},
        array_filters=[{"mine.worker": lease.worker, "mine.is_done": False}],
    )


def held(lease: Lease, step: str, share: Share) -> Stored:
    """Matches the run while the worker still holds this share of it."""
    mine = {"step": step, "number": share.number, "worker": lease.worker, "is_done": False}
    return {**lease.criteria, "shares": {"$elemMatch": mine}}
