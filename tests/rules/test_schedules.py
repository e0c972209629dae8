"""When a schedule is due: local times, weekdays, and days with 23 or 25 hours."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.schedules import Timing

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
BERLIN = ZoneInfo(
    "Europe/Berlin"
)  # 2026: forward on 29 March at 02:00, back on 25 October at 03:00
NIGHT = Timing(time(2, 30))


def local(year, month, day, hour=0, minute=0, zone=HANOI, fold=0):
    return datetime(year, month, day, hour, minute, tzinfo=zone, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (local(2026, 11, 21, 2, 29), date(2026, 11, 20)),
        (local(2026, 11, 21, 2, 30), date(2026, 11, 21)),
        (local(2026, 11, 21, 23, 59), date(2026, 11, 21)),
        (local(2026, 11, 22), date(2026, 11, 21)),
        (local(2024, 3, 1, 1), date(2024, 2, 29)),
        (local(2027, 1, 1, 0, 10), date(2026, 12, 31)),
    ],
)
def test_the_newest_slot_is_a_day_of_the_site(now, day):
    assert NIGHT.newest(now, HANOI).date() == day


def test_only_its_weekdays_count():
    fridays = Timing(time(8), {4})
    assert fridays.newest(local(2026, 11, 21, 9), HANOI).date() == date(2026, 11, 20)
    assert fridays.newest(local(2026, 11, 20, 7), HANOI).date() == date(2026, 11, 13)
    assert fridays.following(local(2026, 11, 20, 8), HANOI) == local(2026, 11, 27, 8)


def test_without_weekdays_it_is_never_due():
    never = Timing(time(8), ())
    assert never.newest(local(2026, 11, 21), HANOI) is None
    assert never.following(local(2026, 11, 21), HANOI) is None


def test_a_time_that_the_day_does_not_have_comes_an_hour_later():
    gap = datetime.combine(date(2026, 3, 29), time(2, 30))
    assert NIGHT.instant(gap, BERLIN) == local(2026, 3, 29, 3, 30, zone=BERLIN)
    assert NIGHT.newest(local(2026, 3, 29, 1, 59, BERLIN), BERLIN).date() == date(2026, 3, 28)
    assert NIGHT.newest(local(2026, 3, 29, 3, 30, zone=BERLIN), BERLIN) == gap


def test_of_an_hour_that_comes_twice_the_first_one_counts():
    twice = datetime.combine(date(2026, 10, 25), time(2, 30))
    first, second = (local(2026, 10, 25, 2, 30, BERLIN, fold) for fold in (0, 1))
    assert second - first == timedelta(hours=1)
    assert NIGHT.instant(twice, BERLIN) == first
    assert NIGHT.newest(first - timedelta(seconds=1), BERLIN).date() == date(2026, 10, 24)
    assert NIGHT.newest(first, BERLIN) == NIGHT.newest(second, BERLIN) == twice
    assert NIGHT.following(first, BERLIN) == local(2026, 10, 26, 2, 30, BERLIN)


ZONES = st.sampled_from(
    [
        HANOI,
        BERLIN,
        *map(ZoneInfo, ("America/New_York", "Australia/Lord_Howe", "Africa/Casablanca")),
    ]
)
NOWS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001 - hypothesis wants naive bounds
    lambda at: at.replace(tzinfo=UTC)
)
TIMINGS = st.builds(
    Timing, st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.sets(st.integers(0, 6), min_size=1),
)  # fmt: skip


@given(TIMINGS, NOWS, ZONES)
def test_the_next_run_is_the_slot_after_the_newest(timing, now, zone):
    newest, following = timing.newest(now, zone), timing.following(now, zone)
    assert timing.instant(newest, zone) <= now < following
    assert timing.newest(following, zone) > newest
    assert timing.newest(following - timedelta(microseconds=1), zone) == newest


@given(TIMINGS, ZONES, st.dates(date(2024, 1, 10), date(2029, 12, 1)))
def test_looked_at_every_quarter_of_an_hour_each_day_has_its_slot_once(timing, zone, start):
    began = datetime(start.year, start.month, start.day, tzinfo=UTC)
    seen = [timing.newest(began + timedelta(minutes=15 * n), zone) for n in range(4 * 24 * 9)]
    changes = [day for before, day in zip([None, *seen], seen, strict=False) if day != before]
    assert changes == sorted(set(changes))
    wanted = {
        start + timedelta(days=n)
        for n in range(2, 7)
        if (start + timedelta(days=n)).weekday() in timing.weekdays
    }
    assert wanted <= {slot.date() for slot in changes}


WORK = Timing(time(8), {0, 1, 2, 3, 4}, every_minutes=45, until=time(17, 30))


def test_several_times_a_day_it_is_due_within_its_window():
    monday = local(2026, 11, 23)
    seen = []
    at = monday
    while (at := WORK.following(at, HANOI)) < monday + timedelta(days=1):
        seen.append(at.astimezone(HANOI).strftime("%H:%M"))
    assert seen[:3] == ["08:00", "08:45", "09:30"]
    assert seen[-1] == "17:00"
    assert len(seen) == 13


def test_the_end_of_the_window_belongs_to_it():
    timing = Timing(time(8), every_minutes=30, until=time(9))
    assert timing.newest(local(2026, 11, 23, 12), HANOI) == local_slot(2026, 11, 23, 9)
    assert timing.newest(local(2026, 11, 23, 8, 59), HANOI) == local_slot(2026, 11, 23, 8, 30)
    assert timing.newest(local(2026, 11, 23, 7, 59), HANOI) == local_slot(2026, 11, 22, 9)


def local_slot(*parts):
    return datetime(*parts)  # noqa: DTZ001 a slot is a local time


def test_over_the_week_end_it_rests():
    assert WORK.following(local(2026, 11, 20, 17, 1), HANOI) == local(2026, 11, 23, 8)
    assert WORK.newest(local(2026, 11, 22, 12), HANOI) == local_slot(2026, 11, 20, 17)


FINE = st.builds(
    Timing,
    st.sampled_from([time(0), time(0, 5), time(1, 30)]),
    st.just(frozenset(range(7))),
    st.sampled_from([5, 15, 60, 90]),
)


@given(FINE, NOWS, ZONES)
def test_slots_in_a_day_follow_each_other_whatever_the_clocks_do(timing, now, zone):
    newest, following = timing.newest(now, zone), timing.following(now, zone)
    assert timing.instant(newest, zone) <= now < following
    later = timing.newest(following, zone)
    assert timing.key(later) > timing.key(newest)
    assert following - now <= timedelta(hours=6)


def test_the_name_of_a_slot_is_its_day_or_its_time():
    assert NIGHT.key(local_slot(2026, 11, 23, 2, 30)) == "2026-11-23"
    assert WORK.key(local_slot(2026, 11, 23, 8, 45)) == "2026-11-23T08:45"
