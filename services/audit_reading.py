"""Reads the audit entries of one record, newest first."""

from typing import Any

from bson import ObjectId

from models import AuditEntry
from rules.errors import NotFound
from services.lists import Page, Sort, fetch_page

Stored = dict[str, Any]


def newest_of(kind: str, record_id: ObjectId, limit: int) -> list[Stored]:
    """The newest entries about a record."""
    found = AuditEntry.collection().find({"kind": kind, "record_id": record_id})
    return list(found.sort("at", -1).limit(limit))


def page_of(kind: str, record_id: ObjectId, *, after: str | None, before: str | None) -> Page:
    """One page of the entries about a record."""
    criteria = {"kind": kind, "record_id": record_id}
    newest = Sort("at", descending=True)
    return fetch_page(AuditEntry.collection(), criteria, newest, after=after, before=before)


def entry(entry_id: ObjectId) -> Stored:
    """One entry. Raises NotFound."""
    found = AuditEntry.collection().find_one({"_id": entry_id})
    if found is None:
        raise NotFound()
    return found
