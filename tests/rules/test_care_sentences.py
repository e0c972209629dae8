"""B.1: every date says why."""

from datetime import UTC, date, datetime

import pytest

from rules.care_dates import LATE, SOON, TODAY
from rules.care_sentences import explain, nearness


def stored(day):
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def an_interval(days=5):
    return {
        "kind": "interval",
        "from_on": stored(date(2026, 5, 2)),
        "product_code": "X",
        "interval_days": days,
        "quantity": 2,
    }


def test_a_suggested_date_shows_its_sum_with_local_dates():
    sentence = explain(stored(date(2026, 5, 12)), an_interval())
    assert str(sentence) == "2026-05-12 = 2026-05-02 + 5 days × 2 · X"
    assert type(sentence.params["due"]) is date
    assert type(sentence.params["from"]) is date


def test_one_day_is_singular():
    assert "1 day ×" in str(explain(date(2026, 5, 4), an_interval(days=1)))


def test_an_appointment_names_who_set_it_and_when():
    basis = {"kind": "appointment", "staff_name": "Lan", "set_on": stored(date(2026, 5, 3))}
    assert str(explain(date(2026, 6, 1), basis)) == "Appointment set by Lan on 2026-05-03"


@pytest.mark.parametrize("basis", [None, {}, {"kind": "other"}])
def test_a_date_of_unknown_origin_has_no_explanation(basis):
    assert explain(date(2026, 5, 12), basis) is None


def test_no_date_needs_no_explanation():
    assert explain(None, an_interval()) is None


@pytest.mark.parametrize(
    ("day", "level", "words"),
    [
        (date(2026, 2, 27), LATE, "3 days late"),
        (date(2026, 3, 1), LATE, "1 day late"),
        (date(2026, 3, 2), TODAY, "today"),
        (stored(date(2026, 3, 3)), SOON, "tomorrow"),
        (date(2026, 3, 4), SOON, "in 2 days"),
    ],
)
def test_it_says_how_near_a_date_is(day, level, words):
    found = nearness(day, date(2026, 3, 2))
    assert (found.level, str(found.sentence)) == (level, words)
