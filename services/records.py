"""What the customer page and the order page show, read in a few queries."""

from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from models import Area, Customer, Interaction, Order, Product, Staff
from rules.errors import NotFound
from rules.permissions import SEE
from rules.scope import NOTHING, Actor, customer_scope, order_scope
from services import lists, site_records

Stored = dict[str, Any]
ORDERS_SHOWN = 50
HISTORY_SHOWN = 50


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """`orders` newest first, `history` newest first; both cut, the counts are capped."""

    customer: Stored
    area: str | None
    owner: str | None
    orders: list[Stored]
    order_count: int
    history: list[Stored]
    history_count: int
    product_names: dict[str, Stored]


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order with its customer and everything that was said about it.

    `customer` None: nobody, or somebody (`has_customer`) whom the actor may not see.
    """

    order: Stored
    customer: Stored | None
    has_customer: bool
    area: str | None
    history: list[Stored]
    product_names: dict[str, Stored]


def customer_record(customer_id: ObjectId, *, by: Actor) -> CustomerRecord:
    """Raises NotFound, also for a customer that the actor may not see."""
    customer = Customer.collection().find_one({"_id": customer_id, **customer_scope(by)})
    if customer is None:
        raise NotFound()
    mine = {"customer_id": customer_id}
    theirs = {"$and": [mine, order_scope(by)]}
    fields = {"code": 1, "placed_on": 1, "total": 1, "status": 1, "kind": 1, "care": 1}
    found = Order.collection().find(theirs, fields).sort("placed_at", -1).limit(ORDERS_SHOWN)
    orders = [by.shown("orders", order) for order in found]
    customer = by.shown("customers", customer)
    said = _said(mine, by)
    return CustomerRecord(
        customer=customer,
        area=_name(Area, customer.get("area_id")),
        owner=_name(Staff, customer.get("owner_id")),
        orders=orders,
        order_count=lists.capped_count(Order.collection(), theirs),
        history=_entries(said, by),
        history_count=lists.capped_count(Interaction.collection(), said),
        product_names=_deciding_products([customer, *orders]),
    )


def order_record(order_id: ObjectId, *, by: Actor) -> OrderRecord:
    """Raises NotFound, also for an order that the actor may not see."""
    order = Order.collection().find_one({"_id": order_id, **order_scope(by)}, {"import_digest": 0})
    if order is None:
        raise NotFound()
    customer_id = order.get("customer_id")
    mine = {"_id": customer_id, **customer_scope(by)}
    customer = Customer.collection().find_one(mine) if customer_id else None
    order = by.shown("orders", order)
    return OrderRecord(
        order=order,
        customer=by.shown("customers", customer) if customer else None,
        has_customer=customer_id is not None,
        area=_name(Area, order.get("area_id")),
        history=_entries(_said({"order_id": order_id}, by), by),
        product_names=_deciding_products([order]),
    )


def _said(criteria: Stored, by: Actor) -> Stored:
    """What was said about a record that the actor may see: all of it (S1.1), or nothing where the
    actor reads no care entries."""
    return criteria | site_records.entries_scope(by) if by.may("entries", SEE) else NOTHING


def _entries(criteria: Stored, by: Actor) -> list[Stored]:
    found = Interaction.collection().find(criteria).sort("at", -1).limit(HISTORY_SHOWN)
    return [by.shown("entries", one) for one in site_records.said(found, by=by)]


def _name(document: Any, record_id: ObjectId | None) -> str | None:
    found = document.collection().find_one({"_id": record_id}, {"name": 1}) if record_id else None
    return found["name"] if found else None


def _deciding_products(records: list[Stored]) -> dict[str, Stored]:
    """The products that decided care dates, by code, with their names."""
    codes = [
        ((record.get("care") or {}).get("basis") or {}).get("product_code") for record in records
    ]
    return lists.labels(Product.collection(), codes, ("name",), by="code")
