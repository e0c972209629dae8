"""Customers, products and areas that imported orders need: found, or made."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import Area, Customer, Product
from models.base import CarebookDocument
from rules.text import fold, search_text
from services.customers import search_fields
from services.imports.order_lines import ImportedOrder

Stored = dict[str, Any]


@dataclass(slots=True)
class Known:
    """Records by their key, and the documents to insert for those that were missing."""

    by_key: dict[str, Stored] = field(default_factory=dict)
    missing: dict[str, Stored] = field(default_factory=dict)

    def add(self, key: str, document: Stored) -> None:
        self.missing[key] = self.by_key[key] = document


def find(
    model: type[CarebookDocument],
    key: str,
    values: Iterable[str],
    fields: tuple[str, ...],
    session: ClientSession | None,
) -> Known:
    """The records whose field `key` is among `values`, with these fields."""
    wanted = list(values)
    if not wanted:
        return Known()
    projection = dict.fromkeys((key, *fields), 1)
    rows = model.collection().find({key: {"$in": wanted}}, projection, session=session)
    return Known({row[key]: row for row in rows})


def areas_for(names: Iterable[str], at: datetime, session: ClientSession | None) -> Known:
    """The areas with these names; missing ones become top areas."""
    wanted = dict.fromkeys(names)
    known = find(Area, "name", wanted, (), session)
    for name in wanted:
        if name not in known.by_key:
            known.add(name, new_record(Area, at, name=name, search=fold(name)))
    return known


def customers_for(
    orders: Iterable[ImportedOrder], at: datetime, session: ClientSession | None
) -> Known:
    """The customers of the orders; a missing one carries its area's name in `area`."""
    first = {order.customer_code: order for order in reversed(list(orders)) if order.customer_code}
    known = find(Customer, "code", first, ("area_id",), session)
    for code, order in first.items():
        if code not in known.by_key:
            known.add(code, _customer(code, order, at) | {"area": order.area})
    return known


def products_for(
    orders: Iterable[ImportedOrder], at: datetime, session: ClientSession | None
) -> Known:
    """The products of the orders' lines; a missing one gets its first name and interval 0."""
    names: dict[str, str | None] = {}
    for order in orders:
        for code, name, _, _ in order.lines:
            names[code] = names.get(code) or name
    known = find(Product, "code", names, ("care_interval_days", "group_ids"), session)
    for code, name in names.items():
        if code not in known.by_key:
            known.add(code, new_product(code, name, at))
    return known


def new_product(code: str, name: str | None, at: datetime) -> Stored:
    """A product document without a group; its name is its code where nothing else is known."""
    name = name or code
    return new_record(Product, at, code=code, name=name, **searched(name, code))


def _customer(code: str, order: ImportedOrder, at: datetime) -> Stored:
    details = order.details
    known: Stored = {"code": code, "name": details.get("customer.name") or code}
    for name in ("address", "tax_code"):
        if text := details.get(f"customer.{name}"):
            known[name] = text
    for name, source in (("phones", "customer.phone"), ("emails", "customer.email")):
        if text := details.get(source):
            known[name] = [text]
    return new_record(Customer, at, **known, **search_fields(known))


def searched(*parts: str) -> Stored:
    """The fields that search and the lists by name read; the name comes first."""
    text = search_text(*parts)
    return {"search": text, "search_words": list(dict.fromkeys(text.split()))}


def new_record(model: type[CarebookDocument], at: datetime, **values: Any) -> Stored:
    """A document with the model's defaults and these values, ready to insert."""
    if model not in _defaults:
        _defaults[model] = dict(model().to_mongo().to_dict())
    stamps = {"_id": ObjectId(), "created_at": at, "updated_at": at}
    return deepcopy(_defaults[model]) | stamps | values


# What mongoengine would store for an empty document: slow to make, the same for every record.
_defaults: dict[type[CarebookDocument], Stored] = {}
