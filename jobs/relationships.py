"""Recomputes relationship statuses in the background."""

from datetime import UTC, datetime

from services import relationships
from services.progress import Progress


def recompute_relationships(progress: Progress) -> None:
    """Facts and statuses of all customers (S3.4)."""
    relationships.recompute(at=datetime.now(UTC), progress=progress)
