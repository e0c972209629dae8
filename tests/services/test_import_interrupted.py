"""Imports that are killed, run side by side, or meet a full disk."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.topics import TOPICS
from services import follow_ups, outbox
from services.imports import orders as importing
from services.imports.staging import NoRoom, Stage
from tests.factories import make_product
from tests.importing import line, order_file, run_orders

ROOT = Path(__file__).resolve().parents[2]
MAPPING = """
kind = "orders"
[columns]
"Invoice" = "order.code"
"Date" = "order.placed_at"
"Customer" = "customer.code"
"Area" = "customer.area"
"Product" = "line.product_code"
"Quantity" = "line.quantity"
"""


def many_orders(directory, count=3000):
    return order_file(
        directory,
        *(
            line(
                str(number), f"P{number % 50}", number % 7, customer=str(number % 97),
                area=f"A{number % 11}",
            )
            for number in range(count)
        ),
    )  # fmt: skip


def state(db):
    """What the import made, without ids and times."""
    customers = {row["_id"]: row for row in db.customers.find()}
    orders = {
        row["code"]: (
            customers[row["customer_id"]]["code"],
            row["care"],
            row["version"],
            row["import_digest"],
        )
        for row in db.orders.find()
    }
    next_care = {row["code"]: row["care"].get("order_code") for row in customers.values()}
    names = Counter(row["name"] for row in db.areas.find())
    return orders, next_care, names, sorted(db.products.distinct("code"))


@pytest.fixture
def products(db):
    for number in range(50):
        make_product(f"P{number}", interval=number % 9)


def start(settings, files, mapping):
    environment = os.environ | {
        "CAREBOOK_DATA": str(settings.data),
        "CAREBOOK_MONGO_DATABASE": settings.mongo_database,
        "CAREBOOK_LOCALE": "en",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "app", "import", "orders", files, "--mapping", mapping],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def mapping(tmp_path):
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING)
    return path


@pytest.mark.usefixtures("products")
def test_the_same_file_twice_at_once_is_imported_once(db, settings, tmp_path, mapping):
    path = many_orders(tmp_path)
    both = [start(settings, path, mapping) for _ in range(2)]
    outputs = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    orders, _, areas, _ = state(db)
    assert len(orders) == 3000
    assert {version for _, _, version, _ in orders.values()} == {1}
    assert set(areas.values()) == {1}
    assert db.customers.count_documents({}) == 97
    written = sum(
        change["new"]
        for entry in db.audit_entries.find()
        for change in entry["changes"]
        if change["field"] == "orders_new"
    )
    assert written == 3000


@pytest.mark.usefixtures("products")
def test_a_run_that_is_killed_is_completed_by_the_next(db, settings, tmp_path, mapping):
    path = many_orders(tmp_path, 12_000)
    process = start(settings, path, mapping)
    deadline = time.monotonic() + 60
    while db.orders.find_one() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = db.orders.count_documents({})
    assert 0 < done < 12_000
    assert list((settings.data / "imports").glob("*.staged")) == []
    again = start(settings, path, mapping)
    output, errors = again.communicate(timeout=180)
    assert again.returncode == 0, errors
    assert f"{12_000 - done:,} new, 0 changed, {done:,} unchanged" in output
    completed = state(db)
    for name in db.list_collection_names():
        if name != "products":
            db[name].delete_many({})
    process = start(settings, path, mapping)
    process.communicate(timeout=180)
    assert completed == state(db)


@pytest.mark.usefixtures("products")
def test_a_batch_that_fails_leaves_nothing_of_itself(db, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(importing, "recompute_customers", broken)
    with pytest.raises(KeyboardInterrupt):
        run_orders(order_file(tmp_path, line(product="P1")))
    for collection in (db.orders, db.customers, db.areas, db.audit_entries):
        assert collection.count_documents({}) == 0


@pytest.mark.usefixtures("db")
def test_an_interval_that_changes_during_the_import_is_followed(db, tmp_path, monkeypatch):
    make_product("P", interval=5)
    planned = importing._Batch.planned

    def meanwhile(batch, session):
        plan = planned(batch, session)
        db.products.update_one({"code": "P"}, {"$set": {"care_interval_days": 9}})
        return plan

    monkeypatch.setattr(importing._Batch, "planned", meanwhile)
    run_orders(order_file(tmp_path, line()))
    order = db.orders.find_one()
    assert order["care_items"][0]["interval_days"] == 9
    assert order["care"]["basis"]["interval_days"] == 9


def test_a_directory_that_cannot_be_written_is_named(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(NoRoom, match="Free some disk space"), Stage(blocked / "imports", 3):
        pass


def test_a_full_disk_is_named(tmp_path):
    with Stage(tmp_path, 3) as stage:
        stage._database.execute("PRAGMA max_page_count = 10")
        with pytest.raises(NoRoom, match="full"):
            stage.add((str(number), number, "x" * 1000) for number in range(100))


@pytest.mark.usefixtures("products", "shipped", "valkey")
def test_what_follows_a_batch_is_done_even_when_the_import_is_killed_before(
    db, tmp_path, monkeypatch
):
    path = many_orders(tmp_path, 40)
    with monkeypatch.context() as patch:
        patch.setattr(importing.relationships, "bring_in_line", killed)
        with pytest.raises(KeyboardInterrupt):
            run_orders(path)
    assert db.orders.count_documents({}) == 40
    assert db.customers.count_documents({"facts.order_count": {"$gt": 0}}) == 0
    # The product gets another interval before anybody looks.
    db.products.update_one({"code": "P5"}, {"$set": {"care_interval_days": 77}})
    later = datetime.now(UTC) + follow_ups.LEFT_TO_THE_IMPORT
    assert outbox.deliver(TOPICS, "w", now=lambda: later) == 1
    customers = db.orders.distinct("customer_id")
    assert db.customers.count_documents({"facts.order_count": {"$gt": 0}}) == len(customers)
    assert db.orders.find_one({"care_items.code": "P5"})["care_items"][0]["interval_days"] == 77


@pytest.mark.usefixtures("products", "shipped", "valkey")
def test_an_import_that_ends_leaves_nothing_to_do(db, tmp_path):
    run_orders(many_orders(tmp_path, 40))
    assert db.outbox.count_documents({"state": "waiting"}) == 0
    assert db.outbox.count_documents({"state": "done"}) == 1


def killed(*_, **__):
    raise KeyboardInterrupt
