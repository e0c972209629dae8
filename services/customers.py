"""A customer's own data: what is typed in the form, and what follows from it (S4.1, S4.3)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import Customer, Interaction, Order
from rules.errors import N_, InvalidInput
from rules.field_values import PHONE_SEPARATORS
from rules.permissions import HIDDEN
from rules.phones import phone_key
from rules.relationship import RULE
from rules.scope import Actor, customer_scope
from rules.text import nfc, search_text
from services import (
    configuration,
    field_values,
    numbers,
    record_changes,
    relationship_entries,
    relationships,
)
from services.record_changes import Follow, Writing
from services.scope import recompute_scope
from stores import mongo

Stored = dict[str, Any]

KIND = "customers"
REASON = "relationship_reason"  # typed beside the fields: why the relationship was chosen
REASON_LENGTH = 400
SEARCHED = frozenset({"name", "phones", "emails", "tax_code"})
SAME_SHOWN = 5  # other customers with a phone number


def search_fields(customer: Mapping[str, Any]) -> Stored:
    """What of a customer is searched, as it follows from the other fields (B.4).

    `search` sorts the list by name, `search_words` are its words. `name_words` are those of name
    and code alone: for people who may not see phones, e-mails or the tax code as they are, and who
    must not find out by searching either.
    """
    phones = customer.get("phones") or []
    folded = search_text(
        customer.get("name"),
        customer.get("code"),
        ["".join(char for char in phone if char.isdigit()) for phone in phones],
        customer.get("emails"),
        customer.get("tax_code"),
    )
    keys = [key for key in map(phone_key, phones) if key]
    name = search_text(customer.get("name"), customer.get("code"))
    return {
        "search": folded,
        "search_words": list(dict.fromkeys(folded.split())),
        "name_words": list(dict.fromkeys(name.split())),
        "phone_keys": list(dict.fromkeys(keys)),
    }


def update(
    customer_id: ObjectId,
    typed: Mapping[str, str],
    *,
    version: int,
    by: Actor,
    at: datetime,
    shown: Mapping[str, str] | None = None,
) -> None:
    """Saves the edit form: {field key: text} and, under REASON, why the relationship was chosen.

    See `record_changes.update` for `version`, `shown` and what is raised.
    """
    record_changes.update(
        KIND,
        customer_id,
        _fields(typed),
        version=version,
        by=by,
        at=at,
        shown=None if shown is None else _fields(shown),
        follow=_follow(typed),
    )


def create(
    typed: Mapping[str, str], *, by: Actor, at: datetime, record_id: ObjectId | None = None
) -> ObjectId:
    """Adds a customer, with the next number.

    Given a `record_id`, the same form sent twice adds one customer.

    Raises NotAllowed, or InvalidInput with `fields`.
    """
    base: Stored = dict(Customer().to_mongo().to_dict())
    base |= {"code": numbers.next_code(KIND, "customers")}
    return record_changes.create(
        KIND, _fields(typed), base, by=by, at=at, follow=_follow(typed), record_id=record_id
    )


def form_values(customer: Mapping[str, Any]) -> dict[str, str]:
    """{field key: text}: the stored values as the edit form shows them."""
    kind = configuration.snapshot().kinds[KIND]
    return field_values.form_values(
        {key: one for key, one in kind.fields.items() if not one.is_derived}, customer
    )


def with_phones(
    phones: str, *, by: Actor, besides: ObjectId | None = None
) -> tuple[list[Stored], bool]:
    """Customers with one of these numbers, however they are written (B.3), and whether there are
    others that the actor may not see.
    """
    keys = [key for key in map(phone_key, PHONE_SEPARATORS.split(phones)) if key]
    if not keys or by.access.level(KIND, "phones") == HIDDEN:
        return [], False
    same: Stored = {"phone_keys": {"$in": keys[:20]}, "_id": {"$ne": besides}}
    fields = {"name": 1, "code": 1, "phones": 1}
    seen = list(
        Customer.collection().find({"$and": [same, customer_scope(by)]}, fields).limit(SAME_SHOWN)
    )
    hidden = {"_id": {"$nin": [besides, *(one["_id"] for one in seen)]}}
    more = len(seen) < SAME_SHOWN and Customer.collection().find_one(
        {"$and": [same, hidden]}, {"_id": 1}
    )
    return [by.shown(KIND, one) for one in seen], bool(more)


def _fields(typed: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in typed.items() if name != REASON}


def _follow(typed: Mapping[str, str]) -> Follow:
    reason = nfc(typed.get(REASON, ""))[:REASON_LENGTH]
    return Follow(check=_check, more=lambda one: _more(one, reason), after=_after)


def _check(writing: Writing) -> None:
    if writing.becomes("referrer_id") == writing.record_id:
        raise InvalidInput(
            fields={"referrer": InvalidInput(N_("A customer cannot be referred by itself."))}
        )


def _more(writing: Writing, reason: str) -> Stored:
    found: Stored = {}
    if "_id" not in writing.before or SEARCHED & set(writing.changes):
        found |= search_fields(writing.after)
    if "relationship" in writing.changes:
        found |= _choose(
            writing.before | {"_id": writing.record_id},
            writing.changes["relationship"][1],
            reason,
            writing.by,
            writing.at,
            writing.session,
        )
    return found


def _after(writing: Writing) -> list[ObjectId]:
    ids, session, at = [writing.record_id], writing.session, writing.at
    is_new = "_id" not in writing.before
    if "area_id" in writing.changes and not is_new:
        Order.collection().update_many(
            {"customer_id": writing.record_id},
            {"$set": {"area_id": writing.changes["area_id"][1]}, "$inc": {"version": 1}},
            session=session,
        )
    if is_new or "owner_id" in writing.changes:
        recompute_scope(ids, session=session, at=at)
    if is_new or {"relationship", "groups"} & set(writing.changes):
        relationships.follow_up(ids, session, at=at)
    return []


def _choose(
    stored: Stored,
    status: str | None,
    reason: str,
    by: Actor,
    at: datetime,
    session: ClientSession,
) -> Stored:
    """What else changes with a status chosen by hand; no status leaves it to the rules (S3.3)."""
    if status is None:
        return {
            "relationship": stored.get("relationship"),
            "relationship_chosen": None,
            "relationship_set": {"by": RULE, "at": at},
        }
    chosen = relationships.stored_choice(
        status,
        today=at.astimezone(mongo.zone()).date(),
        staff_id=by.staff_id,
        staff_name=by.name,
        reason=reason,
    )
    set_by = relationships.chosen_set(chosen, at)
    entry = relationship_entries.event(
        stored, status, set_by, at=at, staff_id=by.staff_id, staff_name=by.name
    )
    Interaction.collection().insert_one(entry, session=session)
    Customer.collection().update_one(
        {"_id": stored["_id"]}, {"$push": relationship_entries.push(entry)}, session=session
    )
    return {"relationship_chosen": chosen, "relationship_set": set_by}
