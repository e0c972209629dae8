"""What belongs to nothing is found and removed; what may still be needed is left alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import gridfs
import pytest
from bson import ObjectId
from click.testing import CliRunner

from commands import cli
from config import PROJECT_ROOT, Settings
from models import (
    ApiToken,
    AuditEntry,
    Customer,
    Interaction,
    MailMessage,
    Order,
    Product,
    Staff,
    TrashedRecord,
)
from rules.scope import Actor
from services import orphans
from services.orphans import files
from services.progress import Cancelled, NoProgress
from tests.factories import make_area, make_customer, make_order, make_product

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=400)
NOBODY = ObjectId()


class Counts(NoProgress):
    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def count(self, name: str, number: int = 1) -> None:
        if number:
            self.counts[name] = self.counts.get(name, 0) + number


@pytest.fixture
def place(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with a data directory in which nothing else writes."""
    return settings.model_copy(update={"data": tmp_path})


def search(settings: Settings, *, removes: bool = True) -> dict[str, int]:
    progress = Counts()
    orphans.search(settings, now=NOW, removes=removes, progress=progress)
    return progress.counts


@pytest.mark.usefixtures("db")
def test_references_to_what_is_gone_are_taken_out(place: Settings, agent: Actor) -> None:
    area, mine = make_area(), agent.staff_id
    viewers = [{"staff_id": one, "added_at": NOW} for one in (mine, NOBODY)]
    broken = make_customer(
        owner_id=NOBODY,
        area_id=NOBODY,
        referrer_id=NOBODY,
        carers=[mine, NOBODY],
        viewers=viewers,
        seen_by=[mine, NOBODY],
    )
    whole = make_customer(
        owner_id=mine, area_id=area, referrer_id=broken, carers=[mine], viewers=viewers[:1]
    )
    order = make_order(whole, area_id=NOBODY, group_ids=[NOBODY])
    make_product("A", carers=[NOBODY, mine], group_ids=[NOBODY])
    before = Customer.collection().find_one({"_id": whole})

    found = search(place, removes=False)
    assert found == {"references_gone": 9}
    assert Customer.collection().find_one({"_id": broken})["owner_id"] == NOBODY

    assert search(place) == {"references_gone": 9}
    left = Customer.collection().find_one({"_id": broken})
    assert not {"owner_id", "area_id", "referrer_id"} & set(left)
    assert left["carers"] == [mine]
    assert [one["staff_id"] for one in left["viewers"]] == [mine]
    assert left["seen_by"] == [mine], "who may see it follows"
    assert Customer.collection().find_one({"_id": whole}) == before
    stored = Order.collection().find_one({"_id": order})
    assert stored["group_ids"] == []
    assert "area_id" not in stored
    assert stored["customer_id"] == whole
    product = Product.collection().find_one({"code": "A"})
    assert (product["carers"], product["group_ids"]) == ([mine], [])
    entries = AuditEntry.collection().find({"record_id": broken, "staff_name": "Carebook"})
    assert {change["field"] for entry in entries for change in entry["changes"]} == {
        *("owner_id", "area_id", "referrer_id", "carers", "viewers"),
    }

    assert search(place) == {}


@pytest.mark.usefixtures("db")
def test_what_is_in_the_trash_may_come_back(place: Settings) -> None:
    gone, entry = ObjectId(), ObjectId()
    for kind, record_id in (("customers", gone), ("interactions", entry)):
        TrashedRecord.collection().insert_one({"kind": kind, "record_id": record_id})
    history = [{"interaction_id": entry, "kind": "care", "at": NOW}]
    customer = make_customer(referrer_id=gone, history=history)
    assert search(place) == {}
    stored = Customer.collection().find_one({"_id": customer})
    assert stored["referrer_id"] == gone
    assert len(stored["history"]) == 1


@pytest.mark.usefixtures("db")
def test_copies_of_history_entries_go_with_their_entry(place: Settings) -> None:
    kept = Interaction.collection().insert_one({"kind": "care", "at": NOW}).inserted_id
    history = [{"interaction_id": one, "kind": "care", "at": NOW} for one in (kept, NOBODY)]
    customer = make_customer(history=history)
    make_customer()
    assert search(place, removes=False) == {"history_gone": 1}
    assert search(place) == {"history_gone": 1}
    stored = Customer.collection().find_one({"_id": customer})
    assert [one["interaction_id"] for one in stored["history"]] == [kept]
    assert search(place) == {}


@pytest.fixture
def bucket(db: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[gridfs.GridFSBucket]:
    """A bucket whose files customers name, also from the trash."""
    monkeypatch.setattr(files, "BUCKETS", {})
    files.register(
        "papers",
        [
            (Customer, "attachments.file_id"),
            (TrashedRecord, "document.attachments.file_id"),
        ],
    )
    yield gridfs.GridFSBucket(db, "papers")
    for name in ("papers.files", "papers.chunks", "others.files", "others.chunks"):
        db.drop_collection(name)


def upload(db: Any, store: gridfs.GridFSBucket, at: datetime = LONG_AGO) -> ObjectId:
    file_id = ObjectId.from_datetime(at - timedelta(seconds=len(list(store.find({})))))
    store.upload_from_stream_with_id(file_id, "a.pdf", b"x" * 300_000)
    name = store._collection.name
    db[f"{name}.files"].update_one({"_id": file_id}, {"$set": {"uploadDate": at}})
    for number, chunk in enumerate(db[f"{name}.chunks"].find({"files_id": file_id})):
        db[f"{name}.chunks"].delete_one({"_id": chunk["_id"]})
        chunk["_id"] = ObjectId(file_id.binary[:4] + os.urandom(7) + bytes([number]))
        db[f"{name}.chunks"].insert_one(chunk)
    return file_id


def test_a_file_that_no_record_names_goes_after_a_day(
    db: Any, place: Settings, bucket: gridfs.GridFSBucket
) -> None:
    named, trashed, orphan = (upload(db, bucket) for _ in range(3))
    young = upload(db, bucket, NOW - timedelta(hours=23))
    make_customer(attachments=[{"file_id": named, "name": "a.pdf"}])
    document = {"attachments": [{"file_id": trashed}]}
    TrashedRecord.collection().insert_one({"kind": "customers", "document": document})

    assert search(place, removes=False) == {"files_gone": 1}
    assert len(list(bucket.find({}))) == 4
    assert search(place) == {"files_gone": 1}
    left = {file._id for file in bucket.find({})}
    assert left == {named, trashed, young}
    assert orphan not in set(db["papers.chunks"].distinct("files_id"))
    assert bucket.open_download_stream(named).read() == b"x" * 300_000
    assert search(place) == {}


def test_many_files_are_gone_through_in_steps(
    db: Any, place: Settings, bucket: gridfs.GridFSBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FILES_AT_ONCE", 2)
    made = [upload(db, bucket) for _ in range(5)]
    make_customer(attachments=[{"file_id": made[2], "name": "a.pdf"}])
    assert search(place) == {"files_gone": 4}
    assert [file._id for file in bucket.find({})] == [made[2]]


def test_an_upload_that_broke_off_goes_after_a_day_from_any_bucket(
    db: Any, place: Settings, bucket: gridfs.GridFSBucket
) -> None:
    others = gridfs.GridFSBucket(db, "others")
    kept, broken = upload(db, others), upload(db, others)
    db["others.files"].delete_one({"_id": broken})
    young = {"files_id": ObjectId(), "n": 0, "data": b"y"}
    db["others.chunks"].insert_one(young)
    assert search(place) == {"files_gone": 1}
    assert set(db["others.chunks"].distinct("files_id")) == {kept, young["files_id"]}


def test_a_bucket_that_nobody_registered_keeps_its_files(
    db: Any, place: Settings, bucket: gridfs.GridFSBucket
) -> None:
    others = gridfs.GridFSBucket(db, "others")
    upload(db, others)
    assert search(place) == {}
    assert len(list(others.find({}))) == 1


@pytest.mark.usefixtures("db")
def test_what_has_had_its_time_goes(place: Settings, agent: Actor) -> None:
    messages = MailMessage.collection()
    for key, state, at in (("a", "sent", LONG_AGO), ("b", "waiting", LONG_AGO), ("c", "sent", NOW)):
        messages.insert_one({"key": key, "state": state, "created_at": at})
    sessions = [{"key": key, "seen_at": at} for key, at in (("x", LONG_AGO), ("y", NOW))]
    gone = {"link_hash": "h", "link_until": LONG_AGO, "sessions": sessions}
    Staff.collection().update_one({"_id": agent.staff_id}, {"$set": gone})
    claimed = make_customer(claim={"staff_id": agent.staff_id, "until": LONG_AGO})
    make_customer(claim={"staff_id": agent.staff_id, "until": NOW})
    for secret, whose in (("1", agent.staff_id), ("2", NOBODY)):
        ApiToken.collection().insert_one(
            {"secret_hash": secret, "kind": "personal", "staff_id": whose}
        )
    ApiToken.collection().insert_one({"secret_hash": "3", "kind": "service"})
    staged = place.data / "imports" / "tmp1.staged"
    staged.parent.mkdir(exist_ok=True)
    for path in (staged, staged.with_name("tmp2.staged"), staged.with_name("errors.csv")):
        path.write_text("x")
    os.utime(staged, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))

    wanted = {
        **{"old_mails": 1, "old_sessions": 1, "old_links": 1, "old_claims": 1},
        **{"keys_of_nobody": 1, "temporary_files": 1},
    }
    assert search(place, removes=False) == wanted
    assert search(place, removes=False) == wanted, "it only counted"
    assert search(place) == wanted
    assert search(place) == {}
    assert {one["key"] for one in messages.find()} == {"b", "c"}
    person = Staff.collection().find_one({"_id": agent.staff_id})
    assert [one["key"] for one in person["sessions"]] == ["y"]
    assert "link_hash" not in person
    assert "claim" not in Customer.collection().find_one({"_id": claimed})
    assert ApiToken.collection().count_documents({}) == 2
    assert sorted(path.name for path in staged.parent.iterdir()) == ["errors.csv", "tmp2.staged"]


@pytest.mark.usefixtures("db")
def test_a_stopped_search_is_finished_by_the_next(place: Settings) -> None:
    class Stops(Counts):
        def is_cancelled(self) -> bool:
            return bool(self.counts)

    for _ in range(3):
        make_customer(area_id=ObjectId(), referrer_id=ObjectId())
    with pytest.raises(Cancelled):
        orphans.search(place, now=NOW, removes=True, progress=Stops())
    assert search(place) == {"references_gone": 3}
    assert search(place) == {}


def test_the_command_counts_and_removes_only_when_told(
    db: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.Settings", lambda: settings)
    make_customer(area_id=NOBODY)
    run = CliRunner().invoke
    counted = run(cli, ["orphans"])
    assert counted.exit_code == 0, counted.output
    assert "1 records with references" in counted.output
    assert "Nothing was changed" in counted.output
    assert "1 removed." in run(cli, ["orphans", "--remove"]).output
    assert "0 found." in run(cli, ["orphans"]).output


def test_a_file_whose_record_comes_out_of_the_trash_meanwhile_stays(
    db: Any, place: Settings, bucket: gridfs.GridFSBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = upload(db, bucket)
    looked: list[int] = []
    named = files._named

    def then_it_comes_back(ids: Any, places: Any) -> Any:
        found = named(ids, places)
        if not looked:
            make_customer(attachments=[{"file_id": file_id, "name": "a.pdf"}])
        looked.append(1)
        return found

    monkeypatch.setattr(files, "_named", then_it_comes_back)
    assert search(place) == {}
    assert bucket.open_download_stream(file_id).read()


def test_the_job_knows_where_attachments_are_named() -> None:
    code = """
import jobs.housekeeping
from services.orphans import files
assert files.BUCKETS["files"]
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
