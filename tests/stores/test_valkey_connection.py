"""What everybody may expect from the connected Valkey."""

import pytest
import redis

from config import Settings
from stores import valkey as store
from stores.errors import StoreError


def test_it_starts_each_test_empty_first(valkey: "redis.Redis") -> None:
    assert valkey.dbsize() == 0
    valkey.set("left", "behind")


def test_it_starts_each_test_empty_second(valkey: "redis.Redis") -> None:
    test_it_starts_each_test_empty_first(valkey)


def test_it_is_idempotent(valkey: "redis.Redis", settings: Settings) -> None:
    assert store.connect(settings) is store.client() is valkey


def test_who_expects_it_is_connected_when_first_asking(
    valkey: "redis.Redis", settings: Settings
) -> None:
    store.disconnect()
    with pytest.raises(StoreError):
        store.client()
    store.expect(settings)
    assert store.client().ping()
