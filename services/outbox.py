"""What has to happen after a save: written with it, delivered at least once, acted on once.

`put` writes a message in the transaction of a change. After the commit a worker is told, and the
scheduler looks for what was forgotten, so that neither a kill nor a lost queue loses anything. The
topics and who acts on them stand in `jobs.topics`.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from models import OutboxMessage
from models.outbox import DONE, SET_ASIDE, WAITING
from rules.errors import N_, CareError, NotAllowed, NotFound, StoreUnavailable
from rules.permissions import JOBS
from rules.scope import Actor
from services import audit, job_queue
from stores import mongo

Stored = dict[str, Any]
logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)  # longer than acting on one message may take
FIRST_RETRY = timedelta(seconds=5)  # doubled after each failure
LONGEST_RETRY = timedelta(hours=1)
ATTEMPTS = 10  # about an hour and a half
SILENT_FOR = timedelta(seconds=2)  # a message gets to reach a worker by itself
SHOWN = 100

UNEXPECTED = N_("Something unexpected happened: %(reason)s")


@dataclass(frozen=True, slots=True)
class Message:
    """A message to act on; `key` is the same at each attempt, for receivers that count."""

    id: ObjectId
    topic: str
    key: str
    payload: Mapping[str, Any]
    attempt: int


@dataclass(frozen=True, slots=True)
class Within:
    """Acts in the database only: in one transaction with the note that it was done, so just once."""

    act: Callable[[Message, ClientSession], None]
    attempts: int = ATTEMPTS


@dataclass(frozen=True, slots=True)
class Outside:
    """Acts somewhere else, or in steps that may be repeated. After a kill it is called again: it
    looks for what it did before, or hands `message.key` on as the idempotency key."""

    act: Callable[[Message], None]
    attempts: int = ATTEMPTS


Topics = Mapping[str, Within | Outside]


def put(
    session: ClientSession,
    topic: str,
    key: str,
    payload: Mapping[str, Any],
    *,
    at: datetime | None = None,
    not_before: datetime | None = None,
) -> None:
    """Writes a message in the transaction of a change; after the commit a worker is told.

    The same topic and key a second time is the same message. `payload` is plain data: ids, texts,
    numbers, dates. It is forgotten once it was acted on.

    Args:
        not_before: leaves it until then to whoever calls `done`.
    """
    at = at or datetime.now(UTC)
    message = {
        "payload": dict(payload),
        "state": WAITING,
        "attempts": 0,
        "next_try_at": not_before or at,
        "version": 1,
        "created_at": at,
        "updated_at": at,
    }
    OutboxMessage.collection().update_one(
        {"topic": topic, "key": key}, {"$setOnInsert": message}, upsert=True, session=session
    )
    if not_before is None:
        mongo.after_commit(session, job_queue.call_for_outbox)


def done(topic: str, key: str, at: datetime) -> None:
    """Tells that somebody has done already what a message waits for."""
    OutboxMessage.collection().update_one(
        {"topic": topic, "key": key, "state": WAITING}, _done_update(at)
    )


def sweep(now: datetime) -> bool:
    """Tells a worker when something is due that nobody has taken; True if so."""
    due = _due(now - SILENT_FOR)
    if OutboxMessage.collection().find_one(due, {"_id": 1}) is None:
        return False
    job_queue.call_for_outbox()
    return True


def deliver(topics: Topics, worker: str, now: Callable[[], datetime] = mongo.server_time) -> int:
    """Acts on everything that is due, the oldest first; returns how many were done.

    Several workers may do so at once. Messages of topics that this version does not know wait for
    one that does.
    """
    job_queue.heard_outbox()
    return sum(
        _deliver(message, topics[message.topic], now) for message in _claims(topics, worker, now)
    )


def _claims(topics: Topics, worker: str, now: Callable[[], datetime]) -> Iterator[Message]:
    while True:
        at = now()
        held = {"lease_until": at + LEASE, "worker": worker, "updated_at": at}
        found = OutboxMessage.collection().find_one_and_update(
            {**_due(at), "topic": {"$in": sorted(topics)}},
            {"$set": held, "$inc": {"attempts": 1}},
            sort=[("next_try_at", 1)],
            return_document=True,
        )
        if found is None:
            return
        yield Message(
            found["_id"], found["topic"], found["key"], found["payload"], found["attempts"]
        )


def _due(now: datetime) -> Stored:
    free: Stored = {"$or": [{"lease_until": None}, {"lease_until": {"$lt": now}}]}
    return {"state": WAITING, "next_try_at": {"$lte": now}, **free}


def _deliver(message: Message, how: Within | Outside, now: Callable[[], datetime]) -> bool:
    try:
        if isinstance(how, Within):
            _act_within(message, how, now())
        else:
            how.act(message)
            _note_done(message, now(), None)
    except _Lost:
        logger.warning("Outbox message %s was taken by another worker.", message.id)
        return False
    except StoreUnavailable as error:
        _try_again(message, how, error, now())
    except CareError as error:
        _set_aside(message, error, now())
    except Exception as error:
        logger.exception("Outbox message %s (%s) failed.", message.id, message.topic)
        reason = f"{type(error).__name__}: {error}"[:300]
        _try_again(message, how, CareError(UNEXPECTED, reason=reason), now())
    else:
        return True
    return False


class _Lost(Exception):
    """Another worker has taken the message: what was done in the transaction is undone."""


def _act_within(message: Message, how: Within, at: datetime) -> None:
    def work(session: ClientSession) -> None:
        _note_done(message, at, session)
        how.act(message, session)

    mongo.in_transaction(work)


def _held(message: Message) -> Stored:
    return {"_id": message.id, "state": WAITING, "attempts": message.attempt}


def _note_done(message: Message, at: datetime, session: ClientSession | None) -> None:
    noted = OutboxMessage.collection().update_one(_held(message), _done_update(at), session=session)
    if not noted.matched_count:
        raise _Lost


def _done_update(at: datetime) -> Stored:
    values = {"state": DONE, "done_at": at, "updated_at": at, "lease_until": None}
    gone = ("payload", "error", "error_params")
    return {"$set": values, "$unset": dict.fromkeys(gone, ""), "$inc": {"version": 1}}


def _try_again(message: Message, how: Within | Outside, error: CareError, at: datetime) -> None:
    if message.attempt >= how.attempts:
        _set_aside(message, error, at)
        return
    wait = min(FIRST_RETRY * 2 ** min(message.attempt - 1, 20), LONGEST_RETRY)
    _note(message, error, {"next_try_at": at + wait, "updated_at": at})


def _set_aside(message: Message, error: CareError, at: datetime) -> None:
    logger.warning("Outbox message %s (%s) was set aside: %s", message.id, message.topic, error)
    _note(message, error, {"state": SET_ASIDE, "updated_at": at})


def _note(message: Message, error: CareError, values: Stored) -> None:
    known = {
        name: value if isinstance(value, int | float) else str(value)
        for name, value in error.params.items()
    }
    failed = {"lease_until": None, "error": error.message, "error_params": known}
    try:
        OutboxMessage.collection().update_one(
            _held(message), {"$set": values | failed, "$inc": {"version": 1}}
        )
    except PyMongoError:
        logger.warning("Outbox message %s is taken up when its lease has lapsed.", message.id)


def set_aside(limit: int = SHOWN) -> list[Stored]:
    """What could not be done, the newest first."""
    found = OutboxMessage.collection().find({"state": SET_ASIDE})
    return list(found.sort("next_try_at", -1).limit(limit))


def set_aside_count(most: int = SHOWN) -> int:
    """How many there are, counted up to `most`."""
    return OutboxMessage.collection().count_documents({"state": SET_ASIDE}, limit=most)


def try_again(message_id: ObjectId, *, by: Actor, at: datetime) -> None:
    """Lets a message that was set aside be delivered anew."""
    _take_out(message_id, {"state": WAITING, "attempts": 0, "next_try_at": at}, "try again", by, at)


def give_up(message_id: ObjectId, *, by: Actor, at: datetime) -> None:
    """Takes a message that was set aside off the list for good."""
    _take_out(message_id, {"state": DONE, "done_at": at}, "give up", by, at)


def _take_out(message_id: ObjectId, values: Stored, action: str, by: Actor, at: datetime) -> None:
    if not by.can(JOBS):
        raise NotAllowed()

    def work(session: ClientSession) -> None:
        found = OutboxMessage.collection().find_one_and_update(
            {"_id": message_id, "state": SET_ASIDE},
            {"$set": values | {"updated_at": at}, "$inc": {"version": 1}},
            session=session,
        )
        if found is None:
            raise NotFound(N_("Somebody has dealt with this already."))
        audit.record(
            by=by,
            at=at,
            action=action,
            kind="outbox",
            record_id=message_id,
            label=f"{found['topic']} {found['key']}"[:200],
            changes={},
            session=session,
        )
        mongo.after_commit(session, job_queue.call_for_outbox)

    mongo.in_transaction(work)
