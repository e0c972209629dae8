"""Takes a field back to what it was before a change: as a new change, checked like a typed one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId

from rules.errors import N_, InvalidInput, NotFound
from rules.fields import Field
from rules.permissions import EDITED
from rules.scope import Actor
from services import audit_reading, configuration, field_values, record_saving

Stored = dict[str, Any]


def restorable(kind: str, entry: Stored, by: Actor) -> list[str]:
    """The fields of an entry that the actor can take back, in its order, by their place in the
    record."""
    known = _by_path(kind, by)
    if entry.get("action") == "create" or not record_saving.saves(kind):
        return []
    return [change["field"] for change in entry.get("changes") or [] if change["field"] in known]


def _by_path(kind: str, by: Actor) -> dict[str, Field]:
    found = configuration.snapshot().kinds.get(kind)
    return {
        one.path: one
        for one in (found.fields.values() if found else ())
        if one.is_usable and not one.is_derived and by.access.level(kind, one.key) == EDITED
    }


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
    possible = restorable(kind, entry, by)
    if not fields or any(field not in possible for field in fields):
        raise InvalidInput(N_("This cannot be taken back here. Change it in the form instead."))
    old = {change["field"]: change.get("old") for change in entry["changes"]}
    known = _by_path(kind, by)
    typed = {known[path].key: _text(known[path], old[path]) for path in fields}
    record_saving.save(kind, record_id, typed, version=version, by=by, at=at)


def _text(field: Field, value: Any) -> str:
    """A stored value as a person would type it into the form."""
    return field_values.form_text(field, field_values.from_stored(field, value))
