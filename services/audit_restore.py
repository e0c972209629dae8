"""Takes a field back to what it was before a change: as a new change, checked like a typed one."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId

from models.base import local_date
from rules.errors import N_, InvalidInput, NotFound
from rules.scope import Actor
from services import audit_reading, customers, products

Stored = dict[str, Any]

CUSTOMER_FIELDS = frozenset(
    (*customers.TEXT_LENGTHS, *customers.PICKED, "phones", "emails", "birthday", "area_id")
) | {"gender"}
FIELDS: Mapping[str, frozenset[str]] = {
    "customers": CUSTOMER_FIELDS,
    "products": frozenset(products.CARE_FIELDS),
}
SAVERS: Mapping[str, Callable[..., object]] = {
    "customers": customers.update,
    "products": products.set_care,
}


def restorable(kind: str, entry: Stored) -> list[str]:
    """The fields of an entry that can be taken back, in its order."""
    known = FIELDS.get(kind, frozenset())
    if entry.get("action") == "create":
        return []
    return [change["field"] for change in entry.get("changes") or [] if change["field"] in known]


def restore(
    kind: str,
    record_id: ObjectId,
    *,
    entry_id: ObjectId,
    fields: Sequence[str],
    version: int,
    by: Actor,
    at: datetime,
) -> None:
    """Gives the fields the values that they had before the entry.

    `version` is the record's as the history was opened with.

    Raises:
        NotFound: there is no such entry of this record, or the actor may not see the record.
        InvalidInput: a field cannot be taken back, or its old value is no longer allowed.
        NotAllowed, StaleForm.
    """
    entry = audit_reading.entry(entry_id)
    if entry["kind"] != kind or entry.get("record_id") != record_id:
        raise NotFound()
    possible = restorable(kind, entry)
    if not fields or any(field not in possible for field in fields):
        raise InvalidInput(N_("This cannot be taken back here. Change it in the form instead."))
    old = {change["field"]: change.get("old") for change in entry["changes"]}
    typed = {field: typed_text(old[field]) for field in fields}
    SAVERS[kind](record_id, typed, version=version, by=by, at=at)


def typed_text(value: Any) -> str:
    """A stored value as a person would type it into the form."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        day = local_date(value)
        return day.isoformat() if day else ""
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return str(value)
