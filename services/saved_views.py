"""Saves, shares, pins and deletes views of lists; each change is audited."""

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
from rules.errors import N_, InvalidInput, NotAllowed, NotFound, StaleForm
from rules.permissions import SHARE_VIEWS
from rules.saved_views import FOR_EVERYONE, FOR_ROLES, PRIVATE, SavedView
from rules.scope import Actor
from rules.text import fold
from services import audit, configuration_changes
from stores.mongo import in_transaction

Row = dict[str, Any]
KEPT_FOR = timedelta(days=30)  # a deleted view, for whoever wants it back
MOST_PINS = 20


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


def of_screen(screen: str, *, by: Actor) -> list[SavedView]:
    """The views of a list that the actor sees, by name; one query (`views_of_screen`)."""
    audience = [
        {"owner_id": by.staff_id},
        {"audience": FOR_EVERYONE},
        {"audience": FOR_ROLES, "roles": {"$in": sorted(by.roles)}},
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
        # A write to the person's own document lets two clicks at once come one after the other.
        Staff.collection().update_one(
            {"_id": by.staff_id}, {"$set": {"views_saved_at": at}}, session=session
        )
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
        _revise([(None, made)], by, at, session)
        return made

    return view_of(in_transaction(work))


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
        row = _found(view_id, by, session)
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
        Stored.collection().replace_one({"_id": view_id}, after, session=session)
        pairs = [(row, after)]
        if after["default_roles"]:
            pairs += _take_defaults(after, session)
        _revise(pairs, by, at, session)
        follow_pins(after, session)
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
        row = _found(view_id, by, session, is_deleted=None)
        if not rules.may_delete(view_of(row), by):
            raise NotAllowed()
        if row["is_deleted"]:
            return row
        _mark(row, {"is_deleted": True, "deleted_at": at}, session)
        _record("delete", row, {}, by, at, session)
        _revise([(row, {**row, "is_deleted": True})], by, at, session)
        old = {"is_deleted": True, "deleted_at": {"$lt": at - KEPT_FOR}}
        Stored.collection().delete_many(old, session=session)
        return row

    return view_of(in_transaction(work))


def restore(view_id: ObjectId, *, by: Actor, at: datetime) -> SavedView:
    """Brings a deleted view back, pins included. Raises NotFound, NotAllowed."""

    def work(session: ClientSession) -> Row:
        row = _found(view_id, by, session, is_deleted=None)
        if not rules.may_delete(view_of(row), by):
            raise NotAllowed()
        if row["is_deleted"]:
            _mark(row, {"is_deleted": False, "deleted_at": None}, session)
            _record("restore", row, {}, by, at, session)
            _revise([(row, {**row, "is_deleted": False})], by, at, session)
        return row

    return view_of(in_transaction(work))


def _mark(row: Row, changes: Row, session: ClientSession) -> None:
    Stored.collection().update_one({"_id": row["_id"]}, {"$set": changes}, session=session)
    follow_pins({**row, **changes}, session)


def pin(view_id: ObjectId, *, by: Actor) -> None:
    """Puts the view into the person's sidebar. Raises NotFound, InvalidInput for too many."""

    def work(session: ClientSession) -> None:
        row = _found(view_id, by, session)
        pinned = {"view_id": view_id, "name": row["name"], "screen": row["screen"]}
        done = Staff.collection().update_one(
            {
                **{"_id": by.staff_id, "pins.view_id": {"$ne": view_id}},
                f"pins.{MOST_PINS - 1}": {"$exists": False},
            },
            {"$push": {"pins": pinned}},
            session=session,
        )
        known = {"_id": by.staff_id, "pins.view_id": view_id}
        if not done.modified_count and not Staff.collection().find_one(known, session=session):
            raise InvalidInput(
                N_("%(limit)s views are pinned. Take one of them off first."), limit=MOST_PINS
            )

    in_transaction(work)


def unpin(view_id: ObjectId, *, by: Actor) -> None:
    """Takes the view out of the person's sidebar."""
    Staff.collection().update_one({"_id": by.staff_id}, {"$pull": {"pins": {"view_id": view_id}}})


def open_with(screen: str, view_id: ObjectId | str | None, *, by: Actor) -> None:
    """What the person's list opens with: a view, rules.ALL for none, None for the role's one."""
    path = f"opens_with.{screen}"
    change = {"$unset": {path: ""}} if view_id is None else {"$set": {path: view_id}}
    Staff.collection().update_one({"_id": by.staff_id}, change)


def follow_pins(row: Row, session: ClientSession) -> None:
    """Keeps name and visibility of a view's pins true, in everybody's sidebar."""
    pinned = {"pins.view_id": row["_id"]}
    audience: Row = {"_id": {"$in": []}}
    if not row["is_deleted"]:
        audience = {
            FOR_EVERYONE: {},
            FOR_ROLES: {"$or": [{"_id": row["owner_id"]}, {"roles": {"$in": row["roles"]}}]},
        }.get(row["audience"], {"_id": row["owner_id"]})
    of_view = [{"one.view_id": row["_id"]}]
    for criteria, is_gone in ((pinned, True), ({"$and": [pinned, audience]}, False)):
        Staff.collection().update_many(
            criteria,
            {"$set": {"pins.$[one].name": row["name"], "pins.$[one].is_gone": is_gone}},
            array_filters=of_view,
            session=session,
        )


def _found(
    view_id: ObjectId, by: Actor, session: ClientSession, is_deleted: bool | None = False
) -> Row:
    row = Stored.collection().find_one({"_id": view_id}, session=session)
    if row is None or not rules.may_see(view_of(row), by):
        raise NotFound(N_("This view is not there any more, or not shared with you."))
    if is_deleted is not None and row["is_deleted"] != is_deleted:
        raise NotFound(N_("This view is not there any more, or not shared with you."))
    return row


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


# What of a view travels in a configuration file (B.13), by its key.
SECTION = "saved_views"
EXPORTED = (
    *("screen", "name", "audience", "roles", "default_roles", "arguments", "columns", "page_size"),
)


def exported(session: ClientSession | None = None) -> dict[str, Row]:
    """{key: content} of every shared view, plain data in a stable order of names."""
    shared = {"audience": {"$ne": PRIVATE}, "is_deleted": False}
    found = Stored.collection().find(shared, session=session).sort("key", 1)
    return {row["key"]: {name: row.get(name) for name in EXPORTED} for row in found}


def shared() -> list[SavedView]:
    """Every shared view, by name."""
    found = Stored.collection().find({"audience": {"$ne": PRIVATE}, "is_deleted": False})
    return sorted(map(view_of, found), key=lambda view: fold(view.name))


def _revise(
    pairs: Iterable[tuple[Row | None, Row]], by: Actor, at: datetime, session: ClientSession
) -> None:
    """Makes what changed of shared views a revision of the configuration; private ones are none."""
    made = []
    for row, after in pairs:
        sides = [_shared_content(one) for one in (row, after)]
        if sides[0] != sides[1]:
            view = {"section": SECTION, "key": after["key"]}
            made.append({**view, "before": sides[0], "after": sides[1]})
    configuration_changes.record(made, says="", by=by, at=at, session=session)


def _shared_content(row: Row | None) -> Row | None:
    if row is None or row["audience"] == PRIVATE or row["is_deleted"]:
        return None
    return {name: row.get(name) for name in EXPORTED}


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
    Stored.collection().replace_one({"_id": after["_id"]}, after, upsert=True, session=session)
    follow_pins(after, session)
    _record("update" if row else "create", after, {}, by, at, session)
