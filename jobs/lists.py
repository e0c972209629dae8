"""What people start from a list and what takes too long for a page."""

from datetime import UTC, datetime
from typing import Any

from bson import ObjectId

from services import bulk_edits, list_export_runs
from services.progress import Progress


def export_list(progress: Progress, **arguments: Any) -> None:
    """Writes the rows of a long list into a file."""
    list_export_runs.run(arguments, at=datetime.now(UTC), progress=progress)


def bulk_edit(progress: Progress, bulk_edit_id: str) -> None:
    """Changes one field of many records."""
    bulk_edits.run(ObjectId(bulk_edit_id), at=datetime.now(UTC), progress=progress)


def undo_bulk_edit(progress: Progress, bulk_edit_id: str) -> None:
    """Gives the records of a bulk change their values back."""
    bulk_edits.run_undo(ObjectId(bulk_edit_id), at=datetime.now(UTC), progress=progress)
