"""Configured screens: the customer list with a site's own fields at a million customers, and its file.

The floor is the same page queried with raw pymongo, its cells rendered by one flat template. The
stock view is Flask-Admin's own mongoengine `ModelView` with references, showing and exporting the
same columns of 100,000 customers.
"""

import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_admin import Admin
from flask_admin.contrib.mongoengine import ModelView
from flask_babel import Babel
from mongoengine import (
    BooleanField,
    DynamicEmbeddedDocument,
    EmbeddedDocumentField,
    IntField,
    ReferenceField,
    StringField,
)
from mongoengine import Document as StockDocument

from app import create_app
from bench import Row, dataset
from bench.lists import FLAT, log_in
from bench.pages import medians, page
from jobs import registry
from models import Area, Customer, Staff
from rules.scope import SYSTEM
from services import (
    actors,
    configuration,
    configuration_changes,
    demo,
    list_export,
    lists,
    saved_views,
)
from services.catalogues import Words
from services.configuration_changes import Change
from services.list_export import Sheet
from services.lists import Sort
from services.progress import NoProgress
from services.saved_views import Content
from views import list_columns

Stored = dict[str, Any]
STOCK_SIZE = 100_000
ROUNDS = 25
EXPORTED, STOCK_EXPORTED = 100_000, 4_000  # the stock export would take minutes
MEGABYTES = 300
COMPILE_MS = 50
FIELDS: dict[str, Stored] = {
    "bench_rank": {"type": "integer", "label_vi": "Hạng", "is_filtered_often": True},
    "bench_debt": {"type": "money", "label_vi": "Công nợ"},
    "bench_size": {"type": "text", "label_vi": "Quy mô"},
    "bench_vip": {"type": "yes_no", "label_vi": "VIP"},
    "bench_way": {"type": "choice", "label_vi": "Kênh riêng", "pick_list": "channel"},
}
COLUMNS = ("name", *FIELDS, "owner", "area")
WHERE = "and(bench_rank.ge(200),relationship.in(won,hot,potential),bench_debt.ge(100000))"
CRITERIA: Stored = {
    "custom.bench_rank": {"$gte": 200},
    "relationship": {"$in": ["won", "hot", "potential"]},
    "custom.bench_debt": {"$gte": 100_000},
}
SHOWN = dict.fromkeys(("name", "phones", "custom", "owner_id", "area_id"), 1)


def measure(size: int, records: int | None = None) -> Iterator[Row]:
    """Milliseconds of a page of 50 rows, of compiling, and rows per second of a file."""
    with dataset.loaded(STOCK_SIZE):
        _prepare()
        stock = _stock_app().test_client()
        (theirs,) = medians(page(stock, STOCK_URL), rounds=5)
        stock_rate = _stock_export_rate(stock)
        rate, megabytes = _export(str(STOCK_SIZE), EXPORTED)  # of the same records
    with dataset.loaded(size):
        _prepare()
        client, address = _client(str(size))
        ours, floor = medians(page(client, address), _floor, rounds=ROUNDS)
        yield Row("floor: raw query and flat template", f"{floor * 1000:.1f} ms")
        yield Row(
            f"customers, {size:,}, own fields, a view with 3 conditions",
            f"{ours * 1000:.1f} ms",
            "floor",
            ours / floor,
            at_most=3,
        )
        yield Row(
            f"stock Flask-Admin at {STOCK_SIZE:,}",
            f"{theirs * 1000:.1f} ms",
            "our list",
            theirs / ours,
            at_least=5,
        )
        compiled = _compile_ms()
        yield Row(
            "compile a changed configuration, per list",
            f"{compiled:.1f} ms",
            "1 ms",
            compiled,
            at_most=COMPILE_MS,
        )
        yield Row(f"XLSX of {EXPORTED:,} rows", f"{rate:,.0f}/s")
        yield Row(
            "stock Flask-Admin's export",
            f"{stock_rate:,.0f}/s",
            "our XLSX",
            rate / stock_rate,
            at_least=20,
        )
        yield Row(
            "memory of writing it",
            f"{megabytes:.0f} MB",
            "1 MB",
            megabytes,
            at_most=MEGABYTES,
        )


def _prepare() -> None:
    """The site's own fields, with values for everybody, and the index of the one filtered often."""
    changes = [Change("fields", f"customers.{key}", content) for key, content in FIELDS.items()]
    configuration.forget()
    configuration_changes.apply(changes, says="bench", by=SYSTEM, at=datetime.now(UTC))
    Customer.collection().update_many(
        {"custom.bench_rank": None},
        [
            {
                "$set": {
                    "custom.bench_rank": {"$toInt": {"$multiply": [{"$rand": {}}, 1000]}},
                    "custom.bench_debt": {"$toInt": {"$multiply": [{"$rand": {}}, 9_000_000]}},
                    "custom.bench_size": {"$concat": ["Cỡ ", {"$substrBytes": ["$code", 0, 6]}]},
                    "custom.bench_vip": {"$gt": [{"$rand": {}}, 0.9]},
                    "custom.bench_way": "shop",
                }
            }
        ],
    )
    registry.JOBS["index_fields"](NoProgress(), kind="customers")


def _client(name: str) -> tuple[FlaskClient, str]:
    """A manager, and the address of a view with the columns and conditions that is theirs."""
    app = create_app(dataset.settings(name))
    email = next(email for email, role in demo.emails() if role == "manager")
    now = datetime.now(UTC)
    Staff.collection().update_one({"email": email}, {"$set": {"sessions": []}})  # of earlier runs
    with app.app_context():
        by = actors.of_staff(Staff.objects.get(email=email), configuration.snapshot(), at=now)
        columns = [{"key": key} for key in COLUMNS]
        view = saved_views.create(
            "customers", "Bench", Content({"where": WHERE}, columns), by=by, at=now
        )
    return log_in(app, email, dataset.PASSWORD), f"/customers/?view={view.id}"


def _floor() -> None:
    rows = list(
        Customer.collection().find(CRITERIA, SHOWN).sort([("search", 1), ("_id", 1)]).limit(50)
    )
    owners = lists.labels(Staff.collection(), (row.get("owner_id") for row in rows), ("name",))
    areas = lists.labels(Area.collection(), (row.get("area_id") for row in rows), ("name",))
    FLAT.render(
        rows=[
            (
                row["name"],
                *(row["custom"].get(key) for key in FIELDS),
                owners.get(row.get("owner_id"), {}).get("name"),
                areas.get(row.get("area_id"), {}).get("name"),
            )
            for row in rows
        ]
    )


def _compile_ms() -> float:
    """Milliseconds of compiling the customer list of a new revision, beyond its snapshot."""
    from views.customers import Customers

    app = create_app(dataset.settings("compile"))
    screen = next(
        view
        for admin in app.extensions["admin"]
        for view in admin._views
        if isinstance(view, Customers)
    )
    seconds = []
    with app.test_request_context("/customers/"):
        for _ in range(ROUNDS):
            configuration.forget()
            began = time.perf_counter()
            fresh = configuration.snapshot()
            list_columns.compile_list(screen, fresh, SYSTEM.access, "vi")
            seconds.append(time.perf_counter() - began)
    return statistics.median(seconds) * 1000


def _export(name: str, rows: int) -> tuple[float, float]:
    """Rows per second and the most megabytes of a process that writes the file."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_write_file, (name, rows))


def _write_file(name: str, rows: int) -> tuple[float, float]:
    dataset.connect(dataset.settings(name))
    config = configuration.snapshot()
    fields = [config.kinds["customers"].fields[key] for key in COLUMNS]
    last = list(Customer.collection().find({}, {"_id": 1}).sort("_id", 1).skip(rows - 1).limit(1))
    sheet = Sheet(
        Customer.collection(),
        {"_id": {"$lte": last[0]["_id"]}},
        Sort("_id"),
        fields,
        [field.key for field in fields],
        config,
        Words("vi"),
        SYSTEM,
        config.kinds["customers"],
        datetime.now(UTC).date(),
    )
    began = time.perf_counter()
    with tempfile.TemporaryFile() as file:
        written = list_export.write(sheet, list_export.XLSX, file)
    seconds = time.perf_counter() - began
    return written / seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# The stock view: references as Flask-Admin's documentation declares them.


class ConfiguredArea(StockDocument):
    name = StringField()
    meta = {"collection": "areas", "strict": False, "auto_create_index": False}

    def __str__(self) -> str:
        return str(self.name)


class ConfiguredStaff(StockDocument):
    name = StringField()
    meta = {"collection": "staff", "strict": False, "auto_create_index": False}

    def __str__(self) -> str:
        return str(self.name)


class ConfiguredCustom(DynamicEmbeddedDocument):
    bench_rank = IntField()
    bench_debt = IntField()
    bench_size = StringField()
    bench_vip = BooleanField()
    bench_way = StringField()


class ConfiguredCustomer(StockDocument):
    name = StringField()
    custom = EmbeddedDocumentField(ConfiguredCustom)
    owner = ReferenceField(ConfiguredStaff, db_field="owner_id")
    area = ReferenceField(ConfiguredArea, db_field="area_id")
    meta = {"collection": "customers", "strict": False, "auto_create_index": False}


class ConfiguredStockView(ModelView):
    column_list = ("name", *(f"custom.{key}" for key in FIELDS), "owner", "area")
    page_size = 50
    can_create = can_edit = can_delete = False
    can_export = True
    export_max_rows = STOCK_EXPORTED

    def get_query(self) -> Any:
        return ConfiguredCustomer.objects(__raw__=CRITERIA).order_by("search")

    def scaffold_form(self) -> Any:
        """No form: only the list is measured."""
        return type("NoForm", (self.form_base_class,), {})


STOCK_URL = "/admin/configuredcustomer/"


def _stock_app() -> Flask:
    app = Flask("stock")
    app.config["SECRET_KEY"] = "stock"  # noqa: S105
    Babel(app)
    Admin(app).add_view(ConfiguredStockView(ConfiguredCustomer))
    return app


def _stock_export_rate(client: FlaskClient) -> float:
    began = time.perf_counter()
    page(client, f"{STOCK_URL}export/csv/")()
    return STOCK_EXPORTED / (time.perf_counter() - began)
