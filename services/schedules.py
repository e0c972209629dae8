"""Periodic jobs: when they are due, starting them, and changing when they run."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import JobRun, Schedule
from models.job_run import ACTIVE_STATES, FAILED
from rules.errors import N_, CareError, InvalidInput, NotAllowed, NotFound, StaleForm
from rules.permissions import CONFIGURE
from rules.schedules import LONGEST_MINUTES, SHORTEST_MINUTES, Timing
from rules.scope import SYSTEM, Actor
from services import audit, configuration_changes, job_runs
from stores import mongo

logger = logging.getLogger(__name__)

Stored = dict[str, Any]
TIME = re.compile(r"(\d{1,2})\s*[:hg.]\s*(\d{2})")

# key, which is the job's name too: local time. Nightly work, one after the other, before people
# come; the order matters: facts before what is decided by them.
SHIPPED: dict[str, str | Stored] = {
    "recompute_care": "02:00",
    "recompute_scope": "02:20",
    "recompute_relationships": "02:30",
    # Somebody whose time is over must not go on reading until the night.
    "end_viewers": {"at_time": "00:00", "every_minutes": 15, "until_time": "23:59"},
    # Before work begins; without a mail server it does nothing.
    "morning_mail": {"at_time": "07:00", "weekdays": [0, 1, 2, 3, 4, 5]},
    "purge_job_runs": "03:30",
    "purge_audit": "03:40",
    "purge_trash": "03:50",
    "remove_orphans": {"at_time": "04:10", "weekdays": [6]},
}

SECTION = "schedules"  # of the configuration
CONTENT = ("at_time", "weekdays", "every_minutes", "until_time", "is_paused")

# The key in Valkey that the one scheduler holds that works.
SCHEDULER_LEASE = "carebook:scheduler"
IDLE_KEPT = timedelta(hours=1)  # of a run every few minutes that had nothing to do
WRONG_CLOCK = timedelta(days=7)  # what lies further ahead was written by a clock that was wrong


@dataclass(frozen=True, slots=True)
class Shown:
    """A schedule for its screen: its next run (None: paused) and its newest run."""

    stored: Stored
    next_at: datetime | None
    last_run: Stored | None
    active_run_id: ObjectId | None


def ensure() -> None:
    """Adds the shipped schedules that are missing. Safe to call from several processes."""
    for key, when in SHIPPED.items():
        Schedule.collection().update_one(
            {"key": key},
            {
                "$setOnInsert": {
                    "job": key,
                    "arguments": {},
                    "weekdays": list(range(7)),
                    "is_paused": False,
                    "source": "shipped",
                    "version": 1,
                    **({"at_time": when} if isinstance(when, str) else when),
                }
            },
            upsert=True,
        )


def timing(stored: Mapping[str, Any]) -> Timing:
    """The timing of a stored schedule."""
    return Timing(
        time.fromisoformat(stored["at_time"]),
        frozenset(stored.get("weekdays") or ()),
        stored.get("every_minutes"),
        time.fromisoformat(stored.get("until_time") or "23:59"),
    )


def start_due(now: datetime, zone: ZoneInfo) -> list[ObjectId]:
    """Starts the newest slot of each schedule that has not been started; returns the runs.

    After a pause of the scheduler, however long, each schedule is caught up once. A slot waits
    while the schedule's run before still waits or works, and is started once even by two
    schedulers that both believe that they work.
    """
    started = []
    for stored in Schedule.collection().find({"is_paused": {"$ne": True}}):
        run_id = _start_if_due(stored, now, zone)
        if run_id:
            started.append(run_id)
    return started


def _start_if_due(stored: Stored, now: datetime, zone: ZoneInfo) -> ObjectId | None:
    due = _due_slot(stored, now, zone)
    if due is None:
        return None
    slot = f"{stored['key']}-{due}"
    run_id = job_runs.of_slot(slot)
    if run_id is None:
        if job_runs.active_run(stored["key"]):
            return None
        run_id = _create(stored, SYSTEM, now, slot=slot)
        job_runs.enqueue(run_id)
        logger.info("Schedule %s starts as run %s.", slot, run_id)
    # Not to a lower value by a scheduler that is late; but one that a wrong clock wrote goes.
    seen = {"_id": stored["_id"], "last_slot": stored.get("last_slot")}
    Schedule.collection().update_one(seen, {"$set": {"last_slot": due}})
    if stored.get("every_minutes"):
        job_runs.purge_idle(stored["key"], now - IDLE_KEPT)
    return run_id


def _due_slot(stored: Stored, now: datetime, zone: ZoneInfo) -> str | None:
    """The key of the newest slot at `now` that has not been started, or None."""
    when = timing(stored)
    slot = when.newest(now, zone)
    if slot is None or _is_over(stored, when.key(slot), now):
        return None
    if _since(stored, now) and when.instant(slot, zone) < stored["since"]:
        return None
    return when.key(slot)


def _is_over(stored: Mapping[str, Any], slot: str, now: datetime) -> bool:
    """Whether this slot was started, or one after it.

    A slot far in the future was started while a clock was wrong: it does not count, or nothing
    would start until then. The key of each slot still makes sure that none starts twice.
    """
    last = stored.get("last_slot") or ""
    return slot <= last <= (now + WRONG_CLOCK).date().isoformat()


def _since(stored: Mapping[str, Any], now: datetime) -> bool:
    """Whether the times of the schedule count from an instant that a right clock wrote."""
    return bool(stored.get("since")) and stored["since"] <= now + WRONG_CLOCK


def _create(stored: Stored, by: Actor, at: datetime, *, slot: str | None = None) -> ObjectId:
    return job_runs.create(
        stored["job"], stored.get("arguments") or {}, by, slot=slot, schedule=stored["key"], at=at
    )


def run_now(key: str, *, by: Actor, at: datetime) -> ObjectId:
    """Starts the schedule's job at once; while it runs already, that run is the answer.

    Raises NotAllowed, NotFound.
    """
    stored = _for_change(key, by)
    run_id = job_runs.active_run(key) or _create(stored, by, at)
    job_runs.enqueue(run_id)
    return run_id


def shown(now: datetime, zone: ZoneInfo) -> list[Shown]:
    """All schedules in the order in which they run, with their newest runs."""
    found = sorted(Schedule.collection().find(), key=lambda one: (one["at_time"], one["key"]))
    last = _newest_runs([one["key"] for one in found])
    return [
        Shown(
            stored=one,
            next_at=None if one.get("is_paused") else timing(one).following(now, zone),
            last_run=last.get(one["key"]),
            active_run_id=job_runs.active_run(one["key"]),
        )
        for one in found
    ]


@dataclass(frozen=True, slots=True)
class Punctuality:
    """How late the start of a schedule's job is (0: on time), and whether its newest run failed."""

    key: str
    late_seconds: float
    has_failed: bool


def lateness(now: datetime, zone: ZoneInfo) -> list[Punctuality]:
    """The punctuality of each schedule that is not paused."""
    ended = {"state": {"$nin": list(ACTIVE_STATES)}}
    found = []
    for stored in Schedule.collection().find({"is_paused": {"$ne": True}}).sort("key", 1):
        run = JobRun.collection().find_one(
            {"schedule": stored["key"], **ended}, {"state": 1}, sort=[("created_at", -1)]
        )
        late = _late_seconds(stored, now, zone)
        found.append(Punctuality(stored["key"], late, bool(run and run["state"] == FAILED)))
    return found


def _late_seconds(stored: Stored, now: datetime, zone: ZoneInfo) -> float:
    due = _due_slot(stored, now, zone)
    if due is None or job_runs.of_slot(f"{stored['key']}-{due}"):
        return 0.0
    when = timing(stored)
    slot = when.newest(now, zone)
    return (now - when.instant(slot, zone)).total_seconds() if slot else 0.0


def _newest_runs(keys: Sequence[str]) -> dict[str, Stored]:
    found = {}
    for key in keys:
        run = JobRun.collection().find_one({"schedule": key}, sort=[("created_at", -1)])
        if run:
            found[key] = run
    return found


def save(
    key: str,
    *,
    at_time: str,
    weekdays: Sequence[str],
    is_paused: bool,
    every_minutes: str = "",
    until_time: str = "",
    version: int,
    by: Actor,
    at: datetime,
) -> None:
    """Changes when a schedule runs; slots that are over under the new times are not caught up.

    Without `every_minutes` it runs once a day at `at_time`, else from then until `until_time`.

    Raises NotAllowed, NotFound, InvalidInput with `fields`, StaleForm.
    """
    values = _parsed(at_time, weekdays, every_minutes, until_time) | {"is_paused": is_paused}

    def work(session: ClientSession) -> None:
        stored = _for_change(key, by, session)
        if stored.get("version", 1) != version:
            raise StaleForm()
        if put(key, values, by=by, at=at, session=session):
            made = {"section": SECTION, "key": key, "before": _content(stored)}
            made["after"] = _content(stored | values)
            configuration_changes.record([made], says="", by=by, at=at, session=session)

    mongo.in_transaction(work)


def contents(session: ClientSession | None = None) -> dict[str, Stored]:
    """{key: when it runs}, as a file has them."""
    found = Schedule.collection().find(session=session).sort("key", 1)
    return {one["key"]: _content(one) for one in found}


def put(
    key: str, content: Mapping[str, Any], *, by: Actor, at: datetime, session: ClientSession
) -> bool:
    """Writes when a schedule runs; whether anything changed. Raises NotFound."""
    stored = _for_change(key, by, session)
    values = dict.fromkeys(("every_minutes", "until_time")) | dict(content)
    changes = {
        name: (stored.get(name), value)
        for name, value in values.items()
        if stored.get(name) != value
    }
    if not changes:
        return False
    Schedule.collection().update_one(
        {"_id": stored["_id"]},
        {"$set": values | {"since": at, "updated_at": at}, "$inc": {"version": 1}},
        session=session,
    )
    audit.record(
        by=by,
        at=at,
        action="update",
        kind="schedules",
        record_id=stored["_id"],
        label=key,
        changes=changes,
        session=session,
    )
    return True


def _content(stored: Mapping[str, Any]) -> Stored:
    found = {name: stored.get(name) for name in CONTENT}
    return {name: value for name, value in found.items() if value is not None}


def _for_change(key: str, by: Actor, session: ClientSession | None = None) -> Stored:
    if not by.can(CONFIGURE):
        raise NotAllowed()
    stored = Schedule.collection().find_one({"key": key}, session=session)
    if stored is None:
        raise NotFound()
    return stored


def _parsed(at_time: str, weekdays: Sequence[str], every_minutes: str, until_time: str) -> Stored:
    errors: dict[str, CareError] = {}
    at = _time(at_time, "at_time", errors)
    days = sorted({int(day) for day in weekdays if day in tuple("0123456")})
    if not days:
        errors["weekdays"] = InvalidInput(N_("Tick at least one weekday, or pause the schedule."))
    every, until = None, None
    if every_minutes.strip():
        every = int(every_minutes) if every_minutes.strip().isdecimal() else 0
        if not SHORTEST_MINUTES <= every <= LONGEST_MINUTES:
            errors["every_minutes"] = InvalidInput(
                N_("A schedule may run every %(least)s to %(most)s minutes."),
                least=SHORTEST_MINUTES,
                most=LONGEST_MINUTES,
            )
        until = _time(until_time or "23:59", "until_time", errors)
        if until <= at and not errors:
            errors["until_time"] = InvalidInput(
                N_("The end of the time window must be later than its beginning, on the same day.")
            )
    if errors:
        raise InvalidInput(fields=errors)
    return {"at_time": at, "weekdays": days, "every_minutes": every, "until_time": until}


def _time(text: str, field: str, errors: dict[str, CareError]) -> str:
    read = TIME.fullmatch(text.strip())
    hour, minute = (int(part) for part in read.groups()) if read else (24, 0)
    if hour > 23 or minute > 59:
        errors[field] = InvalidInput(N_("Write the time like 02:30."))
    return f"{hour:02}:{minute:02}"
