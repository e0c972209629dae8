"""Care interval and suggested contacts of a product (S1.4, S1.8)."""

from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from jobs import runner
from models import AuditEntry, JobRun, Order, Product
from models.base import stored_date
from rules.errors import InvalidInput, NotAllowed, NotFound, StaleForm
from rules.scope import Actor
from services import audit, care, job_runs, job_sweep, products
from services.care import CareEntry
from services.products import CareSettingsSaved
from tests.factories import NOW, TODAY, make_customer, make_order, make_product


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch, db: Any) -> list[ObjectId]:
    """What was handed to the queue; no worker runs here."""
    handed: list[ObjectId] = []
    monkeypatch.setattr(job_runs, "enqueue", handed.append)
    return handed


@pytest.fixture
def product() -> ObjectId:
    make_product("SP1", interval=7)
    return stored("SP1")["_id"]


def stored(code: str = "SP1") -> dict[str, Any]:
    found = Product.collection().find_one({"code": code})
    assert found
    return found


def save(product_id: ObjectId, by: Actor, *, version: int = 1, **typed: str) -> CareSettingsSaved:
    return products.set_care(product_id, typed, version=version, by=by, at=NOW)


def test_it_stores_interval_and_contacts(manager: Actor, product: ObjectId) -> None:
    save(product, manager, care_interval_days=" 10 ", care_min="1", care_max="3")
    found = stored()
    assert [found[name] for name in products.CARE_FIELDS] == [10, 1, 3]
    assert found["version"] == 2


def test_an_empty_field_is_no_suggestion_and_an_empty_interval_no_care(
    manager: Actor, product: ObjectId
) -> None:
    save(product, manager, care_interval_days="", care_min="", care_max="0")
    found = stored()
    assert [found.get(name) for name in products.CARE_FIELDS] == [0, None, 0]


def test_a_field_that_was_not_sent_keeps_its_value(manager: Actor, product: ObjectId) -> None:
    save(product, manager, care_interval_days="9", care_min="2", care_max="3")
    saved = save(product, manager, version=2, care_min="1")
    found = stored()
    assert [found[name] for name in products.CARE_FIELDS] == [9, 1, 3]
    assert saved.run_id is None


def test_a_new_interval_starts_the_job(
    manager: Actor, product: ObjectId, queue: list[ObjectId]
) -> None:
    saved = save(product, manager, care_interval_days="10")
    run = JobRun.collection().find_one()
    assert run
    assert (run["_id"], run["name"], run["state"]) == (saved.run_id, "recompute_care", "queued")
    assert run["arguments"] == {"product_codes": ["SP1"]}
    assert run["started_by"] == manager.staff_id
    assert queue == [saved.run_id]


def test_other_changes_start_no_job(
    manager: Actor, product: ObjectId, queue: list[ObjectId]
) -> None:
    saved = save(product, manager, care_interval_days="7", care_max="3")
    assert saved == CareSettingsSaved(2, None)
    assert JobRun.collection().count_documents({}) == 0
    assert queue == []


def test_saving_without_a_change_changes_nothing(manager: Actor, product: ObjectId) -> None:
    before = stored()
    assert save(product, manager, care_interval_days="7") == CareSettingsSaved(1, None)
    assert stored() == before
    assert AuditEntry.collection().count_documents({}) == 0


def test_interval_and_job_come_together_or_not_at_all(
    manager: Actor, product: ObjectId, queue: list[ObjectId], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored()

    def die(*_: Any, **__: Any) -> ObjectId:
        raise SystemExit("killed")

    monkeypatch.setattr(job_runs, "create", die)
    with pytest.raises(SystemExit):
        save(product, manager, care_interval_days="10")
    assert stored() == before
    assert AuditEntry.collection().count_documents({}) == 0
    monkeypatch.undo()

    def fail(**_: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(RuntimeError):
        save(product, manager, care_interval_days="10")
    assert JobRun.collection().count_documents({}) == 0
    assert queue == []


def test_the_job_is_found_by_the_sweep_when_the_process_dies_after_the_commit(
    manager: Actor, product: ObjectId, monkeypatch: pytest.MonkeyPatch, valkey: Any
) -> None:
    def die(_: ObjectId) -> None:
        raise SystemExit("killed")

    monkeypatch.setattr(job_runs, "enqueue", die)
    with pytest.raises(SystemExit):
        save(product, manager, care_interval_days="10")
    monkeypatch.undo()
    run = JobRun.collection().find_one()
    assert run
    assert job_sweep.sweep(run["updated_at"] + timedelta(minutes=5)) == [run["_id"]]


def test_the_job_moves_uncared_orders_and_leaves_appointments(
    manager: Actor, product: ObjectId, shipped: None
) -> None:
    """S1.5, S1.6."""
    customer = make_customer()
    placed_on = TODAY - timedelta(days=7)
    fresh, cared = (
        make_order(customer, {"SP1": 1}, placed_on=placed_on, due_on=TODAY) for _ in range(2)
    )
    entry = CareEntry("Hẹn", "satisfied", TODAY + timedelta(days=2))
    care.log_order_care(
        cared, entry, by=manager, at=NOW, today=TODAY, entry_key="k", expected_count=0
    )
    saved = save(product, manager, care_interval_days="30")
    runner.run(str(saved.run_id))
    dates = {row["_id"]: row["care"]["due_on"] for row in Order.collection().find()}
    assert dates == {
        fresh: stored_date(placed_on + timedelta(days=30)),
        cared: stored_date(TODAY + timedelta(days=2)),
    }


def test_it_records_who_changed_what(manager: Actor, product: ObjectId) -> None:
    save(product, manager, care_interval_days="10")
    written = AuditEntry.collection().find_one()
    assert written
    assert (written["record_label"], written["staff_name"]) == ("SP1", manager.name)
    assert written["changes"] == [{"field": "care_interval_days", "old": 7, "new": 10}]


def test_a_care_agent_may_not(agent: Actor, outsider: Actor, product: ObjectId) -> None:
    for person in (agent, outsider):
        with pytest.raises(NotAllowed):
            save(product, person, care_interval_days="10")
    assert stored()["care_interval_days"] == 7


def test_an_administrator_may(administrator: Actor, product: ObjectId) -> None:
    assert save(product, administrator, care_interval_days="10").version == 2


def test_a_form_that_was_overtaken_is_refused(manager: Actor, product: ObjectId) -> None:
    save(product, manager, care_interval_days="10")
    with pytest.raises(StaleForm):
        save(product, manager, care_interval_days="12")
    assert stored()["care_interval_days"] == 10


def test_a_deleted_product_is_not_found(manager: Actor) -> None:
    with pytest.raises(NotFound):
        save(ObjectId(), manager, care_interval_days="1")


@pytest.mark.parametrize("typed", ["-1", "1.5", "36501", "1e3", "٣", "mười", "9" * 500, "1 0"])
def test_it_takes_whole_numbers_within_the_calendar(
    manager: Actor, product: ObjectId, typed: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        save(product, manager, care_interval_days=typed, care_min=typed)
    assert set(refused.value.fields) == {"care_interval_days", "care_min"}
    assert len(str(refused.value.fields["care_min"])) < 120
    assert stored()["care_interval_days"] == 7


def test_the_maximum_is_not_below_the_minimum(manager: Actor, product: ObjectId) -> None:
    with pytest.raises(InvalidInput) as refused:
        save(product, manager, care_min="4", care_max="3")
    assert str(refused.value.fields["care_max"]) == "The maximum 3 is below the minimum 4."


def test_the_maximum_is_not_below_the_minimum_that_is_stored(
    manager: Actor, product: ObjectId
) -> None:
    save(product, manager, care_min="4", care_max="5")
    with pytest.raises(InvalidInput):
        save(product, manager, version=2, care_max="3")
