"""Values of fields between form and store: what was typed becomes the changes of a record."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bson import Decimal128, ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from models.base import local_date, stored_date
from rules import conditions, field_values
from rules.conditions import Context
from rules.errors import N_, CareError, InvalidInput
from rules.fields import DAY, SITE, Field, Kind, Typing
from rules.permissions import EDITED, Access
from rules.record_paths import value_at
from rules.scope import Actor, scope
from rules.text import fold
from services import trees
from services.configuration import Configuration
from services.kinds import collection_of
from services.references import TARGETS
from stores import mongo

Stored = dict[str, Any]
Changes = dict[str, tuple[Any, Any]]
NEVER = conditions.Group(conditions.OR, ())


def typing_for(
    config: Configuration, by: Actor, today: date, session: ClientSession | None = None
) -> Typing:
    """What reading typed text needs: the lists in force, and records that this actor may see."""

    def known(pick_list: str) -> frozenset[str]:
        values = config.pick_lists.get(pick_list, {})
        return frozenset(key for key, one in values.items() if not one.retired)

    def refer(kind: str, text: str) -> Any:
        return referred(kind, text, by, session)

    def labels(pick_list: str) -> Mapping[str, str]:
        values = config.pick_lists.get(pick_list, {}).values()
        return {
            fold(label): one.key
            for one in values
            for label in (one.label_en, one.label_vi)
            if not one.retired
        }

    below = trees.below_of(config)
    return Typing(today, mongo.zone(), known, refer, by.staff_id, labels, below)


def referred(kind: str, text: str, by: Actor, session: ClientSession | None = None) -> ObjectId:
    """The id of the record that `text` names: its id, its number, or "me".

    A file is looked at when the record is saved (services/field_files.py).

    Raises InvalidInput also for a record that the actor may not see.
    """
    if kind == "files" and ObjectId.is_valid(text):
        return ObjectId(text)
    if kind == "staff" and text == "me" and by.staff_id is not None:
        staff_id: ObjectId = by.staff_id
        return staff_id
    target = TARGETS.get(kind)
    if target is not None:
        wanted = {"_id": ObjectId(text)} if ObjectId.is_valid(text) else {target.known_by: text}
        found = target.document.collection().find_one(
            {"$and": [wanted, target.scope(by)]}, {"_id": 1}, session=session
        )
        if found:
            return ObjectId(found["_id"])
    raise InvalidInput(
        N_("“%(value)s” was not found. Search for the name and choose one."), value=text[:60]
    )


def stored(field: Field, value: Any) -> Any:
    """The value as it stands in the record; None for no value, [] for none in a built-in list."""
    if value is None and field.is_list and field.source != SITE:
        return []
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return stored_date(value)
    if isinstance(value, Decimal):
        return Decimal128(value)
    return value


def from_stored(field: Field, value: Any) -> Any:
    """The value behind a stored one; what another type had stored is returned as it is."""
    if isinstance(value, Decimal128):
        number = value.to_decimal()
        is_whole = field.type in ("money", "integer") and number == number.to_integral_value()
        return int(number) if is_whole else number
    if isinstance(value, datetime) and field.family == DAY:
        return local_date(value)
    return None if value in ("", []) else value


def value_of(field: Field, record: Mapping[str, Any]) -> Any:
    """The field's value in a stored record; a list where the path leads through one."""
    found = value_at(record, field.path)
    if isinstance(found, list):
        return [from_stored(field, one) for one in found if one is not None] or None
    return from_stored(field, found)


def values_of(kind: Kind, record: Mapping[str, Any]) -> dict[str, Any]:
    """{field key: value} of a stored record, for conditions and computed fields."""
    return {key: value_of(field, record) for key, field in kind.fields.items()}


def editable(kind: Kind, access: Access) -> dict[str, Field]:
    """The fields that this access may fill in, in their order."""
    return {
        key: field
        for key, field in kind.fields.items()
        if field.is_usable and not field.is_derived and access.level(kind.key, key) == EDITED
    }


def form_values(fields: Mapping[str, Field], record: Mapping[str, Any]) -> dict[str, str]:
    """{field: text}: the stored values as a form shows them. A switch shows nothing as no."""
    return {key: form_text(field, value_of(field, record)) for key, field in fields.items()}


def form_text(field: Field, value: Any) -> str:
    """A value as the form shows it."""
    text = field_values.typed(field, value, mongo.zone())
    return text or ("no" if field.type == "yes_no" else "")


def shown_value(field: Field, value: Any) -> Any:
    """A stored value for a sentence: a number as it is, so that each reader's language writes it,
    anything else as a form shows it, shortened."""
    if isinstance(value, int | Decimal128) and not isinstance(value, bool):
        return value
    return field_values.typed(field, from_stored(field, value), mongo.zone())[:60]


def readable(field: Field, text: str, typing: Typing) -> Any:
    """The value of a text that may still be wrong; None where it is."""
    try:
        return field_values.read(field, text, typing)
    except InvalidInput:
        return None


def begins(fields: Mapping[str, Field], typing: Typing) -> dict[str, str]:
    """{field: text} with which a new record begins, of the fields that have a default."""
    found = {
        key: form_text(field, field_values.default(field, typing))
        for key, field in fields.items()
        if field.default
    }
    return {key: text for key, text in found.items() if text}


def applies(field: Field, kind: Kind, values: Mapping[str, Any], typing: Typing) -> bool:
    """Whether a field is shown beside these values of the record (`visible_when`).

    Under a condition that cannot be asked any more it is not shown (rules/kinds.py says so to
    administrators, where the definition is to blame).
    """
    if not field.visible_when:
        return True
    context = visibility_context(kind, typing)
    tree = visibility(field, kind, context)
    return conditions.holds(tree, values, context)


def visibility_context(kind: Kind, typing: Typing) -> Context:
    """What conditions on the fields of a kind need to know; a value stands for its tree."""
    return Context(
        typing.today,
        typing.zone,
        me=typing.me,
        read_id=ObjectId,
        below=typing.below,
        fields=kind.fields,
    )


def visibility(field: Field, kind: Kind, context: Context) -> conditions.Group | None:
    """The field's condition; one that never holds where it cannot be asked. None: shown always."""
    try:
        tree = conditions.read(field.visible_when)
    except InvalidInput:
        return NEVER
    others = {key: one for key, one in kind.fields.items() if one.is_usable and key != field.key}
    asked, problems = conditions.usable(tree, others, context)
    return NEVER if problems else asked


def changes(
    kind: Kind,
    typed: Mapping[str, str],
    record: Mapping[str, Any],
    access: Access,
    typing: Typing,
    *,
    asked: Iterable[str] | None = None,
    is_new: bool = False,
) -> Changes:
    """{path: (old, new)} as they are stored, of what was typed and differs.

    Args:
        typed: {field key: text}; lists of choices with a comma between them.
        record: as it is stored; {} for a new one.
        asked: the fields that the form showed, where those that are required must be filled. By
            default those that were typed. A required field that appears because of what was typed
            must be filled in any case.
        is_new: a new record, whose fields have their defaults unless they were typed, whoever may
            fill them in; not those that do not apply beside the rest.

    Raises InvalidInput, with `fields` naming every wrong field at once.
    """
    allowed = editable(kind, access)
    for name in typed:
        if name not in allowed:
            raise _not_a_field(name)
    before = values_of(kind, record)
    errors: dict[str, CareError] = {}
    after = dict(before)
    for name, text in typed.items():
        field = allowed[name]
        if text == form_text(field, before[name]):
            continue  # what is left alone stays, even if it could not be chosen any more
        try:
            after[name] = field_values.parse(field, text, typing)
        except InvalidInput as error:
            errors[name] = error
    begun = _begin(kind, typed, after, typing) if is_new else []
    touched = [*(name for name in typed if after[name] != before[name]), *begun]
    for name, field in allowed.items():
        if name in errors:
            continue
        is_shown = applies(field, kind, after, typing)
        if name in touched and after[name] is not None and not is_shown:
            errors[name] = InvalidInput(N_("This does not apply here. Empty it."))
        is_asked = name in (typed if asked is None else asked) or (
            is_shown and not applies(field, kind, before, typing)
        )
        if field.is_required and is_asked and is_shown and after[name] is None:
            errors[name] = InvalidInput(N_("Fill this in."))
    if errors:
        raise InvalidInput(fields=errors)
    return {
        kind.fields[name].path: (
            value_at(record, kind.fields[name].path),
            stored(kind.fields[name], after[name]),
        )
        for name in touched
    }


def _begin(
    kind: Kind, typed: Mapping[str, str], after: dict[str, Any], typing: Typing
) -> list[str]:
    """Fills in the defaults of what was not typed; the keys of the fields that have one now."""
    untyped = {
        key: field
        for key, field in kind.fields.items()
        if field.is_usable and not field.is_derived and key not in typed
    }
    for key, text in (found := begins(untyped, typing)).items():
        after[key] = readable(untyped[key], text, typing)
    begun = [key for key in found if after[key] is not None]
    # One that does not apply may have been what another one applied for.
    while unfit := [key for key in begun if not applies(kind.fields[key], kind, after, typing)]:
        after |= dict.fromkeys(unfit)
        begun = [key for key in begun if key not in unfit]
    return begun


def update_of(made: Mapping[str, tuple[Any, Any]]) -> Stored:
    """The update operators that write these changes; an empty custom value leaves no trace."""
    emptied = {
        path: "" for path, (_, new) in made.items() if new is None and path.startswith("custom.")
    }
    filled = {path: new for path, (_, new) in made.items() if path not in emptied}
    return {operator: what for operator, what in (("$set", filled), ("$unset", emptied)) if what}


def refuse_duplicates(
    kind: Kind,
    made: Mapping[str, tuple[Any, Any]],
    record_id: ObjectId | None,
    by: Actor,
    session: ClientSession | None = None,
) -> None:
    """Raises InvalidInput with `fields` when another record has a value that must be unique.

    The unique index (services/field_indexes.py) refuses whoever comes between this and the write:
    hand its error to `duplicate`.
    """
    errors: dict[str, CareError] = {}
    for key, field in kind.fields.items():
        if field.is_unique and field.is_usable and (made.get(field.path) or (None, None))[1]:
            value = made[field.path][1]
            other = _other(kind, field, value, record_id, session)
            if other is not None:
                errors[key] = _taken(kind, field, value, other, by)
    if errors:
        raise InvalidInput(fields=errors)


def duplicate(
    error: DuplicateKeyError, kind: Kind, record_id: ObjectId | None, by: Actor
) -> InvalidInput | None:
    """The refusal of a unique index in words; None when the index is not one of a field."""
    details = error.details or {}
    for path, value in (details.get("keyValue") or {}).items():
        for key, field in kind.fields.items():
            if field.source == SITE and field.path == path:
                other = _other(kind, field, value, record_id, None) or {}
                return InvalidInput(fields={key: _taken(kind, field, value, other, by)})
    return None


def _other(
    kind: Kind, field: Field, value: Any, record_id: ObjectId | None, session: ClientSession | None
) -> Stored | None:
    names = {kind.fields[key].path: 1 for key in (kind.code, kind.title) if key in kind.fields}
    found: Stored | None = collection_of(kind).find_one(
        {**kind.base, field.path: value, "_id": {"$ne": record_id}}, names, session=session
    )
    return found


def _taken(kind: Kind, field: Field, value: Any, other: Stored, by: Actor) -> InvalidInput:
    """Names the other record only to somebody who may see it."""
    shown = shown_value(field, value)
    is_seen = by.may(kind.key, "see") and collection_of(kind).find_one(
        {"$and": [{"_id": other.get("_id")}, scope(by, kind.key)]}, {"_id": 1}
    )
    if not is_seen:
        return InvalidInput(
            N_("“%(value)s” is already used by another record and can be used only once."),
            value=shown,
        )
    names = (value_at(other, kind.fields[key].path) for key in (kind.code, kind.title))
    return InvalidInput(
        N_("“%(value)s” is already used by %(record)s and can be used only once."),
        value=shown,
        record=" · ".join(dict.fromkeys(str(name) for name in names if name)),
    )


def _not_a_field(name: str) -> InvalidInput:
    """The same for a field that does not exist and one that the role may not fill in."""
    return InvalidInput(
        N_("“%(name)s” is not a field that you can fill in. Open the form again."), name=name[:60]
    )
