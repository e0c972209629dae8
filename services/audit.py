"""Writes the audit entry of a change, in the transaction of the change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import AuditEntry
from rules.scope import Actor
from rules.text import fold

WORDS_KEPT = 12


def record(
    *,
    by: Actor,
    at: datetime,
    action: str,
    kind: str,
    record_id: ObjectId | None,
    label: str,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
    session: ClientSession | None = None,
) -> None:
    """Appends who did what; `changes` maps a field name to (old, new) as they are stored."""
    AuditEntry.collection().insert_one(
        {
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
                {"field": name, "old": old, "new": new}
                for name, (old, new) in (changes or {}).items()
            ],
            "search_words": list(dict.fromkeys(fold(label).split()))[:WORDS_KEPT],
        },
        session=session,
    )
