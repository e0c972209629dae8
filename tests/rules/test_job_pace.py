"""How fast a job goes and how long it will take, as people say it (B.11)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.job_pace import in_words, pace

BEGAN = datetime(2026, 11, 21, 3, tzinfo=UTC)


def after(seconds, done, total, before=0):
    now = BEGAN + timedelta(seconds=seconds)
    return pace(done, total, started_at=BEGAN, now=now, done_before=before)


def test_per_cent_rate_and_time_left():
    known = after(30, 600, 1000)
    assert (known.percent, known.per_second, known.left) == (60, 20, timedelta(seconds=20))


def test_a_resumed_run_counts_only_what_this_attempt_did():
    assert after(10, 600, 1000, before=500).left == timedelta(seconds=40)


@pytest.mark.parametrize("known", [after(1, 5, 10), after(10, 0, 10), after(10, 5, 10, before=5)])
def test_before_there_is_a_rate_nothing_is_promised(known):
    assert known.left is None


def test_without_a_total_there_is_no_per_cent():
    assert after(10, 5, None).percent is None
    assert after(10, 5, None).left is None
    assert pace(0, 10, started_at=None, now=BEGAN).percent == 0


def test_more_than_was_expected_is_all():
    known = after(10, 12, 10)
    assert (known.percent, known.left) == (100, timedelta(0))


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (0, "1 second"),
        (7, "7 seconds"),
        (22, "20 seconds"),
        (59, "55 seconds"),
        (61, "1 minute"),
        (600, "10 minutes"),
        (3660, "1 h 1 min"),
    ],
)
def test_durations_as_people_say_them(seconds, says):
    assert str(in_words(timedelta(seconds=seconds))) == says


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 10**5))
def test_per_cent_and_time_left_stay_in_bounds(done, total, seconds):
    known = after(seconds, done, total)
    assert 0 <= known.percent <= 100
    assert known.left is None or known.left >= timedelta(0)
