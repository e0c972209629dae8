"""Brings indexes and values in line with what administrators made of fields, in the background."""

from datetime import UTC, datetime
from typing import Any

from services import field_conversion, field_indexes, value_merges
from services.progress import Progress


def index_fields(progress: Progress, kind: str) -> None:
    """The indexes of one kind's custom fields."""
    field_indexes.bring_in_line(kind, progress)


def convert_field(progress: Progress, **arguments: Any) -> None:
    """The values of a field whose type has changed."""
    field_conversion.convert(progress=progress, **arguments)


def merge_values(progress: Progress, **arguments: Any) -> None:
    """The records that have a value which was merged with another one."""
    value_merges.move(progress=progress, at=datetime.now(UTC), **arguments)


def unmerge_values(progress: Progress, merge: str) -> None:
    """The same, taken back."""
    value_merges.move_back(merge, progress=progress)
