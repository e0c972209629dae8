"""Writes the audit entry of a change, in the transaction of the change."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import AuditEntry
from rules.scope import Actor
from rules.text import fold

WORDS_KEPT = 12
Changes = Mapping[str, tuple[Any, Any]]


def record(
    *,
    by: Actor,
    at: datetime,
    action: str,
    kind: str,
    record_id: ObjectId | None,
    label: str,
    changes: Changes | None = None,
    session: ClientSession | None = None,
) -> None:
    """Appends who did what; `changes` maps a field name to (old, new) as they are stored."""
    entry = _entry(by, at, action, kind, record_id, label, changes or {})
    AuditEntry.collection().insert_one(entry, session=session)


def record_many(
    records: Iterable[tuple[ObjectId, str, Changes]],
    *,
    by: Actor,
    at: datetime,
    action: str,
    kind: str,
    session: ClientSession,
) -> None:
    """The same for many records of a kind at once: (id, label, changes) of each."""
    entries = [_entry(by, at, action, kind, *one) for one in records]
    if entries:
        AuditEntry.collection().insert_many(entries, ordered=False, session=session)


def _entry(
    by: Actor,
    at: datetime,
    action: str,
    kind: str,
    record_id: ObjectId | None,
    label: str,
    changes: Changes,
) -> dict[str, Any]:
    return {
        "at": at,
        "staff_id": by.staff_id,
        "staff_name": by.name,
        "screen": by.screen,
        "address": by.address,
        "action": action,
        "kind": kind,
        "record_id": record_id,
        "record_label": label,
        "changes": [
            {"field": name, "old": old, "new": new} for name, (old, new) in changes.items()
        ],
        "search_words": list(dict.fromkeys(fold(label).split()))[:WORDS_KEPT],
    }
