"""Pick lists: add, name, order, colour, retire; merging two values is in services/value_merges.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rules import pick_lists
from rules.errors import N_, CareError, InvalidInput, NotAllowed, NotFound
from rules.field_definitions import LABEL_LENGTH, key_of
from rules.fields import Field, Kind
from rules.permissions import CONFIGURE
from rules.scope import Actor
from rules.text import nfc
from services import configuration_changes
from services.configuration import Configuration
from services.configuration_changes import Change, Content
from services.kinds import collection_of

SECTION = "pick_lists"
NEW = "+"  # instead of a list's key: a list that is made with the field


@dataclass(frozen=True, slots=True)
class Use:
    """A field whose values come from a list."""

    kind: Kind
    field: Field


def stored(key: str) -> tuple[Content, int]:
    """(content, version) of a list. Raises NotFound."""
    content, version = configuration_changes.item(SECTION, key)
    if content is None:
        raise NotFound()
    return content, version


def uses(config: Configuration, list_key: str) -> list[Use]:
    """The fields, also retired ones, whose values come from this list."""
    return [
        Use(kind, field)
        for kind in config.kinds.values()
        for field in kind.fields.values()
        if field.pick_list == list_key and not field.choices
    ]


def counts(config: Configuration, list_key: str) -> dict[str, int]:
    """{value key: in how many places it stands}, over all fields; one aggregation for each."""
    found: dict[str, int] = {}
    for use in uses(config, list_key):
        path = use.field.path
        stages: list[dict[str, Any]] = [
            {"$match": {**use.kind.base, path: {"$exists": True}}},
            {"$project": {"_id": 0, "value": f"${path}"}},
            {"$unwind": "$value"},
            {"$sortByCount": "$value"},
        ]
        for row in collection_of(use.kind).aggregate(stages, allowDiskUse=True):
            if row["_id"] is not None:
                key = str(row["_id"])
                found[key] = found.get(key, 0) + row["count"]
    return found


def add(label_vi: str, label_en: str, *, config: Configuration, by: Actor, at: datetime) -> str:
    """Adds an empty list and returns its key. Raises NotAllowed, or InvalidInput with `fields`."""
    try:
        change = drafted(config, label_vi, "", label_en)
    except InvalidInput as error:
        raise InvalidInput(fields={"label_vi": error}) from error
    configuration_changes.apply([change], says=f"+ {change.key}", by=by, at=at)
    return change.key


def drafted(config: Configuration, label: str, values: str = "", label_en: str = "") -> Change:
    """The change that adds a list with these values, one a line. Raises InvalidInput."""
    name = nfc(label)
    if not name:
        raise InvalidInput(N_("Write the name of the list."))
    if len(name) > LABEL_LENGTH:
        raise InvalidInput(
            N_("This has %(length)s characters; shorten it to at most %(limit)s."),
            length=len(name),
            limit=LABEL_LENGTH,
        )
    rows = [{"label_vi": line} for line in values.splitlines()]
    try:
        read = pick_lists.read(rows, [])
    except InvalidInput as error:
        raise next(iter(error.fields.values()), error) from error
    content = {"label_vi": name, "label_en": nfc(label_en)[:LABEL_LENGTH], "values": read}
    return Change(SECTION, key_of(name, config.pick_lists.__contains__), content, version=0)


def save(
    list_key: str,
    typed: Mapping[str, str],
    values: Sequence[Mapping[str, str]],
    *,
    version: int,
    config: Configuration,
    by: Actor,
    at: datetime,
) -> None:
    """Writes the whole list as it was arranged: `typed` names it, `values` are its rows in order.

    A value that is left out is taken away if nothing has it, and refused otherwise.

    Raises NotAllowed, NotFound, StaleForm, or InvalidInput with `fields`.
    """
    if not by.can(CONFIGURE):
        raise NotAllowed()
    content, _ = stored(list_key)
    known = content.get("values", [])
    errors: dict[str, CareError] = {}
    label = nfc(typed.get("label_vi", ""))
    if not label or len(label) > LABEL_LENGTH:
        errors["label_vi"] = InvalidInput(N_("Write the name of the list."))
    rows: list[dict[str, Any]] = []
    try:
        rows = pick_lists.read(values, known)
    except InvalidInput as error:
        if not error.fields:
            raise
        errors |= error.fields
    if errors:
        raise InvalidInput(fields=errors)
    _refuse_losses(config, list_key, known, rows)
    made = {
        **content,
        "label_vi": label,
        "label_en": nfc(typed.get("label_en", "")),
        "values": rows,
    }
    changes = [Change(SECTION, list_key, made, version=version)]
    configuration_changes.apply(changes, says=label, by=by, at=at)


def remove(list_key: str, *, config: Configuration, by: Actor, at: datetime) -> None:
    """Takes away a list that no field uses. Raises NotAllowed, NotFound or InvalidInput."""
    content, version = stored(list_key)
    found = uses(config, list_key)
    if found:
        raise InvalidInput(N_("Fields take their values from this list. Change these first."))
    changes = [Change(SECTION, list_key, None, version=version)]
    configuration_changes.apply(changes, says=f"− {content['label_vi']}", by=by, at=at)


def _refuse_losses(
    config: Configuration,
    list_key: str,
    known: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    kept = {one["key"] for one in rows}
    gone = [one for one in known if one["key"] not in kept]
    if not gone:
        return
    used = counts(config, list_key)
    for one in gone:
        if used.get(one["key"]):
            raise InvalidInput(
                N_(
                    "“%(label)s” stands in %(count)s records. Retire it, or merge it with another value."
                ),
                label=str(one["label_vi"])[:60],
                count=used[one["key"]],
            )
