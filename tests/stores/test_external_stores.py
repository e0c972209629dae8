"""Servers chosen by URL: used as they are, or refused loudly; never replaced by something else."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from config import Settings
from stores import mongo, valkey
from stores.embedded import free_port
from stores.embedded_mongo import EmbeddedMongo
from stores.embedded_valkey import EmbeddedValkey
from stores.errors import StoreError


@pytest.fixture(autouse=True)
def nothing_connected(settings: Settings) -> Iterator[None]:
    """These tests connect the process elsewhere; the next test connects anew."""
    yield
    mongo.disconnect()
    valkey.disconnect()


def chosen(data: Path, **urls: str) -> Settings:
    return Settings(data=data, **{name: SecretStr(url) for name, url in urls.items()})


def test_a_mongodb_that_does_not_answer_is_named_without_its_password(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(mongo.OPTIONS, "serverSelectionTimeoutMS", 300)
    port = free_port()
    with pytest.raises(StoreError) as caught:
        mongo.connect(chosen(data, mongo_url=f"mongodb://me:sesame@127.0.0.1:{port}/x"))
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert "MONGO_URL" in caught.value.remedy
    assert "sesame" not in str(caught.value)
    assert not data.exists(), "no embedded server may step in"


def test_a_valkey_that_does_not_answer_is_named_without_its_password(data: Path) -> None:
    port = free_port()
    with pytest.raises(StoreError) as caught:
        valkey.connect(chosen(data, valkey_url=f"redis://:sesame@127.0.0.1:{port}/0"))
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert "sesame" not in str(caught.value)
    assert not data.exists(), "no embedded server may step in"


@pytest.mark.parametrize("url", ["nonsense", "mongodb://", "mongodb://u:p@ss@h/", "http://a/"])
def test_a_broken_mongodb_url_is_told(url: str, data: Path) -> None:
    with pytest.raises(StoreError, match="MONGO_URL"):
        mongo.connect(chosen(data, mongo_url=url))


@pytest.mark.parametrize("url", ["nonsense", "http://a/", "redis://127.0.0.1:notaport/0"])
def test_a_broken_valkey_url_is_told(url: str, data: Path) -> None:
    with pytest.raises(StoreError, match="VALKEY_URL"):
        valkey.connect(chosen(data, valkey_url=url))


def test_an_external_mongodb_is_used_with_our_database_name(
    data: Path, mongo_server: EmbeddedMongo, tmp_path: Path
) -> None:
    url = f"mongodb://carebook:{mongo_server.password()}@127.0.0.1:{mongo_server.port}/admin"
    elsewhere = tmp_path / "unused"
    database = mongo.connect(chosen(elsewhere, mongo_url=url))
    assert database.name == "carebook"
    assert mongo.in_transaction(lambda session: "committed") == "committed"
    assert not elsewhere.exists()


def test_a_wrong_mongodb_password_is_told(mongo_server: EmbeddedMongo, tmp_path: Path) -> None:
    url = f"mongodb://carebook:sesame@127.0.0.1:{mongo_server.port}/admin"
    with pytest.raises(StoreError, match="refuses the login") as caught:
        mongo.connect(chosen(tmp_path, mongo_url=url))
    assert "sesame" not in str(caught.value)


def test_a_wrong_valkey_password_is_told(valkey_server: EmbeddedValkey, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="refuses the login") as caught:
        valkey.connect(
            chosen(tmp_path, valkey_url=f"redis://:sesame@127.0.0.1:{valkey_server.port}")
        )
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["redis", "valkey"])
def test_an_external_valkey_is_used(
    scheme: str, valkey_server: EmbeddedValkey, tmp_path: Path
) -> None:
    url = f"{scheme}://:{valkey_server.password()}@127.0.0.1:{valkey_server.port}/3"
    client = valkey.connect(chosen(tmp_path / "unused", valkey_url=url))
    assert client.incr("n") == 1
    assert not (tmp_path / "unused").exists()


class StandaloneMongo(EmbeddedMongo):
    """A mongod without a replica set, as people often start one."""

    def command(self, port: int) -> list[str]:
        line = super().command(port)
        for option in ("--replSet", "--keyFile"):
            at = line.index(option)
            del line[at : at + 2]
        return line

    def after_start(self, port: int) -> None:
        pass


def test_a_mongodb_without_replica_set_is_refused_with_the_remedy(
    data: Path, tmp_path: Path
) -> None:
    server = StandaloneMongo(data)
    server.attach()
    try:
        with pytest.raises(StoreError, match="--replSet"):
            mongo.connect(chosen(tmp_path, mongo_url=f"mongodb://127.0.0.1:{server.port}"))
    finally:
        server.release()


def test_a_forked_child_connects_by_itself(settings: Settings) -> None:
    database = mongo.connect(settings)
    database.forks.delete_many({})
    child = os.fork()
    if child == 0:
        ok = mongo.database().forks.insert_one({"from": "child"}).acknowledged
        valkey.connect(settings).ping()
        os._exit(0 if ok else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert database.forks.count_documents({}) == 1
    database.drop_collection("forks")
