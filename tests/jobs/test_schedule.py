"""Schedules start once per slot, lost runs are taken up, and hiccups are waited for."""

import threading
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import redis
from pymongo.errors import AutoReconnect

from jobs import schedule
from jobs.registry import JOBS
from jobs.schedule import tick
from models import JobRun, Schedule
from rules.errors import InvalidInput, NotAllowed, NotFound, StaleForm
from rules.scope import SYSTEM
from services import job_queue, job_runs, schedules

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
KEY = "recompute_care"


def at(day, hour, minute=0):
    return datetime.combine(day, time(hour, minute), ZONE).astimezone(UTC)


TODAY = date(2026, 11, 21)


@pytest.fixture
def one(db):
    """One schedule, every night at two."""
    schedules.ensure()
    Schedule.collection().delete_many({"key": {"$ne": KEY}})


def slots():
    return sorted(run["slot"] for run in JobRun.collection().find({"slot": {"$ne": None}}))


def start(now):
    return schedules.start_due(now, ZONE)


def end_all():
    JobRun.collection().update_many({}, {"$set": {"state": "done"}, "$unset": {"alone": ""}})


def change(by, at_time="02:00", weekdays="0123456", is_paused=False, now=None, version=1):
    schedules.save(
        KEY,
        at_time=at_time,
        weekdays=list(weekdays),
        is_paused=is_paused,
        version=version,
        by=by,
        at=now or at(TODAY, 10),
    )


def test_every_shipped_schedule_has_a_job(db):
    schedules.ensure()
    assert {one["job"] for one in Schedule.collection().find()} <= set(JOBS)


def test_shipping_again_keeps_what_the_site_changed(one, administrator):
    change(administrator, "04:45")
    schedules.ensure()
    assert Schedule.collection().find_one({"key": KEY})["at_time"] == "04:45"


def test_a_slot_starts_once(one, valkey):
    for minute in (0, 0, 1, 30):
        start(at(TODAY, 2, minute))
    assert slots() == ["recompute_care-2026-11-21"]
    assert len(job_queue.waiting_ids()) == 1


def test_after_a_pause_of_days_it_catches_up_once(one, valkey):
    start(at(TODAY, 2))
    end_all()
    start(at(TODAY + timedelta(days=5), 12))
    start(at(TODAY + timedelta(days=5), 13))
    assert slots() == ["recompute_care-2026-11-21", "recompute_care-2026-11-26"]


def test_it_never_runs_twice_at_the_same_time(one, valkey):
    start(at(TODAY, 2))
    tomorrow = TODAY + timedelta(days=1)
    assert start(at(tomorrow, 2)) == []
    end_all()
    assert len(start(at(tomorrow, 2, 30))) == 1
    assert slots()[-1] == "recompute_care-2026-11-22"


def test_a_clock_that_jumps_back_starts_nothing_again(one, valkey):
    start(at(TODAY, 2))
    end_all()
    assert start(at(TODAY - timedelta(days=3), 3)) == []


def test_after_a_clock_was_wrong_for_a_while_schedules_go_on(one, valkey):
    start(at(TODAY, 2))
    end_all()
    start(at(TODAY + timedelta(days=400), 3))
    end_all()
    assert start(at(TODAY, 4)) != []  # the run of this night is known: it does not start again
    assert slots() == ["recompute_care-2026-11-21", "recompute_care-2027-12-26"]
    start(at(TODAY + timedelta(days=1), 2))
    assert slots()[1] == "recompute_care-2026-11-22"


def test_two_schedulers_that_both_believe_they_work_start_it_once(one, valkey, monkeypatch):
    both_saw_nothing = threading.Barrier(2, timeout=10)
    create = job_runs.create

    def create_together(*arguments, **options):
        both_saw_nothing.wait()
        return create(*arguments, **options)

    monkeypatch.setattr(job_runs, "create", create_together)
    both = [threading.Thread(target=start, args=(at(TODAY, 2),)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert slots() == ["recompute_care-2026-11-21"]


def test_a_paused_schedule_waits_and_does_not_catch_up(one, valkey, administrator):
    change(administrator, is_paused=True, now=at(TODAY, 1))
    assert start(at(TODAY, 3)) == []
    change(administrator, is_paused=False, now=at(TODAY, 10), version=2)
    assert start(at(TODAY, 11)) == []
    assert len(start(at(TODAY + timedelta(days=1), 2))) == 1


def test_another_time_counts_from_its_next_turn_and_never_twice_a_day(one, valkey, administrator):
    start(at(TODAY, 2))
    end_all()
    change(administrator, "10:30", now=at(TODAY, 10))
    assert start(at(TODAY, 10, 30)) == []
    assert len(start(at(TODAY + timedelta(days=1), 10, 30))) == 1


def test_only_its_weekdays_count(one, valkey, administrator):
    change(administrator, weekdays="0", now=at(TODAY, 1))  # 21 November 2026 is a Saturday
    assert start(at(TODAY, 3)) == []
    assert len(start(at(TODAY + timedelta(days=2), 3))) == 1


def test_run_now_starts_once_however_often_it_is_clicked(one, valkey, administrator):
    clicks = []

    def click():
        clicks.append(schedules.run_now(KEY, by=administrator, at=at(TODAY, 9)))

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(clicks)) == 1
    assert JobRun.collection().count_documents({}) == 1
    assert start(at(TODAY, 9)) == []


@pytest.mark.parametrize(
    ("typed", "field"), [({"at_time": "25:00"}, "at_time"), ({"at_time": "soon"}, "at_time"), ({"weekdays": ""}, "weekdays")]
)  # fmt: skip
def test_what_cannot_be_a_time_is_refused(one, administrator, typed, field):
    with pytest.raises(InvalidInput) as refused:
        change(administrator, **typed)
    assert field in refused.value.fields


@pytest.mark.parametrize("typed", ["4:05", "04h05", " 04:05 "])
def test_times_as_people_write_them(one, administrator, typed):
    change(administrator, typed)
    assert Schedule.collection().find_one()["at_time"] == "04:05"


def test_only_administrators_change_and_start(one, manager, administrator):
    with pytest.raises(NotAllowed):
        change(manager)
    with pytest.raises(NotAllowed):
        schedules.run_now(KEY, by=manager, at=at(TODAY, 9))
    with pytest.raises(NotFound):
        schedules.run_now("nonsense", by=administrator, at=at(TODAY, 9))
    change(administrator, "03:00")
    with pytest.raises(StaleForm):
        change(administrator, "04:00", version=1)


def test_the_screen_shows_the_next_run_in_local_time(one, valkey, administrator):
    run_id = start(at(TODAY, 2))[0]
    (shown,) = schedules.shown(at(TODAY, 9), ZONE)
    assert shown.next_at == at(TODAY + timedelta(days=1), 2)
    assert shown.last_run["_id"] == shown.active_run_id == run_id
    change(administrator, is_paused=True)
    assert schedules.shown(at(TODAY, 9), ZONE)[0].next_at is None


def test_only_the_holder_of_the_lease_works(one, valkey, settings):
    assert tick(settings, "one", at(TODAY, 2))
    assert not tick(settings, "two", at(TODAY, 2))
    assert tick(settings, "one", at(TODAY, 3))
    schedule._release("two")
    assert not tick(settings, "two", at(TODAY, 3))
    schedule._release("one")
    assert tick(settings, "two", at(TODAY, 3))


def test_the_lease_lapses_by_itself(one, valkey, settings):
    tick(settings, "one", at(TODAY, 2))
    assert 0 < valkey.pttl(schedule.LEASE_KEY) <= schedule.LEASE_MS


def test_it_takes_up_runs_that_never_reached_the_queue(one, valkey, settings):
    now = datetime.now(UTC)
    run_id = job_runs.create("recompute_care", {}, SYSTEM, at=now - timedelta(minutes=1))
    tick(settings, "one", now)
    assert run_id in job_queue.waiting_ids()


@pytest.mark.parametrize(
    "hiccup", [redis.ConnectionError("away"), AutoReconnect("away"), ValueError("a bad run")]
)
def test_it_survives_hiccups_and_leaves_the_lease_at_the_end(
    one, valkey, settings, monkeypatch, hiccup
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
