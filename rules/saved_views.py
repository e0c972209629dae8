"""Saved views of a list: what one holds, who may see and change it, and how an address differs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rules import conditions
from rules.errors import N_, InvalidInput
from rules.permissions import SHARE_VIEWS
from rules.scope import Actor
from rules.text import nfc

PRIVATE, FOR_ROLES, FOR_EVERYONE = "private", "roles", "everyone"
AUDIENCES = (PRIVATE, FOR_ROLES, FOR_EVERYONE)
ALL = "none"  # in the address: no view, though one would open by itself
LONGEST_NAME = 80
LONGEST_ARGUMENT = 20_000
MOST_ARGUMENTS = 40
MOST_COLUMNS = 40
MOST_VIEWS = 100  # of one person for one list
Columns = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class SavedView:
    """A way to look at a list. `arguments` are names and texts of its address (filters, `where`,
    sort, grouping, mode); `columns` are `{key, width}` in their order, () for the usual ones.

    `key` stays the same when a view travels to another system; `id` is of this one.
    """

    id: Any
    key: str
    screen: str
    name: str
    owner_id: Any
    audience: str = PRIVATE
    roles: frozenset[str] = frozenset()
    default_roles: frozenset[str] = frozenset()
    arguments: Mapping[str, str] | None = None
    columns: Columns = ()
    page_size: int | None = None
    version: int = 1

    @property
    def is_shared(self) -> bool:
        return self.audience != PRIVATE


def may_see(view: SavedView, actor: Actor) -> bool:
    if view.owner_id == actor.staff_id or view.audience == FOR_EVERYONE:
        return True
    return view.audience == FOR_ROLES and bool(view.roles & actor.roles)


def may_change(view: SavedView, actor: Actor) -> bool:
    """One's own while nobody else uses it; shared ones with the ability to share."""
    if view.is_shared:
        return may_see(view, actor) and actor.can(SHARE_VIEWS)
    return bool(view.owner_id == actor.staff_id)


def may_delete(view: SavedView, actor: Actor) -> bool:
    return bool(view.owner_id == actor.staff_id) or may_change(view, actor)


def usual(views: Iterable[SavedView], chosen: Any, actor: Actor) -> SavedView | None:
    """The view that a list opens with: the person's choice, else that of one of the roles.

    Args:
        chosen: the id that the person chose, ALL for none at all, None for no choice.
    """
    if chosen == ALL:
        return None
    views = list(views)
    own = next((one for one in views if one.id == chosen), None)
    return own or next((one for one in views if one.default_roles & actor.roles), None)


def differing(
    wanted: Mapping[str, str | None], given: Mapping[str, str], usual: Mapping[str, str]
) -> dict[str, str]:
    """What an address has to say beside the view: arguments that differ from the view's own.

    Args:
        wanted: the arguments as they are to be; None or "" for the usual ones.
        given: those of the view; usual: what holds where neither says anything.
    """
    found = {}
    for name in sorted({*wanted, *given}):
        text = wanted.get(name) or usual.get(name, "")
        if text != (given.get(name) or usual.get(name, "")):
            found[name] = text
    return found


def checked_name(typed: str) -> str:
    """The name as it is stored. Raises InvalidInput."""
    name = nfc(typed)
    if not name:
        raise InvalidInput(N_("Give the view a name."))
    if len(name) > LONGEST_NAME:
        raise InvalidInput(
            N_("The name has %(length)s characters; shorten it to at most %(limit)s."),
            length=len(name),
            limit=LONGEST_NAME,
        )
    return name


def checked_arguments(arguments: Mapping[str, str]) -> dict[str, str]:
    """The arguments that a view keeps. Raises InvalidInput for a filter that cannot be read."""
    kept = {
        str(name)[:40]: str(text)[:LONGEST_ARGUMENT]
        for name, text in list(arguments.items())[:MOST_ARGUMENTS]
        if text
    }
    conditions.read(kept.get("where", ""))
    return kept


def checked_columns(columns: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Columns as they are stored, without what is none."""
    kept = []
    for one in list(columns)[:MOST_COLUMNS]:
        width = one.get("width")
        is_width = isinstance(width, int) and not isinstance(width, bool)
        kept.append({"key": str(one.get("key"))[:60], "width": width if is_width else None})
    return kept
