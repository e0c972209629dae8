"""Brings who sees what in line with assignments, in the background."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId

from services import assignments, handovers, scope
from services.progress import Progress


def recompute_scope(
    progress: Progress, product_codes: Sequence[str] | None = None, pending: str | None = None
) -> None:
    """The lists on customers and orders; of everything, or of these products only.

    `pending` marks the staff who lost a product: with the last range they see their lists again.
    """
    if product_codes is None:
        scope.recompute_all_scope(progress)
    else:
        scope.recompute_scope_of_products(product_codes, progress)
    if pending:
        scope.release_pending(ObjectId(pending))


def assign_customers(progress: Progress, **arguments: Any) -> None:
    """An assignment of many customers (S1.10)."""
    assignments.run_assigning_customers(progress, at=datetime.now(UTC), **arguments)


def hand_over(progress: Progress, hand_over_id: str) -> None:
    """Everything of one person becomes another one's (S1.1)."""
    handovers.run(progress, ObjectId(hand_over_id), at=datetime.now(UTC))


def undo_hand_over(progress: Progress, hand_over_id: str) -> None:
    """A hand-over is taken back."""
    handovers.run_undo(progress, ObjectId(hand_over_id), at=datetime.now(UTC))


def end_viewers(progress: Progress) -> None:
    """Viewers whose time is over."""
    scope.end_viewers(progress)
