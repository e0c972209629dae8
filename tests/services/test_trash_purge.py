"""Deleting for good: by hand with a typed word, or after the site's setting."""

from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from jobs.registry import JOBS
from models import AuditEntry, Customer, Order, Site, TrashedRecord
from rules.errors import InvalidInput, NotAllowed, NotFound
from rules.scope import Actor
from services import access_settings, trash, trash_purge
from services.progress import NoProgress
from tests.factories import NOW, make_customer, make_order

pytestmark = pytest.mark.usefixtures("shipped")


@pytest.fixture
def batch(db: Any, manager: Actor) -> trash.Trashed:
    """A customer with two orders in the trash, one of them deleted before the other two."""
    customer = make_customer(code="KH-1")
    first = make_order(customer, {}, code="DH-1")
    make_order(customer, {}, code="DH-2")
    trash.delete("orders", first, by=manager, at=NOW - timedelta(days=1))
    return trash.delete("customers", customer, by=manager, at=NOW)


def test_it_wants_the_code_typed(manager: Actor, agent: Actor, batch: trash.Trashed) -> None:
    with pytest.raises(InvalidInput) as refused:
        trash_purge.purge(batch.batch_id, "KH-", by=manager, at=NOW)
    assert "confirm" in refused.value.fields
    with pytest.raises(NotAllowed):
        trash_purge.purge(batch.batch_id, "KH-1", by=agent, at=NOW)
    assert TrashedRecord.collection().count_documents({}) == 4
    trash_purge.purge(batch.batch_id, " kh-1 ", by=manager, at=NOW)
    assert TrashedRecord.collection().count_documents({}) == 0
    purged = [row["record_label"] for row in AuditEntry.collection().find({"action": "purge"})]
    assert sorted(purged) == ["DH-1", "Nguyễn Thị Bích Ngọc"]
    with pytest.raises(NotFound):
        trash.restore(batch.batch_id, by=manager, at=NOW)


def test_the_job_takes_what_is_older_than_the_setting(
    manager: Actor, administrator: Actor, batch: trash.Trashed
) -> None:
    assert trash_purge.purge_old(NOW + timedelta(days=29)) == 0
    assert trash_purge.purge_old(NOW + timedelta(days=29, hours=1)) == 1  # the order, a day older
    kept = [row["code"] for row in TrashedRecord.collection().find({"code": {"$ne": None}})]
    assert sorted(kept) == ["DH-2", "KH-1"]
    access_settings.save([], "", trash_days="", version=1, by=administrator, at=NOW)
    assert trash_purge.purge_old(NOW + timedelta(days=999)) == 0
    access_settings.save([], "", trash_days="7", version=2, by=administrator, at=NOW)
    assert trash_purge.purge_old(NOW + timedelta(days=8)) == 1
    assert TrashedRecord.collection().count_documents({}) == 0
    assert trash_purge.purge_old(NOW + timedelta(days=8)) == 0


def test_what_was_begun_is_finished_and_never_restored(
    manager: Actor, batch: trash.Trashed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trash_purge, "_remove_outside", killed)
        with pytest.raises(KeyboardInterrupt):
            trash_purge.purge(batch.batch_id, "KH-1", by=manager, at=NOW)
    assert TrashedRecord.collection().count_documents({}) > 0
    with pytest.raises(NotFound):
        trash.restore(batch.batch_id, by=manager, at=NOW)
    trash_purge.purge_old(NOW)
    assert TrashedRecord.collection().count_documents({}) == 0


def test_it_is_a_job_with_a_schedule(db: Any) -> None:
    JOBS["purge_trash"](NoProgress())
    assert db.schedules.find_one({"key": "purge_trash"})


@pytest.mark.parametrize("typed", ["0", "-1", "x", "99999999"])
def test_a_setting_that_is_no_number_of_days_is_refused(administrator: Actor, typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        access_settings.save([], "", trash_days=typed, version=1, by=administrator, at=NOW)
    assert "trash_days" in refused.value.fields
    assert "trash_days" not in (Site.collection().find_one() or {})


def test_a_record_that_came_back_is_not_purged(manager: Actor, batch: trash.Trashed) -> None:
    root = TrashedRecord.collection().find_one({"_id": batch.batch_id})
    assert root
    trash.restore(batch.batch_id, by=manager, at=NOW)
    trash_purge._purge_batch(root, manager, NOW)
    assert Customer.collection().count_documents({}) == 1
    assert Order.collection().find_one({"code": "DH-2"})
    assert not AuditEntry.collection().find_one({"action": "purge"})
    assert isinstance(batch.record_id, ObjectId)
