"""A manager's summary of care entries (S1.1, S1.19)."""

from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from models import Interaction
from services import care_summary
from tests.factories import NOW

AN, BINH = ObjectId(), ObjectId()
CARE = {"kind": "care"}


def said(
    staff_id: ObjectId | None,
    name: str | None,
    customer: ObjectId,
    feedback: str | None,
    days: int = 0,
    kind: str = "care",
) -> None:
    Interaction.collection().insert_one(
        {
            "kind": kind,
            "staff_id": staff_id,
            "staff_name": name,
            "customer_id": customer,
            "feedback": feedback,
            "at": NOW - timedelta(days=days),
        }
    )


def test_it_counts_by_staff_and_feedback(db: Any) -> None:
    one, two = ObjectId(), ObjectId()
    said(AN, "An", one, "satisfied")
    said(AN, "An", one, "satisfied")
    said(AN, "An", two, "dissatisfied")
    said(BINH, "Bình", two, "satisfied")
    said(BINH, "Bình", two, None, kind="event")
    found = care_summary.summarise(CARE)
    assert (found.entries, found.customers, found.is_partial) == (4, 2, False)
    assert found.feedback == {"satisfied": 3, "dissatisfied": 1}
    assert [(line.name, line.entries, line.customers) for line in found.staff] == [
        ("An", 3, 2),
        ("Bình", 1, 1),
    ]
    assert found.staff[0].feedback == {"satisfied": 2, "dissatisfied": 1}


def test_it_counts_only_what_the_filter_holds(db: Any) -> None:
    said(AN, "An", ObjectId(), "satisfied", days=3)
    said(AN, "An", ObjectId(), "satisfied")
    found = care_summary.summarise(CARE | {"at": {"$gte": NOW - timedelta(days=1)}})
    assert found.entries == 1


def test_it_counts_imported_entries_without_staff_or_feedback(db: Any) -> None:
    said(None, None, ObjectId(), None)
    said(AN, "An", ObjectId(), None)
    found = care_summary.summarise(CARE)
    assert found.feedback == {"": 2}
    assert {line.name for line in found.staff} == {"An", "–"}


def test_nothing_sums_up_to_nothing(db: Any) -> None:
    assert care_summary.summarise(CARE) == care_summary.Summary(0, 0, {}, [], False)


def test_it_says_when_it_read_only_the_newest(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(care_summary, "ENTRIES_READ", 3)
    for days in range(2):
        said(AN, "An", ObjectId(), "satisfied", days=days)
    assert not care_summary.summarise(CARE).is_partial
    said(AN, "An", ObjectId(), "satisfied", days=2)
    said(BINH, "Bình", ObjectId(), "satisfied", days=9)
    found = care_summary.summarise(CARE)
    assert (found.entries, found.is_partial) == (3, True)
    assert [line.name for line in found.staff] == ["An"]
