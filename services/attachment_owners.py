"""The records that may have files, and whether somebody may do something with them (S2.5)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import Customer, Interaction, Order, Product, Record
from models.base import CarebookDocument
from rules.errors import NotFound
from rules.filters import Criteria
from rules.permissions import SEE
from rules.scope import Actor, customer_scope, order_scope, product_scope
from services import site_records

Stored = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Owner:
    """Records that may have files: which of them an actor sees, and the customer behind one.

    `has_documents`: beside those in its fields.
    """

    document: type[CarebookDocument]
    scope: Callable[[Actor, str], Criteria]
    customer_id: Callable[[Stored], ObjectId | None]
    label: Callable[[Stored], str]
    has_documents: bool = True


def _of_visible_customer(by: Actor, action: str) -> Criteria:
    """Entries have no scope of their own: `owner_for` asks for what they are about."""
    return {}


OWNERS: dict[str, Owner] = {
    "customers": Owner(
        Customer, customer_scope, lambda one: one["_id"], lambda one: str(one.get("name") or "")
    ),
    "orders": Owner(
        Order, order_scope, lambda one: one.get("customer_id"), lambda one: str(one["code"])
    ),
    "records": Owner(
        Record,
        site_records.scope_of_all,
        lambda one: one.get("customer_id"),
        lambda one: str(one.get("title") or one["code"]),
    ),
    "products": Owner(
        Product,
        product_scope,
        lambda one: None,
        lambda one: str(one.get("name") or one["code"]),
        has_documents=False,
    ),
    "interactions": Owner(
        Interaction,
        _of_visible_customer,
        lambda one: one.get("customer_id"),
        lambda one: str(
            one.get("order_code") or one.get("record_code") or one.get("content") or ""
        )[:80],
    ),
}


def owner_for(
    kind: str,
    owner_id: ObjectId,
    by: Actor,
    session: ClientSession | None,
    action: str = SEE,
) -> Stored:
    """The record, if the actor may do this with it. Raises NotFound."""
    if kind not in OWNERS:
        raise NotFound()
    owner = OWNERS[kind]
    found = owner.document.collection().find_one(
        {"$and": [{"_id": owner_id}, owner.scope(by, action)]}, session=session
    )
    if found is not None and kind == "interactions" and not _sees_subject(found, by, session):
        found = None
    if found is None:
        raise NotFound()
    return found


def _sees_subject(entry: Stored, by: Actor, session: ClientSession | None) -> bool:
    """Whether the actor sees the record of a site's kind that an entry is about, else its customer."""
    record_id = entry.get("record_id")
    about, document, theirs = entry.get("customer_id"), Customer.collection(), customer_scope(by)
    if record_id is not None:
        about, document = record_id, Record.collection()
        theirs = site_records.scope_of_all(by, SEE)
    seen = {"$and": [{"_id": about}, theirs]}
    return document.find_one(seen, {"_id": 1}, session=session) is not None
