"""Records as programs read and write them: by the keys of their fields, those of the site apart.

A program sees what the person of its key sees in the screens, masked where it is so there, and
what it sends is checked as a form is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bson import ObjectId

from rules.errors import N_, CareError, InvalidInput, NotFound
from rules.expressions import with_computed
from rules.fields import FILES, SITE, Field, Kind
from rules.filters import Criteria, merge
from rules.numbers import typed_decimal
from rules.permissions import HIDDEN
from rules.scope import Actor, scope
from services import field_values, record_saving
from services.kinds import collection_of, kind_of
from stores import mongo

Stored = dict[str, Any]

MOST, USUAL = 200, 50  # records of one answer


@dataclass(frozen=True, slots=True)
class Page:
    """Some records in the order of their ids; `next_id` leads on, None at the end."""

    records: list[Stored]
    next_id: ObjectId | None


def kind_for(key: str) -> Kind:
    """A kind that programs may ask for. Raises NotFound."""
    kind = kind_of(key)
    if not record_saving.saves(key) or kind.is_retired or kind.problem:
        raise NotFound()
    return kind


def one(kind_key: str, record_id: ObjectId, *, by: Actor, today: date) -> Stored:
    """A record. Raises NotFound, also for one that the actor may not see."""
    found = _rows(kind_for(kind_key), {"_id": record_id}, 1, by, today)
    if not found:
        raise NotFound()
    return found[0]


def some(
    kind_key: str,
    *,
    by: Actor,
    today: date,
    after: ObjectId | None = None,
    code: str = "",
    limit: int = USUAL,
) -> Page:
    """The records behind `after` that the actor may see; with `code` the one that has it."""
    wanted: Criteria = {"_id": {"$gt": after}} if after else {}
    if code:
        wanted = wanted | {"code": code}
    size = max(1, min(limit, MOST))
    found = _rows(kind_for(kind_key), wanted, size + 1, by, today)
    has_more = len(found) > size
    return Page(found[:size], ObjectId(found[size - 1]["id"]) if has_more else None)


def save(
    kind_key: str, record_id: ObjectId, sent: Mapping[str, Any], *, by: Actor, at: datetime
) -> None:
    """Saves `fields` and `custom` of what was sent over the record with that `version`.

    Raises NotAllowed, NotFound, StaleForm, or InvalidInput with `fields`.
    """
    kind = kind_for(kind_key)
    version = sent.get("version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise InvalidInput(N_("Send the version of the record as you have read it."))
    known = _fields(kind, by)
    typed: dict[str, str] = {}
    errors: dict[str, CareError] = {}
    for part in ("fields", "custom"):
        values = sent.get(part, {})
        if not isinstance(values, Mapping):
            raise InvalidInput(N_("“%(part)s” is no object of names and values."), part=part)
        for key, value in values.items():
            try:
                typed[key] = _typed(known, part, str(key), value)
            except InvalidInput as error:
                errors[str(key)] = error
    if errors:
        raise InvalidInput(fields=errors)
    record_saving.save(kind_key, record_id, typed, version=version, by=by, at=at)


def _rows(kind: Kind, wanted: Criteria, limit: int, by: Actor, today: date) -> list[Stored]:
    criteria = merge([dict(kind.base), wanted, scope(by, kind.key)])
    found = collection_of(kind).find(criteria).sort("_id", 1).limit(limit)
    return [_shown(kind, row, by, today) for row in found]


def _shown(kind: Kind, row: Stored, by: Actor, today: date) -> Stored:
    seen = by.shown(kind.key, row)
    values = with_computed(field_values.values_of(kind, seen), kind.fields, today, mongo.zone())
    parts: dict[str, Stored] = {"fields": {}, "custom": {}}
    for key, field in _fields(kind, by).items():
        parts["custom" if field.source == SITE else "fields"][key] = _json(values[key])
    named = [*parts["fields"], *parts["custom"]]
    masked = [key for key in named if not by.access.sees(kind.key, key)]
    return {
        "id": str(row["_id"]),
        "kind": kind.key,
        "version": int(row.get("version", 1)),
        **parts,
        "masked": masked,
    }


def _fields(kind: Kind, by: Actor) -> dict[str, Field]:
    """The fields that the actor's programs know of; one that is hidden is as if there were none."""
    return {
        key: field
        for key, field in kind.fields.items()
        if field.is_usable and field.family != FILES and by.access.level(kind.key, key) != HIDDEN
    }


def _json(value: Any) -> Any:
    """Dates as yyyy-mm-dd, instants in UTC, records by their ids."""
    if isinstance(value, list | tuple):
        return [_json(one) for one in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _typed(known: Mapping[str, Field], part: str, key: str, value: Any) -> str:
    """The text that a form would send. Raises InvalidInput."""
    field = known.get(key)
    if field is None or (field.source == SITE) != (part == "custom"):
        raise InvalidInput(N_("There is no such field among “%(part)s”."), part=part)
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    return _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return typed_decimal(Decimal(str(value)))
    if isinstance(value, str):
        return value
    raise InvalidInput(N_("Send a text, a number, true, false, null, or a list of these."))
