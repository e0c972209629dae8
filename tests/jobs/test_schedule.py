"""Periodic jobs start once per slot, lost runs are taken up, and hiccups are waited for."""

import threading
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import redis
from pymongo.errors import AutoReconnect

from jobs import schedule
from jobs.schedule import Daily, start_due_jobs, tick
from models import JobRun
from rules.scope import SYSTEM
from services import job_queue, job_runs

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NIGHT = Daily("recompute_care", time(2))


def at(day, hour, minute=0):
    return datetime.combine(day, time(hour, minute), ZONE).astimezone(UTC)


TODAY = date(2026, 11, 21)


def slots():
    return sorted(run["slot"] for run in JobRun.collection().find({"slot": {"$ne": None}}))


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (at(TODAY, 1, 59), date(2026, 11, 20)),
        (at(TODAY, 2), TODAY),
        (at(TODAY, 23, 59), TODAY),
        (at(date(2026, 11, 22), 0), TODAY),
        (at(date(2024, 3, 1), 1), date(2024, 2, 29)),
    ],
)
def test_a_slot_belongs_to_the_day_of_the_site(now, day):
    assert NIGHT.newest_slot(now, ZONE) == day


def test_a_slot_starts_once(db, valkey):
    for minute in (0, 0, 1, 30):
        start_due_jobs(at(TODAY, 2, minute), ZONE)
    assert slots() == ["recompute_care-2026-11-21"]
    assert len(job_queue.waiting_ids()) == 1


def test_after_a_pause_of_days_it_catches_up_once(db, valkey):
    start_due_jobs(at(TODAY, 2), ZONE)
    start_due_jobs(at(TODAY + timedelta(days=5), 12), ZONE)
    start_due_jobs(at(TODAY + timedelta(days=5), 13), ZONE)
    assert slots() == ["recompute_care-2026-11-21", "recompute_care-2026-11-26"]


def test_two_schedulers_that_both_believe_they_work_start_it_once(db, valkey, monkeypatch):
    both_saw_nothing = threading.Barrier(2, timeout=10)
    create = job_runs.create

    def create_together(*arguments, **options):
        both_saw_nothing.wait()
        return create(*arguments, **options)

    monkeypatch.setattr(job_runs, "create", create_together)
    both = [threading.Thread(target=start_due_jobs, args=(at(TODAY, 2), ZONE)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert slots() == ["recompute_care-2026-11-21"]


def test_only_the_holder_of_the_lease_works(db, valkey, settings):
    assert tick(settings, "one", at(TODAY, 2))
    assert not tick(settings, "two", at(TODAY, 2))
    assert tick(settings, "one", at(TODAY, 3))
    schedule._release("two")
    assert not tick(settings, "two", at(TODAY, 3))
    schedule._release("one")
    assert tick(settings, "two", at(TODAY, 3))


def test_the_lease_lapses_by_itself(db, valkey, settings):
    tick(settings, "one", at(TODAY, 2))
    assert 0 < valkey.pttl(schedule.LEASE_KEY) <= schedule.LEASE_MS


def test_it_takes_up_runs_that_never_reached_the_queue(db, valkey, settings):
    now = datetime.now(UTC)
    run_id = job_runs.create("recompute_care", {}, SYSTEM, at=now - timedelta(minutes=1))
    tick(settings, "one", now)
    assert run_id in job_queue.waiting_ids()


@pytest.mark.parametrize(
    "hiccup", [redis.ConnectionError("away"), AutoReconnect("away"), ValueError("a bad run")]
)
def test_it_survives_hiccups_and_leaves_the_lease_at_the_end(
    db, valkey, settings, monkeypatch, hiccup
):
    monkeypatch.setattr(schedule, "TICK_SECONDS", 0)
    rounds = iter([hiccup, hiccup, None])
    stop = threading.Event()
    work = schedule.tick

    def sometimes(*arguments):
        trouble = next(rounds)
        if trouble:
            raise trouble
        stop.set()
        return work(*arguments)

    monkeypatch.setattr(schedule, "tick", sometimes)
    schedule.run_forever(settings, stop)
    assert len(slots()) == 1
    assert valkey.get(schedule.LEASE_KEY) is None
