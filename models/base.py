"""What every document shares, and how local dates are stored."""

from datetime import UTC, date, datetime
from typing import Any, ClassVar

from mongoengine import DateTimeField, Document, IntField
from pymongo.collection import Collection


def stored_date(day: date) -> datetime:
    """A local date as it is stored: midnight UTC of that date, so that the server can add days."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def local_date(stored: datetime | date | None) -> date | None:
    """The local date behind a stored one (see `stored_date`)."""
    return stored.date() if isinstance(stored, datetime) else stored


class CarebookDocument(Document):
    """A document with an optimistic version. Instants (`_at`) are timezone-aware UTC."""

    meta: ClassVar[dict[str, Any]] = {"abstract": True, "auto_create_index": False}

    version = IntField(default=1)
    created_at = DateTimeField()
    updated_at = DateTimeField()

    def __init_subclass__(cls) -> None:
        """Documents name others by plain ids: no list has to be searched for references to load."""
        super().__init_subclass__()
        for field in cls._fields.values():
            field.set_auto_dereferencing(False)

    @classmethod
    def collection(cls) -> Collection[dict[str, Any]]:
        """The raw collection, for bulk writes, update pipelines and flat list rows."""
        collection: Collection[dict[str, Any]] = cls._get_collection()
        return collection
