"""A manager's summary of care entries: how many, by whom, with which feedback (S1.1, S1.19)."""

from dataclasses import dataclass
from typing import Any

from models import Interaction
from rules.filters import Criteria

# A summary reads at most this many entries, newest first, so that one request never walks years.
ENTRIES_READ = 20_000


@dataclass(frozen=True, slots=True)
class StaffLine:
    """One staff member's entries; `feedback` maps a feedback key to its number."""

    staff_id: Any
    name: str
    entries: int
    customers: int
    feedback: dict[str, int]


@dataclass(frozen=True, slots=True)
class Summary:
    """`is_partial` says that only the newest `ENTRIES_READ` entries were counted."""

    entries: int
    customers: int
    feedback: dict[str, int]
    staff: list[StaffLine]
    is_partial: bool


def summarise(criteria: Criteria) -> Summary:
    """Counts over the entries that match, most active staff first; one aggregation."""
    pipeline: list[dict[str, Any]] = [
        {"$match": criteria},
        {"$sort": {"at": -1}},
        {"$limit": ENTRIES_READ},
        {"$project": {"staff_id": 1, "staff_name": 1, "customer_id": 1, "feedback": 1}},
        {
            "$group": {
                "_id": {"staff": "$staff_id", "feedback": "$feedback"},
                "name": {"$first": "$staff_name"},
                "entries": {"$sum": 1},
                "customers": {"$addToSet": "$customer_id"},
            }
        },
    ]
    groups = list(Interaction.collection().aggregate(pipeline))
    lines = _by_staff(groups)
    entries = sum(group["entries"] for group in groups)
    everyone = {customer for group in groups for customer in group["customers"]}
    feedback: dict[str, int] = {}
    for group in groups:
        _add(feedback, group)
    return Summary(entries, len(everyone), feedback, lines, entries >= ENTRIES_READ)


def _by_staff(groups: list[dict[str, Any]]) -> list[StaffLine]:
    found: dict[Any, list[dict[str, Any]]] = {}
    for group in groups:
        found.setdefault(group["_id"]["staff"], []).append(group)
    lines = []
    for staff_id, mine in found.items():
        feedback: dict[str, int] = {}
        for group in mine:
            _add(feedback, group)
        customers = {customer for group in mine for customer in group["customers"]}
        entries = sum(group["entries"] for group in mine)
        lines.append(StaffLine(staff_id, mine[0]["name"] or "–", entries, len(customers), feedback))
    return sorted(lines, key=lambda line: (-line.entries, line.name))


def _add(feedback: dict[str, int], group: dict[str, Any]) -> None:
    key = group["_id"].get("feedback") or ""
    feedback[key] = feedback.get(key, 0) + group["entries"]
