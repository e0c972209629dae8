"""What other rules would do, before they are in force (S3.3)."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from bson import ObjectId

from models import Customer
from rules.relationship import Decision
from services import relationship_facts, relationship_setup, relationships
from services.relationship_facts import Known
from services.relationship_setup import Setup
from stores import mongo

Stored = dict[str, Any]

# A person waits in front of the screen: about two seconds.
CUSTOMERS_LIMIT = 50_000
CUSTOMERS_PER_QUERY = 2000
SAMPLE = 12


@dataclass(frozen=True, slots=True)
class Example:
    """A customer that would change; `set_by` explains it as it would be stored."""

    customer: Stored
    before: str | None
    after: str
    set_by: Stored


@dataclass(slots=True)
class Preview:
    """`becomes` counts customers by the status that they would get, `leaves` by the one they lose.

    `checked` customers were looked at; `is_partial`: there are more than that.
    """

    checked: int = 0
    is_partial: bool = False
    becomes: Counter[str] = field(default_factory=Counter)
    leaves: Counter[str] = field(default_factory=Counter)
    stays: Counter[str] = field(default_factory=Counter)
    sample: list[Example] = field(default_factory=list)

    @property
    def changed(self) -> int:
        return self.becomes.total()


def preview(document: Stored, *, at: datetime, limit: int = CUSTOMERS_LIMIT) -> Preview:
    """What would change if these checked rules were saved now. Writes nothing."""
    setup = relationship_setup.from_stored(document, relationship_setup.facts)
    now = relationship_setup.load()
    same_facts = (setup.contact_kinds, setup.unanswered) == (now.contact_kinds, now.unanswered)
    zone = mongo.zone()
    today = at.astimezone(zone).date()
    found = Preview()
    # From the newest on: whoever changes rules knows these best.
    rows = iter(
        Customer.collection()
        .find({}, relationships.READ | {"name": 1, "code": 1})
        .sort("_id", -1)
        .limit(limit + 1)
        .batch_size(CUSTOMERS_PER_QUERY)
    )
    while some := list(islice(rows, CUSTOMERS_PER_QUERY)):
        if found.checked + len(some) > limit:
            found.is_partial = True
            some = some[: limit - found.checked]
        known = None if same_facts else _facts(some, setup, zone)
        _look(found, some, known, setup, today, at)
    return found


def _facts(customers: list[Stored], setup: Setup, zone: ZoneInfo) -> dict[ObjectId, Known]:
    ids = [customer["_id"] for customer in customers]
    return relationship_facts.of_customers(ids, setup, zone)


def _look(
    found: Preview,
    customers: list[Stored],
    facts: dict[ObjectId, Known] | None,
    setup: Setup,
    today: date,
    at: datetime,
) -> None:
    for customer in customers:
        found.checked += 1
        stored = Known(customer.get("facts") or {}, customer.get("last_contact_at"))
        known = facts[customer["_id"]] if facts else stored
        change = relationships.change_of(customer, known, setup, today, at)
        before = customer.get("relationship")
        if change.decision is None:
            found.stays[before or ""] += 1
            continue
        found.becomes[change.decision.status] += 1
        found.leaves[before or ""] += 1
        if len(found.sample) < SAMPLE:
            found.sample.append(_example(change, change.decision))


def _example(change: relationships.Change, decision: Decision) -> Example:
    return Example(
        customer={name: change.customer.get(name) for name in ("_id", "name", "code")},
        before=change.customer.get("relationship"),
        after=decision.status,
        set_by=change.fields["relationship_set"],
    )
