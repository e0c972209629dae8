"""Who can see a record and why: the rules in words, and beside them what the query answers (B.8)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bson import ObjectId

from models import Customer, Order, Staff
from models.base import CarebookDocument
from rules.errors import N_, NotFound
from rules.permissions import SEE, Role
from rules.reasons import PRODUCTS, ROLE, Reason, Standing, reasons
from rules.scope import (
    NOTHING,
    Actor,
    customer_scope,
    due_customer_scope,
    due_order_scope,
    order_scope,
)
from rules.sentences import Sentence
from services import actors, configuration, lists
from services.scope import viewers_of

Stored = dict[str, Any]
SCOPES: Mapping[str, tuple[type[CarebookDocument], Any, Any]] = {
    "customers": (Customer, customer_scope, due_customer_scope),
    "orders": (Order, order_scope, due_order_scope),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """`can_see` is what the query says; `is_in_due_lists` whether the person is to care for it."""

    person: Stored
    can_see: bool
    is_in_due_lists: bool
    reasons: list[Reason]


def subject(kind: str, record_id: ObjectId, *, by: Actor) -> Stored:
    """The record, if whoever asks may see it. Raises NotFound."""
    if kind not in SCOPES:
        raise NotFound()
    document, scope, _ = SCOPES[kind]
    found = document.collection().find_one({"_id": record_id, **scope(by)})
    if found is None:
        raise NotFound()
    return found


def answer(kind: str, record: Stored, person: Stored, *, at: datetime) -> Answer:
    """Why this person can or cannot see the record."""
    document, scope, due_scope = SCOPES[kind]
    is_active = bool(person.get("active"))
    actor = actors.of_person(person, configuration.snapshot(), at=at)

    def answers(criteria: Stored) -> bool:
        wanted = {"$and": [{"_id": record["_id"]}, criteria]}
        return is_active and document.collection().find_one(wanted, {"_id": 1}) is not None

    can_see = answers(scope(actor))
    standing = replace(standing_of(kind, record), matched=_matched(actor, kind, answers))
    found = reasons(actor, standing, at, kind=kind, is_active=is_active)
    return Answer(
        person=person,
        can_see=can_see,
        is_in_due_lists=answers(due_scope(actor)),
        reasons=_agreeing(found, can_see),
    )


def _matched(actor: Actor, kind: str, answers: Callable[[Stored], bool]) -> list[Role]:
    """The roles whose rule over fields the record matches."""
    return [
        role
        for role, permission in actor.access.granting(kind, SEE)
        if permission.where and answers(actor.where.get((role.key, kind), NOTHING))
    ]


def _agreeing(found: list[Reason], can_see: bool) -> list[Reason]:
    """The query decides: where it and the rules above differ, the page says what else there is."""
    if can_see == any(one.holds for one in found):
        return found
    if can_see:
        message = N_("A rule of the person's roles lets the person see this record.")
        return [Reason(ROLE, True, Sentence(message)), *found]
    # The orders of a customer wait until every list is in line again.
    message = N_("For a moment the person sees less: an assignment is being taken back.")
    missing = [replace(one, holds=False) for one in found]
    return [Reason(PRODUCTS, False, Sentence(message)), *missing]


def standing_of(kind: str, record: Stored) -> Standing:
    """What decides who sees the record: of an order, what its customer says."""
    customer_id = record.get("customer_id")
    customer = record if kind == "customers" else _customer(customer_id)
    carers = customer.get("carers") or []
    return Standing(
        owner_id=customer.get("owner_id"),
        carers=carers,
        product_carers=customer.get("product_carers") or [],
        viewers=viewers_of(customer),
        names=_names([customer.get("owner_id"), *carers]),
    )


def _customer(customer_id: ObjectId | None) -> Stored:
    found = Customer.collection().find_one({"_id": customer_id}) if customer_id else None
    return found or {}


def _names(staff_ids: Iterable[ObjectId | None]) -> dict[ObjectId, str]:
    found = lists.labels(Staff.collection(), staff_ids, ("name",))
    return {staff_id: row["name"] for staff_id, row in found.items()}
