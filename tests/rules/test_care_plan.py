"""S1.6, S1.18: what a care entry does, and what is refused."""

from datetime import date

import pytest

from rules.care_dates import APPOINTED, CONTENT_LENGTH, ENDED, plan
from rules.errors import InvalidInput

TODAY = date(2026, 5, 2)


def refused(*arguments, **options):
    with pytest.raises(InvalidInput) as raised:
        plan(*arguments, **options)
    return {field: str(error) for field, error in raised.value.fields.items()}


@pytest.mark.parametrize("next_on", [TODAY, date(2026, 5, 3), date.max])
def test_the_next_date_is_whatever_the_person_chose(next_on):
    made = plan("Khách hài lòng", next_on, False, TODAY)
    assert (made.state, made.next_on) == (APPOINTED, next_on)


def test_no_more_care_ends_it():
    made = plan("Khách không dùng nữa", None, True, TODAY)
    assert (made.state, made.next_on) == (ENDED, None)


@pytest.mark.parametrize("content", ["", "  \n ", "\x00\u200b"])
def test_an_empty_content_is_refused(content):
    assert list(refused(content, TODAY, False, TODAY)) == ["content"]


def test_the_longest_content_is_accepted_and_one_more_character_is_not():
    assert len(plan("ă" * CONTENT_LENGTH, TODAY, False, TODAY).content) == CONTENT_LENGTH
    assert "10001" in refused("ă" * (CONTENT_LENGTH + 1), TODAY, False, TODAY)["content"]


def test_a_date_in_the_past_is_refused_and_named():
    assert "2026-05-01" in refused("x", date(2026, 5, 1), False, TODAY)["next_on"]


def test_a_missing_date_is_refused_unless_care_ends():
    assert "No more care" in refused("x", None, False, TODAY)["next_on"]


def test_a_date_and_no_more_care_together_are_refused():
    assert list(refused("x", TODAY, True, TODAY)) == ["next_on"]


def test_all_mistakes_are_told_at_once():
    found = refused("", None, False, TODAY, feedback="", feedback_required=True)
    assert sorted(found) == ["content", "feedback", "next_on"]


def test_the_content_is_stored_composed_and_keeps_its_lines():
    made = plan(" Hoa\u0300\r\nhẹn lại ", TODAY, False, TODAY, feedback="good")
    assert made.content == "Hoà\nhẹn lại"
    assert made.feedback == "good"
