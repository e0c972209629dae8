"""Recomputes care dates in the background."""

from collections.abc import Sequence

from services import recompute
from services.progress import Progress


def recompute_care(progress: Progress, product_codes: Sequence[str] | None = None) -> None:
    """First dates of orders and next dates of customers; only what these products can change."""
    recompute.recompute_care(product_codes=product_codes, progress=progress)
