"""S1.4 to S1.7: dates follow intervals, orders and appointments; twice changes nothing."""

from datetime import UTC, date, datetime

import pytest

from models import Customer, Order, Product
from models.base import local_date, stored_date
from services import intervals, recompute
from services.progress import Cancelled, NoProgress
from services.recompute import recompute_care, recompute_customers, recompute_orders
from stores.mongo import in_transaction
from tests.factories import make_customer, make_order, make_product

BOUGHT = date(2026, 5, 2)
APPOINTMENT_ON = date(2026, 5, 4)
OWN = {
    "state": "appointed",
    "due_on": stored_date(APPOINTMENT_ON),
    "basis": {"kind": "appointment", "staff_name": "Lan", "set_on": stored_date(BOUGHT)},
    "count": 1,
}


def due_on(order_id):
    return local_date(Order.collection().find_one({"_id": order_id})["care"].get("due_on"))


def next_care(customer_id):
    return Customer.collection().find_one({"_id": customer_id})["care"]


def everything(db):
    return {
        name: list(db[name].find().sort("_id", 1)) for name in ("orders", "customers", "products")
    }


def a_shop(size=7):
    """Orders of several customers and products, none computed yet."""
    for code, interval in (("A", 5), ("B", 7), ("C", 0)):
        make_product(code, interval=interval)
    customers = [make_customer() for _ in range(3)]
    wanted = [{"A": 2}, {"B": 1, "C": 4}, {"C": 1}, {"A": 1, "B": 1}]
    return [
        make_order(customers[n % 3], wanted[n % 4], placed_on=BOUGHT.replace(day=2 + n))
        for n in range(size)
    ]


class Stopping(NoProgress):
    """Stops after some pieces of work, as a killed process or a person would."""

    def __init__(self, error, pieces):
        self.error = error
        self.pieces = pieces

    def is_cancelled(self):
        self.pieces -= 1
        if self.pieces < 0 and self.error is RuntimeError:
            raise RuntimeError("killed")
        return self.pieces < 0


@pytest.fixture
def small_ranges(monkeypatch):
    monkeypatch.setattr(recompute, "ORDERS_PER_RANGE", 2)
    monkeypatch.setattr(recompute, "CUSTOMERS_PER_RANGE", 2)
    monkeypatch.setattr(intervals, "ORDERS_PER_UPDATE", 2)
    monkeypatch.setattr(intervals, "PRODUCTS_PER_QUERY", 2)
    monkeypatch.setattr(intervals, "INTERVALS_PER_UPDATE", 1)


@pytest.mark.usefixtures("small_ranges")
def test_twice_in_a_row_changes_nothing_the_second_time(db):
    a_shop()
    first = recompute_care()
    assert first["orders_changed"] == 5
    assert first["customers_changed"] == 3
    once = everything(db)
    second = recompute_care()
    assert (second["orders_checked"], second["customers_checked"]) == (7, 3)
    assert not any(number for name, number in second.items() if name.endswith("changed"))
    assert everything(db) == once


def test_the_size_of_the_ranges_does_not_matter(db, monkeypatch):
    a_shop()
    recompute_care()
    whole = [row["care"] for row in Order.collection().find().sort("_id", 1)]
    Order.collection().update_many({}, {"$set": {"care": {"state": "none", "count": 0}}})
    monkeypatch.setattr(recompute, "ORDERS_PER_RANGE", 3)
    recompute_care()
    assert [row["care"] for row in Order.collection().find().sort("_id", 1)] == whole


@pytest.mark.usefixtures("small_ranges")
@pytest.mark.parametrize("error", [RuntimeError, Cancelled])
@pytest.mark.parametrize("pieces", [0, 1, 2, 4, 5])
@pytest.mark.parametrize("codes", [None, ["A", "B", "C"]])
def test_after_stopping_half_way_the_next_run_finishes(db, error, pieces, codes):
    a_shop()
    recompute_care()
    Product.collection().update_many({}, {"$inc": {"care_interval_days": 3}})
    with pytest.raises(error):
        recompute_care(product_codes=codes, progress=Stopping(error, pieces))
    recompute_care(product_codes=codes)
    resumed = [row["care"] for row in Order.collection().find().sort("_id", 1)]
    assert recompute_care()["orders_changed"] == 0
    assert recompute_care()["customers_changed"] == 0
    assert [local_date(care["due_on"]) for care in resumed] == [
        date(2026, 5, 18), date(2026, 5, 13), date(2026, 5, 7), date(2026, 5, 13),
        date(2026, 5, 22), date(2026, 5, 17), date(2026, 5, 11),
    ]  # fmt: skip


def test_a_changed_interval_moves_only_the_orders_with_that_product(db):
    make_product("A", interval=5)
    make_product("B", interval=7)
    customer = make_customer()
    with_a = make_order(customer, {"A": 1, "B": 9}, placed_on=BOUGHT)
    without = make_order(customer, {"B": 1}, placed_on=BOUGHT)
    recompute_care()
    Product.collection().update_one({"code": "A"}, {"$set": {"care_interval_days": 30}})
    counts = recompute_care(product_codes=["A"])
    assert counts["intervals_changed"] == 1
    assert counts["orders_checked"] == 1
    assert due_on(with_a) == date(2026, 6, 1)
    assert due_on(without) == date(2026, 5, 9)
    assert next_care(customer)["order_id"] == without


@pytest.mark.parametrize("few", [0, 200])
def test_few_and_many_products_come_to_the_same(db, monkeypatch, few):
    """Few products get intervals and first dates in one write, many in two."""
    monkeypatch.setattr(intervals, "CODES_PER_PIPELINE", few)
    for code, interval in (("$A", 5), ("B", 7)):
        make_product(code, interval=interval)
    customer = make_customer()
    uncared = make_order(customer, {"$A": 2, "B": 3}, placed_on=BOUGHT)
    cared = make_order(customer, {"$A": 2}, placed_on=BOUGHT, care=OWN)
    recompute_care()
    Product.collection().update_one({"code": "$A"}, {"$set": {"care_interval_days": 9}})
    counts = recompute_care(product_codes=["$A"])
    assert (counts["intervals_changed"], counts["orders_changed"]) == (2, 1)
    assert due_on(uncared) == date(2026, 5, 20)
    assert due_on(cared) == APPOINTMENT_ON
    items = [
        item["interval_days"]
        for order in Order.collection().find({"_id": {"$in": [uncared, cared]}}).sort("_id", 1)
        for item in order["care_items"]
    ]
    assert items == [9, 7, 9]
    assert not any(number for name, number in recompute_care().items() if name.endswith("changed"))


def test_interval_zero_ends_the_suggestion(db):
    make_product("A", interval=5)
    customer = make_customer()
    order_id = make_order(customer, {"A": 1}, placed_on=BOUGHT)
    recompute_care()
    Product.collection().update_one({"code": "A"}, {"$set": {"care_interval_days": 0}})
    recompute_care(product_codes=["A"])
    assert due_on(order_id) is None
    assert next_care(customer) == {"state": "none"}


@pytest.mark.parametrize("codes", [None, ["A"]])
@pytest.mark.parametrize("others", [[], ["0"], ["Z"], ["0", "Z"]])
def test_a_product_that_was_deleted_needs_no_care(db, codes, others):
    for code in ["A", *others]:
        make_product(code, interval=5)
    order_id = make_order(make_customer(), {"A": 1})
    recompute_care()
    assert due_on(order_id) is not None
    Product.collection().delete_one({"code": "A"})
    recompute_care(product_codes=codes)
    assert due_on(order_id) is None


def test_drift_is_found_without_reading_orders_that_have_none(db):
    make_product("A", interval=5)
    for _ in range(20):
        make_order(make_customer(), {"A": 1})
    found = db.command(
        "explain",
        {"find": "orders", "filter": intervals._has_drifted({"$in": ["A"]}, 5)},
        verbosity="executionStats",
    )
    assert found["executionStats"]["totalDocsExamined"] == 0


def test_an_unknown_product_code_changes_nothing(db):
    a_shop()
    recompute_care()
    counts = recompute_care(product_codes=["no such code"])
    assert not any(counts.values())


def test_a_customer_with_several_orders_takes_the_nearest(db):
    make_product("A", interval=5)
    customer = make_customer()
    make_order(customer, {"A": 3}, placed_on=BOUGHT)
    nearest = make_order(customer, {"A": 1}, placed_on=BOUGHT, code="DH-near")
    make_order(customer, {"A": 2}, placed_on=BOUGHT)
    recompute_care()
    care = next_care(customer)
    assert (care["order_id"], care["order_code"]) == (nearest, "DH-near")
    assert local_date(care["due_on"]) == date(2026, 5, 7)
    assert care["state"] == "suggested"
    assert care["basis"]["product_code"] == "A"


def test_on_the_same_day_the_order_code_that_sorts_first_counts(db):
    make_product("A", interval=5)
    customer = make_customer()
    for code in ("9", "10", "a"):
        make_order(customer, {"A": 1}, placed_on=BOUGHT, code=code)
    recompute_care()
    assert next_care(customer)["order_code"] == "10"


def test_the_own_appointment_counts_when_it_is_nearer(db):
    make_product("A", interval=5)
    customer = make_customer(own_care=OWN)
    make_order(customer, {"A": 1}, placed_on=BOUGHT)
    recompute_care()
    care = next_care(customer)
    assert local_date(care["due_on"]) == APPOINTMENT_ON
    assert "order_id" not in care
    assert care["basis"]["staff_name"] == "Lan"


def test_when_the_last_open_order_ends_nobody_waits(db):
    make_product("A", interval=5)
    customer = make_customer()
    order_id = make_order(customer, {"A": 1})
    recompute_care()
    Order.collection().update_one(
        {"_id": order_id}, {"$set": {"care": {"state": "ended", "count": 1}}}
    )
    assert recompute_customers([customer, None]) == 1
    assert next_care(customer) == {"state": "none"}
    assert recompute_customers([customer]) == 0


def test_recomputing_some_orders_also_tells_their_customers(db):
    make_product("A", interval=5)
    customer = make_customer()
    order_id = make_order(customer, {"A": 1}, placed_on=BOUGHT)
    other = make_order(make_customer(), {"A": 1}, placed_on=BOUGHT)
    assert recompute_orders([order_id]) == 1
    assert next_care(customer)["order_id"] == order_id
    assert due_on(other) is None
    assert recompute_orders([order_id]) == 0


def test_in_a_transaction_it_sees_and_shares_its_fate(db):
    make_product("A", interval=5)
    customer = make_customer()
    order_id = make_order(customer, {"A": 1}, placed_on=BOUGHT)
    recompute_care()

    def work(session):
        Order.collection().update_one(
            {"_id": order_id}, {"$set": {"care": {"state": "ended", "count": 1}}}, session=session
        )
        assert recompute_customers([customer], session=session) == 1
        raise LookupError

    with pytest.raises(LookupError):
        in_transaction(work)
    assert next_care(customer)["order_id"] == order_id


def test_care_that_is_logged_while_it_computes_is_not_overwritten(db, monkeypatch):
    """A person moves the order's date between the reading and the writing."""
    make_product("A", interval=5)
    customer = make_customer()
    order_id = make_order(customer, {"A": 1}, placed_on=BOUGHT)
    later = datetime(2026, 8, 1, tzinfo=UTC)
    read_orders = recompute._nearest_orders
    people = iter([None])

    def and_then_somebody_logs(ids, session):
        nearest = read_orders(ids, session)
        if next(people, "gone") is None:
            Order.collection().update_one(
                {"_id": order_id},
                {"$set": {"care": {"state": "appointed", "due_on": later, "count": 1}}},
            )
            recompute_customers([customer])
        return nearest

    monkeypatch.setattr(recompute, "_nearest_orders", and_then_somebody_logs)
    recompute_care()
    assert next_care(customer)["due_on"] == later
    assert next_care(customer)["state"] == "appointed"


def test_an_order_that_changes_back_while_it_computes_is_seen_again(db, monkeypatch):
    """The customer itself stays untouched meanwhile, so that no version gives it away."""
    make_product("A", interval=5)
    customer = make_customer()
    order_id = make_order(customer, {"A": 1}, placed_on=BOUGHT)
    read_orders = recompute._nearest_orders
    people = iter([None])

    def and_then_the_order_is_taken_back(ids, session):
        nearest = read_orders(ids, session)
        if next(people, "gone") is None:
            Order.collection().update_one({"_id": order_id}, {"$set": {"care.state": "ended"}})
            assert recompute_customers([customer]) == 0
        return nearest

    monkeypatch.setattr(recompute, "_nearest_orders", and_then_the_order_is_taken_back)
    recompute_care()
    assert next_care(customer) == {"state": "none"}


@pytest.mark.usefixtures("small_ranges")
def test_progress_adds_up_to_its_total(db):
    a_shop()
    seen = {"total": 0, "done": 0}

    class Watching(NoProgress):
        def set_total(self, total):
            seen["total"] = total

        def advance(self, done=1):
            seen["done"] += done

    recompute_care(progress=Watching())
    assert seen == {"total": 10, "done": 10}
    seen["done"] = 0
    recompute_care(product_codes=["A"], progress=Watching())
    assert seen["total"] == seen["done"] == 6  # each order, and each order's customer
