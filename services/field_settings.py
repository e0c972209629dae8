"""Fields of a kind as administrators shape them: add, change, order, retire, bring back.

Every change is one revision of the configuration. A changed type is looked at first
(`services/field_conversion.py`); indexes follow in the background.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from rules import field_definitions
from rules.errors import N_, CareError, InvalidInput, NotAllowed, NotFound
from rules.fields import BUILT_IN, TYPES, Field, Kind
from rules.kinds import compile_kinds, field_key, site_field
from rules.permissions import CONFIGURE
from rules.scope import Actor
from services import (
    conditions,
    configuration,
    configuration_changes,
    field_conversion,
    field_indexes,
    field_values,
    job_runs,
    pick_lists,
)
from services.configuration import Configuration
from services.configuration_changes import Change, Content
from services.kinds import collection_of
from stores import mongo
from stores.mongo import in_transaction

SECTION = "fields"
FIELDS_LIMIT = 200  # of a kind: a record with more would be no form any more
CHOSEN_TYPES = ("choice", "choices")
STEP = 10  # between the positions of two fields


class TypeChanges(CareError):
    """The type changes while records have values: to be confirmed with `loss` before one's eyes."""

    status = 422
    message = N_("Look at what becomes of the values that are there, then confirm.")

    def __init__(self, loss: field_conversion.Loss) -> None:
        super().__init__()
        self.loss = loss


def stored(kind: str, key: str) -> tuple[Content, int]:
    """(definition, version) as it is stored; ({}, 0) for a built-in field that nobody changed."""
    content, version = configuration_changes.item(SECTION, field_key(kind, key))
    return content or {}, version


def add(
    kind_key: str, typed: Mapping[str, str], *, by: Actor, at: datetime
) -> tuple[str, ObjectId | None]:
    """Adds a field; its key and the job that makes its index, if it needs one.

    `typed` may name a pick list that is not there yet under `new_list`.

    Raises NotAllowed, or InvalidInput with `fields`.
    """
    config, kind = _kind(kind_key, by)
    if len(kind.fields) >= FIELDS_LIMIT:
        raise InvalidInput(
            N_("There are %(limit)s fields. Retire some before you add more."), limit=FIELDS_LIMIT
        )
    given = typed.get("key", "").strip()
    try:
        key = field_definitions.checked_key(
            given or field_definitions.key_of(typed.get("label_vi", ""), kind.fields.__contains__)
        )
        if key in kind.fields:
            raise InvalidInput(
                N_("There is a field with the key “%(key)s” already. Take another one."), key=key
            )
    except InvalidInput as error:
        raise InvalidInput(fields={"key": error}) from error
    last = max((one.position for one in kind.fields.values()), default=0)
    made, beside = _definition(config, kind, key, typed, by, at)
    made["position"] = last + STEP
    change = Change(SECTION, field_key(kind_key, key), made, version=0)
    return key, _apply([*beside, change], kind_key, "+", key, by, at)


def change(
    kind_key: str,
    key: str,
    typed: Mapping[str, str],
    *,
    version: int,
    by: Actor,
    at: datetime,
    is_confirmed: bool = False,
) -> ObjectId | None:
    """Changes a field; the job that follows, if any.

    Raises NotAllowed, NotFound, StaleForm, InvalidInput with `fields`, or TypeChanges when records
    have values that the new type would change and nobody has confirmed it.
    """
    config, kind = _kind(kind_key, by)
    field = kind.fields.get(key)
    if field is None:
        raise NotFound()
    before, _ = stored(kind_key, key)
    kept = {name: before[name] for name in ("position", "is_retired") if name in before}
    if field.source == BUILT_IN:
        made = field_definitions.definition(typed, is_built_in=True) | kept
        changes = [Change(SECTION, field_key(kind_key, key), made, version=version)]
        return _apply(changes, kind_key, "✎", key, by, at)
    made, beside = _definition(config, kind, key, typed, by, at)
    made |= kept
    changes = [*beside, Change(SECTION, field_key(kind_key, key), made, version=version)]
    if not field_conversion.is_needed(before, made):
        return _apply(changes, kind_key, "✎", key, by, at)
    loss = field_conversion.preview(config, kind, key, before, made, by=by, at=at)
    if loss.values and not is_confirmed:
        raise TypeChanges(loss)
    return _apply(changes, kind_key, "✎", key, by, at, converting=(before, made))


def arrange(kind_key: str, keys: Sequence[str], *, by: Actor, at: datetime) -> None:
    """Puts the fields of a kind into this order; fields that are not named follow as they stood.

    Raises NotAllowed, or InvalidInput for a key that is no field of the kind.
    """
    _, kind = _kind(kind_key, by)
    if len(set(keys)) != len(keys) or not set(keys) <= set(kind.fields):
        raise InvalidInput(N_("The order does not fit the fields any more. Load the page again."))
    order = [*keys, *(key for key in kind.fields if key not in keys)]
    known = configuration_changes.items(SECTION)
    changes = []
    for place, key in enumerate(order):
        item = field_key(kind_key, key)
        content = {**known.get(item, {}), "position": (place + 1) * STEP}
        if content != known.get(item):
            changes.append(Change(SECTION, item, content))
    _apply(changes, kind_key, "↕", "", by, at)


def retire(
    kind_key: str, key: str, *, is_retired: bool, by: Actor, at: datetime
) -> ObjectId | None:
    """Takes a field out of every screen, or brings it back; its values stay.

    Raises NotAllowed, NotFound, or InvalidInput for a field that screens cannot do without.
    """
    _, kind = _kind(kind_key, by)
    field = kind.fields.get(key)
    if field is None:
        raise NotFound()
    if is_retired and not field_definitions.may_be_retired(field):
        raise InvalidInput(N_("The screens cannot do without this field. Rename it instead."))
    before, version = stored(kind_key, key)
    made = {name: value for name, value in before.items() if name != "is_retired"}
    if is_retired:
        made["is_retired"] = True
    changes = [Change(SECTION, field_key(kind_key, key), made or None, version=version)]
    return _apply(changes, kind_key, "−" if is_retired else "↩", key, by, at)


def filled(kind: Kind, field: Field) -> int:
    """How many records have a value in this field, counted up to a limit."""
    return collection_of(kind).count_documents(
        {**kind.base, field.path: {"$nin": [None, "", []]}}, limit=field_conversion.LOOKED_AT
    )


def draft(config: Configuration, kind: Kind, key: str, content: Content) -> Field:
    """The field that this definition gives, whether it can be used or not."""
    return site_field(key, content, frozenset(config.pick_lists))


def check(
    config: Configuration, kind: Kind, field: Field, by: Actor, at: datetime
) -> dict[str, CareError]:
    """{option: what is wrong} of a drafted field beside the others of its kind."""
    today = at.astimezone(mongo.zone()).date()
    typing = field_values.typing_for(config, by, today)
    context = conditions.context(config, today=today, zone=mongo.zone(), me=by.staff_id)
    return field_definitions.problems(field, kind, typing, context)


def _definition(
    config: Configuration,
    kind: Kind,
    key: str,
    typed: Mapping[str, str],
    by: Actor,
    at: datetime,
) -> tuple[dict[str, Any], list[Change]]:
    """The checked definition, and the pick list that comes with it."""
    typed = dict(typed)
    errors: dict[str, CareError] = {}
    beside: list[Change] = []
    known = set(config.pick_lists)
    if typed.get("type") in CHOSEN_TYPES:
        if typed.get("pick_list") == pick_lists.NEW:
            try:
                new = pick_lists.drafted(
                    config, typed.get("new_list", ""), typed.get("new_values", "")
                )
                beside, typed["pick_list"] = [new], new.key
                known.add(new.key)
            except InvalidInput as error:
                errors["new_list"] = error
        elif typed.get("pick_list") not in known:
            errors["pick_list"] = InvalidInput(N_("Choose a list, or make a new one."))
    try:
        made = field_definitions.definition(typed)
    except InvalidInput as error:
        raise InvalidInput(fields={**errors, **error.fields}) from error
    if errors:
        raise InvalidInput(fields=errors)
    field = site_field(key, made, frozenset(known))
    if not (beside and made.get("default")):  # the values of a new list are not there to be chosen
        errors |= check(config, kind, field, by, at)
    errors |= _limits(kind, field, by)
    if errors:
        raise InvalidInput(fields=errors)
    return made, beside


def _limits(kind: Kind, field: Field, by: Actor) -> dict[str, CareError]:
    found: dict[str, CareError] = {}
    known = kind.fields.get(field.key)
    others = [one for one in field_indexes.frequent(kind) if one.key != field.key]
    if field.is_sorted and len(others) >= field_indexes.FREQUENT_LIMIT:
        name = "is_unique" if field.is_unique else "is_filtered_often"
        found[name] = InvalidInput(
            N_(
                "%(limit)s fields are marked already. Each costs time on every save: take the mark from another one first."
            ),
            limit=field_indexes.FREQUENT_LIMIT,
        )
    if field.is_unique and not (known and known.is_unique and known.type == field.type):
        problem = field_indexes.not_unique(kind, field, by=by)
        if problem:
            found["is_unique"] = InvalidInput(problem.message, **problem.params)
    return found


def _apply(
    changes: Sequence[Change],
    kind_key: str,
    sign: str,
    key: str,
    by: Actor,
    at: datetime,
    *,
    converting: tuple[Content, Content] | None = None,
) -> ObjectId | None:
    """Writes the changes with the job that follows from them, all or nothing."""

    def work(session: ClientSession) -> ObjectId | None:
        done = configuration_changes.apply(
            changes, says=f"{sign} {kind_key} {key}".strip(), by=by, at=at, session=session
        )
        if not done:
            return None
        if converting:
            arguments = {
                "kind": kind_key,
                "key": key,
                "before": dict(converting[0]),
                "after": dict(converting[1]),
            }
            return job_runs.create("convert_field", arguments, by, session=session)
        run_id: ObjectId | None = field_indexes.follow(_after(changes), kind_key, by, session)
        return run_id

    run_id = in_transaction(work)
    if run_id:
        job_runs.enqueue(run_id)
    return run_id


def _after(changes: Sequence[Change]) -> Mapping[str, Kind]:
    """The kinds as they will be with these changes."""
    sections = {name: dict(items) for name, items in configuration.snapshot().sections.items()}
    for one in changes:
        section = sections.setdefault(one.section, {})
        if one.content is None:
            section.pop(one.key, None)
        else:
            section[one.key] = one.content
    return compile_kinds(sections, frozenset(sections.get("pick_lists", {})))


def _kind(key: str, by: Actor) -> tuple[Configuration, Kind]:
    if not by.can(CONFIGURE):
        raise NotAllowed()
    config = configuration.snapshot()
    kind = config.kinds.get(key)
    if kind is None:
        raise NotFound()
    return config, kind


def types_offered() -> list[str]:
    """The types that a site may choose, in the order in which they are offered."""
    return [key for key, one in TYPES.items() if one.is_offered]
