"""Staff accounts: who may log in, from which browsers, and with which password."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NoReturn, cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from models import Staff
from models.staff import StaffSession
from rules.errors import N_, CareError, InvalidInput, NotAllowed, NotFound
from rules.passwords import check_password
from rules.permissions import ACCOUNTS, ADMINISTRATOR
from rules.scope import Actor
from rules.text import fold
from services import access_settings, actors, audit, configuration, login_attempts
from stores import mongo

SESSIONS_KEPT = 20  # browsers per person; the one unused for longest is logged out first
SESSION_DAYS = 14  # a browser that was not used for so long has to log in again
SEEN_EVERY = timedelta(minutes=5)  # `seen_at` is not exact, so that reading a page writes nothing
LINK_DAYS = 7
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

_hasher = PasswordHasher()


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
        "password": _hasher.hash(password) if password is not None else None,
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


def authenticate(email: str, password: str) -> Staff | None:
    """The active staff member whose address and password these are.

    Takes the same time whether or not the address exists, so that nobody can find out who works
    here.
    """
    staff = find_staff(email)
    stored = staff.password if staff is not None else None
    if not _matches(stored or _nobody(), password) or staff is None or not stored:
        return None
    if not staff.active:
        return None
    if _hasher.check_needs_rehash(stored):
        Staff.collection().update_one(
            {"_id": staff.pk, "password": stored}, {"$set": {"password": _hasher.hash(password)}}
        )
    return staff


def confirm_password(staff: Staff, password: str, now: datetime, *, field: str) -> None:
    """Passes when this is the password of the person who is logged in.

    A browser that somebody left open must not be a place to guess it.

    Raises:
        InvalidInput: it is not, with `field`. LockedOut: too many wrong passwords.
    """
    login_attempts.claim(staff.email, now)
    if not staff.password or not _matches(staff.password, password):
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


# Sessions


def open_session(
    staff: Staff,
    now: datetime,
    *,
    address: str,
    agent: str,
    is_by_service: bool = False,
    has_factor: bool = False,
) -> str:
    """The key of a new session, to be put into the browser's cookie.

    Args:
        is_by_service: the person came through the company's sign-in service.
        has_factor: the second factor was seen to there.
    """
    key = secrets.token_urlsafe(24)
    session = {
        "key": key,
        "created_at": now,
        "seen_at": now,
        "address": address[:100],
        "agent": agent[:400],
        "is_by_service": is_by_service,
        "has_factor": has_factor,
    }
    newest = {"$each": [session], "$sort": {"seen_at": 1}, "$slice": -SESSIONS_KEPT}
    Staff.collection().update_one(
        {"_id": staff.pk}, {"$push": {"sessions": newest}, "$set": {"seen_at": now}}
    )
    return key


def is_session_open(staff: Staff, key: str | None, now: datetime) -> bool:
    """Whether the browser with this key is still logged in."""
    oldest = now - timedelta(days=SESSION_DAYS)
    return any(session.key == key and session.seen_at > oldest for session in staff.sessions)


def session_of(staff: Staff, key: str | None) -> StaffSession | None:
    """The session with this key, open or not."""
    return next((session for session in staff.sessions if session.key == key), None)


def note_seen(staff: Staff, key: str, now: datetime) -> bool:
    """Keeps `seen_at` of a session within SEEN_EVERY of the truth; whether it had to write."""
    seen = next((s.seen_at for s in staff.sessions if s.key == key), now)
    if now - seen < SEEN_EVERY:
        return False
    Staff.collection().update_one(
        {"_id": staff.pk, "sessions.key": key},
        {"$set": {"sessions.$.seen_at": now, "seen_at": now}},
    )
    return True


def close_session(staff: Staff, key: str) -> None:
    """Logs one browser out."""
    Staff.collection().update_one({"_id": staff.pk}, {"$pull": {"sessions": {"key": key}}})


def close_other_sessions(staff: Staff, key: str) -> None:
    """Logs out every browser but the one with this key."""
    others = {"key": {"$ne": key}}
    Staff.collection().update_one({"_id": staff.pk}, {"$pull": {"sessions": others}})


def session_name(key: str) -> str:
    """What a page calls a session: enough to name it, useless for logging in."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


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
    if not EMAIL.fullmatch(email) or len(email) > 200:
        _refuse(
            "email",
            N_("%(email)s is not an e-mail address. It reads name@company.vn."),
            email=email[:200] or "–",
        )
    check_name_and_roles(name, roles, by)


def check_name_and_roles(name: str, roles: list[str], by: Actor) -> None:
    """Raises InvalidInput, with the field that it is about; nobody gives more than they have."""
    if not name or len(name) > 120:
        _refuse("name", N_("Give the person's name, at most 120 characters."))
    config = configuration.snapshot()
    known = [key for key, role in config.roles.items() if not role.is_retired]
    if not roles or any(role not in known for role in roles):
        _refuse("roles", N_("Give at least one role out of %(roles)s."), roles=", ".join(known))
    if not actors.covers(by.access, config.access(roles)):
        _refuse("roles", N_("You can only give roles that allow no more than your own."))


def _refuse(field: str, message: str, **params: Any) -> NoReturn:
    """For the command line as a sentence, for a form beside its field."""
    fields: dict[str, CareError] = {field: InvalidInput(message, **params)}
    raise InvalidInput(message, fields=fields, **params)


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
        "$set": {"password": _hasher.hash(password), "sessions": sessions, "updated_at": now},
        "$unset": {"link_hash": "", "link_until": "", "must_change_password": ""},
        "$inc": {"version": 1},
    }

    def write(session: ClientSession) -> bool:
        claimed = Staff.collection().update_one(claim, change, session=session).modified_count == 1
        if claimed:
            audit_person(
                by, now, "set password", {"_id": staff.pk, "name": staff.name}, {}, session
            )
            login_attempts.forget(staff.email, session=session)
        return claimed

    return mongo.in_transaction(write)


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


def _as_actor(staff: Staff) -> Actor:
    return Actor(staff.pk, staff.name, frozenset(staff.roles), "account")


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _nobody() -> str:
    """A hash that no password matches, to spend the usual time on an unknown address."""
    return _hasher.hash(secrets.token_hex(16))


def _link_hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _dead_link() -> NotFound:
    return NotFound(
        N_("This link was used already or is too old. Ask an administrator for a new one.")
    )
