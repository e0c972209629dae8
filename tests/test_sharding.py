"""The shard keys that the operations guide names fit the unique indexes of their collections."""

import re

import pytest

from config import PROJECT_ROOT
from models import DOCUMENTS
from services.migration import declared_indexes

GUIDE = PROJECT_ROOT / "docs" / "operations" / "hosts.md"
ROW = re.compile(r"^\| `([\w.]+)` \| `\{([^}]+)\}` \|", re.MULTILINE)
KEYS = {name: re.findall(r"(\w+): ", keys) for name, keys in ROW.findall(GUIDE.read_text("utf-8"))}
OURS = {document._meta["collection"]: document for document in DOCUMENTS}


def test_the_guide_names_the_big_collections() -> None:
    assert {"customers", "orders", "audit_entries"} <= set(KEYS)


@pytest.mark.parametrize("collection", sorted(set(KEYS) & set(OURS)))
def test_each_unique_index_begins_with_the_shard_key(collection: str) -> None:
    key = KEYS[collection]
    indexes = [index.document for index in declared_indexes(OURS[collection])]
    for index in indexes:
        if index.get("unique"):
            assert list(index["key"])[: len(key)] == key, index["name"]
    assert any(set(key) & set(index["key"]) for index in indexes), "no index holds the shard key"


def test_what_cannot_be_sharded_still_cannot() -> None:
    """When this fails, the paragraph about interactions can be rewritten."""
    unique = [
        list(index.document["key"])
        for index in declared_indexes(OURS["interactions"])
        if index.document.get("unique")
    ]
    assert unique == [["entry_key"]]
