"""Which views of lists there are: those that a person sees, and those that are shared."""

from collections.abc import Mapping
from datetime import datetime
from threading import Lock
from typing import Any

from bson import ObjectId
from cachetools import LRUCache, cached
from pymongo.client_session import ClientSession

from models import SavedView as Stored
from rules import saved_views as rules
from rules.errors import N_, NotFound
from rules.saved_views import FOR_EVERYONE, FOR_ROLES, PRIVATE, SavedView
from rules.scope import Actor
from rules.text import fold
from services.configuration import Configuration

Row = dict[str, Any]

LISTS_KEPT = 2000  # of a list and a person each, by each process


def of_screen(screen: str, *, by: Actor) -> list[SavedView]:
    """The views of a list that the actor sees, by name; one query (`views_of_screen`)."""
    return _read(screen, by.staff_id, by.roles)


def kept_of_screen(
    screen: str, config: Configuration, *, by: Actor, saved_at: datetime | None
) -> list[SavedView]:
    """The same without a query, while neither they nor the actor's roles change.

    Shared views are part of the configuration and change with it. `saved_at` is the actor's
    `Staff.views_saved_at`, which changes with the others.
    """
    read = config.once(
        "saved views", lambda: cached(LRUCache(maxsize=LISTS_KEPT), lock=Lock())(_read)
    )
    return read(screen, by.staff_id, by.roles, saved_at)


def _read(
    screen: str, staff_id: ObjectId | None, roles: frozenset[str], saved_at: datetime | None = None
) -> list[SavedView]:
    audience = [
        {"owner_id": staff_id},
        {"audience": FOR_EVERYONE},
        {"audience": FOR_ROLES, "roles": {"$in": sorted(roles)}},
    ]
    found = Stored.collection().find({"screen": screen, "is_deleted": False, "$or": audience})
    return sorted(map(view_of, found), key=lambda view: fold(view.name))


def view_of(row: Mapping[str, Any]) -> SavedView:
    """The view behind a stored one."""
    return SavedView(
        row["_id"],
        str(row["key"]),
        str(row["screen"]),
        str(row["name"]),
        row.get("owner_id"),
        str(row.get("audience") or PRIVATE),
        frozenset(row.get("roles") or ()),
        frozenset(row.get("default_roles") or ()),
        {str(name): str(text) for name, text in (row.get("arguments") or {}).items()},
        tuple(row.get("columns") or ()),
        row.get("page_size"),
        int(row.get("version", 1)),
    )


def shared() -> list[SavedView]:
    """Every shared view, by name."""
    found = Stored.collection().find({"audience": {"$ne": PRIVATE}, "is_deleted": False})
    return sorted(map(view_of, found), key=lambda view: fold(view.name))


def stored_view(
    view_id: ObjectId, by: Actor, session: ClientSession, is_deleted: bool | None = False
) -> Row:
    """The stored view that the actor sees; with `is_deleted` None also a deleted one.

    Raises NotFound.
    """
    row = Stored.collection().find_one({"_id": view_id}, session=session)
    if row is None or not rules.may_see(view_of(row), by):
        raise NotFound(N_("This view is not there any more, or not shared with you."))
    if is_deleted is not None and row["is_deleted"] != is_deleted:
        raise NotFound(N_("This view is not there any more, or not shared with you."))
    return row
