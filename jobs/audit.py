"""Keeps the change log as long as the site wants it."""

from datetime import UTC, datetime

from services import audit_retention
from services.progress import Progress


def purge_audit(progress: Progress) -> None:
    """Removes entries that are older than the setting; run it once a day."""
    audit_retention.purge(datetime.now(UTC), progress)
