"""Every address of the application, taken from its routes, so that a new one is not forgotten."""

from collections.abc import Iterator, Mapping
from typing import Any

from bson import ObjectId
from flask import Flask

from models import Customer, Order, Product, Staff
from services.recompute import recompute_customers
from tests.factories import TODAY, make_customer, make_order, make_product

NOTHING = "0" * 24


def office() -> dict[str, str]:
    """One due order of one customer; arguments of routes with the id of something real."""
    code = make_product("SP1")
    customer = make_customer(code="KH-1")
    order = make_order(customer, {code: 1}, due_on=TODAY, code="DH-1")
    recompute_customers([customer])
    product = Product.collection().find_one({"code": code}) or {}
    staff = Staff.collection().find_one() or {}
    return {
        "record_id": str(customer),
        "customer_id": str(customer),
        "order_id": str(order),
        "product_id": str(product["_id"]),
        "staff_id": str(staff.get("_id", ObjectId())),
        "owner_id": str(customer),
        "kind": "customers",
        "filename": "css/frame.css",
        "secret": "nonsense",
    }


def routes(
    app: Flask, values: Mapping[str, str], methods: frozenset[str]
) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, address) of each route with one of these methods."""
    with app.test_request_context():
        for rule in sorted(app.url_map.iter_rules(), key=str):
            for method in sorted((rule.methods or set()) & methods):
                arguments = {name: values.get(name, NOTHING) for name in rule.arguments}
                yield rule.endpoint, method, app.url_for(rule.endpoint, **arguments)


def domain() -> dict[str, list[dict[str, Any]]]:
    """The records that an attack is after, to compare before and after."""
    return {
        document.__name__: list(document.collection().find().sort("_id", 1))
        for document in (Customer, Order, Product)
    }
