"""Settings of lists, for everybody or for one role; what a list makes of them is views/list_columns."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from rules import conditions, list_settings
from rules.errors import CareError, InvalidInput, NotAllowed
from rules.fields import Field
from rules.list_settings import Offered, Typed, item_key
from rules.permissions import CONFIGURE
from rules.scope import Actor
from services import configuration_changes
from services.conditions import context
from services.configuration import Configuration
from services.configuration_changes import Change, Content
from stores import mongo

SECTION = "lists"


def stored(list_key: str, role: str = "") -> tuple[Content | None, int]:
    """(content, version) of the settings; (None, 0) where nothing is set."""
    content, version = configuration_changes.item(SECTION, item_key(list_key, role))
    return (content if isinstance(content, Mapping) else None), version


def shaped(config: Configuration) -> frozenset[str]:
    """The keys of the settings that there are: of lists, and of lists for a role."""
    return frozenset(config.section(SECTION))


def save(
    list_key: str,
    role: str,
    typed: Typed,
    offered: Offered,
    *,
    kind: str,
    version: int,
    says: str,
    config: Configuration,
    by: Actor,
    at: datetime,
    today: date,
) -> None:
    """Stores what was typed. What equals the list without settings is not kept.

    Raises NotAllowed, StaleForm, or InvalidInput with `fields`: `columns`, `width.<key>`,
    `where.<place>`.
    """
    if not by.can(CONFIGURE):
        raise NotAllowed()
    fields = fields_of(config, kind, role)
    errors: dict[str, CareError] = {}
    for place, (where, _) in enumerate(typed.colours):
        problem = check(where, fields, kind=kind, config=config, today=today)
        if problem is not None:
            errors[f"where.{place}"] = problem
    try:
        content: dict[str, Any] | None = list_settings.read(typed, offered)
    except InvalidInput as error:
        raise InvalidInput(fields={**error.fields, **errors}) from error
    if errors:
        raise InvalidInput(fields=errors)
    if not content and not role:
        content = None
    change = Change(SECTION, item_key(list_key, role), content, version=version)
    configuration_changes.apply([change], says=says, by=by, at=at)


def reset(list_key: str, role: str, *, version: int, says: str, by: Actor, at: datetime) -> None:
    """Back to the list without settings; for a role, to those for everybody.

    Raises NotAllowed or StaleForm.
    """
    change = Change(SECTION, item_key(list_key, role), None, version=version)
    configuration_changes.apply([change], says=says, by=by, at=at)


def fields_of(config: Configuration, kind: str, role: str) -> Mapping[str, Field]:
    """The fields that conditions may name: for a role those that it sees."""
    if role:
        return config.fields(kind, config.access([role]))
    return {key: one for key, one in config.kinds[kind].fields.items() if one.is_usable}


def check(
    where: str, fields: Mapping[str, Field], *, kind: str, config: Configuration, today: date
) -> CareError | None:
    """What is wrong with a condition; None for a good or an empty one."""
    asked = context(config, today=today, zone=mongo.zone(), kind=kind)
    try:
        _, problems = conditions.usable(conditions.read(where), fields, asked)
    except InvalidInput as error:
        return error
    return problems[0] if problems else None
