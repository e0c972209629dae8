"""What a care form shows: the subject, why it is due, what was said before, how often to ask."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from bson import ObjectId

from models import Area, Customer, Interaction, Order, Product
from models.base import local_date
from models.care import OPEN_STATES
from models.customer import HISTORY_KEPT
from rules.care_dates import ContactAdvice, suggested_contacts
from rules.errors import N_, NotFound
from rules.permissions import SEE
from rules.scope import Actor, customer_scope, order_scope
from services import site_records

Stored = dict[str, Any]
EARLIER_SHOWN = 50  # entries in the grid of earlier care; the history screen has all of them
OTHER_ORDERS_SHOWN = 6


@dataclass(frozen=True, slots=True)
class CareForm:
    """A care form before anything is typed.

    It is about an `order`, a `record` of a kind that the site defined, or else the customer alone.
    `customer` is None for a record without one, or with one that the actor may not see. `earlier`
    are stored interactions of the subject, newest first; `elsewhere` the customer's others.
    `open_orders` are the customer's other open orders, nearest first. `fewest` and `most` are the
    suggested contacts (S1.8).
    """

    customer: Stored | None
    order: Stored | None
    area: str | None
    due_on: date | None
    basis: Stored | None
    product_name: str | None
    count: int
    earlier: list[Stored]
    elsewhere: list[Stored]
    open_orders: list[Stored]
    fewest: int | None
    most: int | None
    record: Stored | None = None

    @property
    def subject_id(self) -> ObjectId:
        """The id of the record that the entry is about."""
        found: Any = self.record or self.order or self.customer
        return ObjectId(found["_id"])


def form_for_order(order_id: ObjectId, *, by: Actor) -> CareForm:
    """The form for one order. Raises NotFound when it is gone or nobody can be contacted."""
    order = Order.collection().find_one({"_id": order_id, **order_scope(by)}, {"import_digest": 0})
    if order is None:
        raise NotFound()
    if order.get("customer_id") is None:
        raise NotFound(N_("This order has no customer, so there is nobody to contact."))
    return _form(order["customer_id"], order, by)


def form_for_customer(customer_id: ObjectId, *, by: Actor) -> CareForm:
    """The form for the customer apart from orders (S1.15, S1.16). Raises NotFound."""
    if (
        Customer.collection().find_one({"_id": customer_id, **customer_scope(by)}, {"_id": 1})
        is None
    ):
        raise NotFound()
    return _form(customer_id, None, by)


def form_for_record(record_id: ObjectId, *, by: Actor) -> CareForm:
    """The form for a record of a kind that the site defined (B.14).

    Raises NotFound, also where the kind is not cared for.
    """
    record = site_records.cared_for(record_id, by=by)
    if record is None:
        raise NotFound()
    record = by.shown(record["kind"], record)
    customer_id, reads = record.get("customer_id"), by.may("entries", SEE)
    mine = {"_id": customer_id, **customer_scope(by)}
    customer = Customer.collection().find_one(mine) if customer_id else None
    customer = by.shown("customers", customer) if customer else None
    care: Stored = record.get("care") or {}
    return CareForm(
        customer=customer,
        order=None,
        record=record,
        area=_area_name(customer.get("area_id")) if customer else None,
        due_on=local_date(care.get("due_on")),
        basis=care.get("basis") or None,
        product_name=None,
        count=care.get("count", 0),
        earlier=_said({"record_id": record_id}, by) if reads else [],
        elsewhere=_elsewhere(customer, {"record_id": record_id}, by) if customer and reads else [],
        open_orders=[],
        fewest=None,
        most=None,
    )


def subject_of_next_care(customer_id: ObjectId, *, by: Actor) -> ObjectId | None:
    """The order that the customer's nearest date comes from; None: the customer itself (S1.7)."""
    customer = Customer.collection().find_one(
        {"_id": customer_id, **customer_scope(by)}, {"care.order_id": 1}
    )
    if customer is None:
        raise NotFound()
    order_id: ObjectId | None = (customer.get("care") or {}).get("order_id")
    return order_id


def _form(customer_id: ObjectId, order: Stored | None, by: Actor) -> CareForm:
    customer = Customer.collection().find_one({"_id": customer_id, **customer_scope(by)})
    if customer is None:
        raise NotFound(N_("You cannot see the customer of this order. Ask for the right to."))
    customer = by.shown("customers", customer)
    order = by.shown("orders", order) if order else None
    reads = by.may("entries", SEE)
    care: Stored = (order.get("care") if order else customer.get("own_care")) or {}
    basis = care.get("basis") or None
    products = _products(order)
    decisive = products.get((basis or {}).get("product_code", ""))
    order_id = order["_id"] if order else None
    fewest, most = suggested_contacts(
        ContactAdvice(one.get("care_interval_days", 0), one.get("care_min"), one.get("care_max"))
        for one in products.values()
    )
    return CareForm(
        customer=customer,
        order=order,
        area=_area_name(customer.get("area_id")),
        due_on=local_date(care.get("due_on")),
        basis=basis,
        product_name=decisive["name"] if decisive else None,
        count=care.get("count", 0),
        earlier=_earlier(customer_id, order_id, by) if reads else [],
        elsewhere=_elsewhere(customer, {"order_id": order_id}, by) if reads else [],
        open_orders=_open_orders(customer_id, order_id, by),
        fewest=fewest,
        most=most,
    )


def _products(order: Stored | None) -> dict[str, Stored]:
    codes = [item["code"] for item in (order or {}).get("care_items", [])]
    if not codes:
        return {}
    fields = {"code": 1, "name": 1, "care_interval_days": 1, "care_min": 1, "care_max": 1}
    found = Product.collection().find({"code": {"$in": codes}}, fields)
    return {product["code"]: product for product in found}


def _area_name(area_id: ObjectId | None) -> str | None:
    area = Area.collection().find_one({"_id": area_id}, {"name": 1}) if area_id else None
    return area["name"] if area else None


def _earlier(customer_id: ObjectId, order_id: ObjectId | None, by: Actor) -> list[Stored]:
    subject: Stored = {"order_id": order_id}
    if order_id is None:
        # A changed status is no care: the customer's page shows it.
        subject = {"customer_id": customer_id, "order_id": None, "record_id": None, "event": None}
    return _said(subject, by)


def _said(about: Stored, by: Actor) -> list[Stored]:
    found = Interaction.collection().find(about).sort("at", -1).limit(EARLIER_SHOWN)
    return [by.shown("entries", one) for one in found]


def _elsewhere(customer: Stored, subject: Stored, by: Actor) -> list[Stored]:
    """What was said to the customer about anything else, newest first."""
    [(name, subject_id)] = subject.items()
    found = [one for one in customer.get("history", []) if not one.get("event")]
    if site_records.has_cared_kinds():
        # The customer does not repeat these: who sees it may not see every kind.
        theirs = {"customer_id": customer["_id"], "record_id": {"$ne": None}}
        entries = Interaction.collection().find(theirs).sort("at", -1).limit(HISTORY_KEPT)
        found += site_records.said((by.shown("entries", one) for one in entries), by=by)
        found.sort(key=lambda one: one["at"], reverse=True)
    if name == "order_id" and subject_id is None:
        others = [one for one in found if one.get("order_id") or one.get("record_id")]
    else:
        others = [one for one in found if one.get(name) != subject_id]
    return others[:HISTORY_KEPT]


def _open_orders(customer_id: ObjectId, order_id: ObjectId | None, by: Actor) -> list[Stored]:
    others = {
        "customer_id": customer_id,
        "care.state": {"$in": list(OPEN_STATES)},
        "_id": {"$ne": order_id},
    }
    fields = {"code": 1, "care.due_on": 1}
    mine = {"$and": [others, order_scope(by)]}
    found = Order.collection().find(mine, fields).sort("care.due_on", 1)
    return [by.shown("orders", one) for one in found.limit(OTHER_ORDERS_SHOWN)]
