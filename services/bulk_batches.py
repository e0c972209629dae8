"""The batches of bulk changes: who works on one, whether it broke off, what can be done with it (B.5).

A batch is worked on by a job (`run_id`) or within a page (`busy_until`). When neither is at it any
more and it is still under way, its process was killed or stopped: it can be taken back or gone on.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import BulkEdit, BulkEdited, JobRun
from models.bulk_edit import CHANGING, DONE, UNDOING
from models.job_run import ACTIVE_STATES
from rules.errors import NotAllowed, NotFound
from rules.filters import merge
from rules.permissions import JOBS, SEE
from rules.scope import Actor, scope
from services import configuration
from stores import mongo

Stored = dict[str, Any]

UNDO_DAYS = 30
BUSY = timedelta(minutes=2)  # more than a page needs for the rows that it changes itself
UNDER_WAY = (CHANGING, UNDOING)
REFUSALS_MOST = 500
# What tells one worker's turn from another's.
TURN = ("state", "run_id", "busy_until")


def newest(*, by: Actor, at: datetime, limit: int = 50) -> list[Stored]:
    """The newest batches, each with `is_interrupted`: an administrator sees all, others their own."""
    criteria = {} if by.can(JOBS) else {"staff_id": by.staff_id}
    found = BulkEdit.collection().find(criteria, {"criteria": 0, "ids": 0})
    return _with_interruption(list(found.sort("at", -1).limit(limit)), at)


def one(bulk_edit_id: ObjectId, *, by: Actor, at: datetime) -> Stored:
    """A batch with `is_interrupted`. Raises NotFound, NotAllowed for somebody else's."""
    batch = BulkEdit.collection().find_one({"_id": bulk_edit_id})
    if batch is None:
        raise NotFound()
    if batch["staff_id"] != by.staff_id and not by.can(JOBS):
        raise NotAllowed()
    return _with_interruption([batch], at)[0]


def may_undo(batch: Stored, at: datetime) -> bool:
    """Whether a batch can still be taken back: one that is done, or broke off on the way."""
    is_at_rest = batch["state"] == DONE or bool(batch.get("is_interrupted"))
    return is_at_rest and bool(batch["at"] > at - timedelta(days=UNDO_DAYS))


def may_go_on(batch: Stored, at: datetime) -> bool:
    """Whether the change of a batch broke off and can be finished."""
    return batch["state"] == CHANGING and may_undo(batch, at)


def take(batch: Stored, values: Stored, session: ClientSession) -> bool:
    """Claims a batch for the next one to work on it; False when somebody was faster."""
    claimed = BulkEdit.collection().update_one(turn(batch), {"$set": values}, session=session)
    return claimed.modified_count == 1


def turn(batch: Stored) -> Stored:
    """Matches the batch for as long as whoever has read it so is the one to work on it."""
    return {"_id": batch["_id"], **{name: batch.get(name) for name in TURN}}


def is_taken(batch: Stored) -> bool:
    """Whether somebody else works on the batch by now, or it was taken back."""
    return not BulkEdit.collection().count_documents(turn(batch), limit=1)


def let_go(bulk_edit_id: ObjectId) -> None:
    """The page that worked on the batch has failed: it can be taken back or gone on at once."""
    BulkEdit.collection().update_one(
        {"_id": bulk_edit_id, "state": {"$in": UNDER_WAY}, "run_id": None},
        {"$set": {"busy_until": None}},
    )


def finish(batch: Stored, state: str) -> None:
    """Ends the turn; the change of a batch leaves its numbers."""
    values = numbers(batch["_id"]) if state == DONE else {}
    BulkEdit.collection().update_one(turn(batch), {"$set": {"state": state, **values}})


def numbers(bulk_edit_id: ObjectId) -> dict[str, int]:
    """How many records were changed, and how many refused, until now."""
    mine = {"bulk_edit_id": bulk_edit_id}
    refused = BulkEdited.collection().count_documents({**mine, "reason": {"$gt": ""}})
    return {
        "changed": BulkEdited.collection().count_documents(mine) - refused,
        "refused": refused,
    }


def refusals(batches: Iterable[Stored], *, by: Actor) -> dict[ObjectId, list[Stored]]:
    """{batch: records left as they were, with `label`, `reason` and `reason_params`}.

    A record that the reader does not see has no label.
    """
    kinds = {batch["_id"]: batch["kind"] for batch in batches}
    refused = {"bulk_edit_id": {"$in": list(kinds)}, "reason": {"$gt": ""}}
    found: dict[ObjectId, list[Stored]] = {}
    for entry in BulkEdited.collection().find(refused).limit(REFUSALS_MOST):
        found.setdefault(entry["bulk_edit_id"], []).append(entry)
    for kind in {kinds[batch_id] for batch_id in found}:
        entries = [e for batch_id, of in found.items() if kinds[batch_id] == kind for e in of]
        labels = _labels(kind, [entry["record_id"] for entry in entries], by)
        for entry in entries:
            entry["label"] = labels.get(entry["record_id"], "")
    return found


def title(row: Stored, kind: Any) -> str:
    """What a record is called in lists of samples: its name with its code, as names repeat."""
    path = kind.fields[kind.title].path if kind.title in kind.fields else "code"
    names = (str(row.get(one) or "") for one in (path, "code"))
    return " · ".join(dict.fromkeys(filter(None, names)))


def _labels(key: str, ids: list[ObjectId], by: Actor) -> dict[ObjectId, str]:
    kind = configuration.snapshot().kinds.get(key)
    if kind is None:
        return {}
    criteria = merge([dict(kind.base), {"_id": {"$in": ids}}, scope(by, key, SEE)])
    rows = mongo.database()[kind.collection].find(criteria)
    return {row["_id"]: title(by.shown(key, row), kind) for row in rows}


def _with_interruption(batches: list[Stored], at: datetime) -> list[Stored]:
    """Says of each batch whether it broke off, and how far one has come that did."""
    under_way = [batch for batch in batches if batch["state"] in UNDER_WAY]
    run_ids = [batch["run_id"] for batch in under_way if batch.get("run_id")]
    active = {"_id": {"$in": run_ids}, "state": {"$in": list(ACTIVE_STATES)}}
    runs = {run["_id"] for run in JobRun.collection().find(active, {"_id": 1})} if run_ids else ()
    for batch in under_way:
        until = batch.get("busy_until")
        is_busy = batch["run_id"] in runs if batch.get("run_id") else bool(until and until > at)
        batch["is_interrupted"] = not is_busy
        if batch["state"] == CHANGING:
            batch |= numbers(batch["_id"])
    return batches
