"""Facts and relationship statuses follow orders, history, people and rules, and say why (S3.3)."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from bson import Decimal128

from models import Customer, Interaction, Order
from models.base import stored_date
from services import care, customers, relationship_setup, relationships, trash
from services.care import CareEntry
from services.progress import Cancelled, NoProgress
from tests.factories import NOW, TODAY, make_customer, make_order
from tests.relating import recompute, said, stored

pytestmark = pytest.mark.usefixtures("shipped")


def events(customer_id):
    found = Interaction.collection().find({"customer_id": customer_id, "event": "relationship"})
    return [(one["details"]["before"], one["details"]["after"]) for one in found.sort("_id", 1)]


def test_facts_come_from_orders_and_history():
    one = make_customer()
    make_order(one, placed_on=TODAY - timedelta(days=10), total=Decimal128("1000"))
    make_order(one, placed_on=TODAY - timedelta(days=4), total=Decimal128("500.5"))
    make_order(one, kind="return", placed_on=TODAY, total=Decimal128("-200"))
    make_order(one, status="cancelled", placed_on=TODAY, total=Decimal128("9999"))
    said(one, 3, "satisfied")
    said(one, 1, "no_answer")
    recompute()
    after = stored(one)
    assert after["facts"] == {
        "order_count": 2,
        "revenue": Decimal128(Decimal("1300.5")),
        "first_purchase_on": stored_date(TODAY - timedelta(days=10)),
        "last_purchase_on": stored_date(TODAY - timedelta(days=4)),
        "last_contact_on": stored_date(TODAY - timedelta(days=3)),
        "last_feedback": "no_answer",
    }
    assert after["last_contact_at"] == NOW - timedelta(days=3)
    assert after["relationship"] == "won"


def test_the_contact_belongs_to_the_local_day():
    one = make_customer()
    # 23:30 of the day before in UTC is this morning in Ho Chi Minh City.
    at = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    Interaction.collection().insert_one({"customer_id": one, "kind": "care", "at": at})
    recompute()
    assert stored(one)["facts"]["last_contact_on"] == stored_date(TODAY)


def test_twice_in_a_row_the_second_run_changes_nothing():
    ids = [make_customer() for _ in range(5)]
    for number, one in enumerate(ids):
        said(one, number * 12)
    assert recompute() == {
        "customers_checked": 5,
        "facts_changed": 5,
        "relationships_changed": 5,
    }
    before = list(Customer.collection().find())
    assert recompute() == {"customers_checked": 5, "facts_changed": 0, "relationships_changed": 0}
    assert list(Customer.collection().find()) == before
    assert [stored(one)["relationship"] for one in ids] == [
        *["approached"] * 3,
        *["do_not_forget"] * 2,
    ]


def test_a_change_is_in_the_history_with_its_reason():
    one = make_customer(relationship="approached")
    said(one, 42)
    recompute()
    after = stored(one)
    entry = Interaction.collection().find_one({"event": "relationship"})
    assert events(one) == [("approached", "do_not_forget")]
    assert after["history"][0]["interaction_id"] == entry["_id"]
    assert after["relationship_set"]["rule"] == "do_not_forget"
    assert after["relationship_set"]["because"][0] == {
        "fact": "days_since_contact",
        "operator": "at_least",
        "value": 30,
        "actual": 42,
    }
    assert entry["details"]["set"] == after["relationship_set"]


def log(customer_id, agent, feedback="satisfied", key="k1", count=0):
    care.log_customer_care(
        customer_id,
        CareEntry("Đã gọi", feedback, TODAY + timedelta(days=7)),
        by=agent,
        at=NOW,
        today=TODAY,
        entry_key=key,
        expected_count=count,
    )


def test_a_contact_ends_do_not_forget_at_once(agent):
    one = make_customer(relationship="approached")
    said(one, 42)
    recompute()
    assert stored(one)["relationship"] == "do_not_forget"
    log(one, agent)
    assert stored(one)["relationship"] == "approached"
    assert events(one) == [("approached", "do_not_forget"), ("do_not_forget", "approached")]
    assert [entry["kind"] for entry in stored(one)["history"]][:2] == ["event", "care"]


def test_a_call_without_an_answer_is_no_contact(agent):
    one = make_customer(relationship="approached")
    said(one, 42)
    recompute()
    log(one, agent, feedback="no_answer")
    assert stored(one)["relationship"] == "do_not_forget"


def test_saving_a_form_twice_changes_the_status_once(agent):
    one = make_customer()
    log(one, agent)
    log(one, agent)
    assert events(one) == [("new", "approached")]


def test_an_order_in_the_trash_no_longer_counts(manager):
    one = make_customer()
    order = make_order(one)
    recompute()
    assert stored(one)["relationship"] == "won"
    trash.delete("orders", order, by=manager, at=NOW)
    assert stored(one)["relationship"] == "new"
    assert stored(one)["facts"] == {"order_count": 0}
    trash.restore_record("orders", order, by=manager, at=NOW)
    assert stored(one)["relationship"] == "won"


def choose(one, agent, status, at=NOW, **typed):
    version = stored(one)["version"]
    customers.update(one, {"relationship": status} | typed, version=version, by=agent, at=at)


def test_a_person_s_choice_holds_is_replaced_and_comes_back(agent):
    one = make_customer()
    log(one, agent)
    choose(one, agent, "hot", relationship_reason="Hỏi giá sỉ")
    assert stored(one)["relationship_chosen"]["reason"] == "Hỏi giá sỉ"
    recompute(NOW + timedelta(days=29))
    assert stored(one)["relationship"] == "hot"
    recompute(NOW + timedelta(days=30))
    assert stored(one)["relationship"] == "do_not_forget"
    said(one, -31)
    recompute(NOW + timedelta(days=31))
    assert stored(one)["relationship"] == "hot"
    assert stored(one)["relationship_set"]["staff_name"] == agent.name
    assert events(one) == [
        ("new", "approached"),
        ("approached", "hot"),
        ("hot", "do_not_forget"),
        ("do_not_forget", "hot"),
    ]


def test_leaving_the_choice_empty_gives_it_back_to_the_rules(agent):
    one = make_customer()
    make_order(one)
    recompute()
    choose(one, agent, "lost")
    assert stored(one)["relationship"] == "lost"
    choose(one, agent, "")
    assert stored(one)["relationship"] == "won"
    assert not stored(one)["relationship_chosen"]
    assert events(one)[-1] == ("lost", "won")


def test_a_status_of_unknown_origin_is_kept_and_comes_back():
    one = make_customer(relationship="potential")
    said(one, 31)
    recompute()
    assert stored(one)["relationship"] == "do_not_forget"
    said(one, 0)
    recompute()
    assert stored(one)["relationship"] == "potential"


def test_a_stopped_run_leaves_whole_ranges(monkeypatch):
    monkeypatch.setattr(relationships, "CUSTOMERS_PER_RANGE", 2)
    for _ in range(6):
        said(make_customer(), 1)

    class Stopping(NoProgress):
        done = 0

        def advance(self, done=1):
            self.done += done

        def is_cancelled(self):
            return self.done >= 4

    with pytest.raises(Cancelled):
        relationships.recompute(at=NOW, progress=Stopping())
    assert Customer.collection().count_documents({"relationship": "approached"}) == 4
    recompute()
    assert Customer.collection().count_documents({"relationship": "approached"}) == 6
    assert Interaction.collection().count_documents({"event": "relationship"}) == 6


def test_rules_that_change_meanwhile_count_from_the_next_range_on(monkeypatch, administrator):
    monkeypatch.setattr(relationships, "CUSTOMERS_PER_RANGE", 1)
    ids = [make_customer(), make_customer()]

    class Meddling(NoProgress):
        def advance(self, done=1):
            relationship_setup.RelationshipSetup.collection().update_one(
                {}, {"$set": {"rules.4.status": "potential"}}
            )

    relationships.recompute(at=NOW, progress=Meddling())
    assert [stored(one)["relationship"] for one in ids] == ["new", "potential"]


KILLED = """
import os, signal, sys
from datetime import datetime
from config import Settings
from services import relationships
from services.progress import NoProgress
from stores import mongo

mongo.connect(Settings.model_validate_json(sys.argv[1]))
relationships.CUSTOMERS_PER_RANGE = 2

class Dying(NoProgress):
    done = 0
    def advance(self, done=1):
        self.done += done
        if self.done >= 4:
            os.kill(os.getpid(), signal.SIGKILL)

relationships.recompute(at=datetime.fromisoformat(sys.argv[2]), progress=Dying())
"""


def test_killed_half_way_the_next_run_finishes(settings):
    for _ in range(6):
        said(make_customer(), 1)
    shown = settings.model_dump_json(exclude={"mongo_url", "valkey_url"})
    environment = os.environ | {
        name: value.get_secret_value()
        for name, value in (("MONGO_URL", settings.mongo_url), ("VALKEY_URL", settings.valkey_url))
        if value is not None
    }
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, shown, NOW.isoformat()], env=environment, timeout=60
    )
    assert ended.returncode == -signal.SIGKILL
    assert Customer.collection().count_documents({"relationship": "approached"}) == 4
    recompute()
    assert Customer.collection().count_documents({"relationship": "approached"}) == 6
    assert Interaction.collection().count_documents({"event": "relationship"}) == 6
    assert recompute()["relationships_changed"] == 0


def test_beside_people_who_log_care_nothing_is_lost(agent):
    ids = [make_customer() for _ in range(8)]
    for one in ids:
        said(one, 40)
    stop = threading.Event()
    failed = []

    def nightly():
        try:
            while not stop.is_set():
                recompute()
                time.sleep(0.005)
        except Exception as error:
            failed.append(error)

    worker = threading.Thread(target=nightly)
    worker.start()
    try:
        for one in ids:
            log(one, agent, key=f"k{one}")
    finally:
        stop.set()
        worker.join()
    assert not failed
    recompute()
    for one in ids:
        assert stored(one)["relationship"] == "approached"
        assert events(one)[-1][1] == "approached"
        steps = events(one)
        assert all(before[1] == after[0] for before, after in itertools.pairwise(steps))


def test_the_import_brings_facts_and_statuses_along():
    one = make_customer()
    make_order(one)
    assert relationships.bring_in_line([one], at=NOW) == {
        "facts_changed": 1,
        "relationships_changed": 1,
    }
    assert Order.collection().count_documents({}) == 1
    assert stored(one)["relationship"] == "won"


def test_leaving_do_not_forget_by_an_import_of_an_order_is_immediate():
    one = make_customer(relationship="approached")
    said(one, 42)
    recompute()
    make_order(one, placed_on=TODAY)
    relationships.bring_in_line([one], at=NOW)
    assert stored(one)["relationship"] == "won"
