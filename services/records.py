"""What the pages of records show, each part of a page by itself."""

from typing import Any

from bson import ObjectId

from models import Customer, Interaction, Order, Product
from models.interaction import RELATIONSHIP
from rules.errors import NotFound
from rules.fields import Kind
from rules.filters import merge
from rules.permissions import SEE
from rules.scope import NOTHING, Actor, customer_scope, order_scope, scope
from services import lists, site_records
from services.kinds import collection_of

Stored = dict[str, Any]
ORDERS_SHOWN = 50
HISTORY_SHOWN = 50


def raw(kind: Kind, record_id: ObjectId, *, by: Actor) -> Stored:
    """A record of any kind as it is stored, with what the actor may not see: for decisions, not
    for pages. Raises NotFound, also for one that the actor may not see.
    """
    found: Stored | None = collection_of(kind).find_one(
        merge([{"_id": record_id}, dict(kind.base), scope(by, kind.key)]), {"import_digest": 0}
    )
    if found is None:
        raise NotFound()
    return found


def newest(kind: Kind, *, by: Actor) -> Stored | None:
    """The newest record of a kind that the actor may see, as far as it may be seen: the example on
    screens of settings. None when there is none.
    """
    mine = merge([dict(kind.base), scope(by, kind.key)])
    found = collection_of(kind).find_one(mine, {"import_digest": 0}, sort=[("_id", -1)])
    return by.shown(kind.key, found) if found else None


def customer(customer_id: ObjectId, *, by: Actor) -> Stored:
    """The customer as far as the actor may see it. Raises NotFound."""
    found = Customer.collection().find_one({"_id": customer_id, **customer_scope(by)})
    if found is None:
        raise NotFound()
    return by.shown("customers", found)


def order(order_id: ObjectId, *, by: Actor) -> Stored:
    """The order as far as the actor may see it. Raises NotFound."""
    found = Order.collection().find_one({"_id": order_id, **order_scope(by)}, {"import_digest": 0})
    if found is None:
        raise NotFound()
    return by.shown("orders", found)


def orders_of(customer_id: ObjectId, *, by: Actor) -> list[Stored]:
    """The customer's newest orders that the actor may see, without their lines."""
    fields = {"code": 1, "placed_on": 1, "total": 1, "status": 1, "kind": 1, "care": 1}
    found = Order.collection().find(_orders(customer_id, by), fields).sort("placed_at", -1)
    return [by.shown("orders", one) for one in found.limit(ORDERS_SHOWN)]


def count_orders_of(customer_id: ObjectId, *, by: Actor) -> int:
    """How many orders of the customer the actor may see; capped."""
    return lists.capped_count(Order.collection(), _orders(customer_id, by))


def history_of(path: str, record_id: ObjectId, *, by: Actor) -> list[Stored]:
    """What was said about a record, newest first; `path` is where entries name it."""
    return _entries(_said({path: record_id}, by), by)


def count_history_of(path: str, record_id: ObjectId, *, by: Actor) -> int:
    """How much was said about a record; capped."""
    return lists.capped_count(Interaction.collection(), _said({path: record_id}, by))


def deciding_products(records: list[Stored]) -> dict[str, Stored]:
    """The products that decided care dates, by code, with their names."""
    codes = [((one.get("care") or {}).get("basis") or {}).get("product_code") for one in records]
    return lists.labels(Product.collection(), codes, ("name",), by="code")


def _orders(customer_id: ObjectId, by: Actor) -> Stored:
    return {"$and": [{"customer_id": customer_id}, order_scope(by)]}


def _said(criteria: Stored, by: Actor) -> Stored:
    """What was said about a record that the actor may see: all of it (S1.1), or nothing where the
    actor reads no care entries. Changes of a relationship are left out where it is not seen."""
    if not by.may("entries", SEE):
        return NOTHING
    if not by.access.sees("customers", "relationship"):
        criteria = criteria | {"event": {"$ne": RELATIONSHIP}}
    return criteria | site_records.entries_scope(by)


def _entries(criteria: Stored, by: Actor) -> list[Stored]:
    found = Interaction.collection().find(criteria).sort("at", -1).limit(HISTORY_SHOWN)
    return [by.shown("entries", one) for one in site_records.said(found, by=by)]
