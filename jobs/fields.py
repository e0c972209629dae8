"""Brings indexes and values in line with what administrators made of fields, in the background."""

from services import field_indexes
from services.progress import Progress


def index_fields(progress: Progress, kind: str) -> None:
    """The indexes of one kind's custom fields."""
    field_indexes.bring_in_line(kind, progress)
