"""What people start from a list and what takes too long for a page."""

from datetime import UTC, datetime
from typing import Any

from services import list_export_runs
from services.progress import Progress


def export_list(progress: Progress, **arguments: Any) -> None:
    """Writes the rows of a long list into a file."""
    list_export_runs.run(arguments, at=datetime.now(UTC), progress=progress)
