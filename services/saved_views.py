"""Saves, shares and deletes views of lists; each change is audited."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import SavedView as Stored
from models import Staff
from rules import saved_views as rules
from rules.errors import N_, InvalidInput, NotAllowed, StaleForm
from rules.permissions import SHARE_VIEWS
from rules.saved_views import FOR_ROLES, PRIVATE, SavedView
from rules.scope import Actor
from services import audit, saved_view_pins, saved_view_revisions
from services.saved_view_reading import stored_view, view_of
from stores.mongo import in_transaction

Row = dict[str, Any]
KEPT_FOR = timedelta(days=30)  # a deleted view, for whoever wants it back


@dataclass(frozen=True, slots=True)
class Content:
    """What a view shows: names and texts of the address, columns `{key, width}`, rows a page."""

    arguments: Mapping[str, str]
    columns: Iterable[Mapping[str, Any]] = ()
    page_size: int | None = None

    def stored(self) -> Row:
        """Raises InvalidInput for a filter that cannot be read."""
        return {
            "arguments": rules.checked_arguments(self.arguments),
            "columns": rules.checked_columns(self.columns),
            "page_size": self.page_size,
        }


def create(
    screen: str,
    name: str,
    content: Content,
    *,
    by: Actor,
    at: datetime,
    audience: str = PRIVATE,
    roles: Iterable[str] = (),
) -> SavedView:
    """A new view of the actor. Saving the same again within a moment gives the one that is there.

    Raises InvalidInput, NotAllowed to share without the ability.
    """
    made = {
        **{"_id": ObjectId(), "key": secrets.token_hex(8), "screen": screen[:60]},
        **{"name": rules.checked_name(name), "owner_id": by.staff_id, "default_roles": []},
        **{"is_deleted": False, "version": 1, "created_at": at, "updated_at": at},
        **_audience(audience, roles, by),
        **content.stored(),
    }

    def work(session: ClientSession) -> Row:
        _touch(by.staff_id, session)  # two clicks at once come one after the other
        own = {"screen": screen, "owner_id": by.staff_id, "is_deleted": False}
        twin = Stored.collection().find_one({**own, "name": made["name"]}, session=session)
        if twin:
            return _same_or_taken(twin, made)
        if Stored.collection().count_documents(own, session=session) >= rules.MOST_VIEWS:
            raise InvalidInput(
                N_("You have %(limit)s views of this list. Delete one first."),
                limit=rules.MOST_VIEWS,
            )
        Stored.collection().insert_one(made, session=session)
        _record("create", made, {"name": (None, made["name"])}, by, at, session)
        saved_view_revisions.record([(None, made)], by, at, session)
        return made

    return view_of(in_transaction(work))


def _touch(owner_id: ObjectId | None, session: ClientSession) -> None:
    """Notes that views of this person changed: whoever remembers them reads them again."""
    changed = {"$currentDate": {"views_saved_at": True}}
    Staff.collection().update_one({"_id": owner_id}, changed, session=session)


def _same_or_taken(twin: Row, made: Row) -> Row:
    shown = ("arguments", "columns", "page_size", "audience", "roles")
    if all(twin.get(name) == made[name] for name in shown):
        return twin
    raise InvalidInput(
        N_("You have a view “%(name)s” of this list already. Choose another name."),
        name=made["name"],
    )


def update(
    view_id: ObjectId, content: Content, *, version: int, by: Actor, at: datetime
) -> SavedView:
    """The view shows this from now on. Raises NotFound, NotAllowed, InvalidInput, StaleForm."""
    return _changed(view_id, version, by, at, lambda view: content.stored())


def describe(
    view_id: ObjectId,
    name: str,
    *,
    version: int,
    by: Actor,
    at: datetime,
    audience: str = PRIVATE,
    roles: Iterable[str] = (),
    default_roles: Iterable[str] = (),
) -> SavedView:
    """Another name or other people who see it; `default_roles` open their list with it.

    Raises NotFound, NotAllowed, InvalidInput, StaleForm.
    """

    def changes(view: SavedView) -> Row:
        shared = _audience(audience, roles, by, before=view)
        return {
            "name": rules.checked_name(name),
            **shared,
            "default_roles": _default_roles(default_roles, shared, view, by),
        }

    return _changed(view_id, version, by, at, changes)


def _audience(
    audience: str, roles: Iterable[str], by: Actor, before: SavedView | None = None
) -> Row:
    """Who sees the view, as it is stored; without the ability to share nothing but private."""
    if audience not in rules.AUDIENCES:
        raise InvalidInput(N_("Choose who sees the view."))
    kept = sorted(set(roles)) if audience == FOR_ROLES else []
    if audience == FOR_ROLES and not kept:
        raise InvalidInput(N_("Choose at least one role that sees the view."))
    is_same = before and before.audience == audience and before.roles == set(kept)
    if audience != PRIVATE and not is_same and not by.can(SHARE_VIEWS):
        raise NotAllowed(N_("You may save views for yourself only. Ask an administrator."))
    return {"audience": audience, "roles": kept}


def _default_roles(wanted: Iterable[str], shared: Row, view: SavedView, by: Actor) -> list[str]:
    chosen = set(wanted)
    if chosen == view.default_roles or not by.can(SHARE_VIEWS):
        chosen = set(view.default_roles)
    if shared["audience"] == PRIVATE:
        return []
    return sorted(chosen & set(shared["roles"]) if shared["roles"] else chosen)


def _changed(
    view_id: ObjectId,
    version: int,
    by: Actor,
    at: datetime,
    changes: Callable[[SavedView], Row],
) -> SavedView:
    def work(session: ClientSession) -> Row:
        row = stored_view(view_id, by, session)
        view = view_of(row)
        if not rules.may_change(view, by):
            raise NotAllowed()
        wanted = changes(view)
        if all(row.get(name) == value for name, value in wanted.items()):
            return row
        if view.version != version:
            raise StaleForm(
                N_("Somebody changed this view after you opened it. Look at it and save again.")
            )
        after = {**row, **wanted, "version": version + 1, "updated_at": at}
        _touch(row["owner_id"], session)
        Stored.collection().replace_one({"_id": view_id}, after, session=session)
        pairs = [(row, after)]
        if after["default_roles"]:
            pairs += _take_defaults(after, session)
        saved_view_revisions.record(pairs, by, at, session)
        saved_view_pins.follow(after, session)
        differing = {name: (row.get(name), value) for name, value in wanted.items()}
        shown = {name: pair for name, pair in differing.items() if pair[0] != pair[1]}
        _record("update", after, shown, by, at, session)
        return after

    return view_of(in_transaction(work))


def _take_defaults(row: Row, session: ClientSession) -> list[tuple[Row, Row]]:
    """A role's list opens with one view: the others of the list are it no longer.

    Returns (before, after) of these others.
    """
    taken = set(row["default_roles"])
    others: Row = {
        "screen": row["screen"],
        "_id": {"$ne": row["_id"]},
        "default_roles": {"$in": sorted(taken)},
    }
    before = list(Stored.collection().find(others, session=session))
    Stored.collection().update_many(
        others, {"$pull": {"default_roles": {"$in": sorted(taken)}}}, session=session
    )
    return [
        (
            one,
            {**one, "default_roles": [role for role in one["default_roles"] if role not in taken]},
        )
        for one in before
    ]


def delete(view_id: ObjectId, *, by: Actor, at: datetime) -> SavedView:
    """Takes the view away from everybody; `restore` brings it back. Raises NotFound, NotAllowed."""

    def work(session: ClientSession) -> Row:
        row = _deletable(view_id, by, session)
        if row["is_deleted"]:
            return row
        _mark(row, {"is_deleted": True, "deleted_at": at}, session)
        _record("delete", row, {}, by, at, session)
        saved_view_revisions.record([(row, {**row, "is_deleted": True})], by, at, session)
        old = {"is_deleted": True, "deleted_at": {"$lt": at - KEPT_FOR}}
        Stored.collection().delete_many(old, session=session)
        return row

    return view_of(in_transaction(work))


def restore(view_id: ObjectId, *, by: Actor, at: datetime) -> SavedView:
    """Brings a deleted view back, pins included. Raises NotFound, NotAllowed."""

    def work(session: ClientSession) -> Row:
        row = _deletable(view_id, by, session)
        if row["is_deleted"]:
            _mark(row, {"is_deleted": False, "deleted_at": None}, session)
            _record("restore", row, {}, by, at, session)
            saved_view_revisions.record([(row, {**row, "is_deleted": False})], by, at, session)
        return row

    return view_of(in_transaction(work))


def _deletable(view_id: ObjectId, by: Actor, session: ClientSession) -> Row:
    """The view, deleted or not, that the actor may delete and bring back."""
    row = stored_view(view_id, by, session, is_deleted=None)
    if not rules.may_delete(view_of(row), by):
        raise NotAllowed()
    return row


def _mark(row: Row, changes: Row, session: ClientSession) -> None:
    _touch(row["owner_id"], session)
    Stored.collection().update_one({"_id": row["_id"]}, {"$set": changes}, session=session)
    saved_view_pins.follow({**row, **changes}, session)


def _record(
    action: str, row: Row, changes: Row, by: Actor, at: datetime, session: ClientSession
) -> None:
    audit.record(
        by=by,
        at=at,
        action=action,
        kind="saved_views",
        record_id=row["_id"],
        label=row["name"],
        changes=changes,
        session=session,
    )


def put_exported(
    key: str, content: Mapping[str, Any] | None, *, by: Actor, at: datetime, session: ClientSession
) -> None:
    """Writes a shared view as a configuration file has it; None: it is not shared any more.

    It stays with the person that it belongs to, if there is one. Raises InvalidInput.
    """
    row = Stored.collection().find_one({"key": key}, session=session)
    if content is None:
        if row and row["owner_id"] and not row["is_deleted"]:
            changes: Row = {"audience": PRIVATE, "roles": [], "default_roles": []}
            _mark(row, changes, session)
            shown = {name: (row[name], value) for name, value in changes.items()}
            _record("update", row, shown, by, at, session)
        elif row and not row["is_deleted"]:
            _mark(row, {"is_deleted": True, "deleted_at": at}, session)
            _record("delete", row, {}, by, at, session)
        return
    wanted = {
        "screen": str(content.get("screen") or "")[:60],
        "name": rules.checked_name(str(content.get("name") or "")),
        **_audience(str(content.get("audience") or ""), content.get("roles") or (), by),
        "default_roles": sorted(content.get("default_roles") or ()),
        **Content(
            content.get("arguments") or {}, content.get("columns") or (), content.get("page_size")
        ).stored(),
        **{"is_deleted": False, "deleted_at": None, "updated_at": at},
    }
    new: Row = {"_id": ObjectId(), "key": key, "owner_id": None, "created_at": at, "version": 0}
    before: Row = row or new
    after = {**before, **wanted, "version": before["version"] + 1}
    _touch(after["owner_id"], session)
    Stored.collection().replace_one({"_id": after["_id"]}, after, upsert=True, session=session)
    saved_view_pins.follow(after, session)
    _record("update" if row else "create", after, {}, by, at, session)
