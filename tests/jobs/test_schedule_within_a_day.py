"""A job that runs every few minutes: each slot once, caught up once, and no list full of nothing."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config import PROJECT_ROOT
from models import JobRun, Schedule
from rules.errors import InvalidInput
from services import schedules
from services.migration import migrations_in

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
KEY = "end_viewers"
DAY = date(2026, 11, 21)


def at(hour, minute=0, day=DAY):
    return datetime.combine(day, time(hour, minute), ZONE).astimezone(UTC)


@pytest.fixture
def one(db: Any, valkey: Any) -> None:
    """Viewers end every quarter of an hour; nothing else runs."""
    schedules.ensure()
    Schedule.collection().delete_many({"key": {"$ne": KEY}})


def start(now):
    return schedules.start_due(now, ZONE)


def end(now, **values):
    ended = {"state": "done", "ended_at": now} | values
    JobRun.collection().update_many({"alone": KEY}, {"$set": ended, "$unset": {"alone": ""}})


def slots():
    return sorted(run["slot"] for run in JobRun.collection().find())


@pytest.mark.usefixtures("one")
def test_each_slot_starts_once():
    for minute in (0, 0, 1, 14, 15, 16):
        start(at(10, minute))
        end(at(10, minute))
    assert slots() == ["end_viewers-2026-11-21T10:00", "end_viewers-2026-11-21T10:15"]


@pytest.mark.usefixtures("one")
def test_what_was_missed_is_caught_up_once():
    start(at(8))
    end(at(8))
    assert len(start(at(11, 50))) == 1
    assert start(at(11, 51)) == []
    assert slots()[-1] == "end_viewers-2026-11-21T11:45"


@pytest.mark.usefixtures("one")
def test_a_slot_waits_while_the_run_before_still_works():
    start(at(10))
    assert start(at(10, 15)) == []
    (late,) = [one for one in schedules.lateness(at(10, 20), ZONE) if one.key == KEY]
    assert late.late_seconds == 5 * 60
    end(at(10, 21))
    assert len(start(at(10, 21))) == 1


@pytest.mark.usefixtures("one")
def test_runs_with_nothing_to_do_leave_the_list_after_an_hour():
    for quarter in range(24):
        now = at(8) + timedelta(minutes=15 * quarter)
        start(now)
        if quarter == 2:
            end(now, counts={"customers_changed": 1})
        elif quarter == 3:
            end(now, state="failed")
        else:
            end(now)
    kept = slots()
    assert "end_viewers-2026-11-21T08:30" in kept, "it has done something"
    assert "end_viewers-2026-11-21T08:45" in kept, "it failed"
    assert len(kept) == 2 + 5
    assert start(at(13, 50)) == [], "a slot that left the list does not start again"


@pytest.mark.usefixtures("one")
def test_once_a_day_becomes_every_half_hour_and_back(administrator):
    def save(version, now, **values):
        form = {"at_time": "8:00", "weekdays": "0123456", "is_paused": False} | values
        schedules.save(KEY, **form, version=version, by=administrator, at=now)

    save(1, at(7))
    start(at(9))
    end(at(9))
    assert slots() == ["end_viewers-2026-11-21"]
    save(2, at(9, 10), every_minutes="30", until_time="17:00")
    assert start(at(9, 20)) == [], "this slot was over when the times were changed"
    start(at(9, 30))
    end(at(9, 30))
    assert slots()[-1] == "end_viewers-2026-11-21T09:30"
    assert start(at(23)) != []
    end(at(23))
    save(3, at(23, 10), every_minutes="")
    assert start(at(23, 20)) == []
    start(at(8, day=DAY + timedelta(days=1)))
    assert slots()[-1] == "end_viewers-2026-11-22"


@pytest.mark.usefixtures("one")
@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"every_minutes": "4"}, "every_minutes"),
        ({"every_minutes": "721"}, "every_minutes"),
        ({"every_minutes": "soon"}, "every_minutes"),
        ({"every_minutes": "15", "until_time": "25:00"}, "until_time"),
        ({"every_minutes": "15", "until_time": "08:00"}, "until_time"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(administrator, form, field):
    known = {"at_time": "08:00", "weekdays": "01", "is_paused": False} | form
    with pytest.raises(InvalidInput) as caught:
        schedules.save(KEY, **known, version=1, by=administrator, at=at(7))
    assert set(caught.value.fields) == {field}


def test_older_installations_follow_unless_they_changed_it(db):
    (migration,) = [
        one
        for one in migrations_in(PROJECT_ROOT / "migrations")
        if one.name.endswith("viewers-end-every-quarter-of-an-hour")
    ]
    older = {"key": KEY, "source": "shipped", "version": 1, "at_time": "00:05"}
    for version, finer in ((1, 15), (2, None)):
        db.schedules.delete_many({})
        db.schedules.insert_one(older | {"version": version})
        for _ in range(2):
            migration.run()
        assert db.schedules.find_one({"key": KEY}).get("every_minutes") == finer
