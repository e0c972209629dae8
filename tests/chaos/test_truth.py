"""What compares must notice: each kind of damage is done once, and found."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from pymongo.database import Database

from chaos import truth
from chaos.ledger import Ledger
from rules.scope import SYSTEM, Actor
from services import care, job_runs
from services.care import CareEntry
from services.recompute import recompute_care
from tests.factories import NOW, TODAY, make_customer, make_order, make_product

Db = Database[dict[str, Any]]
CONTENT = "chaos 1 00c0ffee"


@pytest.fixture
def ledger(db: Db, shipped: None, agent: Actor) -> Ledger:
    """An entry, an imported order and a job, all acknowledged and all there."""
    code = make_product(interval=7)
    customer = make_customer()
    order_id = make_order(customer, {code: 1})
    imported = [{"product_code": code, "quantity": 3}] * 2
    make_order(customer, {code: 3}, code="CHAOS-1-1", lines=imported)
    recompute_care()
    next_on = TODAY + timedelta(days=7)
    entry = CareEntry(content=CONTENT, feedback="satisfied", next_on=next_on)
    care.log_order_care(
        order_id, entry, by=agent, at=NOW, today=TODAY, entry_key="k", expected_count=0
    )
    run_id = job_runs.create("recompute_care", {}, SYSTEM)
    lease = job_runs.lease_of(job_runs.claim(run_id, "w", datetime.now(UTC)))  # type: ignore[arg-type]
    job_runs.finish(lease, "done", datetime.now(UTC))
    ledger = Ledger()
    ledger.acknowledged(CONTENT, order_id, ledger.sends(CONTENT))
    ledger.imported({"CHAOS-1-1": 3})
    ledger.started(run_id)
    return ledger


def test_nothing_is_wrong_when_all_is_there(db: Db, ledger: Ledger) -> None:
    assert truth.problems(db, ledger) == []


def lose(db: Db) -> None:
    db.interactions.delete_many({"content": CONTENT})


def double(db: Db) -> None:
    entry = db.interactions.find_one({"content": CONTENT}) or {}
    db.interactions.insert_one(entry | {"_id": ObjectId(), "entry_key": "other"})


def miscount(db: Db) -> None:
    db.orders.update_many({}, {"$inc": {"care.count": 1}})


def forget_the_change(db: Db) -> None:
    db.audit_entries.delete_many({"action": "care"})


def forget_the_history(db: Db) -> None:
    db.customers.update_many({}, {"$set": {"history.0.interaction_id": ObjectId()}})


def lose_an_import(db: Db) -> None:
    db.orders.delete_many({"code": "CHAOS-1-1"})


def double_lines(db: Db) -> None:
    line = {"product_code": "P", "quantity": 3}
    db.orders.update_many({"code": "CHAOS-1-1"}, {"$push": {"lines": line}})


def lose_a_job(db: Db) -> None:
    db.job_runs.delete_many({})


def leave_a_job(db: Db) -> None:
    db.job_runs.update_many({}, {"$set": {"state": "queued"}})


def fail_without_a_word(db: Db) -> None:
    db.job_runs.update_many({}, {"$set": {"state": "failed", "error": None}})


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lose, "are lost"),
        (double, "there twice"),
        (miscount, "count other entries"),
        (forget_the_change, "change log"),
        (forget_the_history, "another history"),
        (lose_an_import, "imported orders are lost"),
        (double_lines, "other lines"),
        (lose_a_job, "jobs are lost"),
        (leave_a_job, "have not ended"),
        (fail_without_a_word, "without a reason"),
    ],
)
def test_damage_is_found(db: Db, ledger: Ledger, damage: Any, words: str) -> None:
    damage(db)
    assert words in " ".join(truth.problems(db, ledger))
