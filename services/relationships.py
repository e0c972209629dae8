"""Keeps customers' facts and relationship statuses true, in bulk and within other changes (S3.3).

Everything here may run twice, side by side with itself and with people, and may be killed anywhere:
it compares what is stored with what should be and writes what differs, a few customers at a time,
each time in one transaction with the entries in the history that say why.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from models import Customer, Interaction
from models.base import stored_date
from rules.relationship import PERSON, RULE, Decision, because, decide
from services import bulk, relationship_bulk, relationship_facts, relationship_setup
from services.progress import NoProgress, Progress
from services.relationship_entries import event, push
from services.relationship_setup import Setup
from stores import mongo

Stored = dict[str, Any]

# In one transaction: a colleague's save waits for as long as one takes, a fifth of a second.
CUSTOMERS_PER_RANGE = 1000
READ = {
    "relationship": 1,
    "relationship_chosen": 1,
    "relationship_set": 1,
    "groups": 1,
    "tags": 1,
    "custom": 1,
    "facts": 1,
    "last_contact_at": 1,
}


@dataclass(frozen=True, slots=True)
class Change:
    """What a customer should become: the fields that differ, and the new status if that does."""

    customer: Stored
    fields: Stored
    decision: Decision | None


def recompute(*, at: datetime, progress: Progress | None = None) -> dict[str, int]:
    """Brings facts and statuses of all customers in line; `{"customers_checked", "facts_changed",
    "relationships_changed"}`.

    Raises:
        Cancelled: the progress was told to stop, between two ranges.
    """
    progress = progress or NoProgress()
    counts = dict.fromkeys(("customers_checked", "facts_changed", "relationships_changed"), 0)

    def work(ids: Sequence[ObjectId]) -> None:
        found = relationship_bulk.bring_in_line(ids, at=at, are_all=True)
        for name, number in (found | {"customers_checked": len(ids)}).items():
            counts[name] += number
            progress.count(name, number)

    bulk.over(Customer.collection(), {}, work, progress, step="customers", size=CUSTOMERS_PER_RANGE)
    return counts


def bring_in_line(ids: Sequence[ObjectId], *, at: datetime) -> dict[str, int]:
    """The same for some customers; `{"facts_changed", "relationships_changed"}`."""
    counts = Counter[str](facts_changed=0, relationships_changed=0)
    known = sorted(ids)
    for start in range(0, len(known), CUSTOMERS_PER_RANGE):
        some = known[start : start + CUSTOMERS_PER_RANGE]
        counts.update(relationship_bulk.bring_in_line(some, at=at))
    return dict(counts)


def follow_up(
    customer_ids: Sequence[ObjectId | None], session: ClientSession, *, at: datetime
) -> dict[str, int]:
    """The same within the transaction of another change, whose writes it sees and joins.

    A customer leaves [Đừng quên] with the contact itself, not in the night after it.
    """
    ids = [customer_id for customer_id in customer_ids if customer_id is not None]
    changes = list(_changes(ids, at, relationship_setup.load(session), session))
    events = [_event(one, at) for one in changes if one.decision]
    if events:
        Interaction.collection().insert_many(events, session=session)
    by_customer = {event["customer_id"]: event for event in events}
    writes = [_update(one, by_customer.get(one.customer["_id"]), at) for one in changes]
    if writes:
        Customer.collection().bulk_write(writes, ordered=False, session=session)
    return {
        "facts_changed": sum("facts" in one.fields for one in changes),
        "relationships_changed": len(events),
    }


def _changes(
    ids: Sequence[ObjectId], at: datetime, setup: Setup, session: ClientSession | None
) -> Iterable[Change]:
    zone = mongo.zone()
    facts = relationship_facts.of_customers(ids, setup, zone, session)
    today = at.astimezone(zone).date()
    for customer in Customer.collection().find({"_id": {"$in": list(ids)}}, READ, session=session):
        change = change_of(customer, facts[customer["_id"]], setup, today, at)
        if change.fields:
            yield change


def change_of(
    customer: Stored, facts: relationship_facts.Known, setup: Setup, today: date, at: datetime
) -> Change:
    """What the customer should become with these facts."""
    fields: Stored = {}
    if facts.stored != (customer.get("facts") or {}):
        fields["facts"] = facts.stored
    if facts.last_contact_at != customer.get("last_contact_at"):
        fields["last_contact_at"] = facts.last_contact_at
    after = customer | fields
    decision = decide(after, setup.rules, today)
    if decision.status == customer.get("relationship"):
        return Change(customer, fields, None)
    fields["relationship"] = decision.status
    fields["relationship_set"] = _set_by(decision, after, today, at)
    if decision.chosen and not customer.get("relationship_chosen"):
        fields["relationship_chosen"] = {"status": decision.chosen.status}
    return Change(customer, fields, decision)


def _set_by(decision: Decision, customer: Stored, today: date, at: datetime) -> Stored:
    if decision.by == RULE and decision.rule:
        rule = decision.rule
        return {
            "by": RULE,
            "at": at,
            "rule": rule.key,
            "label_vi": rule.label_vi,
            "label_en": rule.label_en,
            "because": because(decision, customer, today),
        }
    if decision.by == PERSON:
        return chosen_set(customer.get("relationship_chosen") or {}, at)
    return {"at": at}


def chosen_set(chosen: Mapping[str, Any], at: datetime) -> Stored:
    """The stored `RelationshipSet` of a status that a person chose."""
    known = {name: chosen.get(name) for name in ("staff_name", "since_on", "reason")}
    return {"by": PERSON, "at": at} | {name: value for name, value in known.items() if value}


def _event(change: Change, at: datetime) -> Stored:
    return event(
        change.customer,
        change.fields["relationship"],
        change.fields["relationship_set"],
        at=at,
    )


def _update(change: Change, entry: Stored | None, at: datetime) -> UpdateOne:
    gone = [name for name, value in change.fields.items() if value is None]
    kept = {name: value for name, value in change.fields.items() if value is not None}
    update: Stored = {"$set": kept | {"updated_at": at}}
    if gone:
        update["$unset"] = dict.fromkeys(gone, "")
    if entry:
        # An open edit form shows the status: with another one it has to look again.
        update |= {"$push": push(entry), "$inc": {"version": 1}}
    return UpdateOne({"_id": change.customer["_id"]}, update)


def stored_choice(
    status: str, *, today: date, staff_id: ObjectId | None, staff_name: str, reason: str = ""
) -> Stored:
    """The stored `RelationshipChosen` of a person's choice made today."""
    chosen: Stored = {
        "status": status,
        "since_on": stored_date(today),
        "staff_id": staff_id,
        "staff_name": staff_name,
    }
    return chosen | ({"reason": reason} if reason else {})
