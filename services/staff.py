"""What administrators change about staff: name, roles, state, browsers."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import Staff
from rules.errors import N_, InvalidInput, StaleForm
from rules.permissions import ADMINISTRATOR
from rules.scope import Actor
from services import access_settings, accounts, login_attempts, staff_sessions
from stores.mongo import in_transaction


def update(
    staff_id: ObjectId,
    *,
    name: str,
    roles: Iterable[str],
    must_change_password: bool,
    version: int,
    by: Actor,
    at: datetime,
) -> None:
    """Saves the form of a person.

    Raises:
        NotAllowed: the actor does not look after accounts, or the person may do more than the
            actor. NotFound, StaleForm.
        InvalidInput: with `fields`; also when nobody would administer the site any more.
    """
    values: dict[str, Any] = {
        "name": " ".join(name.split()),
        "roles": sorted(set(roles)),
        "must_change_password": must_change_password,
    }
    accounts.check_name_and_roles(values["name"], values["roles"], by)

    def work(session: ClientSession) -> None:
        person = accounts.administered(staff_id, by, session)
        if person.get("version", 1) != version:
            raise StaleForm()
        changes = _changes(person, values)
        if not changes:
            return
        _keep_an_administrator(person, values["roles"], session)
        written = {
            **values,
            **accounts.search_fields(values["name"], person["email"]),
            "second_factor_required": access_settings.needs_second_factor(values["roles"]),
            "updated_at": at,
        }
        Staff.collection().update_one(
            {"_id": staff_id}, {"$set": written, "$inc": {"version": 1}}, session=session
        )
        accounts.audit_person(by, at, "update", person, changes, session)

    in_transaction(work)


def end_sessions(staff_id: ObjectId, *, name: str | None, by: Actor, at: datetime) -> int:
    """Logs a person out of one browser (by `staff_sessions.session_name`) or of all; how many it were.

    Raises NotAllowed, NotFound.
    """

    def work(session: ClientSession) -> int:
        person = accounts.administered(staff_id, by, session)
        ended = [
            opened["key"]
            for opened in person.get("sessions") or []
            if name is None or staff_sessions.session_name(opened["key"]) == name
        ]
        if ended:
            Staff.collection().update_one(
                {"_id": staff_id},
                {"$pull": {"sessions": {"key": {"$in": ended}}}},
                session=session,
            )
            changes = {"sessions": (len(person["sessions"]), len(person["sessions"]) - len(ended))}
            accounts.audit_person(by, at, "end sessions", person, changes, session)
        return len(ended)

    return in_transaction(work)


def unlock(staff_id: ObjectId, *, by: Actor, at: datetime) -> None:
    """Lets a person who was locked out after wrong logins try again. Raises NotAllowed, NotFound."""

    def work(session: ClientSession) -> None:
        person = accounts.administered(staff_id, by, session)
        login_attempts.forget(person["email"], session=session)
        accounts.audit_person(by, at, "unlock", person, {}, session)

    in_transaction(work)


def _changes(person: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        field: (person.get(field), new)
        for field, new in values.items()
        if (person.get(field) or None) != (new or None)
    }


def _keep_an_administrator(
    person: Mapping[str, Any], roles: list[str], session: ClientSession
) -> None:
    gives_up = ADMINISTRATOR in person["roles"] and ADMINISTRATOR not in roles
    if not gives_up or not person.get("active"):
        return
    if not accounts.other_administrator(person["_id"], session):
        message = N_(
            "Somebody has to administer Carebook. Make another person administrator first."
        )
        raise InvalidInput(fields={"roles": InvalidInput(message)})
