"""Whose work a due record is, for somebody who stands in for colleagues who are away (S1.1)."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext

from rules.errors import N_
from rules.filters import Choice, ChoiceFilter, Filter
from rules.scope import Actor


def filters(actor: Actor, path: str) -> tuple[Filter, ...]:
    """All, one's own, or one colleague's; nothing for somebody who stands in for nobody."""
    if not actor.stands_in_for:
        return ()
    mine = Choice("mine", N_("My own"), N_("my own work"), {path: actor.staff_id})
    theirs = (
        Choice(str(away.staff_id), away.name, away.name, {path: away.staff_id})
        for away in actor.stands_in_for
    )
    every = Choice("all", N_("All work"), "", {})
    return (ChoiceFilter("whose", N_("Whose work"), (every, mine, *theirs), "all"),)


def instead_of(actor: Actor, row: Mapping[str, Any], path: str) -> str:
    """ "for NAME" when the record is only a colleague's work, else ""."""
    if not actor.stands_in_for:
        return ""
    carers = row.get(path) or ()
    if actor.staff_id in carers:
        return ""
    names = [away.name for away in actor.stands_in_for if away.staff_id in carers]
    return gettext("for %(name)s", name=", ".join(names)) if names else ""


def fields(actor: Actor, path: str) -> tuple[str, ...]:
    """What the query has to fetch for `instead_of`."""
    return (path,) if actor.stands_in_for else ()
