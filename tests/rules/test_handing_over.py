"""What a hand-over changes on a record, and that taking it back leaves no trace."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rules.handing_over import hand_over, take_back

PEOPLE = ["a", "b", "c"]
ends = st.sampled_from([None, datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)])
records = st.fixed_dictionaries(
    {
        "owner_id": st.sampled_from([None, *PEOPLE]),
        "carers": st.sets(st.sampled_from(PEOPLE)).map(sorted),
        "viewers": st.dictionaries(st.sampled_from(PEOPLE), ends).map(
            lambda found: [{"staff_id": who, "until": until} for who, until in found.items()]
        ),
    }
)


def plain(record: dict[str, Any]) -> dict[str, Any]:
    return record | {"viewers": sorted(record["viewers"], key=lambda one: one["staff_id"])}


@given(record=records)
def test_the_giver_has_nothing_left_and_nobody_else_loses_anything(record: dict[str, Any]) -> None:
    values, _ = hand_over(record, "a", "b")
    after = record | values
    assert after["owner_id"] != "a"
    assert "a" not in after["carers"]
    assert "a" not in [one["staff_id"] for one in after["viewers"]]
    assert ("a" in record["carers"]) <= ("b" in after["carers"])
    assert ("c" in record["carers"]) == ("c" in after["carers"])
    assert len(after["viewers"]) == len({one["staff_id"] for one in after["viewers"]})


@given(record=records)
def test_taking_it_back_at_once_restores_everything(record: dict[str, Any]) -> None:
    values, was = hand_over(record, "a", "b")
    after = record | values
    assert plain(after | take_back(after, was, "a", "b")) == plain(record)


@given(record=records, later=records)
def test_what_others_changed_since_stays(record: dict[str, Any], later: dict[str, Any]) -> None:
    """Somebody gave it to somebody else: taking back must not add the giver there."""
    _, was = hand_over(record, "a", "b")
    without = later | {"carers": [one for one in later["carers"] if one != "b"]}
    assert "carers" not in take_back(without, was, "a", "b")
    assert ("owner_id" in take_back(later, was, "a", "b")) <= (later["owner_id"] == "b")


def test_a_viewer_keeps_the_later_end() -> None:
    first, second = datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    viewers = [{"staff_id": "a", "until": second}, {"staff_id": "b", "until": first}]
    values, _ = hand_over({"viewers": viewers}, "a", "b")
    assert values["viewers"] == [{"staff_id": "b", "until": second}]
    values, _ = hand_over({"viewers": [*viewers[:1], {"staff_id": "b", "until": None}]}, "a", "b")
    assert values["viewers"][0]["until"] is None
