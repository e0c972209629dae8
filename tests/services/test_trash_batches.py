"""Deleting a customer takes everything that belongs to it; restoring brings all of it back."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from models import (
    AuditEntry,
    Customer,
    Interaction,
    JobRun,
    Order,
    Product,
    Record,
    TrashedRecord,
)
from models.base import local_date, stored_date
from rules.errors import CareError, InvalidInput, NotAllowed, NotFound
from rules.scope import SYSTEM, Actor
from services import (
    care,
    configuration,
    configuration_changes,
    customers,
    recompute,
    trash,
    trash_purge,
)
from services import scope as scope_lists
from services.care import CareEntry
from services.configuration_changes import Change
from services.relationships import bring_in_line
from services.trash import CodeTaken
from services.trash_kinds import scope_of_trash
from tests.factories import NOW, TODAY, make_area, make_customer, make_order, make_product

pytestmark = pytest.mark.usefixtures("shipped")


def logged(subject: ObjectId, by: Actor, key: str, count: int = 0) -> None:
    care.log_order_care(
        subject,
        CareEntry("Khách hài lòng #tele", "satisfied", TODAY + timedelta(days=9)),
        by=by,
        at=NOW,
        today=TODAY,
        entry_key=key,
        expected_count=count,
    )


@pytest.fixture
def shop(db: Any, agent: Actor, colleague: Actor) -> dict[str, ObjectId]:
    """A customer with two orders, one cared for, a viewer and a claim."""
    make_product("SP1", 7)
    customer = make_customer(
        code="KH-1",
        carers=[agent.staff_id],
        viewers=[{"staff_id": colleague.staff_id, "added_at": NOW}],
        claim={"staff_id": agent.staff_id, "staff_name": agent.name, "until": NOW},
    )
    cared = make_order(customer, {"SP1": 1}, code="DH-1", due_on=TODAY)
    waiting = make_order(customer, {"SP1": 2}, code="DH-2", placed_on=TODAY)
    recompute.recompute_orders([cared, waiting], at=NOW)
    logged(cared, agent, "k1")
    scope_lists.recompute_scope([customer], at=NOW)
    bring_in_line([customer], at=NOW)
    return {"customer": customer, "cared": cared, "waiting": waiting}


def everything() -> dict[str, list[dict[str, Any]]]:
    return {
        document.__name__: list(document.collection().find().sort("_id", 1))
        for document in (Customer, Order, Interaction)
    }


def test_everything_goes_and_comes_back_exactly(manager: Actor, shop: dict[str, ObjectId]) -> None:
    before = everything()
    assert [len(rows) for rows in before.values()] == [1, 2, 2]
    gone = trash.delete("customers", shop["customer"], by=manager, at=NOW)
    assert [len(rows) for rows in everything().values()] == [0, 0, 0]
    root = TrashedRecord.collection().find_one({"is_root": True})
    assert root
    assert root["counts"] == {"orders": 2, "interactions": 2}
    assert (root["staff_name"], root["code"]) == (manager.name, "KH-1")
    trash.restore(gone.batch_id, by=manager, at=NOW)
    assert everything() == before
    assert TrashedRecord.collection().count_documents({}) == 0


def test_what_was_deleted_before_stays_in_the_trash(
    manager: Actor, shop: dict[str, ObjectId]
) -> None:
    order = trash.delete("orders", shop["waiting"], by=manager, at=NOW)
    customer = trash.delete("customers", shop["customer"], by=manager, at=NOW)
    with pytest.raises(InvalidInput, match="which is in the trash too"):
        trash.restore(order.batch_id, by=manager, at=NOW)
    trash.restore(customer.batch_id, by=manager, at=NOW)
    assert {row["code"] for row in Order.collection().find()} == {"DH-1"}
    trash.restore(order.batch_id, by=manager, at=NOW)
    assert {row["code"] for row in Order.collection().find()} == {"DH-1", "DH-2"}


def test_an_order_takes_the_interval_that_its_product_has_now(
    manager: Actor, shop: dict[str, ObjectId]
) -> None:
    gone = trash.delete("customers", shop["customer"], by=manager, at=NOW)
    group = ObjectId()
    Product.collection().update_one(
        {"code": "SP1"}, {"$set": {"care_interval_days": 3, "group_ids": [group]}}
    )
    trash.restore(gone.batch_id, by=manager, at=NOW)
    order = Order.collection().find_one({"_id": shop["waiting"]})
    customer = Customer.collection().find_one({"_id": shop["customer"]})
    assert order
    assert customer
    assert order["care_items"][0]["interval_days"] == 3
    assert local_date(order["care"]["due_on"]) == TODAY + timedelta(days=6)
    assert order["group_ids"] == [group]
    assert local_date(customer["care"]["due_on"]) == TODAY + timedelta(days=6)


def test_an_appointment_stays_what_it_was(manager: Actor, shop: dict[str, ObjectId]) -> None:
    gone = trash.delete("customers", shop["customer"], by=manager, at=NOW)
    Product.collection().update_one({"code": "SP1"}, {"$set": {"care_interval_days": 3}})
    trash.restore(gone.batch_id, by=manager, at=NOW)
    cared = Order.collection().find_one({"_id": shop["cared"]})
    assert cared
    assert cared["care"]["due_on"] == stored_date(TODAY + timedelta(days=9))


def test_a_customer_that_moved_takes_its_restored_order_along(
    manager: Actor, shop: dict[str, ObjectId]
) -> None:
    gone = trash.delete("orders", shop["waiting"], by=manager, at=NOW)
    area = make_area()
    Customer.collection().update_one({"_id": shop["customer"]}, {"$set": {"area_id": area}})
    trash.restore(gone.batch_id, by=manager, at=NOW)
    order = Order.collection().find_one({"_id": shop["waiting"]})
    assert order
    assert order["area_id"] == area


def test_a_code_that_is_taken_is_named_and_another_one_brings_it_back(
    manager: Actor, shop: dict[str, ObjectId]
) -> None:
    gone = trash.delete("customers", shop["customer"], by=manager, at=NOW)
    make_customer(code="KH-1")
    make_order(None, {}, code="DH-1")
    with pytest.raises(CodeTaken) as refused:
        trash.restore(gone.batch_id, by=manager, at=NOW)
    entries = {
        row["code"]: str(row["_id"])
        for row in TrashedRecord.collection().find({"code": {"$in": ["KH-1", "DH-1"]}})
    }
    assert set(refused.value.fields) == set(entries.values())
    assert TrashedRecord.collection().count_documents({}) == 5
    new = {entries["KH-1"]: trash.suggested_code("customers", "KH-1"), entries["DH-1"]: "DH-1b"}
    trash.restore(gone.batch_id, by=manager, at=NOW, codes=new)
    customer = Customer.collection().find_one({"_id": shop["customer"]})
    entry = Interaction.collection().find_one({"kind": "care"})
    assert customer
    assert entry
    assert customer["code"] == "KH-1-2"
    assert "kh-1-2" in customer["search_words"]
    embedded = {one["order_code"] for one in customer["history"] if one.get("order_id")}
    assert embedded == {entry["order_code"]} == {"DH-1b"}
    audited = AuditEntry.collection().find_one({"action": "restore"})
    assert audited
    assert {"field": "code", "old": "KH-1", "new": "KH-1-2"} in audited["changes"]


def test_a_new_code_must_be_free_too(manager: Actor, shop: dict[str, ObjectId]) -> None:
    gone = trash.delete("customers", shop["customer"], by=manager, at=NOW)
    for code in ("KH-1", "KH-2"):
        make_customer(code=code)
    for typed in ("KH-2", "x" * 81):
        with pytest.raises(CodeTaken):
            trash.restore(gone.batch_id, by=manager, at=NOW, codes={str(gone.batch_id): typed})
    assert TrashedRecord.collection().count_documents({}) == 5


def test_of_deleting_and_caring_at_once_nothing_is_lost(
    manager: Actor, agent: Actor, shop: dict[str, ObjectId]
) -> None:
    """Either the entry is part of what went, or its writer is told that the order is gone."""
    for turn in range(6):
        saved = Interaction.collection().count_documents({"kind": "care"})
        told, batch = write_and_drop(f"turn{turn}", saved, shop, agent, manager)
        assert not any(everything().values())
        assert told is None or isinstance(told, NotFound)
        trash.restore(batch.batch_id, by=manager, at=NOW)
        found = Interaction.collection().count_documents({"entry_key": f"turn{turn}"})
        assert found == (0 if told else 1)


def write_and_drop(
    key: str, saved: int, shop: dict[str, ObjectId], writer: Actor, deleter: Actor
) -> tuple[CareError | None, trash.Trashed]:
    """What the writer was told, and the batch, when both press their button at once."""
    start = threading.Barrier(2)

    def write() -> CareError | None:
        start.wait()
        try:
            logged(shop["cared"], writer, key, count=saved)
        except CareError as error:
            return error
        return None

    def drop() -> trash.Trashed:
        start.wait()
        return trash.delete("customers", shop["customer"], by=deleter, at=NOW)

    with ThreadPoolExecutor(2) as pool:
        writing, dropping = pool.submit(write), pool.submit(drop)
        return writing.result(), dropping.result()


def test_of_deleting_and_editing_at_once_nothing_is_lost(
    manager: Actor, shop: dict[str, ObjectId]
) -> None:
    start = threading.Barrier(2)

    def edit() -> str:
        start.wait()
        version = before["version"]
        try:
            customers.update(
                shop["customer"], {"name": "Tên mới"}, version=version, by=manager, at=NOW
            )
        except NotFound:
            return before["name"]
        return "Tên mới"

    def drop() -> trash.Trashed:
        start.wait()
        return trash.delete("customers", shop["customer"], by=manager, at=NOW)

    before = Customer.collection().find_one({"_id": shop["customer"]})
    assert before
    with ThreadPoolExecutor(2) as pool:
        editing, dropping = pool.submit(edit), pool.submit(drop)
        name, batch = editing.result(), dropping.result()
    trash.restore(batch.batch_id, by=manager, at=NOW)
    after = Customer.collection().find_one({"_id": shop["customer"]})
    assert after
    assert after["name"] == name


def test_a_double_click_deletes_once_and_restores_once(
    manager: Actor, shop: dict[str, ObjectId]
) -> None:
    with ThreadPoolExecutor(3) as pool:
        batches = list(
            pool.map(
                lambda _: trash.delete("customers", shop["customer"], by=manager, at=NOW), range(3)
            )
        )
    assert len({one.batch_id for one in batches}) == 1
    with ThreadPoolExecutor(3) as pool:
        list(
            pool.map(
                lambda _: trash.restore_record("customers", shop["customer"], by=manager, at=NOW),
                range(3),
            )
        )
    actions = [row["action"] for row in AuditEntry.collection().find({"kind": "customers"})]
    assert actions == ["delete", "restore"]


def test_a_deletion_that_is_killed_half_way_has_not_happened(
    manager: Actor, shop: dict[str, ObjectId], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything()

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(trash, "_record", killed)
    with pytest.raises(KeyboardInterrupt):
        trash.delete("customers", shop["customer"], by=manager, at=NOW)
    assert everything() == before
    assert TrashedRecord.collection().count_documents({}) == 0


def test_a_product_goes_and_comes_back_with_the_jobs_that_follow(
    manager: Actor, agent: Actor, shop: dict[str, ObjectId], valkey: Any
) -> None:
    product = Product.collection().find_one({"code": "SP1"})
    assert product
    gone = trash.delete("products", product["_id"], by=manager, at=NOW)
    make_product("SP1", 99)
    with pytest.raises(CodeTaken):
        trash.restore(gone.batch_id, by=manager, at=NOW)
    Product.collection().delete_one({"care_interval_days": 99})
    trash.restore(gone.batch_id, by=manager, at=NOW)
    assert Product.collection().find_one({"code": "SP1"}) == product
    runs = [(row["name"], row["arguments"]) for row in JobRun.collection().find()]
    assert runs == [("recompute_care", {"product_codes": ["SP1"]})] * 2


def test_only_a_manager_deletes_and_restores_and_only_what_is_visible(
    manager: Actor, agent: Actor, shop: dict[str, ObjectId]
) -> None:
    with pytest.raises(NotAllowed):
        trash.delete("customers", shop["customer"], by=agent, at=NOW)
    gone = trash.delete("customers", shop["customer"], by=manager, at=NOW)
    with pytest.raises(NotAllowed):
        trash.restore(gone.batch_id, by=agent, at=NOW)
    with pytest.raises(NotAllowed):
        trash.restore_record("customers", shop["customer"], by=agent, at=NOW)


def test_who_deletes_own_records_of_a_site_kind_finds_and_restores_them(
    db: Any, agent: Actor, manager: Actor
) -> None:
    """The role names the kind of the site, and the trash keeps all of them as records."""
    role = {"label_vi": "x", "kinds": {"phieu": {"actions": ["see", "delete"], "reach": "own"}}}
    changes = [Change("kinds", "phieu", {"label_vi": "P"}), Change("roles", "keeper", role)]
    configuration_changes.apply(changes, says="x", by=SYSTEM, at=NOW)
    roles = frozenset({"keeper"})
    keeper = replace(agent, roles=roles, granted=configuration.snapshot().access(roles))
    made = [
        Record.collection()
        .insert_one({"kind": "phieu", "code": f"P{n}", "title": "x", "owner_id": who.staff_id})
        .inserted_id
        for n, who in enumerate((agent, manager))
    ]
    gone = trash.delete("records", made[0], by=keeper, at=NOW)
    assert trash.delete("records", made[0], by=keeper, at=NOW) == gone, "a double click"
    with pytest.raises(NotFound):
        trash.delete("records", made[1], by=keeper, at=NOW)
    theirs = trash.delete("records", made[1], by=manager, at=NOW)
    with pytest.raises(NotFound):
        trash.delete("records", made[1], by=keeper, at=NOW)
    with pytest.raises(NotFound):
        trash.restore(theirs.batch_id, by=keeper, at=NOW)
    with pytest.raises(NotAllowed):
        trash_purge.purge(theirs.batch_id, theirs.label, by=keeper, at=NOW)
    seen = TrashedRecord.collection().distinct("record_id", scope_of_trash(keeper))
    assert seen == [made[0]]
    assert trash.restore_record("records", made[0], by=keeper, at=NOW)
