"""How a person shows who it is: the password, and one-time links through which it is chosen."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, cast

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import Staff
from rules.errors import N_, InvalidInput, NotFound
from rules.passwords import check_password
from rules.scope import Actor
from services import accounts, login_attempts, password_hashes
from stores import mongo

LINK_DAYS = 7


def authenticate(email: str, password: str) -> Staff | None:
    """The active staff member whose address and password these are.

    Takes the same time whether or not the address exists, so that nobody can find out who works
    here.
    """
    staff = accounts.find_staff(email)
    stored = staff.password if staff is not None else None
    if not password_hashes.matches(stored or None, password) or staff is None or not stored:
        return None
    if not staff.active:
        return None
    if password_hashes.is_outdated(stored):
        Staff.collection().update_one(
            {"_id": staff.pk, "password": stored},
            {"$set": {"password": password_hashes.hashed(password)}},
        )
    return staff


def confirm_password(staff: Staff, password: str, now: datetime, *, field: str) -> None:
    """Passes when this is the password of the person who is logged in.

    A browser that somebody left open must not be a place to guess it.

    Raises:
        InvalidInput: it is not, with `field`. LockedOut: too many wrong passwords.
    """
    login_attempts.claim(staff.email, now)
    if not staff.password or not password_hashes.matches(staff.password, password):
        raise InvalidInput(fields={field: InvalidInput(N_("This is not your current password."))})
    login_attempts.forget(staff.email)


# One-time links


def one_time_link(staff: Staff, base_url: str, now: datetime) -> str:
    """A link that lets the person choose a password once, within LINK_DAYS days.

    It replaces an earlier link. Only the hash of its secret is stored.
    """
    return make_link(staff.pk, base_url, now)


def make_link(
    staff_id: ObjectId, base_url: str, now: datetime, *, session: ClientSession | None = None
) -> str:
    """As `one_time_link`, within a transaction."""
    secret = secrets.token_urlsafe(32)
    values = {"link_hash": _link_hash(secret), "link_until": now + timedelta(days=LINK_DAYS)}
    Staff.collection().update_one({"_id": staff_id}, {"$set": values}, session=session)
    return f"{base_url.rstrip('/')}/link/{secret}"


def staff_behind_link(secret: str, now: datetime) -> Staff:
    """Whom a one-time link belongs to. Raises NotFound when it was used, replaced or is too old."""
    staff = Staff.objects(link_hash=_link_hash(secret), link_until__gt=now, active=True).first()
    if staff is None:
        raise _dead_link()
    return cast(Staff, staff)


def use_link(secret: str, password: str, now: datetime) -> Staff:
    """Sets the password through a one-time link and logs the person out everywhere else.

    Raises:
        InvalidInput: the password may not be chosen; the link stays usable.
        NotFound: the link was used, replaced or is too old; of two uses at once one gets this.
    """
    staff = staff_behind_link(secret, now)
    check_password(password, email=staff.email, name=staff.name)
    claim = {"_id": staff.pk, "link_hash": _link_hash(secret), "link_until": {"$gt": now}}
    if not _set_password(staff, password, claim, _as_actor(staff), now, sessions=[]):
        raise _dead_link()
    return cast(Staff, Staff.objects.get(pk=staff.pk))


def change_password(
    staff: Staff, current: str, new: str, now: datetime, *, keep_session: str
) -> None:
    """Replaces the password and logs out every browser but the one with key `keep_session`.

    Raises:
        InvalidInput: the current password is wrong or the new one may not be chosen.
        LockedOut: too many wrong passwords.
    """
    confirm_password(staff, current, now, field="current")
    try:
        check_password(new, email=staff.email, name=staff.name)
        if new == current:
            raise InvalidInput(N_("This is your current password. Choose another one."))
    except InvalidInput as error:
        raise InvalidInput(fields={"new": error}) from error
    kept = [session.to_mongo() for session in staff.sessions if session.key == keep_session]
    claim = {"_id": staff.pk, "password": staff.password}
    if not _set_password(staff, new, claim, _as_actor(staff), now, sessions=kept):
        changed = InvalidInput(N_("Your password was changed meanwhile. Try again."))
        raise InvalidInput(fields={"current": changed})


def _set_password(
    staff: Staff,
    password: str,
    claim: dict[str, Any],
    by: Actor,
    now: datetime,
    *,
    sessions: list[Any],
) -> bool:
    """Claims by condition: of two at once one gets True."""
    change = {
        "$set": {
            "password": password_hashes.hashed(password),
            "sessions": sessions,
            "updated_at": now,
        },
        "$unset": {"link_hash": "", "link_until": "", "must_change_password": ""},
        "$inc": {"version": 1},
    }

    def write(session: ClientSession) -> bool:
        claimed = Staff.collection().update_one(claim, change, session=session).modified_count == 1
        if claimed:
            accounts.audit_person(
                by, now, "set password", {"_id": staff.pk, "name": staff.name}, {}, session
            )
            login_attempts.forget(staff.email, session=session)
        return claimed

    return mongo.in_transaction(write)


def _as_actor(staff: Staff) -> Actor:
    return Actor(staff.pk, staff.name, frozenset(staff.roles), "account")


def _link_hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _dead_link() -> NotFound:
    return NotFound(
        N_("This link was used already or is too old. Ask an administrator for a new one.")
    )
