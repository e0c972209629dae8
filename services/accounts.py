"""Staff accounts: who there is, with which roles; see also credentials and staff_sessions."""

import re
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from models import Staff
from rules.errors import N_, CareError, InvalidInput, NotAllowed, NotFound
from rules.passwords import check_password
from rules.permissions import ACCOUNTS, ADMINISTRATOR
from rules.scope import Actor
from rules.text import fold
from services import access_settings, actors, audit, configuration, password_hashes
from stores import mongo

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def plain_email(email: str) -> str:
    """The address as it is stored and looked up: without spaces around it, in lower case."""
    return email.strip().lower()


def create_staff(
    email: str,
    name: str,
    roles: Iterable[str],
    by: Actor,
    password: str | None = None,
    *,
    at: datetime | None = None,
) -> Staff:
    """A new staff member. Without a password the person chooses one through `one_time_link`.

    Raises:
        InvalidInput: address, name, role or password is missing, unknown or already taken.
    """
    at = at or datetime.now(UTC)
    email, name, roles = plain_email(email), " ".join(name.split()), sorted(set(roles))
    _check_person(email, name, roles, by)
    if password is not None:
        check_password(password, email=email, name=name)
    document = {
        "_id": ObjectId(),
        "email": email,
        "name": name,
        "roles": roles,
        "password": password_hashes.hashed(password) if password is not None else None,
        "active": True,
        **search_fields(name, email),
        "second_factor_required": access_settings.needs_second_factor(roles),
        "fs_uniquifier": secrets.token_hex(32),
        "sessions": [],
        "version": 1,
        "created_at": at,
        "updated_at": at,
    }

    def write(session: ClientSession) -> None:
        Staff.collection().insert_one(document, session=session)
        audit_person(by, at, "create", document, {"roles": (None, roles)}, session)

    try:
        mongo.in_transaction(write)
    except DuplicateKeyError as error:
        raise InvalidInput(
            N_("Somebody with the e-mail address %(email)s exists already."), email=email
        ) from error
    return cast(Staff, Staff.objects.get(pk=document["_id"]))


def search_fields(name: str, email: str) -> dict[str, Any]:
    """`search` (what the list is sorted by) and `search_words` of a person, folded (B.4)."""
    folded = fold(f"{name} {email}")
    return {"search": folded, "search_words": list(dict.fromkeys(folded.split()))}


def find_staff(email: str) -> Staff | None:
    """The staff member with this address, active or not."""
    return cast("Staff | None", Staff.objects(email=plain_email(email)).first())


# Preferences


def choose_locale(staff: Staff, locale: str) -> None:
    """Remembers the person's language. Raises InvalidInput for one that Carebook does not speak."""
    _choose(staff, "locale", locale, Staff.locale.choices)


def choose_theme(staff: Staff, theme: str | None) -> None:
    """Remembers light or dark; None follows the person's system."""
    _choose(staff, "theme", theme, (None, *Staff.theme.choices))


def other_administrator(staff_id: ObjectId, session: ClientSession) -> bool:
    """Whether somebody else administers the site; of two who take each other's role one waits."""
    others = {"roles": ADMINISTRATOR, "active": True, "_id": {"$ne": staff_id}}
    # The write makes the two transactions conflict.
    found = Staff.collection().find_one_and_update(
        others, {"$currentDate": {"updated_at": True}}, session=session
    )
    return found is not None


def _check_person(email: str, name: str, roles: list[str], by: Actor) -> None:
    wrong: dict[str, CareError] = {}
    if not email:
        wrong["email"] = InvalidInput(N_("Give the e-mail address that the person logs in with."))
    elif not EMAIL.fullmatch(email) or len(email) > 200:
        message = N_("%(email)s is not an e-mail address. It reads name@company.vn.")
        wrong["email"] = InvalidInput(message, email=email[:200])
    _refuse(wrong | _wrong_name_and_roles(name, roles, by))


def check_name_and_roles(name: str, roles: list[str], by: Actor) -> None:
    """Raises InvalidInput, with the field that it is about; nobody gives more than they have."""
    _refuse(_wrong_name_and_roles(name, roles, by))


def _wrong_name_and_roles(name: str, roles: list[str], by: Actor) -> dict[str, CareError]:
    wrong: dict[str, CareError] = {}
    if not name or len(name) > 120:
        wrong["name"] = InvalidInput(N_("Give the person's name, at most 120 characters."))
    config = configuration.snapshot()
    known = [key for key, role in config.roles.items() if not role.is_retired]
    if not roles:
        wrong["roles"] = InvalidInput(N_("Choose at least one role."))
    elif any(role not in known for role in roles):
        message = N_("Give at least one role out of %(roles)s.")
        wrong["roles"] = InvalidInput(message, roles=", ".join(known))
    elif not actors.covers(by.access, config.access(roles)):
        wrong["roles"] = InvalidInput(
            N_("You can only give roles that allow no more than your own.")
        )
    return wrong


def _refuse(wrong: dict[str, CareError]) -> None:
    """For the command line as a sentence, the first one; for a form each beside its field."""
    if wrong:
        first = next(iter(wrong.values()))
        raise InvalidInput(first.message, fields=wrong, **first.params)


def stored_person(staff_id: ObjectId, session: ClientSession) -> dict[str, Any]:
    """The person as stored. Raises NotFound."""
    person = Staff.collection().find_one({"_id": staff_id}, session=session)
    if person is None:
        raise NotFound
    return person


def administered(staff_id: ObjectId, by: Actor, session: ClientSession) -> dict[str, Any]:
    """The person as stored, if its account is the actor's to look after.

    Raises NotFound, or NotAllowed: also when the person may do more than the actor, who could
    otherwise become that person.
    """
    if not by.can(ACCOUNTS):
        raise NotAllowed()
    person = stored_person(staff_id, session)
    actors.check_covers(by, person)
    return person


def _choose(staff: Staff, field: str, value: str | None, allowed: tuple[str | None, ...]) -> None:
    if value not in allowed:
        raise InvalidInput(N_("Choose one of the values offered."))
    Staff.collection().update_one({"_id": staff.pk}, {"$set": {field: value}})
    setattr(staff, field, value)


def audit_person(
    by: Actor,
    at: datetime,
    action: str,
    person: dict[str, Any],
    changes: dict[str, tuple[Any, Any]],
    session: ClientSession,
) -> None:
    """Writes that something was done to a person; `changes` maps a field to (old, new)."""
    audit.record(
        by=by,
        at=at,
        action=action,
        kind="staff",
        record_id=person["_id"],
        label=person["name"],
        changes=changes,
        session=session,
    )
