"""Files of customers, orders and entries: stored once, seen with their record, never lost (S2.5)."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from models import Attachment, AuditEntry, Customer, Interaction, Order, TrashedRecord
from models.attachment import EMBEDDED_KEPT
from rules.errors import InvalidInput, NotAllowed, NotFound
from rules.files import UPLOAD_BYTES
from rules.scope import BY_CUSTOMER, Actor
from services import attachment_removal, attachments, care, trash, trash_purge
from services.attachments import FileRefused
from services.care import CareEntry
from services.orphans import files as orphaned
from services.relationships import bring_in_line
from stores import files
from tests.factories import NOW, TODAY, make_customer, make_order
from tests.pictures import picture, sound

pytestmark = pytest.mark.usefixtures("shipped")


@pytest.fixture
def customer(db: Any, agent: Actor) -> ObjectId:
    return make_customer(carers=[agent.staff_id], seen_by=[agent.staff_id])


def add(owner: ObjectId, by: Actor, content: bytes = b"abc", **options: Any) -> dict[str, Any]:
    chosen = {"name": "báo giá.txt", "kind": "customers", "at": NOW} | options
    name, kind = chosen.pop("name"), chosen.pop("kind")
    return attachments.add(kind, owner, io.BytesIO(content), name, by=by, **chosen)


def stored_files(db: Any) -> int:
    return db["files.files"].count_documents({})


def test_a_file_is_read_back_as_it_was_sent(agent: Actor, customer: ObjectId) -> None:
    content = bytes(range(256)) * 4000
    made = add(customer, agent, content)
    found, stream = attachments.open_file(made["_id"], by=agent)
    assert stream.read() == content
    assert (found["name"], found["size_bytes"]) == ("báo giá.txt", len(content))
    assert found["content_type"] == "application/octet-stream"
    audited = AuditEntry.collection().find_one({"action": "attach"})
    assert audited
    assert audited["changes"][0]["new"] == ["báo giá.txt"]


def test_the_customer_repeats_the_newest_and_no_more(agent: Actor, customer: ObjectId) -> None:
    for number in range(EMBEDDED_KEPT + 3):
        add(customer, agent, name=f"{number}.txt", at=NOW + timedelta(seconds=number))
    stored = Customer.collection().find_one({"_id": customer})
    assert stored
    assert [one["name"] for one in stored["attachments"]][:2] == ["22.txt", "21.txt"]
    assert len(stored["attachments"]) == EMBEDDED_KEPT
    assert len(attachments.of_customer(customer)) == EMBEDDED_KEPT + 3


def test_a_picture_gets_a_small_copy(agent: Actor, customer: ObjectId, db: Any) -> None:
    made = add(customer, agent, picture("JPEG", (900, 600)), name="ảnh.jpg")
    assert made["content_type"] == "image/jpeg"
    _, small = attachments.open_file(made["_id"], by=agent, is_thumbnail=True)
    assert small.read(4) == b"RIFF"
    sounds = add(customer, agent, sound(), name="ghi âm.wav")
    assert sounds["content_type"] == "audio/wav"
    with pytest.raises(NotFound):
        attachments.open_file(sounds["_id"], by=agent, is_thumbnail=True)


@pytest.mark.parametrize("size", [UPLOAD_BYTES, UPLOAD_BYTES + 1])
def test_twenty_megabytes_pass_and_not_a_byte_more(
    agent: Actor, customer: ObjectId, db: Any, size: int
) -> None:
    class Endless:
        read_bytes = 0

        def read(self, wanted: int = -1) -> bytes:
            some = min(wanted, size + 5_000_000 - self.read_bytes) if size > UPLOAD_BYTES else 0
            some = some or min(wanted, size - self.read_bytes)
            self.read_bytes += some
            return b"x" * some

    stream = Endless()
    if size == UPLOAD_BYTES:
        attachments.add("customers", customer, stream, "a", by=agent, at=NOW)
        return
    with pytest.raises(FileRefused, match="larger than 20 MB"):
        attachments.add("customers", customer, stream, "a", by=agent, at=NOW)
    assert stream.read_bytes == UPLOAD_BYTES + 1
    assert stored_files(db) == db["files.chunks"].count_documents({}) == 0


def test_an_empty_file_is_refused(agent: Actor, customer: ObjectId, db: Any) -> None:
    with pytest.raises(FileRefused, match="is empty"):
        add(customer, agent, b"")
    assert stored_files(db) == 0


def test_the_same_upload_sent_twice_is_stored_once(
    agent: Actor, customer: ObjectId, db: Any
) -> None:
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: add(customer, agent, upload_key="k"), range(3)))
    assert len({one["_id"] for one in made}) == 1
    assert Attachment.collection().count_documents({}) == stored_files(db) == 1


def test_a_file_is_seen_with_its_record_only(
    agent: Actor, colleague: Actor, customer: ObjectId
) -> None:
    mine = replace(agent, care_mode=BY_CUSTOMER)
    theirs = replace(colleague, care_mode=BY_CUSTOMER)
    order = make_order(customer, {}, seen_by=[agent.staff_id])
    for kind, owner in (("customers", customer), ("orders", order)):
        made = add(owner, mine, kind=kind)
        attachments.open_file(made["_id"], by=mine)
        with pytest.raises(NotFound):
            attachments.open_file(made["_id"], by=theirs)
        with pytest.raises(NotFound):
            attachment_removal.remove(made["_id"], by=theirs, at=NOW)
        with pytest.raises(NotFound):
            add(owner, theirs, kind=kind)
    for kind in ("staff", "attachments", "$where"):
        with pytest.raises(NotFound):
            add(customer, mine, kind=kind)


def test_only_its_sender_or_a_manager_deletes_a_file(
    agent: Actor, colleague: Actor, manager: Actor, customer: ObjectId
) -> None:
    made = add(customer, agent)
    with pytest.raises(NotAllowed):
        attachment_removal.remove(made["_id"], by=colleague, at=NOW)
    attachment_removal.remove(made["_id"], by=agent, at=NOW)
    attachment_removal.remove(made["_id"], by=agent, at=NOW)
    stored = Customer.collection().find_one({"_id": customer})
    assert stored
    assert stored["attachments"] == []
    with pytest.raises(NotFound):
        attachments.open_file(made["_id"], by=agent)
    with pytest.raises(NotAllowed):
        attachment_removal.restore(made["_id"], by=colleague, at=NOW)
    attachment_removal.restore(made["_id"], by=agent, at=NOW)
    assert attachments.open_file(made["_id"], by=agent)[1].read() == b"abc"
    attachment_removal.remove(made["_id"], by=manager, at=NOW)


def test_a_customer_takes_its_files_along_and_brings_them_back(
    agent: Actor, manager: Actor, customer: ObjectId, db: Any
) -> None:
    order = make_order(customer, {}, code="DH-1")
    made = [add(customer, agent), add(order, agent, picture(), kind="orders")]
    bring_in_line([customer], at=NOW)
    before = Customer.collection().find_one({"_id": customer})
    gone = trash.delete("customers", customer, by=manager, at=NOW)
    assert stored_files(db) == 3
    for one in made:
        with pytest.raises(NotFound):
            attachments.open_file(one["_id"], by=manager)
    trash.restore(gone.batch_id, by=manager, at=NOW)
    assert Customer.collection().find_one({"_id": customer}) == before
    assert attachments.open_file(made[0]["_id"], by=manager)[1].read() == b"abc"
    gone = trash.delete("customers", customer, by=manager, at=NOW)
    trash_purge.purge(gone.batch_id, before["code"] if before else "", by=manager, at=NOW)
    assert stored_files(db) == db["files.chunks"].count_documents({}) == 0
    assert TrashedRecord.collection().count_documents({}) == 0


def test_an_order_takes_its_files_out_of_the_customers_list(
    agent: Actor, manager: Actor, customer: ObjectId
) -> None:
    order = make_order(customer, {}, code="DH-1")
    add(order, agent, kind="orders")
    gone = trash.delete("orders", order, by=manager, at=NOW)
    stored = Customer.collection().find_one({"_id": customer})
    assert stored
    assert stored["attachments"] == []
    trash.restore(gone.batch_id, by=manager, at=NOW)
    stored = Customer.collection().find_one({"_id": customer})
    restored = Order.collection().find_one({"_id": order})
    assert stored
    assert restored
    assert len(stored["attachments"]) == len(restored["attachments"]) == 1


def test_of_attaching_and_deleting_at_once_no_file_is_left_behind(
    agent: Actor, manager: Actor, customer: ObjectId, db: Any
) -> None:
    start = threading.Barrier(2)

    def attach() -> bool:
        start.wait()
        try:
            add(customer, agent)
        except NotFound:
            return False
        return True

    def drop() -> trash.Trashed:
        start.wait()
        return trash.delete("customers", customer, by=manager, at=NOW)

    for _ in range(5):
        before = stored_files(db)
        with ThreadPoolExecutor(2) as pool:
            attaching, dropping = pool.submit(attach), pool.submit(drop)
            was_attached, gone = attaching.result(), dropping.result()
        assert Attachment.collection().count_documents({}) == 0
        assert stored_files(db) == before + was_attached
        trash.restore(gone.batch_id, by=manager, at=NOW)


def test_files_go_with_the_entry_they_were_sent_for(
    agent: Actor, colleague: Actor, customer: ObjectId
) -> None:
    waiting = attachments.add_pending(io.BytesIO(b"x"), "hợp đồng.docx", by=agent, at=NOW)
    with pytest.raises(NotFound):
        attachments.open_file(waiting["_id"], by=colleague)
    entry = CareEntry("Gửi hợp đồng", "satisfied", TODAY + timedelta(days=3))
    arguments: dict[str, Any] = {"at": NOW, "today": TODAY, "expected_count": 0}
    stolen = CareEntry(entry.content, entry.feedback, entry.next_on, files=(waiting["_id"],))
    with pytest.raises(InvalidInput, match="not there any more"):
        care.log_customer_care(customer, stolen, by=colleague, entry_key="k0", **arguments)
    assert Interaction.collection().count_documents({}) == 0
    for _ in range(2):  # a double click
        care.log_customer_care(customer, stolen, by=agent, entry_key="k1", **arguments)
    said = Interaction.collection().find_one({"kind": "care"})
    stored = Customer.collection().find_one({"_id": customer})
    assert said
    assert stored
    assert [one["name"] for one in said["attachments"]] == ["hợp đồng.docx"]
    assert [one["name"] for one in stored["attachments"]] == ["hợp đồng.docx"]
    assert attachments.open_file(waiting["_id"], by=colleague)[1].read() == b"x"


def test_what_nobody_saved_is_removed_after_a_day(agent: Actor, db: Any) -> None:
    attachments.add_pending(io.BytesIO(b"x"), "a", by=agent, at=NOW - timedelta(hours=25))
    kept = attachments.add_pending(io.BytesIO(b"y"), "b", by=agent, at=NOW)
    assert attachment_removal.purge_pending(NOW) == 1
    assert attachment_removal.purge_pending(NOW) == 0
    assert attachments.open_file(kept["_id"], by=agent)[1].read() == b"y"
    assert stored_files(db) == 1


def test_a_crash_between_bytes_and_record_leaves_nothing(
    agent: Actor, customer: ObjectId, db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(attachments, "_note", broken)
    with pytest.raises(RuntimeError):
        add(customer, agent, picture())
    assert stored_files(db) == 0
    assert Attachment.collection().count_documents({}) == 0


def test_removing_a_file_twice_is_no_error(db: Any) -> None:
    saved = files.save(io.BytesIO(b"x"), "a", limit=10)
    files.delete(saved.file_id)
    files.delete(saved.file_id)
    with pytest.raises(FileNotFoundError):
        files.open_file(saved.file_id)


def test_files_that_no_record_names_are_found_and_all_others_kept(
    agent: Actor, manager: Actor, customer: ObjectId, db: Any
) -> None:
    kept = add(customer, agent, picture(), name="a.png")
    gone = add(customer, agent, picture(), name="b.png")
    attachment_removal.remove(gone["_id"], by=manager, at=NOW)
    nobodys = files.save(io.BytesIO(b"x"), "c", limit=10)
    later = datetime.now(UTC) + timedelta(days=2)
    assert orphaned.search(later, removes=True) == 1
    with pytest.raises(FileNotFoundError):
        files.open_file(nobodys.file_id)
    attachment_removal.restore(gone["_id"], by=manager, at=NOW)
    for one in (kept, gone):
        for is_thumbnail in (False, True):
            attachments.open_file(one["_id"], by=agent, is_thumbnail=is_thumbnail)
