"""Jobs and people at the same customer: the end is the same in whatever order they come."""

import itertools
import random
import threading
import time
from datetime import timedelta

import pytest

from jobs import runner
from models import Customer, Interaction, JobRun, Order, Product
from rules.errors import StaleForm
from services import care, products, recompute, relationships, scope, trash
from services.care import CareEntry
from services.imports import orders as importing
from tests.factories import NOW, TODAY, make_customer, make_order, make_product
from tests.importing import line, order_file, run_orders

pytestmark = pytest.mark.usefixtures("shipped", "valkey")
ENTRIES = 6  # of each person


def entry(content):
    next_on = TODAY + timedelta(days=random.randint(1, 90))
    return CareEntry(content=content, feedback="satisfied", next_on=next_on)


def log(order_id, agent, content):
    """As a person does it: with another look at the form when a colleague was faster."""
    while True:
        count = Order.collection().find_one({"_id": order_id})["care"].get("count", 0)
        try:
            return care.log_order_care(
                order_id, entry(content), by=agent, at=NOW, today=TODAY,
                entry_key=content, expected_count=count,
            )  # fmt: skip
        except StaleForm:
            time.sleep(0.01)


def what_follows():
    """What each recompute would still change; nothing of it may be left."""
    dates = recompute.recompute_care(at=NOW)
    return {
        "dates": {name: n for name, n in dates.items() if name.endswith("changed") and n},
        "relationships": {
            name: n
            for name, n in relationships.recompute(at=NOW).items()
            if name.endswith("changed") and n
        },
        "scope": scope.recompute_all_scope(at=NOW),
    }


NOTHING = {"dates": {}, "relationships": {}, "scope": 0}


def an_interval_change(code, days, by):
    stored = Product.collection().find_one({"code": code})
    saved = products.set_care(
        stored["_id"], {"care_interval_days": str(days)}, version=stored["version"], by=by, at=NOW
    )
    return saved.run_id


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_jobs_that_overtake_each_other_end_with_the_newest_interval(order, administrator):
    code = make_product(interval=5)
    customer = make_customer()
    make_order(customer, {code: 1})
    runs = [an_interval_change(code, days, administrator) for days in (10, 20, 30)]
    for position in order:
        runner.run(str(runs[position]))
    assert [run["state"] for run in JobRun.collection().find()] == ["done"] * 3
    stored = Customer.collection().find_one({"_id": customer})
    due_on = stored["care"]["due_on"].date()
    assert due_on == TODAY + timedelta(days=30)
    assert what_follows()["dates"] == {}


def test_an_import_leaves_nothing_to_follow(tmp_path):
    """Also for orders whose products need no care: they count for what the customer is."""
    make_product("cared", interval=5)
    make_product("uncared", interval=0)
    run_orders(order_file(tmp_path, line("1", "cared"), line("2", "uncared", customer="8")))
    assert what_follows() == NOTHING


def test_an_order_never_belongs_to_a_customer_who_is_deleted_meanwhile(
    tmp_path, monkeypatch, manager
):
    make_product("uncared", interval=0)
    customer = make_customer(code="7")
    planned, deleted = importing._Batch.planned, []

    def plan_while_somebody_deletes(batch, session):
        plan = planned(batch, session)
        if not deleted and session is not None:
            deleted.append(trash.delete("customers", customer, by=manager, at=NOW))
        return plan

    monkeypatch.setattr(importing._Batch, "planned", plan_while_somebody_deletes)
    run_orders(order_file(tmp_path, line("1", "uncared", customer="7")))
    assert deleted
    owner = Order.collection().find_one({"code": "1"})["customer_id"]
    assert Customer.collection().count_documents({"_id": owner}) == 1


def test_everybody_at_one_customer_at_once(agent, colleague, tmp_path):
    code = make_product("P", interval=5)
    customer = make_customer(code="7", area_id=None)
    orders = [make_order(customer, {code: n + 1}) for n in range(3)]
    files = [
        order_file(tmp_path, *(line(str(n), "P", n + more, customer="7") for n in range(4)), name=f"{more}.csv")
        for more in (1, 2)
    ]  # fmt: skip
    over, failures = threading.Event(), []

    def person(by):
        for number in range(ENTRIES):
            log(random.choice(orders), by, f"{by.name} {number}")

    def again_and_again(work):
        while not over.is_set():
            work()

    def work(function, *arguments):
        try:
            function(*arguments)
        except Exception as error:
            failures.append(error)

    def threads(*calls):
        started = [threading.Thread(target=work, args=call) for call in calls]
        for thread in started:
            thread.start()
        return started

    jobs = threads(
        (again_and_again, lambda: recompute.recompute_care(at=NOW)),
        (again_and_again, lambda: relationships.recompute(at=NOW)),
        (again_and_again, lambda: scope.recompute_all_scope(at=NOW)),
        (again_and_again, lambda: run_orders(random.choice(files))),
    )
    for thread in threads((person, agent), (person, colleague)):
        thread.join()
    over.set()
    for thread in jobs:
        thread.join()

    assert failures == []
    assert what_follows() == NOTHING
    entries = list(Interaction.collection().find({"customer_id": customer, "kind": "care"}))
    assert len(entries) == len({one["content"] for one in entries}) == 2 * ENTRIES
    counts = [Order.collection().find_one({"_id": one})["care"].get("count", 0) for one in orders]
    assert sum(counts) == 2 * ENTRIES
    stored = Customer.collection().find_one({"_id": customer})
    assert len([one for one in stored["history"] if one["kind"] == "care"]) == 2 * ENTRIES
