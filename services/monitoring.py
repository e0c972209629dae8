"""What an operator watches, read from the stores at the moment of the question."""

import importlib.metadata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import pymongo
from pymongo.errors import PyMongoError
from redis import RedisError

from config import Settings
from models import JobRun, MailMessage, OutboxMessage
from models.job_run import FAILED, JOB_STATES, QUEUED
from models.mail_message import WAITING
from models.outbox import SET_ASIDE
from models.outbox import WAITING as TO_DO
from services import job_queue, schedules
from services.readiness import LIMIT_SECONDS, answering
from stores import valkey
from stores.errors import StoreError

MONGODB, VALKEY = "mongodb", "valkey"


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number of the moment: its name, what it means, and one value per set of labels."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()
    values: dict[tuple[str, ...], float] = field(default_factory=dict)


def gauges(settings: Settings, now: datetime) -> Iterator[Gauge]:
    """All numbers that can be had; a store that does not answer is only said to be away."""
    yield _build(settings)
    up = answering(settings)
    yield Gauge(
        "carebook_store_up",
        "Whether the store answers within two seconds.",
        ("store",),
        {(name,): float(is_up) for name, is_up in up.items()},
    )
    if up[MONGODB]:
        # One that goes away in between is said to be away at the next question.
        with suppress(PyMongoError, StoreError), pymongo.timeout(LIMIT_SECONDS * 2):
            yield from list(_of_mongodb(settings, now))
    if up[VALKEY]:
        with suppress(RedisError, StoreError, OSError):
            yield from list(_of_valkey())


def _build(settings: Settings) -> Gauge:
    version = importlib.metadata.version("carebook")
    labels = ("version", "timezone")
    return Gauge(
        "carebook_build_info", "The running version.", labels, {(version, settings.timezone): 1}
    )


def _of_mongodb(settings: Settings, now: datetime) -> Iterator[Gauge]:
    runs = JobRun.collection()
    yield Gauge(
        "carebook_jobs",
        "Background jobs in the list, by state.",
        ("state",),
        {(state,): runs.count_documents({"state": state}) for state in JOB_STATES},
    )
    oldest = runs.find_one({"state": QUEUED}, {"created_at": 1}, sort=[("created_at", 1)])
    waited = (now - oldest["created_at"]).total_seconds() if oldest else 0.0
    yield Gauge(
        "carebook_oldest_waiting_job_seconds",
        "How long the job that waits longest has been waiting; 0 when none waits.",
        values={(): max(0.0, waited)},
    )
    states = schedules.lateness(now, settings.zone)
    yield Gauge(
        "carebook_schedule_late_seconds",
        "How long ago the job should have been started that has not been; 0 when on time.",
        ("schedule",),
        {(one.key,): one.late_seconds for one in states},
    )
    yield Gauge(
        "carebook_schedule_failed",
        "Whether the newest ended run of the schedule failed.",
        ("schedule",),
        {(one.key,): float(one.has_failed) for one in states},
    )
    messages = MailMessage.collection()
    yield Gauge(
        "carebook_mail_messages",
        "Messages on their way out, and those that were given up.",
        ("state",),
        {(state,): messages.count_documents({"state": state}) for state in (WAITING, FAILED)},
    )

    outbox = OutboxMessage.collection()
    yield Gauge(
        "carebook_outbox_messages",
        "What is to happen after a save: waiting for a worker, and set aside after failures.",
        ("state",),
        {(state,): outbox.count_documents({"state": state}) for state in (TO_DO, SET_ASIDE)},
    )


def _of_valkey() -> Iterator[Gauge]:
    yield Gauge(
        "carebook_queue_length",
        "Jobs that wait in the queue for a worker.",
        ("queue",),
        {(name,): float(length) for name, length in job_queue.lengths().items()},
    )
    yield Gauge(
        "carebook_workers",
        "Workers that are connected to the queue.",
        values={(): float(job_queue.workers())},
    )
    yield Gauge(
        "carebook_scheduler_up",
        "Whether a scheduler holds the lease.",
        values={(): float(valkey.client().exists(schedules.SCHEDULER_LEASE))},
    )
