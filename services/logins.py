"""Logging in, step by step: the password, then the code where there is a second factor."""

from datetime import datetime

from pymongo.client_session import ClientSession

from models import Staff
from rules.scope import Actor
from services import accounts, audit, credentials, login_attempts, second_factor
from stores.mongo import in_transaction


def check_password(email: str, password: str, *, by: Actor, now: datetime) -> Staff | None:
    """The person behind address and password, or None. A second factor is still to be asked for.

    `by` says where the attempt comes from. Raises LockedOut.
    """
    locks = login_attempts.claim(email, now)
    staff = credentials.authenticate(email, password)
    if staff is None:
        note_failed(email, accounts.find_staff(email), by, now, locks=locks)
    elif second_factor.is_on(staff):
        login_attempts.give_back(email)
    return staff


def check_code(staff: Staff, code: str, *, by: Actor, now: datetime) -> bool:
    """Whether the code of the second step is right. Raises LockedOut."""
    locks = login_attempts.claim(staff.email, now)
    if second_factor.check(staff, code, now):
        return True
    note_failed(staff.email, staff, by, now, locks=locks)
    return False


def note_success(staff: Staff, by: Actor, now: datetime, *, how: str) -> None:
    """After a login that got in: forgets wrong attempts and writes who came, and how."""

    def work(session: ClientSession) -> None:
        login_attempts.forget(staff.email, session=session)
        person = {"_id": staff.pk, "name": staff.name}
        accounts.audit_person(by, now, "login", person, {"login": (None, how)}, session)

    in_transaction(work)


def note_failed(email: str, staff: Staff | None, by: Actor, now: datetime, *, locks: bool) -> None:
    """Writes a wrong attempt, and that it locked the account."""
    address = accounts.plain_email(email)
    # People type passwords into the wrong field: only what looks like an address is kept.
    shown = address[:200] if accounts.EMAIL.fullmatch(address) else "–"
    for action in ("login failed", *(["lock"] if locks else [])):
        audit.record(
            by=by,
            at=now,
            action=action,
            kind="staff",
            record_id=staff.pk if staff is not None else None,
            label=staff.name if staff is not None else shown,
        )
