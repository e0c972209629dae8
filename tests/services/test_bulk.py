"""Going over many records: in ranges, resumable, and past records that cannot be worked on."""

import threading
from datetime import UTC, datetime

import pytest
from pymongo.errors import AutoReconnect

from models import Customer, JobRun
from rules.errors import StoreUnavailable
from rules.scope import SYSTEM
from services import bulk, job_queue, job_runs, run_progress
from services.bulk import ATTEMPTS
from services.progress import Cancelled, NoProgress, Share, ShareLost
from services.run_progress import LeaseLost, MakeRoom, RunProgress, TooManySetAside
from tests.factories import make_customer

pytestmark = pytest.mark.usefixtures("db")


class Watching(NoProgress):
    def __init__(self, *shares):
        self.steps, self.aside, self.given = [], [], shares or [Share()]

    def advance(self, done=1):
        self.steps.append(done)

    def shares(self, step, split):
        yield from self.given

    def set_aside(self, kind, record_id, reason):
        self.aside.append((kind, record_id, reason))


def go(work, progress=None, size=3, criteria=None, step="customers"):
    watched = progress or NoProgress()
    bulk.over(Customer.collection(), criteria or {}, work, watched, step=step, size=size)


def test_every_record_is_met_once_in_order():
    ids = sorted(make_customer() for _ in range(8))
    met, progress = [], Watching()
    go(lambda some: met.extend(some), progress)
    assert met == ids
    assert progress.steps == [3, 3, 2]


def test_nothing_to_do_is_done():
    go(lambda some: pytest.fail("there is nothing"))


@pytest.mark.parametrize("criteria", [{}, {"kind": "person"}])
def test_it_stays_within_its_share(criteria):
    ids = sorted(make_customer() for _ in range(9))
    met = []
    go(met.extend, Watching(Share(1, ids[1], ids[6])), criteria=criteria)
    assert met == ids[2:7]


@pytest.mark.parametrize("criteria", [{}, {"kind": "person"}])
@pytest.mark.parametrize("number", [0, 1, 5, 6, 10, 12])
def test_shares_have_no_gaps_and_meet_every_record_once(criteria, number, monkeypatch):
    monkeypatch.setattr(bulk, "RECORDS_PER_SHARE", 5)
    make_customer(kind="company")
    ids = sorted(make_customer() for _ in range(number))
    shares = bulk.split(Customer.collection(), criteria)
    met = []
    go(met.extend, Watching(*shares), criteria=criteria)
    assert len(shares) == max(1, -(-(number + (not criteria)) // 5))
    assert met == sorted(row["_id"] for row in Customer.collection().find(criteria))
    assert set(ids) <= set(met)


def test_a_record_that_no_longer_matches_after_its_range_does_no_harm():
    ids = sorted(make_customer() for _ in range(7))
    met = []

    def work(some):
        met.extend(some)
        Customer.collection().update_many({"_id": {"$in": some}}, {"$set": {"kind": "company"}})

    go(work, criteria={"kind": "person"}, size=2)
    assert met == ids


def test_a_record_that_fails_again_and_again_is_set_aside_and_the_others_are_done():
    ids = sorted(make_customer() for _ in range(8))
    bad, met, calls = ids[4], set(), []

    def work(some):
        calls.append(len(some))
        if bad in some:
            raise TypeError("a date is a number")
        met.update(some)

    progress = Watching()
    go(work, progress, size=8)
    assert met == set(ids) - {bad}
    assert progress.aside == [("customers", bad, "TypeError: a date is a number")]
    assert progress.steps == [8]
    assert len(calls) <= 2 * ATTEMPTS * 4  # halving finds it in few attempts


def test_what_fails_once_is_tried_again():
    make_customer()
    calls = []

    def work(some):
        calls.append(some)
        if len(calls) == 1:
            raise ValueError("a hiccup")

    progress = Watching()
    go(work, progress)
    assert progress.aside == []
    assert len(calls) == 2


@pytest.mark.parametrize(
    "trouble", [Cancelled(), LeaseLost(), MakeRoom(), StoreUnavailable(), AutoReconnect("away")]
)
def test_trouble_of_the_run_or_of_a_store_is_no_fault_of_a_record(trouble):
    make_customer()
    progress = Watching()

    def work(some):
        raise trouble

    with pytest.raises(type(trouble)):
        go(work, progress)
    assert progress.aside == []


@pytest.fixture
def held(monkeypatch):
    """(a run that is being worked on, a function that makes progress of it)."""
    monkeypatch.setattr(run_progress, "FLUSH_SECONDS", 0)
    run_id = job_runs.create("test", {}, SYSTEM)
    claimed = job_runs.claim(run_id, "one", datetime.now(UTC))

    def progress(**options):
        return RunProgress(job_runs.lease_of(claimed), **options)

    return run_id, progress


def stored(run_id):
    return JobRun.collection().find_one({"_id": run_id})


def test_the_run_keeps_the_records_that_were_set_aside(held):
    run_id, progress = held
    bad = make_customer()

    def work(some):
        raise TypeError("x" * 2000)

    reported = progress()
    go(work, reported)
    reported.flush()
    run = stored(run_id)
    assert [(one["kind"], one["record_id"]) for one in run["set_aside"]] == [("customers", bad)]
    assert len(run["set_aside"][0]["reason"]) == run_progress.REASON_LENGTH
    assert run["set_aside_count"] == 1


def test_too_many_bad_records_stop_the_run(held, monkeypatch):
    monkeypatch.setattr(run_progress, "SET_ASIDE_LIMIT", 3)
    run_id, progress = held
    for _ in range(10):
        make_customer()

    def work(some):
        raise TypeError("everything is wrong")

    with pytest.raises(TooManySetAside):
        go(work, progress())
    assert stored(run_id)["set_aside_count"] == 4


def test_another_attempt_goes_on_where_the_killed_one_had_reported(held):
    run_id, progress = held
    ids = sorted(make_customer() for _ in range(6))

    class Killed(BaseException):
        pass

    def dies(some):
        if ids[4] in some:
            raise Killed

    with pytest.raises(Killed):
        go(dies, progress(), size=2)
    JobRun.collection().update_one(
        {"_id": run_id}, {"$set": {"lease_until": datetime(2020, 1, 1, tzinfo=UTC)}}
    )
    again = job_runs.claim(run_id, "two", datetime.now(UTC))
    assert (again.progress, again.progress_before) == (4, 4)
    met = []
    reported = RunProgress(job_runs.lease_of(again))
    go(lambda some: met.extend(some), reported, size=2)
    reported.flush()
    assert met == ids[4:]
    assert stored(run_id)["progress"] == 6


def test_a_retry_by_a_person_begins_anew(held, valkey):
    run_id, _ = held
    changes = {"state": "failed", "shares": [{"step": "a", "number": 0}], "progress": 9}
    JobRun.collection().update_one({"_id": run_id}, {"$set": changes | {"set_aside_count": 2}})
    job_runs.retry(run_id, datetime.now(UTC))
    run = stored(run_id)
    assert run["shares"] == []
    assert (run["progress"], run["set_aside_count"], run["attempts"]) == (0, 0, 0)


def test_nightly_work_makes_room_between_two_ranges_when_a_person_waits(held, valkey):
    _, progress = held
    for _ in range(4):
        make_customer()
    met = []
    go(met.extend, progress(makes_room=True), size=2)
    assert len(met) == 4
    job_runs.enqueue(job_runs.create("test", {}, SYSTEM))
    with pytest.raises(MakeRoom):
        go(met.extend, progress(makes_room=True), size=2, step="again")
    progress().release()
    go(met.extend, progress(), size=2, step="again")
    assert len(met) == 8


def test_two_queues_and_a_person_s_comes_first(valkey):
    nightly = job_runs.create("test", {}, SYSTEM, slot="test-2026-11-21")
    clicked = job_runs.create("test", {}, SYSTEM)
    for run_id in (nightly, clicked):
        job_runs.enqueue(run_id)
    assert job_queue.QUEUES == (job_queue.QUEUE, job_queue.LATER_QUEUE)
    assert job_queue._queue(job_queue.QUEUE).get_job_ids() == [str(clicked)]
    assert job_queue._queue(job_queue.LATER_QUEUE).get_job_ids() == [str(nightly)]
    assert job_queue.waiting_ids() == {nightly, clicked}


@pytest.fixture
def small_shares(monkeypatch):
    monkeypatch.setattr(bulk, "RECORDS_PER_SHARE", 3)
    monkeypatch.setattr(run_progress, "WAIT_SECONDS", 0.01)


def helping(run_id, worker):
    return RunProgress(job_runs.help_with(run_id, worker)[1])


@pytest.mark.usefixtures("small_shares", "valkey")
@pytest.mark.parametrize("criteria", [{}, {"kind": "person"}])
def test_two_workers_share_a_run_and_meet_every_record_once(held, criteria):
    run_id, progress = held
    ids = sorted(make_customer() for _ in range(30))
    met, both = {"holder": [], "helper": []}, threading.Barrier(2, timeout=20)

    def work_of(name):
        def work(some):
            if not met[name]:
                both.wait()  # neither does all of it before the other has begun
            met[name].extend(some)

        return work

    def go_on(name, reported):
        go(work_of(name), reported, size=2, criteria=criteria)
        # What comes after the walk finds all of it done, by whomever.
        assert sorted(met["holder"] + met["helper"]) == ids

    holder = progress()
    helper = threading.Thread(target=lambda: go_on("helper", helping(run_id, "two")))
    helper.start()
    go_on("holder", holder)
    helper.join()
    assert met["holder"]
    assert met["helper"]
    assert stored(run_id)["progress"] == 30
    assert all(share["is_done"] for share in stored(run_id)["shares"])


@pytest.mark.usefixtures("small_shares", "valkey")
def test_what_a_dead_helper_leaves_is_done_from_where_it_had_come(held):
    run_id, progress = held
    ids = sorted(make_customer() for _ in range(6))
    helper = helping(run_id, "two")
    shares = helper.shares("customers", lambda: bulk.split(Customer.collection(), {}))
    assert next(shares) == Share(0, None, ids[2])
    helper.advance()
    helper.reached(ids[0])
    JobRun.collection().update_one(
        {"_id": run_id}, {"$set": {"shares.0.lease_until": datetime(2020, 1, 1, tzinfo=UTC)}}
    )
    met = []
    go(met.extend, progress(), size=2)
    assert met == ids[1:]
    assert stored(run_id)["progress"] == 6
    with pytest.raises(ShareLost):
        helper.reached(ids[1])


@pytest.mark.usefixtures("small_shares", "valkey")
def test_who_lost_a_share_goes_on_with_another(held):
    run_id, progress = held
    ids = sorted(make_customer() for _ in range(6))
    met = []

    def work(some):
        met.extend(some)
        if some[0] == ids[0]:
            taken = {"shares.0.worker": "two", "shares.0.is_done": True}
            JobRun.collection().update_one({"_id": run_id}, {"$set": taken})

    go(work, progress(), size=2)
    assert met == [*ids[:2], *ids[3:]]


@pytest.mark.usefixtures("small_shares")
def test_a_long_walk_asks_idle_workers_for_help_and_a_short_one_does_not(held, valkey):
    run_id, progress = held
    make_customer()
    go(lambda some: None, progress())
    waiting = job_queue._queue(job_queue.LATER_QUEUE)
    assert waiting.count == 0
    for _ in range(6):
        make_customer()
    bulk.over(Customer.collection(), {}, lambda some: None, progress(), step="another")
    assert waiting.count == job_queue.HELPERS
    assert waiting.jobs[0].args == [str(run_id)]


def test_nobody_helps_with_a_run_that_is_over(held):
    run_id, progress = held
    job_runs.finish(progress().lease, "done", datetime.now(UTC))
    assert job_runs.help_with(run_id, "two") is None


@pytest.mark.usefixtures("small_shares")
def test_what_cannot_be_split_is_done_by_one_worker(held):
    run_id, progress = held
    done = []
    bulk.once("intervals", lambda: done.append(1), progress())
    bulk.once("intervals", lambda: done.append(2), helping(run_id, "two"))
    assert done == [1]
