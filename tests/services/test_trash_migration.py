"""Orders that were in the trash before there were batches come back like all others."""

import importlib.util
from typing import Any

from bson import ObjectId

from models import Order, TrashedRecord
from rules.scope import Actor
from services import trash
from services.migration import MIGRATIONS
from tests.factories import NOW, make_customer, make_order


def run_migration(db: Any) -> None:
    path = MIGRATIONS / "2026-11-22-trash-in-batches.py"
    spec = importlib.util.spec_from_file_location("trash_in_batches", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.up(db)


def test_an_entry_of_before_is_a_batch_of_its_own(db: Any, manager: Actor, shipped: None) -> None:
    order_id = make_order(make_customer(), {}, code="DH 9")
    order = Order.collection().find_one_and_delete({"_id": order_id})
    assert order
    TrashedRecord.collection().insert_one(
        {
            "kind": "orders",
            "record_id": order_id,
            "record_label": "DH 9",
            "deleted_at": NOW,
            "staff_id": ObjectId(),
            "staff_name": "Lê Thị Chi",
            "document": order,
        }
    )
    for _ in range(2):
        run_migration(db)
    root = TrashedRecord.collection().find_one({"is_root": True})
    assert root
    assert (root["code"], root["search_words"]) == ("DH 9", ["dh", "9"])
    assert root["owner_ids"] == [order["customer_id"]]
    trash.restore(root["_id"], by=manager, at=NOW)
    assert Order.collection().find_one({"_id": order_id}) == order
