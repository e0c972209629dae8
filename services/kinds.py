"""The kinds of records in force, and the collection that has the records of each."""

from typing import Any

from pymongo.collection import Collection

from rules.errors import NotFound
from rules.fields import Kind
from services import configuration
from stores import mongo


def kind_of(key: str) -> Kind:
    """The kind with its fields, as it is configured now. Raises NotFound."""
    kind = configuration.snapshot().kinds.get(key)
    if kind is None:
        raise NotFound()
    return kind


def collection_of(kind: Kind) -> Collection[dict[str, Any]]:
    """Where the records of a kind are; those of a site's own kinds share one (`Kind.base`)."""
    return mongo.database()[kind.collection]
