"""What everybody may expect from the connected Valkey."""

import redis

from config import Settings
from stores import valkey as store


def test_it_starts_each_test_empty_first(valkey: "redis.Redis") -> None:
    assert valkey.dbsize() == 0
    valkey.set("left", "behind")


def test_it_starts_each_test_empty_second(valkey: "redis.Redis") -> None:
    test_it_starts_each_test_empty_first(valkey)


def test_it_is_idempotent(valkey: "redis.Redis", settings: Settings) -> None:
    assert store.connect(settings) is store.client() is valkey
