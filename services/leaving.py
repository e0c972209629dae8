"""Lets a person out and in again; who leaves hands over first (S1.1)."""

from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import Staff
from rules.errors import N_, NotAllowed
from rules.permissions import ADMINISTRATOR
from rules.scope import Actor
from services import accounts, handovers, job_runs
from stores.mongo import in_transaction


def deactivate_staff(
    staff_id: ObjectId, by: Actor, now: datetime, *, to_id: ObjectId | None = None
) -> None:
    """Keeps a person out from the next request on; what the person wrote stays.

    Args:
        to_id: who is handed the work; None leaves it where it is, and managers find it under
            `handovers.without_anybody`.

    Raises:
        NotAllowed: it would be oneself or the last active administrator.
        NotFound: there is no such person.
        InvalidInput: the receiver cannot take the work; nothing has happened then.
    """
    if staff_id == by.staff_id:
        raise NotAllowed(N_("You cannot deactivate yourself. Ask another administrator."))

    def work(session: ClientSession) -> ObjectId | None:
        person = accounts.administered(staff_id, by, session)
        if ADMINISTRATOR in person["roles"] and not accounts.other_administrator(staff_id, session):
            raise NotAllowed(N_("The last administrator cannot be deactivated."))
        _set_active(person, False, by, now, session)
        if to_id is None:
            return None
        run_id: ObjectId = handovers.prepare(staff_id, to_id, by=by, at=now, session=session)[
            "run_id"
        ]
        return run_id

    run_id = in_transaction(work)
    if run_id is not None:
        job_runs.enqueue(run_id)


def activate_staff(staff_id: ObjectId, by: Actor, now: datetime) -> None:
    """Lets a deactivated person in again, with the old password or a new one-time link."""
    in_transaction(
        lambda session: _set_active(
            accounts.administered(staff_id, by, session), True, by, now, session
        )
    )


def _set_active(
    person: dict[str, Any], active: bool, by: Actor, now: datetime, session: ClientSession
) -> None:
    Staff.collection().update_one(
        {"_id": person["_id"]},
        {
            "$set": {"active": active, "sessions": [], "updated_at": now},
            "$unset": {"link_hash": "", "link_until": ""},
            "$inc": {"version": 1},
        },
        session=session,
    )
    action = "activate" if active else "deactivate"
    changes = {"active": (person.get("active"), active)}
    accounts.audit_person(by, now, action, person, changes, session)
