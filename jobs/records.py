"""Imports of records of the kinds that a site defined."""

from datetime import UTC, datetime

from bson import ObjectId

from services import record_imports
from services.progress import Progress


def import_records(progress: Progress, import_id: str) -> None:
    """Applies a file that was read, shown and confirmed."""
    record_imports.run(ObjectId(import_id), at=datetime.now(UTC), progress=progress)
