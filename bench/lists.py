"""The orders-due list at 100,000 orders: against its floor, and against a stock Flask-Admin view.

The floor is what cannot be avoided: the same page queried with raw pymongo, and its cells rendered
by one flat template. The stock view is Flask-Admin's own mongoengine `ModelView` over the same
collections with references, showing the same columns.
"""

import re
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_admin import Admin
from flask_admin.contrib.mongoengine import ModelView
from flask_babel import Babel
from jinja2 import Environment
from mongoengine import (
    DateField,
    DateTimeField,
    Decimal128Field,
    DynamicEmbeddedDocument,
    DynamicField,
    EmbeddedDocumentField,
    IntField,
    ListField,
    ReferenceField,
    StringField,
)
from mongoengine import Document as StockDocument
from pymongo import monitoring
from pymongo.database import Database

from app import create_app
from bench import Row
from bench.pages import medians, page
from config import Settings
from models import Area, Customer, Order, Product
from models.base import stored_date
from services import demo, lists, shipped

ORDERS, CUSTOMERS = 100_000, 25_000
ROUNDS = 40  # requests of each kind, in turns; the median counts
PASSWORD = "Do-toc-do-2026"  # noqa: S105 - of a database that is dropped
FLAT = Environment(autoescape=True).from_string(
    "<table>{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>"
    "{% endfor %}</table>"
)


class Queries(monitoring.CommandListener):
    """Counts the commands sent to MongoDB."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Not counted."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Not counted."""


QUERIES = Queries()
monitoring.register(QUERIES)


def measure(database: Database[dict[str, Any]]) -> Iterator[Row]:
    """Milliseconds of a page of 50 rows, and the number of queries."""
    settings = Settings().model_copy(update={"mongo_database": database.name})
    shipped.ensure()
    began = time.perf_counter()
    demo.load(
        now=datetime.now(UTC),
        zone=settings.zone,
        password=PASSWORD,
        customers=CUSTOMERS,
        orders=ORDERS,
    )
    filled = time.perf_counter() - began
    client = _logged_in(create_app(settings))
    stock = _stock_app().test_client()
    today = datetime.now(UTC).astimezone(settings.zone).date()
    due = page(client, "/orders/due")
    stock_page = page(stock, STOCK_URL)
    ours, floor, theirs = medians(due, lambda: _floor(today), stock_page, rounds=ROUNDS)
    QUERIES.names.clear()
    due()
    queries = [name for name in QUERIES.names if name in ("find", "aggregate", "count", "update")]
    yield Row("demonstration data, orders/s with their customers", f"{ORDERS / filled:,.0f}/s")
    yield Row("floor: raw query and flat template", f"{floor * 1000:.1f} ms")
    yield Row("orders due, whole page", f"{ours * 1000:.1f} ms", "floor", ours / floor, at_most=3)
    yield Row("queries of the page, login included", str(len(queries)), "", len(queries), at_most=6)
    yield Row(
        "stock Flask-Admin, same columns",
        f"{theirs * 1000:.1f} ms",
        "orders due",
        theirs / ours,
        at_least=5,
    )


def _floor(today: date) -> None:
    criteria = {
        "care.state": {"$in": ["suggested", "appointed"]},
        "care.due_on": {"$lte": stored_date(today + timedelta(days=7))},
    }
    fields = {"code": 1, "customer_id": 1, "area_id": 1, "placed_on": 1, "total": 1, "care": 1}
    orders = list(Order.collection().find(criteria, fields).sort("care.due_on", 1).limit(50))
    customers = _named(Customer, [order["customer_id"] for order in orders], "name", "phones")
    areas = _named(Area, [order["area_id"] for order in orders], "name")
    codes = [order["care"]["basis"].get("product_code") for order in orders]
    products = lists.labels(Product.collection(), codes, ("name",), by="code")
    rows = [
        (
            order["code"],
            customers[order["customer_id"]]["name"],
            customers[order["customer_id"]]["phones"][0],
            areas[order["area_id"]]["name"],
            order["care"]["due_on"].date(),
            order["care"]["basis"].get("quantity"),
            products.get(order["care"]["basis"].get("product_code")),
            order["placed_on"].date(),
            order["total"],
            order["care"]["count"],
        )
        for order in orders
    ]
    FLAT.render(rows=rows)


def _named(document: Any, ids: list[Any], *fields: str) -> dict[Any, dict[str, Any]]:
    found = document.collection().find({"_id": {"$in": ids}}, dict.fromkeys(fields, 1))
    return {row["_id"]: row for row in found}


def _logged_in(app: Flask) -> FlaskClient:
    email = next(email for email, role in demo.emails() if role == "care_agent")
    return log_in(app, email, PASSWORD)


def log_in(app: Flask, email: str, password: str) -> FlaskClient:
    """A client that has this person logged in."""
    client = app.test_client()
    page = client.get("/login").get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    form = {"csrf_token": token[1] if token else "", "email": email, "password": password}
    client.post("/login", data=form)
    return client


# The stock view: references as Flask-Admin's documentation declares them.


class StockArea(StockDocument):
    name = StringField()
    meta = {"collection": "areas", "strict": False, "auto_create_index": False}

    def __str__(self) -> str:
        return str(self.name)


class StockCustomer(StockDocument):
    name = StringField()
    phones = ListField(StringField())
    area = ReferenceField(StockArea, db_field="area_id")
    meta = {"collection": "customers", "strict": False, "auto_create_index": False}

    def __str__(self) -> str:
        return f"{self.name} {', '.join(self.phones)} {self.area}"


class StockCare(DynamicEmbeddedDocument):
    state = StringField()
    due_on = DateField()
    basis = DynamicField()
    count = IntField()


class StockOrder(StockDocument):
    code = StringField()
    customer = ReferenceField(StockCustomer, db_field="customer_id")
    placed_at = DateTimeField()
    placed_on = DateField()
    total = Decimal128Field()
    care = EmbeddedDocumentField(StockCare)
    meta = {"collection": "orders", "strict": False, "auto_create_index": False}


class StockView(ModelView):
    column_list = (
        "code",
        "customer",
        "care.due_on",
        "care.basis",
        "placed_on",
        "total",
        "care.count",
    )
    column_formatters = {"care.basis": lambda view, context, row, name: str(row.care.basis)}
    page_size = 50
    can_create = can_edit = can_delete = False

    def get_query(self) -> Any:
        week = datetime.now(UTC) + timedelta(days=7)
        return StockOrder.objects(
            __raw__={
                "care.state": {"$in": ["suggested", "appointed"]},
                "care.due_on": {"$lte": week},
            }
        ).order_by("care.due_on")

    def scaffold_form(self) -> Any:
        """No form: only the list is measured."""
        return type("NoForm", (self.form_base_class,), {})


STOCK_URL = "/admin/stockorder/"


def _stock_app() -> Flask:
    app = Flask("stock")
    app.config["SECRET_KEY"] = "stock"  # noqa: S105
    Babel(app)
    Admin(app).add_view(StockView(StockOrder))
    return app
