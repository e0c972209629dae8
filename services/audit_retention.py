"""Removes audit entries that are older than the site keeps them. Nothing else ever does."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from models import AuditEntry
from rules.scope import SYSTEM
from services import access_settings, audit
from services.progress import NoProgress, Progress, stop_if_cancelled

BATCH = 5000


def purge(now: datetime, progress: Progress | None = None) -> int:
    """Removes what is too old and records how much it was; 0 where entries are kept for good."""
    progress = progress or NoProgress()
    days = access_settings.read().audit_days
    if not days:
        return 0
    too_old = {"at": {"$lt": now - timedelta(days=days)}}
    removed = 0
    while ids := _some_ids(too_old):
        stop_if_cancelled(progress)
        removed += AuditEntry.collection().delete_many({"_id": {"$in": ids}}).deleted_count
        progress.advance(len(ids))
    if removed:
        progress.count("entries_removed", removed)
        audit.record(
            by=replace(SYSTEM, screen="job purge_audit"),
            at=now,
            action="purge",
            kind="audit",
            record_id=None,
            label="",
            changes={"deleted": (None, removed), "audit_days": (None, days)},
        )
    return removed


def _some_ids(criteria: Mapping[str, object]) -> list[object]:
    found = AuditEntry.collection().find(criteria, {"_id": 1}).sort("at", 1).limit(BATCH)
    return [row["_id"] for row in found]
