"""What the customer page and the order page show, read in a few queries."""

from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from models import Area, Customer, Interaction, Order, Product, Staff
from rules.errors import NotFound
from rules.scope import Actor, customer_scope, order_scope
from services import lists

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
    """An order with its customer (None: nobody) and everything that was said about it."""

    order: Stored
    customer: Stored | None
    area: str | None
    history: list[Stored]
    product_names: dict[str, Stored]


def customer_record(customer_id: ObjectId, *, by: Actor) -> CustomerRecord:
    """Raises NotFound, also for a customer that the actor may not see."""
    customer = Customer.collection().find_one({"_id": customer_id, **customer_scope(by)})
    if customer is None:
        raise NotFound()
    mine = {"customer_id": customer_id}
    fields = {"code": 1, "placed_on": 1, "total": 1, "status": 1, "kind": 1, "care": 1}
    orders = list(Order.collection().find(mine, fields).sort("placed_at", -1).limit(ORDERS_SHOWN))
    history = list(Interaction.collection().find(mine).sort("at", -1).limit(HISTORY_SHOWN))
    return CustomerRecord(
        customer=customer,
        area=_name(Area, customer.get("area_id")),
        owner=_name(Staff, customer.get("owner_id")),
        orders=orders,
        order_count=lists.capped_count(Order.collection(), mine),
        history=history,
        history_count=lists.capped_count(Interaction.collection(), mine),
        product_names=_deciding_products([customer, *orders]),
    )


def order_record(order_id: ObjectId, *, by: Actor) -> OrderRecord:
    """Raises NotFound, also for an order that the actor may not see."""
    order = Order.collection().find_one({"_id": order_id, **order_scope(by)}, {"import_digest": 0})
    if order is None:
        raise NotFound()
    customer_id = order.get("customer_id")
    customer = Customer.collection().find_one({"_id": customer_id}) if customer_id else None
    said = Interaction.collection().find({"order_id": order_id}).sort("at", -1)
    return OrderRecord(
        order=order,
        customer=customer,
        area=_name(Area, order.get("area_id")),
        history=list(said.limit(HISTORY_SHOWN)),
        product_names=_deciding_products([order]),
    )


def _name(document: Any, record_id: ObjectId | None) -> str | None:
    found = document.collection().find_one({"_id": record_id}, {"name": 1}) if record_id else None
    return found["name"] if found else None


def _deciding_products(records: list[Stored]) -> dict[str, Stored]:
    """The products that decided care dates, by code, with their names."""
    codes = [
        ((record.get("care") or {}).get("basis") or {}).get("product_code") for record in records
    ]
    return lists.labels(Product.collection(), codes, ("name",), by="code")
