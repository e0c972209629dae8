"""What everybody may expect from the connected database, embedded or external."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError

from config import Settings
from models import Area
from rules.errors import NotFound
from stores import mongo

Db = Database[dict[str, Any]]


def test_it_gives_models_and_raw_queries_the_same_database(db: Db) -> None:
    Area(name="Huế").save()
    assert mongo.database().name == db.name
    assert db.areas.count_documents({"name": "Huế"}) == 1


def test_it_is_idempotent(db: Db, settings: Settings) -> None:
    assert mongo.connect(settings).client is mongo.client()
    assert mongo.connect(settings.model_copy()).client is db.client


def test_it_returns_instants_with_their_time_zone(db: Db) -> None:
    at = datetime(2026, 5, 1, 17, tzinfo=UTC)
    db.areas.insert_one({"name": "x", "at": at})
    assert db.areas.find_one()["at"] == at


def test_it_starts_each_test_empty_with_indexes_first(db: Db) -> None:
    assert db.areas.count_documents({}) == 0
    assert "area_by_name" in db.areas.index_information()
    db.areas.insert_one({"name": "left behind"})


def test_it_starts_each_test_empty_with_indexes_second(db: Db) -> None:
    test_it_starts_each_test_empty_with_indexes_first(db)


def test_a_transaction_returns_what_the_work_returns(db: Db) -> None:
    def work(session: ClientSession) -> str:
        db.areas.insert_one({"name": "a"}, session=session)
        return "done"

    assert mongo.in_transaction(work) == "done"
    assert db.areas.count_documents({}) == 1


def test_a_transaction_undoes_everything_when_the_work_fails(db: Db) -> None:
    def work(session: ClientSession) -> None:
        db.areas.insert_one({"name": "a"}, session=session)
        raise NotFound

    with pytest.raises(NotFound):
        mongo.in_transaction(work)
    assert db.areas.count_documents({}) == 0


def test_a_transaction_tries_again_after_a_conflict(db: Db) -> None:
    db.areas.insert_one({"name": "a", "n": 0})
    tries = []

    def work(session: ClientSession) -> None:
        tries.append(1)
        db.areas.find_one({"name": "a"}, session=session)
        if len(tries) == 1:
            db.areas.update_one({"name": "a"}, {"$inc": {"n": 10}})
        db.areas.update_one({"name": "a"}, {"$inc": {"n": 1}}, session=session)

    mongo.in_transaction(work)
    assert len(tries) == 2
    assert db.areas.find_one()["n"] == 11


def test_a_wrong_password_opens_nothing(db: Db) -> None:
    host, port = db.client.address or ("", 0)
    from pymongo import MongoClient

    with (
        MongoClient(host, port, username="carebook", password="guess") as stranger,
        pytest.raises(OperationFailure),
    ):
        stranger.admin.command("listDatabases")
    with MongoClient(host, port) as nobody, pytest.raises(PyMongoError):
        nobody[db.name].areas.insert_one({"name": "x"})


def test_what_is_acknowledged_is_held_by_a_majority(db: Db) -> None:
    assert db.client.write_concern.document == {"w": "majority"}
    assert db.client.options.retry_writes
    assert db.client.options.retry_reads
    # An operator's URL cannot ask for less.
    url = "mongodb://localhost/?w=1&retryWrites=false"
    with MongoClient[dict[str, Any]](url, connect=False, **mongo.OPTIONS) as client:
        assert client.write_concern.document == {"w": "majority"}
        assert client.options.retry_writes


def test_a_confirmed_answer_is_what_is_there(db: Db) -> None:
    db.areas.insert_one({"name": "a"})
    found = mongo.find_confirmed(db.areas, {"name": "a"})
    assert found is not None
    assert found["name"] == "a"
    assert mongo.find_confirmed(db.areas, {"name": "b"}) is None
