"""Earlier versions of a record, worked out from what it is now and the changes since."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from bson import ObjectId

from models import AuditEntry
from rules.errors import NotFound
from rules.fields import FILES, Field, Kind
from rules.record_paths import single_value
from rules.scope import Actor, scope
from services import field_files, record_saving, site_records
from services.kinds import collection_of, kind_of

Stored = dict[str, Any]
NOW, FIRST = "now", "first"  # beside the ids of entries, after which a version begins
ENTRIES_READ = 2000  # of one record; what lies before is told as the first version


@dataclass(frozen=True, slots=True)
class Version:
    """The record after an entry (None: as it is now, or as it was before the oldest one).

    `values` are those of the fields that people fill in, by their place in the record.
    """

    key: str
    entry: Stored | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


def versioned_kind(key: str) -> Kind:
    """A kind whose records have a form, and so versions. Raises NotFound."""
    if not record_saving.saves(key):
        raise NotFound()
    return kind_of(key)


def record_of(kind_key: str, record_id: ObjectId, *, by: Actor) -> Stored:
    """The record, if the actor may see it. Raises NotFound."""
    kind = versioned_kind(kind_key)
    if kind.collection == site_records.COLLECTION:
        return site_records.read(kind_key, record_id, by=by)
    wanted = {"$and": [{"_id": record_id}, scope(by, kind_key)]}
    found = collection_of(kind).find_one(wanted)
    if found is None:
        raise NotFound()
    return found


def shown_fields(kind: Kind, by: Actor) -> dict[str, Field]:
    """{place: field} of what people fill in and the actor may read as it is, in their order."""
    return {
        one.path: one
        for one in kind.fields.values()
        if one.is_usable and not one.is_derived and by.access.sees(kind.key, one.key)
    }


def read(kind_key: str, record: Stored, keys: Collection[str], *, by: Actor) -> dict[str, Version]:
    """The versions with these keys: NOW, FIRST or the id of an entry. Raises NotFound."""
    paths = shown_fields(versioned_kind(kind_key), by)
    state = {path: _value(record, field) for path, field in paths.items()}
    found = {NOW: Version(NOW, None, dict(state))}
    about = {"kind": kind_key, "record_id": record["_id"]}
    entries = AuditEntry.collection().find(about).sort([("at", -1), ("_id", -1)])
    for entry in entries.limit(ENTRIES_READ):
        key = str(entry["_id"])
        if key in keys:
            found[key] = Version(key, entry, dict(state))
        for change in entry.get("changes") or []:
            if change["field"] in state:
                state[change["field"]] = change.get("old")
    found[FIRST] = Version(FIRST, None, state)
    missing = [key for key in keys if key not in found]
    if missing:
        raise NotFound()
    return {key: found[key] for key in keys}


def _value(record: Stored, of: Field) -> Any:
    """As entries have it: files with their names, because those of old may be gone."""
    value = single_value(record, of.path)
    return field_files.with_names(value) if of.family == FILES else value


def differing(one: Version, other: Version) -> list[str]:
    """The places at which two versions differ; nothing is as good as empty."""
    return [
        path
        for path, value in one.values.items()
        if (value or None) != (other.values.get(path) or None)
    ]
