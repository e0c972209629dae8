"""The form of a record of any kind, saved by the service that knows the kind."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId

from rules.built_in_fields import BUILT_IN_KINDS
from rules.scope import Actor
from services import customers, orders, products, site_records

SAVERS: Mapping[str, Callable[..., Any]] = {
    customers.KIND: customers.update,
    orders.KIND: orders.update,
    products.KIND: products.update,
}


def saves(kind: str) -> bool:
    """Whether records of the kind have a form at all."""
    return kind in SAVERS or kind not in BUILT_IN_KINDS


def save(
    kind: str,
    record_id: ObjectId,
    typed: Mapping[str, str],
    *,
    version: int,
    by: Actor,
    at: datetime,
    shown: Mapping[str, str] | None = None,
) -> None:
    """See `record_changes.update`."""
    arguments: dict[str, Any] = {"version": version, "by": by, "at": at, "shown": shown}
    if kind in SAVERS:
        SAVERS[kind](record_id, typed, **arguments)
    else:
        site_records.update(kind, record_id, typed, **arguments)
