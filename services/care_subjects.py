"""What a care entry can be about: an order, a customer apart from orders, a record of the site's."""

from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import Customer, Order, Record
from models.base import CarebookDocument
from rules.errors import N_, NotFound
from rules.scope import Actor, customer_scope, order_scope
from services import site_records

Stored = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a care entry is about.

    Attributes:
        record: as it is stored, with its care at `path`.
        kind: what the change log calls it, with `label`.
        names: what each entry about it repeats, and so the criteria of these entries.
    """

    document: type[CarebookDocument]
    record: Stored
    kind: str
    label: str
    names: Stored
    path: str = "care"

    @property
    def care(self) -> Stored:
        return self.record.get(self.path) or {}

    @property
    def customer_id(self) -> ObjectId | None:
        if self.document is Customer:
            return ObjectId(self.record["_id"])
        return self.record.get("customer_id")


def order_subject(order_id: ObjectId, by: Actor, session: ClientSession) -> Subject:
    """An order that the actor may see and that has a customer. Raises NotFound."""
    order = Order.collection().find_one({"_id": order_id, **order_scope(by)}, session=session)
    if order is None or order.get("customer_id") is None:
        raise NotFound(N_("This order was deleted meanwhile. Copy your text before you leave."))
    names = {"order_id": order_id, "order_code": order["code"]}
    return Subject(Order, order, "orders", order["code"], names)


def customer_subject(customer_id: ObjectId, by: Actor, session: ClientSession) -> Subject:
    """A customer that the actor may see, apart from orders. Raises NotFound."""
    mine = {"_id": customer_id, **customer_scope(by)}
    customer = Customer.collection().find_one(mine, {"own_care": 1}, session=session)
    if customer is None:
        raise NotFound(N_("This customer was deleted meanwhile. Copy your text before you leave."))
    return Subject(Customer, customer, "customers", "", {}, path="own_care")


def record_subject(record_id: ObjectId, by: Actor, session: ClientSession) -> Subject:
    """A record of a kind that the site defined. Raises NotFound, also where it is not cared for."""
    record = site_records.cared_for(record_id, by=by, session=session)
    if record is None:
        raise NotFound(N_("This record was deleted meanwhile. Copy your text before you leave."))
    names = {
        "record_id": record_id,
        "record_kind": record["kind"],
        "record_code": record["code"],
    }
    return Subject(Record, record, record["kind"], record["title"], names)
