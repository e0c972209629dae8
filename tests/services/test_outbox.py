"""What has to happen after a save is delivered at least once and acted on once."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from pymongo.errors import AutoReconnect

from models import Customer, OutboxMessage
from rules.errors import CareError, NotAllowed, NotFound, StoreUnavailable
from services import job_queue, outbox
from services.outbox import Outside, Within
from stores.mongo import in_transaction
from tests.factories import make_customer

pytestmark = pytest.mark.usefixtures("db", "valkey")
NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)


def put(key="k", topic="greet", payload=None, **how):
    in_transaction(
        lambda session: outbox.put(session, topic, key, payload or {"n": 1}, at=NOW, **how)
    )


def stored(key="k"):
    return OutboxMessage.collection().find_one({"key": key})


def deliver(act, at=NOW, worker="w", topic="greet", **how):
    return outbox.deliver({topic: Outside(act, **how)}, worker, now=lambda: at)


def test_it_is_delivered_once_with_its_payload():
    put()
    met = []
    assert deliver(met.append) == 1
    assert deliver(met.append) == 0
    assert [(one.topic, one.key, one.payload) for one in met] == [("greet", "k", {"n": 1})]
    assert stored()["state"] == "done"
    assert "payload" not in stored()


def test_the_same_key_again_is_the_same_message():
    met = []
    put()
    put()
    deliver(met.append)
    put()
    deliver(met.append)
    assert len(met) == 1


def test_a_change_that_is_undone_leaves_nothing():
    def work(session):
        outbox.put(session, "greet", "k", {}, at=NOW)
        raise NotFound

    with pytest.raises(NotFound):
        in_transaction(work)
    assert stored() is None
    assert job_queue._queue().count == 0


def test_a_worker_is_called_after_the_commit_and_once_for_many():
    put("a")
    put("b")
    assert [job.func_name for job in job_queue._queue().jobs] == ["jobs.outbox.deliver"]
    deliver(lambda message: None)
    put("c")
    assert job_queue._queue().count == 2


def test_what_the_queue_forgot_is_swept_up(valkey):
    put()
    valkey.flushdb()
    assert not outbox.sweep(NOW)
    assert outbox.sweep(NOW + timedelta(seconds=3))
    assert job_queue._queue().count == 1
    deliver(lambda message: None)
    assert not outbox.sweep(NOW + timedelta(days=1))


@pytest.mark.parametrize("trouble", [StoreUnavailable(), ValueError("oops"), AutoReconnect("x")])
def test_it_is_tried_again_ever_later_and_then_set_aside_with_the_reason(trouble):
    put()

    def fails(message):
        raise trouble

    at, waits = NOW, []
    for _ in range(3):
        assert deliver(fails, at, attempts=4) == 0
        waits.append(stored()["next_try_at"] - at)
        assert deliver(fails, at + waits[-1] - timedelta(seconds=1), attempts=4) == 0
        at += waits[-1]
    assert waits == [outbox.FIRST_RETRY * n for n in (1, 2, 4)]
    assert stored()["state"] == "waiting"
    deliver(fails, at, attempts=4)
    assert stored()["state"] == "set_aside"
    assert stored()["error"]
    assert [one["key"] for one in outbox.set_aside()] == ["k"]


def test_what_can_never_succeed_is_set_aside_at_once_and_does_not_block_the_others():
    put("bad", payload={"bad": True})
    put("good")
    met = []

    def act(message):
        if message.payload.get("bad"):
            raise CareError("No customer %(name)s.", name="An")
        met.append(message.key)

    assert deliver(act) == 1
    assert met == ["good"]
    assert (stored("bad")["state"], stored("bad")["error_params"]) == ("set_aside", {"name": "An"})


def test_a_dead_worker_s_message_is_taken_up_when_its_lease_has_lapsed():
    put()

    def dies(message):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(dies)
    met = []
    assert deliver(met.append, NOW + timedelta(seconds=10)) == 0
    assert deliver(met.append, NOW + outbox.LEASE + timedelta(seconds=1)) == 1
    assert [one.attempt for one in met] == [2]


def test_within_the_database_it_is_acted_on_just_once_even_when_killed():
    one = make_customer()
    put()

    def greet(message, session):
        Customer.collection().update_one({"_id": one}, {"$inc": {"greeted": 1}}, session=session)
        if message.attempt == 1:
            raise KeyboardInterrupt

    topics = {"greet": Within(greet)}
    with pytest.raises(KeyboardInterrupt):
        outbox.deliver(topics, "w", now=lambda: NOW)
    assert "greeted" not in Customer.collection().find_one()
    later = NOW + outbox.LEASE + timedelta(seconds=1)
    assert outbox.deliver(topics, "w", now=lambda: later) == 1
    assert Customer.collection().find_one()["greeted"] == 1


def test_a_worker_that_was_given_up_undoes_what_it_did():
    one = make_customer()
    put()

    def slow(message, session):
        Customer.collection().update_one({"_id": one}, {"$inc": {"greeted": 1}}, session=session)

    claim = outbox._claims({"greet": Within(slow)}, "w", lambda: NOW)
    message = next(claim)
    OutboxMessage.collection().update_one({}, {"$inc": {"attempts": 1}})
    assert not outbox._deliver(message, Within(slow), lambda: NOW)
    assert "greeted" not in Customer.collection().find_one()


def test_several_workers_share_the_messages():
    for number in range(40):
        put(str(number))
    met, lock = [], threading.Lock()

    def act(message):
        with lock:
            met.append(message.key)

    workers = [
        threading.Thread(target=deliver, args=(act,), kwargs={"worker": str(n)}) for n in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(met, key=int) == [str(number) for number in range(40)]


def test_a_topic_of_another_version_waits():
    put(topic="later")
    assert deliver(lambda message: None) == 0
    assert stored()["state"] == "waiting"
    assert deliver(lambda message: None, topic="later") == 1


def test_it_is_left_to_whoever_does_it_until_then():
    until = NOW + timedelta(minutes=2)
    put("done", not_before=until)
    put("killed", not_before=until)
    assert job_queue._queue().count == 0
    outbox.done("greet", "done", NOW)
    met = []
    deliver(met.append)
    assert met == []
    deliver(met.append, until)
    assert [one.key for one in met] == ["killed"]


def test_an_administrator_tries_again_or_gives_up(administrator, agent):
    def fails(message):
        raise CareError("Never.")

    put("again")
    put("over")
    deliver(fails)
    with pytest.raises(NotAllowed):
        outbox.try_again(stored("again")["_id"], by=agent, at=NOW)
    outbox.try_again(stored("again")["_id"], by=administrator, at=NOW)
    outbox.give_up(stored("over")["_id"], by=administrator, at=NOW)
    with pytest.raises(NotFound):
        outbox.give_up(stored("over")["_id"], by=administrator, at=NOW)
    assert deliver(lambda message: None) == 1
    assert outbox.set_aside() == []
