"""B.11: a run is claimed once, tried a few times, cancelled when asked, and never lost."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from models import JobRun
from models.job_run import CANCELLED, DONE, FAILED, QUEUED, RUNNING
from rules.errors import InvalidInput, NotFound
from rules.scope import SYSTEM
from services import job_queue, job_runs, job_sweep, run_progress
from services.job_runs import ATTEMPTS, LEASE, LOG_LINE_LENGTH, LOG_LINES
from services.job_sweep import DELIVERIES, GRACE
from services.run_progress import LeaseLost, RunProgress
from stores.mongo import in_transaction

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
LATER = NOW + LEASE + timedelta(seconds=1)


@pytest.fixture
def run_id(db, valkey):
    return job_runs.create("recompute_care", {"product_codes": ["A"]}, SYSTEM, at=NOW)


def stored(run_id):
    return JobRun.collection().find_one({"_id": run_id})


def a_lease(run_id, worker="one", now=NOW):
    return job_runs.lease_of(job_runs.claim(run_id, worker, now))


def test_a_new_run_waits_with_its_arguments(run_id):
    run = JobRun.objects.get(id=run_id)
    assert (run.state, run.arguments) == (QUEUED, {"product_codes": ["A"]})
    assert (run.started_by_name, run.progress, run.attempts) == ("Carebook", 0, 0)
    run.validate()


def test_a_run_of_an_aborted_transaction_does_not_exist(db):
    def work(session):
        job_runs.create("recompute_care", {}, SYSTEM, session=session)
        raise LookupError

    with pytest.raises(LookupError):
        in_transaction(work)
    assert JobRun.collection().count_documents({}) == 0


def test_a_slot_is_one_run(db):
    first = job_runs.create("recompute_care", {}, SYSTEM, slot="night")
    assert job_runs.create("recompute_care", {}, SYSTEM, slot="night") == first
    with pytest.raises(DuplicateKeyError):
        in_transaction(
            lambda session: job_runs.create("x", {}, SYSTEM, slot="night", session=session)
        )


def test_it_is_claimed_by_one_worker_only(run_id):
    claimed = job_runs.claim(run_id, "one", NOW)
    assert (claimed.state, claimed.worker, claimed.attempts) == (RUNNING, "one", 1)
    assert job_runs.claim(run_id, "two", NOW) is None
    assert job_runs.claim(run_id, "one", NOW) is None


def test_a_lapsed_lease_may_be_claimed_and_the_old_worker_can_do_nothing(run_id):
    old = a_lease(run_id)
    assert job_runs.renew(old, NOW)
    new = a_lease(run_id, "two", LATER)
    assert new.attempt == 2
    assert not job_runs.renew(old, LATER)
    assert not job_runs.finish(old, DONE, LATER)
    assert not job_runs.give_back(old, "x", LATER)
    with pytest.raises(LeaseLost):
        RunProgress(old).set_total(3)
    assert stored(run_id)["state"] == RUNNING
    assert job_runs.finish(new, DONE, LATER)


def test_a_finished_run_is_not_claimed(run_id):
    job_runs.finish(a_lease(run_id), DONE, NOW)
    assert job_runs.claim(run_id, "two", LATER) is None
    assert stored(run_id)["ended_at"] == NOW


def test_a_run_that_does_not_exist_is_not_claimed(db):
    assert job_runs.claim(ObjectId(), "one", NOW) is None


def test_it_is_tried_a_few_times_and_then_failed_with_the_reason(run_id):
    for attempt in range(1, ATTEMPTS + 1):
        lease = a_lease(run_id, f"worker {attempt}")
        assert job_runs.give_back(lease, "The disk is full.", NOW)
        assert stored(run_id)["state"] == (QUEUED if attempt < ATTEMPTS else FAILED)
    assert stored(run_id)["error"] == "The disk is full."
    assert job_runs.claim(run_id, "one more", LATER) is None


def test_a_run_whose_workers_keep_dying_is_given_up_by_the_sweep(run_id):
    now = NOW
    for _ in range(ATTEMPTS):
        assert job_sweep.sweep(now) == ([] if now == NOW else [run_id])
        assert job_runs.claim(run_id, "dies", now)
        now += LEASE + timedelta(seconds=1)
        job_queue._queue().empty()
    assert job_sweep.sweep(now) == []
    assert stored(run_id)["state"] == FAILED
    assert "given up" in stored(run_id)["error"]


def test_the_sweep_hands_over_what_never_reached_the_queue(run_id):
    soon = NOW + GRACE / 2
    late = NOW + GRACE * 2
    assert job_sweep.sweep(soon) == []
    assert job_sweep.sweep(late) == [run_id]
    assert job_queue.waiting_ids() == {run_id}
    assert job_sweep.sweep(late) == []


def fail_delivery(run_id, why="ModuleNotFoundError: No module named 'jobs'"):
    """What RQ does when a worker took the run and could not begin it."""
    queue = job_queue._queue()
    queue.empty()
    job = queue.fetch_job(str(run_id)) or queue.enqueue_call("jobs.gone", job_id=str(run_id))
    queue.remove(job)
    job._handle_failure(f"Traceback\n{why}", pipeline=queue.connection.pipeline())
    pipeline = queue.connection.pipeline()
    job._handle_failure(f"Traceback\n{why}", pipeline=pipeline, worker_name="w")
    pipeline.execute()


def test_a_run_that_no_worker_can_begin_ends_with_the_reason(run_id):
    now = NOW
    for delivery in range(1, DELIVERIES + 1):
        fail_delivery(run_id)
        now += GRACE + timedelta(seconds=1)
        expected = [run_id] if delivery < DELIVERIES else []
        assert job_sweep.sweep(now) == expected
    run = stored(run_id)
    assert run["state"] == FAILED
    assert "No module named" in run["error_params"]["reason"]
    assert run["ended_at"] == now


def test_a_delivery_that_failed_counts_once_and_waits_before_the_next(run_id):
    fail_delivery(run_id)
    now = NOW + GRACE * 2
    assert job_sweep.sweep(now) == [run_id]
    job_queue._queue().empty()
    assert job_sweep.sweep(now + GRACE / 2) == []
    assert job_sweep.sweep(now + GRACE * 2) == [run_id]
    assert stored(run_id)["failed_deliveries"] == 1
    job_runs.claim(run_id, "one", now)
    assert stored(run_id)["failed_deliveries"] == 0


def test_a_run_is_in_the_queue_once_however_often_it_is_put_there(run_id):
    job_runs.enqueue(run_id)
    job_runs.enqueue(run_id)
    assert job_queue.waiting_ids() == {run_id}


def test_without_a_queue_nothing_fails(run_id, monkeypatch):
    def away(name="carebook"):
        raise ConnectionError("no route")

    monkeypatch.setattr(job_queue, "_queue", away)
    job_runs.enqueue(run_id)
    assert stored(run_id)["state"] == QUEUED


def test_a_waiting_run_is_cancelled_at_once(run_id):
    job_runs.request_cancel(run_id, NOW)
    assert stored(run_id)["state"] == CANCELLED
    assert job_runs.claim(run_id, "one", NOW) is None


def test_a_running_one_learns_that_it_should_stop(run_id, monkeypatch):
    progress = RunProgress(a_lease(run_id))
    assert not progress.is_cancelled()
    job_runs.request_cancel(run_id, NOW)
    monkeypatch.setattr(run_progress, "FLUSH_SECONDS", 0)
    progress.flush()
    assert progress.is_cancelled()


def test_a_cancelled_run_whose_worker_died_ends(run_id):
    a_lease(run_id)
    job_runs.request_cancel(run_id, NOW)
    assert job_sweep.sweep(LATER) == []
    assert stored(run_id)["state"] == CANCELLED


def test_a_run_that_went_back_to_the_queue_after_it_was_told_to_stop_ends(run_id):
    lease = a_lease(run_id)
    job_runs.request_cancel(run_id, NOW)
    job_runs.give_back(lease, "The disk is full.", NOW)
    assert job_sweep.sweep(LATER) == []
    assert stored(run_id)["state"] == CANCELLED


def test_a_lease_of_a_clock_that_was_wrong_lapses(run_id):
    a_lease(run_id, now=NOW + timedelta(days=400))
    assert job_sweep.sweep(NOW) == [run_id]
    assert job_runs.claim(run_id, "two", NOW) is not None


def test_a_run_that_a_wrong_clock_wrote_reaches_the_queue(db, valkey):
    run_id = job_runs.create("recompute_care", {}, SYSTEM, at=NOW + timedelta(days=400))
    assert job_sweep.sweep(NOW) == [run_id]


def test_a_clock_that_jumps_does_not_take_a_run_from_its_worker(run_id):
    lease = a_lease(run_id)
    job_runs.renew(lease, NOW)
    assert job_runs.claim(run_id, "two", NOW + LEASE / 2) is None
    assert job_runs.claim(run_id, "two", NOW - job_runs.WRONG_CLOCK / 2) is None


def test_what_has_ended_cannot_be_cancelled(run_id):
    job_runs.finish(a_lease(run_id), DONE, NOW)
    with pytest.raises(InvalidInput):
        job_runs.request_cancel(run_id, NOW)
    with pytest.raises(NotFound):
        job_runs.request_cancel(ObjectId(), NOW)


def test_a_failed_run_can_start_anew(run_id):
    job_runs.finish(a_lease(run_id), FAILED, NOW, error="x")
    job_runs.retry(run_id, NOW)
    assert a_lease(run_id, "two").attempt == 1
    assert stored(run_id).get("error") is None
    with pytest.raises(InvalidInput):
        job_runs.retry(run_id, NOW)


def test_progress_is_written_and_adds_up(run_id, monkeypatch):
    monkeypatch.setattr(run_progress, "FLUSH_SECONDS", 0)
    progress = RunProgress(a_lease(run_id), now=lambda: LATER)
    progress.set_total(10)
    progress.advance(4)
    progress.advance(3)
    progress.count("orders_changed", 2)
    progress.count("orders_changed")
    run = stored(run_id)
    assert (run["progress"], run["total"], run["counts"]) == (7, 10, {"orders_changed": 3})
    assert run["lease_until"] == LATER + LEASE


def test_progress_is_written_about_once_a_second_only(run_id):
    progress = RunProgress(a_lease(run_id))
    progress.set_total(10)
    progress.advance(4)
    assert stored(run_id)["progress"] == 0
    progress.flush()
    assert stored(run_id)["progress"] == 4


def test_the_log_keeps_its_newest_lines_and_short_ones(run_id):
    job_runs.log(run_id, *(f"line {number}" for number in range(LOG_LINES + 5)), "x" * 10_000)
    lines = stored(run_id)["log"]
    assert len(lines) == LOG_LINES
    assert lines[0] == "line 6"
    assert len(lines[-1]) == LOG_LINE_LENGTH


def test_the_heartbeat_keeps_a_silent_job_alive(run_id, monkeypatch):
    monkeypatch.setattr(run_progress, "HEARTBEAT_SECONDS", 0.01)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    deadline = time.monotonic() + 10
    with run_progress.heartbeat(a_lease(run_id, now=long_ago)):
        while stored(run_id)["lease_until"] < datetime.now(UTC):
            assert time.monotonic() < deadline, "the lease is not renewed"
            time.sleep(0.01)
