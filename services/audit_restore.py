"""Takes a field back to what it was before a change: as a new change, checked like a typed one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId

from rules.errors import N_, InvalidInput, NotFound
from rules.fields import FILES, Field
from rules.permissions import EDITED
from rules.scope import Actor
from services import (
    audit_reading,
    audit_versions,
    configuration,
    field_files,
    field_values,
    record_saving,
)

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


def restore_version(
    kind: str,
    record_id: ObjectId,
    *,
    key: str,
    fields: Sequence[str],
    version: int,
    by: Actor,
    at: datetime,
) -> None:
    """Brings these fields, or without any all that the actor may fill in, back to an older version.

    Args:
        key: of the version, see `audit_versions`.
        version: the record's as the page was opened with.

    Raises:
        NotFound: there is no such version, or the actor may not see the record.
        InvalidInput: nothing differs, a field cannot be restored, or its old value is no longer
            allowed.
        NotAllowed, StaleForm.
    """
    record = audit_versions.record_of(kind, record_id, by=by)
    keys = (key, audit_versions.NOW)
    found = audit_versions.read(kind, record, keys, by=by)
    old, current = found[key], found[audit_versions.NOW]
    allowed = field_values.editable(audit_versions.versioned_kind(kind), by.access)
    known = {one.path: one for one in allowed.values()}
    if any(path not in known for path in fields):
        raise InvalidInput(N_("This cannot be taken back here. Change it in the form instead."))
    paths = [
        path
        for path in audit_versions.differing(old, current)
        if path in known and (not fields or path in fields)
    ]
    if not paths:
        raise InvalidInput(N_("Nothing to restore: it is like this already."))
    typed = {known[path].key: _text(known[path], old.values[path]) for path in paths}
    record_saving.save(kind, record_id, typed, version=version, by=by, at=at)


def _text(field: Field, value: Any) -> str:
    """A stored value as a person would type it into the form."""
    if field.family == FILES:
        return field_files.text_of(value)
    return field_values.form_text(field, field_values.from_stored(field, value))
