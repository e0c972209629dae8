"""What of the views stands with each person: those in the sidebar, and the one a list opens with."""

from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import Staff
from rules.errors import N_, InvalidInput
from rules.saved_views import FOR_EVERYONE, FOR_ROLES
from rules.scope import Actor
from services.saved_view_reading import stored_view
from stores.mongo import in_transaction

Row = dict[str, Any]
MOST_PINS = 20


def pin(view_id: ObjectId, *, by: Actor) -> None:
    """Puts the view into the person's sidebar. Raises NotFound, InvalidInput for too many."""

    def work(session: ClientSession) -> None:
        row = stored_view(view_id, by, session)
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


def follow(row: Row, session: ClientSession) -> None:
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
