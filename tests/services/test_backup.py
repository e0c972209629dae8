"""A backup holds one instant, comes back document by document, and half of one is never the whole."""

import errno
import gzip
import json
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import Decimal128, ObjectId, json_util
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pydantic import SecretStr

from config import Settings
from models import DOCUMENTS, Customer, Order
from rules.errors import CareError, InvalidInput
from services import backup, backup_files, migration, restore
from services.migration import MigrationRefused
from stores import mongo
from stores.embedded_mongo import EmbeddedMongo
from tests.factories import NOW, make_customer, make_order

RAW: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)


@pytest.fixture(scope="module", autouse=True)
def server_stays(settings: Settings) -> Iterator[None]:
    """These tests change databases, and the embedded server must not stop in between."""
    server = EmbeddedMongo(settings.data)
    if settings.mongo_url is None:
        server.attach()
    yield
    server.release()


@pytest.fixture
def filled(db: Any, settings: Settings) -> Iterator[Any]:
    """A migrated database with customers, orders and a file in GridFS."""
    migration.migrate(now=lambda: NOW)
    for _ in range(30):
        make_order(make_customer())
    db["fs.files"].insert_one({"_id": ObjectId(), "filename": "a.pdf", "length": 4})
    db["fs.chunks"].insert_one({"files_id": ObjectId(), "n": 0, "data": b"\x00\xff" * 1000})
    db["fs.chunks"].create_index([("files_id", 1), ("n", 1)], unique=True, name="chunk_of_file")
    yield db
    for name in ("fs.files", "fs.chunks", "aaa_first", "zzz_last", "notes", "later"):
        mongo.connect(settings).drop_collection(name)


@pytest.fixture
def elsewhere(filled: Any, settings: Settings) -> Iterator[Settings]:
    """Settings of another database, which is empty, on the same server."""
    other = settings.model_copy(update={"mongo_database": f"{settings.mongo_database}_other"})
    mongo.client().drop_database(other.mongo_database)
    yield other
    mongo.connect(settings).client.drop_database(other.mongo_database)


def everything(database: Any) -> dict[str, tuple[dict[Any, bytes], list[Any]]]:
    """{collection: (the bytes of each document by id, its indexes)}."""
    found = {}
    for name in sorted(database.list_collection_names()):
        rows = database.get_collection(name, codec_options=RAW).find()
        indexes = sorted((one.to_dict() for one in database[name].list_indexes()), key=str)
        found[name] = ({str(row["_id"]): row.raw for row in rows}, indexes)
    return found


@pytest.mark.parametrize("name", ["copy", "copy.tar"])
def test_what_comes_back_is_the_same_to_the_byte(
    name: str, filled: Any, elsewhere: Settings, tmp_path: Path
) -> None:
    before = everything(filled)
    summary = backup.back_up(tmp_path / name, at=NOW)
    assert summary.collections["orders"] == 30
    restored = mongo.connect(elsewhere)
    manifest = restore.restore(tmp_path / name, at=NOW)
    assert manifest["collections"] == summary.collections
    assert everything(restored) == before
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_only_the_owner_may_read_it(filled: Any, tmp_path: Path) -> None:
    backup.back_up(tmp_path / "copy", at=NOW)
    backup.back_up(tmp_path / "copy.tar", at=NOW)
    for path in tmp_path.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_it_has_the_layout_of_mongodump(filled: Any, tmp_path: Path) -> None:
    backup.back_up(tmp_path / "copy", at=NOW)
    folder = tmp_path / "copy" / filled.name
    documents = bson.decode_all(gzip.decompress((folder / "orders.bson.gz").read_bytes()))
    assert {one["_id"] for one in documents} == set(Order.collection().distinct("_id"))
    metadata = json_util.loads(gzip.decompress((folder / "orders.metadata.json.gz").read_bytes()))
    assert metadata["collectionName"] == "orders"
    assert metadata["type"] == "collection"
    declared = {index.document["name"] for index in migration.declared_indexes(Order)}
    assert declared | {"_id_"} == {index["name"] for index in metadata["indexes"]}
    assert metadata["indexes"][0]["v"] == 2


def test_while_people_write_it_holds_one_instant(
    filled: Any, elsewhere: Settings, tmp_path: Path
) -> None:
    """Each pair is written in one transaction: never one without the other, in no order of reading."""
    filled["aaa_first"].insert_one({"_id": -1})
    filled["zzz_last"].insert_one({"_id": -1})
    stop, written = threading.Event(), []

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1

            def pair(session: Any, number: int = number) -> None:
                filled["aaa_first"].insert_one({"_id": number}, session=session)
                filled["zzz_last"].insert_one({"_id": number}, session=session)
                Customer.collection().update_one({}, {"$inc": {"version": 1}}, session=session)

            mongo.in_transaction(pair)
            written.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(written) < 5:
            time.sleep(0.01)
        counted: list[int] = []
        backup.back_up(
            tmp_path / "copy", at=NOW, say=lambda name, count: counted.append(len(written))
        )
    finally:
        stop.set()
        writer.join()
    assert counted[-1] > counted[0], "nobody wrote during the backup: the test shows nothing"
    restored = mongo.connect(elsewhere)
    restore.restore(tmp_path / "copy", at=NOW)
    first, last = (set(restored[name].distinct("_id")) for name in ("aaa_first", "zzz_last"))
    assert first == last
    assert 5 <= len(first) - 1 <= len(written)


def test_many_documents_come_in_pieces(
    filled: Any, elsewhere: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore, "BATCH_BYTES", 2_000)
    before = everything(filled)
    backup.back_up(tmp_path / "copy", at=NOW)
    restored = mongo.connect(elsewhere)
    restore.restore(tmp_path / "copy", at=NOW)
    assert everything(restored) == before


def history_seconds() -> Any:
    command = {"getParameter": 1, backup.HISTORY: 1}
    return mongo.client().admin.command(command)[backup.HISTORY]


def test_it_keeps_the_beginning_for_hours_and_gives_the_server_its_setting_back(
    filled: Any, tmp_path: Path
) -> None:
    before, during = history_seconds(), []
    backup.back_up(
        tmp_path / "copy", at=NOW, say=lambda name, count: during.append(history_seconds())
    )
    assert set(during) == {backup.HISTORY_SECONDS}
    assert history_seconds() == before


def test_a_place_that_is_taken_stays_as_it_is(filled: Any, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy.tar").write_text("mine")
    for name in ("copy", "copy.tar"):
        with pytest.raises(InvalidInput, match="exists already"):
            backup.back_up(tmp_path / name, at=NOW)
    assert (tmp_path / "copy.tar").read_text() == "mine"


def test_a_name_of_another_format_is_refused(filled: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"\.tar"):
        backup.back_up(tmp_path / "copy.tar.gz", at=NOW)


def test_a_directory_that_is_not_there_is_told(filled: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        backup.back_up(tmp_path / "no" / "copy", at=NOW)


@pytest.mark.parametrize("name", ["copy", "copy.tar"])
def test_a_full_disk_is_told_and_leaves_nothing(
    name: str, filled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(backup_files.os, "fsync", full)
    with pytest.raises(InvalidInput, match=r"disk of .* is full"):
        backup.back_up(tmp_path / name, at=NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_backup_that_was_killed_does_not_have_its_name(filled: Any, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        backup.back_up(tmp_path / "copy", at=NOW, say=killed)
    assert not (tmp_path / "copy").exists()


def killed(name: str, count: int) -> None:
    raise KeyboardInterrupt


def test_an_empty_database_is_not_backed_up(elsewhere: Settings, tmp_path: Path) -> None:
    mongo.connect(elsewhere)
    with pytest.raises(InvalidInput, match="holds nothing of Carebook"):
        backup.back_up(tmp_path / "copy", at=NOW)
    assert list(tmp_path.iterdir()) == []


def damaged(place: Path, how: str) -> None:
    (orders,) = place.glob("*/orders.bson.gz")
    if how == "cut":
        orders.write_bytes(orders.read_bytes()[:-20])
    elif how == "changed":
        whole = bytearray(orders.read_bytes())
        whole[len(whole) // 2] ^= 1
        orders.write_bytes(whole)
    elif how == "missing":
        orders.unlink()
    elif how == "no manifest":
        (place / "manifest.json").unlink()
    elif how == "cut manifest":
        manifest = place / "manifest.json"
        manifest.write_text(manifest.read_text()[:100])


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("cut", "another size"),
        ("changed", "another content"),
        ("missing", "orders.bson.gz is missing"),
        ("no manifest", "not a whole backup"),
        ("cut manifest", "manifest.json cannot be read"),
    ],
)
def test_a_damaged_backup_is_refused_before_anything_is_written(
    how: str, said: str, filled: Any, elsewhere: Settings, tmp_path: Path
) -> None:
    place = tmp_path / "copy"
    backup.back_up(place, at=NOW)
    damaged(place, how)
    restored = mongo.connect(elsewhere)
    with pytest.raises(InvalidInput, match=said):
        restore.restore(place, at=NOW)
    assert restored.list_collection_names() == []


def test_a_cut_tar_file_is_refused(filled: Any, elsewhere: Settings, tmp_path: Path) -> None:
    place = tmp_path / "copy.tar"
    backup.back_up(place, at=NOW)
    whole = place.read_bytes()
    restored = mongo.connect(elsewhere)
    for length in (0, 100, 1000, len(whole) // 2, len(whole) - 11_000):
        place.write_bytes(whole[:length])
        with pytest.raises(InvalidInput):
            restore.restore(place, at=NOW)
    assert restored.list_collection_names() == []


def test_what_is_no_backup_is_refused(elsewhere: Settings, tmp_path: Path) -> None:
    mongo.connect(elsewhere)
    (tmp_path / "letter.tar").write_text("Dear reader")
    for name in ("letter.tar", "nowhere"):
        with pytest.raises(InvalidInput, match=name):
            restore.restore(tmp_path / name, at=NOW)


def test_a_tar_file_packed_by_hand_is_read(
    filled: Any, elsewhere: Settings, tmp_path: Path
) -> None:
    before = everything(filled)
    backup.back_up(tmp_path / "copy", at=NOW)
    with tarfile.open(tmp_path / "packed.tar", "w") as tar:
        for path in (tmp_path / "copy").rglob("*"):
            tar.add(path, path.relative_to(tmp_path / "copy").as_posix(), recursive=False)
    restored = mongo.connect(elsewhere)
    restore.restore(tmp_path / "packed.tar", at=NOW)
    assert everything(restored) == before


def test_a_database_with_something_in_it_is_refused_and_stays(filled: Any, tmp_path: Path) -> None:
    backup.back_up(tmp_path / "copy", at=NOW)
    make_customer()
    before = everything(filled)
    with pytest.raises(InvalidInput, match="not empty"):
        restore.restore(tmp_path / "copy", at=NOW)
    assert everything(filled) == before


def test_told_to_replace_it_does(filled: Any, tmp_path: Path) -> None:
    before = everything(filled)
    backup.back_up(tmp_path / "copy", at=NOW)
    make_customer()
    filled["later"].insert_one({})
    restore.restore(tmp_path / "copy", at=NOW, is_replacing=True)
    assert everything(filled) == before


def test_a_database_of_another_program_is_left_alone_even_then(
    filled: Any, elsewhere: Settings, tmp_path: Path
) -> None:
    backup.back_up(tmp_path / "copy", at=NOW)
    other = mongo.connect(elsewhere)
    other["bookings"].insert_one({"of": "somebody else"})
    with pytest.raises(InvalidInput, match=r"not Carebook's \(bookings\)"):
        restore.restore(tmp_path / "copy", at=NOW, is_replacing=True)
    assert other["bookings"].count_documents({}) == 1


def test_a_backup_of_a_newer_version_is_refused(
    filled: Any, elsewhere: Settings, tmp_path: Path
) -> None:
    backup.back_up(tmp_path / "copy", at=NOW)
    path = tmp_path / "copy" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2, "carebook": "9.9"}))
    mongo.connect(elsewhere)
    with pytest.raises(InvalidInput, match=r"newer version of Carebook \(9\.9\)"):
        restore.restore(tmp_path / "copy", at=NOW)


def test_no_part_starts_on_a_database_that_is_half_restored(
    filled: Any, elsewhere: Settings, tmp_path: Path
) -> None:
    before = everything(filled)
    backup.back_up(tmp_path / "copy", at=NOW)
    restored = mongo.connect(elsewhere)
    with pytest.raises(KeyboardInterrupt):
        restore.restore(tmp_path / "copy", at=NOW, say=killed)
    with pytest.raises(MigrationRefused, match="not come to its end"):
        migration.migrate(now=lambda: NOW)
    with pytest.raises(InvalidInput, match="not empty"):
        restore.restore(tmp_path / "copy", at=NOW)
    restore.restore(tmp_path / "copy", at=NOW, is_replacing=True)
    assert everything(restored) == before
    migration.migrate(now=lambda: NOW)


def test_what_others_write_during_a_restore_is_told(
    filled: Any, elsewhere: Settings, tmp_path: Path
) -> None:
    backup.back_up(tmp_path / "copy", at=NOW)
    restored = mongo.connect(elsewhere)

    def meanwhile(name: str, count: int) -> None:
        if name == "orders":
            restored["orders"].insert_one({"code": "made meanwhile"})

    with pytest.raises(CareError, match="orders holds 31 documents instead of 30"):
        restore.restore(tmp_path / "copy", at=NOW, say=meanwhile)
    with pytest.raises(MigrationRefused):
        migration.migrate(now=lambda: NOW)


def test_a_server_chosen_by_url_is_backed_up_too(
    filled: Any, elsewhere: Settings, settings: Settings, tmp_path: Path
) -> None:
    before = everything(filled)
    server = mongo.attach(settings)
    if server is None:
        pytest.skip("the tests run on a server chosen by URL anyway")
    address = f"mongodb://carebook:{server.password()}@127.0.0.1:{server.port}/"
    external = settings.model_copy(update={"mongo_url": SecretStr(address)})
    mongo.connect(external)
    backup.back_up(tmp_path / "copy.tar", at=NOW)
    mongo.connect(external.model_copy(update={"mongo_database": elsewhere.mongo_database}))
    restore.restore(tmp_path / "copy.tar", at=NOW)
    assert everything(mongo.database()) == before


@pytest.mark.parametrize("may_set", [False, True])
def test_a_user_of_this_database_alone_may_back_up(
    may_set: bool, filled: Any, settings: Settings, tmp_path: Path
) -> None:
    """The server's setting is changed where the user may, as deploy/mongo-init.js lets it."""
    server = mongo.attach(settings)
    if server is None:
        pytest.skip("needs the right to make users")
    admin, name = mongo.client().admin, settings.mongo_database
    actions = ["getParameter", "setParameter"] if may_set else ["getParameter"]
    privileges = [{"resource": {"cluster": True}, "actions": actions}]
    admin.command("createRole", "keeper", privileges=privileges, roles=[])
    roles = [{"role": role, "db": name} for role in ("readWrite", "dbAdmin")]
    roles.append({"role": "keeper", "db": "admin"})
    admin.command("createUser", "clerk", pwd="sesame", roles=roles)
    during = []
    try:
        address = f"mongodb://clerk:sesame@127.0.0.1:{server.port}/?authSource=admin"
        mongo.connect(settings.model_copy(update={"mongo_url": SecretStr(address)}))
        backup.back_up(
            tmp_path / "copy", at=NOW, say=lambda name, count: during.append(history_seconds())
        )
    finally:
        mongo.connect(settings)
        mongo.client().admin.command("dropUser", "clerk")
        mongo.client().admin.command("dropRole", "keeper")
    assert (set(during) == {backup.HISTORY_SECONDS}) is may_set
    restore.restore(tmp_path / "copy", at=NOW, is_replacing=True)


def test_all_kinds_of_values_survive(filled: Any, elsewhere: Settings, tmp_path: Path) -> None:
    filled["notes"].insert_one({"money": Decimal128("1.10"), "text": "Hà Nội", "at": NOW})
    before = everything(filled)
    backup.back_up(tmp_path / "copy", at=NOW)
    restored = mongo.connect(elsewhere)
    restore.restore(tmp_path / "copy", at=NOW)
    assert everything(restored) == before


def test_every_collection_of_ours_is_in_it(filled: Any, tmp_path: Path) -> None:
    summary = backup.back_up(tmp_path / "copy", at=NOW)
    assert {document._meta["collection"] for document in DOCUMENTS} <= set(summary.collections)
