"""Small files, mappings and runs for the tests of imports."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rules.scope import SYSTEM
from services.imports.mapping import parse_mapping
from services.imports.orders import import_orders
from services.imports.products import import_products
from services.imports.report import ImportReport
from services.imports.run import ImportRequest

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
DATA = Path(__file__).parent / "data"

ORDERS: dict[str, Any] = {
    "kind": "orders",
    "group_by": "Invoice",
    "columns": {
        "Invoice": "order.code",
        "Date": "order.placed_at",
        "Customer": {"to": "customer.code", "clean": "integer"},
        "Area": "customer.area",
        "Product": "line.product_code",
        "Name": "line.product_name",
        "Quantity": "line.quantity",
        "Price": "line.unit_price",
    },
    "rules": {"order.kind": {"if_code_starts_with": "C", "then": "return", "else": "sale"}},
}
HEADER = "Invoice,Date,Customer,Area,Product,Name,Quantity,Price"

PRODUCTS: dict[str, Any] = {
    "kind": "products",
    "columns": {
        "Code": "product.code",
        "Name": "product.name",
        "Group": {"to": "product.group_path", "separator": "/"},
        "Interval": "product.care_interval_days",
        "Min": "product.care_min",
        "Max": "product.care_max",
    },
}
PRODUCT_HEADER = "Code,Name,Group,Interval,Min,Max"


def line(
    code: str = "1001",
    product: str = "P",
    quantity: object = 1,
    *,
    date: str = "2026-11-02 09:00:00",
    customer: str = "7",
    area: str = "Huế",
    name: str = "Cà phê",
    price: str = "2.5",
) -> str:
    """One line of an order file with HEADER."""
    return f"{code},{date},{customer},{area},{product},{name},{quantity},{price}"


def order_file(directory: Path, *lines: str, name: str = "orders.csv") -> Path:
    """A file of order lines under HEADER."""
    path = directory / name
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path


def product_file(directory: Path, *lines: str, name: str = "products.csv") -> Path:
    """A file of products under PRODUCT_HEADER."""
    path = directory / name
    path.write_text("\n".join([PRODUCT_HEADER, *lines]) + "\n", encoding="utf-8")
    return path


def run_orders(*files: Path, mapping: dict[str, Any] | None = None, **options: Any) -> ImportReport:
    """Imports order files with the mapping ORDERS, or with another one."""
    return import_orders(_request(files, mapping or ORDERS, "orders", options))


def run_products(
    *files: Path, mapping: dict[str, Any] | None = None, **options: Any
) -> ImportReport:
    """Imports product files with the mapping PRODUCTS, or with another one."""
    return import_products(_request(files, mapping or PRODUCTS, "products", options))


def _request(
    files: tuple[Path, ...], mapping: dict[str, Any], kind: str, options: dict[str, Any]
) -> ImportRequest:
    return ImportRequest(
        files=files,
        mapping=parse_mapping(mapping, kind, ZONE),
        by=SYSTEM,
        at=options.pop("at", AT),
        zone=ZONE,
        directory=options.pop("directory", files[0].parent / "imports"),
        **options,
    )


def contents(db: Any) -> dict[str, list[dict[str, Any]]]:
    """Every document of every collection, to compare before and after."""
    return {name: list(db[name].find().sort("_id", 1)) for name in db.list_collection_names()}
