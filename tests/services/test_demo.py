"""The demonstration data keep every rule of the real ones."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from models import Area, Customer, Interaction, Order, Product, ProductGroup, Site, Staff
from models.base import local_date
from models.customer import HISTORY_KEPT
from rules.care_dates import first_care
from rules.scope import SYSTEM
from services import credentials, demo, demo_processes, recompute, relationships
from services.customers import search_fields
from services.stored_care import items_of, stored_first_care
from tests.factories import NOW, TODAY

pytestmark = pytest.mark.usefixtures("shipped")
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
PASSWORD = "trời hôm nay đẹp"
SMALL = {"customers": 60, "orders": 240}


def load(**values: Any) -> None:
    demo.load(**{"now": NOW, "zone": ZONE, "password": PASSWORD} | SMALL | values)


def everything() -> dict[str, list[dict[str, Any]]]:
    found = {}
    for document in (Area, Customer, Interaction, Order, Product, ProductGroup):
        rows = document.collection().find().sort("_id", 1)
        found[document.__name__] = list(rows)
    return found


def test_it_makes_as_many_as_asked_for() -> None:
    seen: list[int] = []
    load(advance=seen.append)
    assert Customer.collection().count_documents({}) == 60
    assert Order.collection().count_documents({}) == 240
    assert Staff.objects.count() == 8
    roles = Counter(role for one in Staff.objects for role in one.roles)
    assert set(roles) == {"administrator", "manager", "care_agent"}
    assert sum(seen) == 60
    assert not demo.is_unfinished()


def test_the_same_day_gives_the_same_data_again() -> None:
    load()
    before = everything()
    load()
    assert everything() == before
    assert Staff.objects.count() == 8


def test_a_load_that_was_killed_is_finished_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    load()
    whole = everything()
    for document in (Area, Customer, Interaction, Order, Product, ProductGroup):
        document.collection().delete_many({})
    monkeypatch.setattr(demo_processes, "CUSTOMERS_PER_BATCH", 20)

    write = demo._write
    writes = 0

    def die(*what: Any) -> None:
        nonlocal writes
        writes += 1
        if writes == 8:
            raise SystemExit("killed")
        write(*what)

    monkeypatch.setattr(demo, "_write", die)
    with pytest.raises(SystemExit):
        load()
    assert demo.is_unfinished()
    assert 0 < Order.collection().count_documents({}) < 240
    monkeypatch.setattr(demo, "_write", write)
    load()
    assert everything() == whole
    assert not demo.is_unfinished()


def test_the_care_of_uncared_orders_is_what_the_rules_say() -> None:
    load()
    states = Counter[str]()
    for order in Order.collection().find():
        states[order["care"]["state"]] += 1
        if order["care"]["count"] == 0:
            first = first_care(local_date(order["placed_on"]), items_of(order))  # type: ignore[arg-type]
            assert order["care"] == stored_first_care(first)
    assert min(states["suggested"], states["appointed"], states["ended"]) > 0


def test_a_recompute_finds_nothing_to_change() -> None:
    load()
    counts = recompute.recompute_care()
    changed = {name: number for name, number in counts.items() if name.endswith("_changed")}
    assert not any(changed.values()), changed


def test_every_customer_has_the_relationship_that_the_rules_give() -> None:
    load()
    found = {one["relationship"] for one in Customer.collection().find()}
    assert {"won", "do_not_forget"} <= found
    counts = relationships.recompute(at=NOW)
    assert (counts["facts_changed"], counts["relationships_changed"]) == (0, 0)


def test_history_and_embedded_history_agree() -> None:
    load()
    for customer in Customer.collection().find():
        said = list(Interaction.collection().find({"customer_id": customer["_id"]}).sort("at", -1))
        assert len(customer["history"]) == min(len(said), HISTORY_KEPT)
        assert {one["interaction_id"] for one in customer["history"]} <= {
            one["_id"] for one in said
        }
        newest = [one["at"] for one in customer["history"]]
        assert newest == sorted(newest, reverse=True)
        assert not said or customer["facts"]["last_feedback"] == said[0]["feedback"]


def test_each_order_counts_its_entries_and_carries_the_newest() -> None:
    load()
    for order in Order.collection().find({"care.count": {"$gt": 0}}):
        said = list(Interaction.collection().find({"order_id": order["_id"]}).sort("at", -1))
        assert order["care"]["count"] == len(said)
        assert order["care"]["last_at"] == said[0]["at"]
        assert order["care"].get("due_on") == said[0]["next_on"]
        assert (order["care"]["state"] == "ended") == said[0]["ended"]


def test_nothing_lies_in_the_future_or_before_the_purchase() -> None:
    load()
    assert not Interaction.collection().count_documents({"at": {"$gt": NOW}})
    assert not Order.collection().count_documents({"placed_at": {"$gt": NOW}})
    for order in Order.collection().find():
        assert local_date(order["placed_on"]) == order["placed_at"].astimezone(ZONE).date()


def test_references_and_search_words_are_right() -> None:
    load()
    customers = {row["_id"]: row for row in Customer.collection().find()}
    for order in Order.collection().find():
        assert order["area_id"] == customers[order["customer_id"]]["area_id"]
    for customer in customers.values():
        words = search_fields(customer)
        assert {name: customer[name] for name in words} == words
    products = {row["code"]: row for row in Product.collection().find()}
    for order in Order.collection().find():
        for item in order["care_items"]:
            assert item["interval_days"] == products[item["code"]]["care_interval_days"]
        groups = {
            one for line in order["lines"] for one in products[line["product_code"]]["group_ids"]
        }
        assert set(order["group_ids"]) == groups


def test_there_is_work_for_today() -> None:
    load()
    from services import queue

    due = Customer.collection().count_documents(queue.due_criteria(TODAY, SYSTEM))
    assert 0 < due < 60


@pytest.mark.parametrize(
    "now",
    [
        datetime(2028, 2, 29, 2, tzinfo=UTC),
        datetime(2026, 12, 31, 17, 30, tzinfo=UTC),  # New Year there already
        datetime.combine(TODAY, time(0, 1), ZONE).astimezone(UTC),
    ],
)
def test_every_day_is_a_day(now: datetime) -> None:
    load(now=now)
    assert not Interaction.collection().count_documents({"at": {"$gt": now}})
    assert recompute.recompute_care()["customers_changed"] == 0


def test_it_takes_none_and_few() -> None:
    load(customers=0, orders=0)
    assert Customer.collection().count_documents({}) == 0
    load(customers=10, orders=7)
    assert Order.collection().count_documents({}) == 7


def test_it_is_unfinished_only_between_beginning_and_end() -> None:
    assert not demo.is_unfinished()
    Site.collection().update_one({"key": "site"}, {"$set": {"demo": "loading"}})
    assert demo.is_unfinished()


def test_the_accounts_can_log_in(check: Callable[[str], bool]) -> None:
    load(customers=1, orders=1)
    assert all(check(email) for email, _ in demo.emails())


@pytest.fixture
def check() -> Callable[[str], bool]:

    return lambda email: credentials.authenticate(email, PASSWORD) is not None


def test_older_orders_have_mostly_been_cared_for() -> None:
    load()
    old = {"placed_on": {"$lt": NOW - timedelta(days=60)}, "care.state": "suggested"}
    late = {"$lt": NOW - timedelta(days=10)}
    assert Order.collection().count_documents(old | {"care.due_on": late}) < 12


def test_several_processes_write_the_same_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    load()
    whole = everything()
    for document in (Area, Customer, Interaction, Order, Product, ProductGroup):
        document.collection().delete_many({})
    monkeypatch.setattr(demo_processes, "SPLIT_FROM", 10)
    monkeypatch.setattr(demo_processes, "CUSTOMERS_PER_PIECE", 25)
    seen: list[int] = []
    load(advance=seen.append)
    assert everything() == whole
    assert sorted(seen) == [10, 25, 25]
