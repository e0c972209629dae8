"""Valid documents with defaults; a test names only what it is about."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from bson import Decimal128, ObjectId

from models import Area, ConfigurationItem, Customer, Order, Product, Record
from models.base import stored_date

_numbers = count(1)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # 10:00 in Ho Chi Minh City
TODAY = date(2026, 11, 21)


def make_area(name: str = "Cầu Giấy, Hà Nội") -> ObjectId:
    existing = Area.collection().find_one({"name": name})
    if existing:
        return existing["_id"]
    return Area.collection().insert_one({"name": name, "search": name.lower()}).inserted_id


def make_customer(**values: Any) -> ObjectId:
    number = next(_numbers)
    document = {
        "code": f"KH-{number:06d}",
        "kind": "person",
        "name": "Nguyễn Thị Bích Ngọc",
        "search": "nguyen thi bich ngoc",
        "phones": ["0987 180 606"],
        "phone_keys": ["+84987180606"],
        "emails": [],
        "relationship": "new",
        "tags": [],
        "groups": [],
        "history": [],
        "own_care": {"state": "none", "count": 0},
        "care": {"state": "none"},
        "version": 1,
        "created_at": NOW,
        "updated_at": NOW,
    } | values
    return Customer.collection().insert_one(document).inserted_id


def make_product(code: str | None = None, interval: int = 7, **values: Any) -> str:
    """Returns the product's code."""
    code = code or f"P{next(_numbers)}"
    document = {
        "code": code,
        "name": f"Sản phẩm {code}",
        "search": f"san pham {code.lower()}",
        "group_ids": [],
        "care_interval_days": interval,
        "version": 1,
    } | values
    Product.collection().insert_one(document)
    return code


def make_order(
    customer_id: ObjectId | None,
    quantities: dict[str, int] | None = None,
    *,
    placed_on: date = TODAY,
    due_on: date | None = None,
    **values: Any,
) -> ObjectId:
    """An order of `{product code: quantity}`; intervals come from the products.

    `due_on` gives it a suggested date without the rules, for tests of lists.
    """
    quantities = quantities if quantities is not None else {}
    intervals = {
        product["code"]: product["care_interval_days"]
        for product in Product.collection().find({"code": {"$in": list(quantities)}})
    }
    care: dict[str, Any] = {"state": "none", "count": 0}
    if due_on is not None:
        care = {
            "state": "suggested",
            "due_on": stored_date(due_on),
            "basis": {
                "kind": "interval",
                "from_on": stored_date(placed_on),
                "product_code": next(iter(quantities), "P0"),
                "interval_days": (due_on - placed_on).days,
                "quantity": 1,
            },
            "count": 0,
        }
    document = {
        "code": f"DH-{next(_numbers)}",
        "kind": "sale",
        "customer_id": customer_id,
        "placed_at": datetime.combine(placed_on, time(9), ZONE),
        "placed_on": stored_date(placed_on),
        "lines": [
            {"product_code": code, "quantity": quantity, "unit_price": Decimal128(Decimal(1000))}
            for code, quantity in quantities.items()
        ],
        "total": Decimal128(Decimal(1000) * sum(quantities.values())),
        "care_items": [
            {"code": code, "quantity": quantity, "interval_days": intervals.get(code, 0)}
            for code, quantity in quantities.items()
            if quantity > 0
        ],
        "group_ids": [],
        "care": care,
        "version": 1,
        "created_at": NOW,
        "updated_at": NOW,
    } | values
    return Order.collection().insert_one(document).inserted_id


def make_record(kind: str, owner_id: ObjectId, **values: Any) -> ObjectId:
    """A document of a kind that the site made itself, which its owner sees."""
    number = next(_numbers)
    document = {
        "kind": kind,
        "code": f"PH-{number}",
        "title": f"Phiếu {number}",
        "search": f"phieu {number}",
        "owner_id": owner_id,
        "seen_by": [owner_id],
        "custom": {},
        "care": {"state": "none", "count": 0},
        "version": 1,
        "created_at": NOW,
        "updated_at": NOW,
    } | values
    return Record.collection().insert_one(document).inserted_id


def change_pick_list(key: str, **update: Any) -> None:
    """Changes a stored pick list as the update operators say (`push={"values": ...}`)."""
    ConfigurationItem.collection().update_one(
        {"section": "pick_lists", "key": key} | update.pop("where", {}),
        {
            f"${operator}": {f"content.{path}": value for path, value in fields.items()}
            for operator, fields in update.items()
        },
    )
