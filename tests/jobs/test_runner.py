"""A worker does a run once, writes how it ended, and tries again what failed unexpectedly."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from rq import SimpleWorker

from jobs import registry, runner
from models import Customer, JobRun, Order
from models.job_run import CANCELLED, DONE, FAILED, QUEUED
from rules.errors import InvalidInput, StoreUnavailable
from rules.scope import SYSTEM
from services import bulk, job_queue, job_runs, job_sweep, run_progress
from services.progress import Cancelled
from tests.factories import make_customer, make_order, make_product

pytestmark = pytest.mark.usefixtures("db", "valkey")


def a_run(name="recompute_care", **arguments):
    return job_runs.create(name, arguments, SYSTEM)


def stored(run_id):
    return JobRun.collection().find_one({"_id": run_id})


@pytest.fixture
def job(monkeypatch):
    """Makes a function the job `test`."""

    def register(function):
        monkeypatch.setitem(registry.JOBS, "test", function)

    return register


def test_it_runs_the_job_with_its_arguments_and_counts(job):
    def work(progress, shop):
        progress.set_total(2)
        progress.advance(2)
        progress.count(shop, 5)

    job(work)
    run_id = a_run("test", shop="hanoi")
    runner.run(str(run_id))
    run = stored(run_id)
    assert (run["state"], run["progress"], run["counts"]) == (DONE, 2, {"hanoi": 5})
    assert run["ended_at"] is not None
    assert run["lease_until"] is None


def test_delivered_twice_it_is_done_once(job):
    calls = []
    job(lambda progress: calls.append(1))
    run_id = a_run("test")
    runner.run(str(run_id))
    runner.run(str(run_id))
    assert calls == [1]


def test_a_run_that_is_gone_is_no_error():
    runner.run("65f0c0ffee65f0c0ffee65f0")


def test_an_error_for_people_fails_at_once_with_its_sentence(job):
    def work(progress):
        raise InvalidInput("The file %(name)s is empty.", name="a.csv")

    job(work)
    run_id = a_run("test")
    runner.run(str(run_id))
    assert stored(run_id)["state"] == FAILED
    # The sentence and its parameters apart: it is said in the reader's language.
    assert stored(run_id)["error"] == "The file %(name)s is empty."
    assert stored(run_id)["error_params"] == {"name": "a.csv"}


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), StoreUnavailable()])
def test_an_unexpected_error_is_tried_again_and_then_fails_with_a_log(job, error):
    def work(progress):
        raise error

    job(work)
    run_id = a_run("test")
    runner.run(str(run_id))
    assert stored(run_id)["state"] == QUEUED
    runner.run(str(run_id))
    runner.run(str(run_id))
    run = stored(run_id)
    assert run["state"] == FAILED
    assert run["error"]
    assert "Traceback" not in run["error"]
    assert type(error).__name__ in " ".join(run["log"])


def test_an_unknown_job_says_so():
    run_id = a_run("from_the_future")
    runner.run(str(run_id))
    assert stored(run_id)["state"] == FAILED
    assert stored(run_id)["error_params"] == {"name": "from_the_future"}


@pytest.mark.parametrize("how", ["raises", "returns"])
def test_a_cancelled_job_ends_as_cancelled(job, how):
    def work(progress):
        job_runs.request_cancel(progress.lease.run_id, datetime.now(UTC))
        progress.flush()
        if progress.is_cancelled() and how == "raises":
            raise Cancelled

    job(work)
    run_id = a_run("test")
    runner.run(str(run_id))
    assert stored(run_id)["state"] == CANCELLED


def test_a_running_job_stops_within_two_seconds(job):
    """Between two ranges, which are far shorter; it asks the database about once a second."""

    def work(progress):
        orders = Order.collection()
        bulk.over(orders, {}, lambda ids: time.sleep(0.2), progress, step="orders", size=1)

    job(work)
    customer = make_customer()
    for _ in range(40):
        make_order(customer, {})
    run_id = a_run("test")
    worker = threading.Thread(target=runner.run, args=(str(run_id),))
    worker.start()
    _wait_until(lambda: stored(run_id)["progress"] > 0)
    asked = time.monotonic()
    job_runs.request_cancel(run_id, datetime.now(UTC))
    worker.join(10)
    assert time.monotonic() - asked < 2
    assert stored(run_id)["state"] == CANCELLED
    assert 0 < stored(run_id)["progress"] < 40


def test_a_job_that_was_done_before_it_noticed_is_done(job):
    job(lambda progress: job_runs.request_cancel(progress.lease.run_id, datetime.now(UTC)))
    run_id = a_run("test")
    runner.run(str(run_id))
    assert stored(run_id)["state"] == DONE


def test_a_worker_that_lost_its_run_writes_nothing_more(job):
    def work(progress):
        JobRun.collection().update_one(
            {"_id": progress.lease.run_id}, {"$set": {"worker": "another"}}
        )
        progress.flush()

    job(work)
    run_id = a_run("test")
    runner.run(str(run_id))
    assert stored(run_id)["worker"] == "another"
    assert stored(run_id)["state"] == "running"


def test_nightly_work_makes_room_for_a_person_and_goes_on_afterwards(job, monkeypatch):
    monkeypatch.setattr(run_progress, "FLUSH_SECONDS", 0)
    done = []

    def work(progress):
        for step in range(3):
            if progress.is_cancelled():
                raise Cancelled
            done.append(step)

    job(work)
    nightly = job_runs.create("test", {}, SYSTEM, slot="test-2026-11-21", schedule="test")
    clicked = a_run("test")
    job_runs.enqueue(clicked)
    runner.run(str(nightly))
    assert (stored(nightly)["state"], stored(nightly)["attempts"], done) == (QUEUED, 0, [])
    assert job_runs.active_run("test") == nightly
    runner.run(str(clicked))
    job_queue._queue().empty()
    done.clear()
    later = datetime.now(UTC) + job_sweep.GRACE + timedelta(seconds=1)
    assert nightly in job_sweep.sweep(later)
    runner.run(str(nightly))
    assert (stored(nightly)["state"], stored(nightly)["attempts"]) == (DONE, 1)
    assert job_runs.active_run("test") is None


def a_shop():
    make_product("A", interval=5)
    customer = make_customer()
    return customer, [make_order(customer, {"A": 1}) for _ in range(6)]


def test_recompute_through_the_queue_and_twice_in_a_row(valkey):
    customer, orders = a_shop()
    for expected in (6, 0):
        run_id = a_run(product_codes=["A"])
        job_runs.enqueue(run_id)
        queue = job_queue._queue()
        SimpleWorker([queue], connection=queue.connection, serializer=queue.serializer).work(
            burst=True
        )
        run = stored(run_id)
        assert run["state"] == DONE
        assert run["counts"]["orders_changed"] == expected
        assert run["progress"] == run["total"] == 12  # the orders, then the customer of each
    assert Customer.collection().find_one({"_id": customer})["care"]["order_id"] in orders
    assert job_queue.waiting_ids() == set()


SLOW_WORKER = """
import sys, time
from config import Settings
from jobs import runner
from services import recompute, run_progress
from stores import mongo, valkey

settings = Settings.model_validate_json(sys.argv[1])
mongo.connect(settings)
recompute.ORDERS_PER_RANGE = 2
run_progress.FLUSH_SECONDS = 0
reached = run_progress.RunProgress.reached

def slowly(self, record_id):
    reached(self, record_id)
    time.sleep(60)

run_progress.RunProgress.reached = slowly
runner.run(sys.argv[2])
"""


def test_after_a_worker_was_killed_another_one_finishes(settings):
    _, orders = a_shop()
    run_id = a_run()
    shown = settings.model_dump_json(exclude={"mongo_url", "valkey_url"})
    environment = os.environ | {
        name: value.get_secret_value()
        for name, value in (("MONGO_URL", settings.mongo_url), ("VALKEY_URL", settings.valkey_url))
        if value is not None
    }
    worker = subprocess.Popen(
        [sys.executable, "-c", SLOW_WORKER, shown, str(run_id)], env=environment
    )
    try:
        _wait_until(lambda: stored(run_id)["progress"] == 2, worker)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert Order.collection().count_documents({"care.state": "suggested"}) == 2
    assert stored(run_id)["state"] == "running"

    later = datetime.now(UTC) + job_runs.LEASE + timedelta(seconds=1)
    assert job_sweep.sweep(later) == [run_id]
    lapsed = {"lease_until": datetime(2020, 1, 1, tzinfo=UTC)}
    JobRun.collection().update_one({"_id": run_id}, {"$set": lapsed})
    runner.run(str(run_id))
    run = stored(run_id)
    assert (run["state"], run["attempts"], run["progress"]) == (DONE, 2, 7)
    assert Order.collection().count_documents({"care.state": "suggested"}) == len(orders)
    assert Customer.collection().find_one()["care"]["state"] == "suggested"


def _wait_until(reached, worker=None):
    deadline = time.monotonic() + 30
    while not reached():
        assert worker is None or worker.poll() is None, "the worker ended by itself"
        assert time.monotonic() < deadline, "the worker is not getting on"
        time.sleep(0.05)
