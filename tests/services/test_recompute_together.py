"""Several recomputes at once, beside people who change things: nothing old wins in the end."""

import random
import threading
from datetime import UTC, datetime, timedelta

import pytest

from models import Customer, Order, Product
from services import recompute
from services.recompute import recompute_care, recompute_customers, recompute_orders
from tests.factories import make_customer, make_order, make_product

ROUNDS = 15


@pytest.fixture
def shop(db, monkeypatch):
    """Orders of three customers; small ranges, so that the threads meet."""
    monkeypatch.setattr(recompute, "ORDERS_PER_RANGE", 3)
    monkeypatch.setattr(recompute, "CUSTOMERS_PER_RANGE", 2)
    make_product("A", interval=5)
    make_product("B", interval=7)
    customers = [make_customer() for _ in range(3)]
    orders = [make_order(customers[n % 3], {"A": n + 1, "B": 1}) for n in range(12)]
    return customers, orders


def people(orders, chance):
    """Logs care of an order, takes an order back, and changes an interval."""
    for _ in range(ROUNDS):
        order_id = chance.choice(orders)
        due_on = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=chance.randrange(300))
        cared = {"state": "appointed", "due_on": due_on, "count": 1}
        Order.collection().update_one(
            {"_id": order_id}, {"$set": {"care": cared}, "$inc": {"version": 1}}
        )
        recompute_customers([Order.collection().find_one({"_id": order_id})["customer_id"]])
        order_id = chance.choice(orders)
        Order.collection().update_one(
            {"_id": order_id}, {"$set": {"care": {"state": "none", "count": 0}}}
        )
        recompute_orders([order_id])
        days = chance.randrange(1, 60)
        Product.collection().update_one({"code": "A"}, {"$set": {"care_interval_days": days}})
        recompute_care(product_codes=["A"])


def test_what_is_stored_in_the_end_needs_no_recompute(shop):
    _, orders = shop
    failures = []

    def run(work, *arguments):
        try:
            work(*arguments)
        except Exception as error:
            failures.append(error)

    threads = [
        *(threading.Thread(target=run, args=(people, orders, random.Random(n))) for n in (1, 2)),
        *(
            threading.Thread(target=run, args=(lambda: [recompute_care() for _ in range(ROUNDS)],))
            for _ in range(2)
        ),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    counts = recompute_care()
    assert not any(number for name, number in counts.items() if name.endswith("changed"))
    assert Customer.collection().count_documents({"care.state": "none"}) == 0
