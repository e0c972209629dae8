"""The second factor of a login: a telephone that shows codes, and recovery codes on paper."""

import hashlib
import logging
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import Staff
from rules import second_factor as rule
from rules.errors import N_, InvalidInput, NotAllowed
from rules.scope import Actor
from services import accounts, credentials
from stores import sealing
from stores.mongo import in_transaction

logger = logging.getLogger(__name__)

NO_FACTOR = {
    "totp_secret": "",
    "totp_pending": "",
    "totp_step": "",
    "recovery_hashes": "",
}


def is_on(staff: Staff) -> bool:
    """Whether the login asks for a code."""
    return bool(staff.totp_secret)


def is_missing(staff: Staff) -> bool:
    """Whether the person has to set one up before anything else."""
    return bool(staff.second_factor_required and not staff.totp_secret)


def begin(staff: Staff) -> str:
    """The secret that the person's telephone is to learn; the same until it is confirmed.

    Raises InvalidInput when there is a second factor already.
    """
    fresh = {"_id": staff.pk, "totp_secret": None, "totp_pending": None}
    sealed = sealing.seal(rule.new_secret(), owner=_owner(staff.pk))
    Staff.collection().update_one(fresh, {"$set": {"totp_pending": sealed}})
    stored = Staff.collection().find_one({"_id": staff.pk}, {"totp_pending": 1, "totp_secret": 1})
    if stored is None or stored.get("totp_secret") or not stored.get("totp_pending"):
        raise InvalidInput(N_("Your second factor is set up already."))
    return _unsealed(staff, stored["totp_pending"]) or _begin_again(staff, stored["totp_pending"])


def pending_secret(staff: Staff) -> str | None:
    """The secret that waits to be confirmed; None when there is none."""
    return _unsealed(staff, staff.totp_pending) if staff.totp_pending else None


def seal_readable_secrets() -> int:
    """Seals what an older version had stored as it is; how many people it were."""
    readable = {"$type": "string", "$not": {"$regex": f"^{sealing.MARK}"}}
    sealed = 0
    for field in ("totp_secret", "totp_pending"):
        for row in Staff.collection().find({field: readable}, {field: 1}):
            change = {field: sealing.seal(row[field], owner=_owner(row["_id"]))}
            same = {"_id": row["_id"], field: row[field]}
            sealed += Staff.collection().update_one(same, {"$set": change}).modified_count
    return sealed


def confirm(staff: Staff, code: str, by: Actor, now: datetime) -> list[str]:
    """Switches the second factor on; returns the recovery codes, to be shown this once.

    Raises InvalidInput when the code is not right, or nothing was begun.
    """
    pending, secret = staff.totp_pending, pending_secret(staff)
    step = rule.step_of_code(secret, code, now) if secret else None
    if step is None:
        raise InvalidInput(fields={"code": _wrong_code()})
    codes = rule.new_recovery_codes()
    values = {
        "totp_secret": pending,
        "totp_step": step,
        "recovery_hashes": [_hash(one) for one in codes],
    }

    def work(session: ClientSession) -> bool:
        switched = Staff.collection().update_one(
            {"_id": staff.pk, "totp_pending": pending, "totp_secret": None},
            {"$set": values, "$unset": {"totp_pending": ""}, "$inc": {"version": 1}},
            session=session,
        )
        if switched.modified_count:
            accounts.audit_person(by, now, "second factor on", _person(staff), {}, session)
        return bool(switched.modified_count)

    if not in_transaction(work):
        raise InvalidInput(N_("Your second factor is set up already."))
    return codes


def check(staff: Staff, typed: str, now: datetime) -> bool:
    """Whether the typed code of the telephone or recovery code is right; each works once."""
    return _use_code(staff, typed, now) or _use_recovery_code(staff, typed)


def _use_code(staff: Staff, typed: str, now: datetime) -> bool:
    secret = _unsealed(staff, staff.totp_secret) if staff.totp_secret else None
    step = rule.step_of_code(secret, typed, now) if secret else None
    if step is None:
        return False
    # Of two uses of one code at once only one moves the step on.
    unused = {"$or": [{"totp_step": None}, {"totp_step": {"$lt": step}}]}
    claim = {"_id": staff.pk, "totp_secret": staff.totp_secret, **unused}
    used = Staff.collection().update_one(claim, {"$set": {"totp_step": step}})
    return used.modified_count == 1


def _use_recovery_code(staff: Staff, typed: str) -> bool:
    code = rule.plain_recovery_code(typed)
    if len(code) < 12 or not staff.totp_secret:
        return False
    used = Staff.collection().update_one(
        {"_id": staff.pk, "recovery_hashes": _hash(code)},
        {"$pull": {"recovery_hashes": _hash(code)}},
    )
    return used.modified_count == 1


def renew_recovery_codes(staff: Staff, password: str, by: Actor, now: datetime) -> list[str]:
    """New recovery codes; the old ones stop working. Raises InvalidInput, LockedOut."""
    credentials.confirm_password(staff, password, now, field="password")
    codes = rule.new_recovery_codes()
    values = {"recovery_hashes": [_hash(one) for one in codes]}
    _write(staff, {"$set": values}, "new recovery codes", by, now)
    return codes


def switch_off(staff: Staff, password: str, by: Actor, now: datetime) -> None:
    """The person does without.

    Raises:
        NotAllowed: the person's roles need a second factor. InvalidInput: wrong password.
        LockedOut: too many wrong passwords.
    """
    if staff.second_factor_required:
        raise NotAllowed(N_("Your role needs a second factor. An administrator can reset it."))
    credentials.confirm_password(staff, password, now, field="password")
    _write(staff, {"$unset": NO_FACTOR}, "second factor off", by, now)


def reset(staff_id: ObjectId, by: Actor, now: datetime) -> None:
    """For a person who lost the telephone: the next login asks for the password alone.

    All browsers of the person are logged out. Raises NotAllowed, NotFound.
    """

    def work(session: ClientSession) -> None:
        person = accounts.administered(staff_id, by, session)
        change = {"$unset": NO_FACTOR, "$set": {"sessions": []}, "$inc": {"version": 1}}
        Staff.collection().update_one({"_id": staff_id}, change, session=session)
        accounts.audit_person(by, now, "second factor reset", person, {}, session)

    in_transaction(work)


def _write(staff: Staff, change: dict[str, Any], action: str, by: Actor, now: datetime) -> None:
    def work(session: ClientSession) -> None:
        criteria = {"_id": staff.pk, "totp_secret": staff.totp_secret}
        changed = Staff.collection().update_one(
            criteria, change | {"$inc": {"version": 1}}, session=session
        )
        if changed.modified_count:
            accounts.audit_person(by, now, action, _person(staff), {}, session)

    in_transaction(work)


def _unsealed(staff: Staff, sealed: str) -> str | None:
    """The secret; None when its key is gone. Recovery codes still open the account then."""
    try:
        return sealing.unseal(sealed, owner=_owner(staff.pk))
    except sealing.CannotUnseal:
        logger.warning("The second factor of staff %s was sealed with another key.", staff.pk)
        return None


def _begin_again(staff: Staff, unreadable: str) -> str:
    """A new secret in the place of one whose key is gone and that nobody has confirmed."""
    same = {"_id": staff.pk, "totp_pending": unreadable}
    Staff.collection().update_one(same, {"$unset": {"totp_pending": ""}})
    return begin(staff)


def _owner(staff_id: ObjectId) -> str:
    return f"second factor of {staff_id}"


def _person(staff: Staff) -> dict[str, Any]:
    return {"_id": staff.pk, "name": staff.name}


def _wrong_code() -> InvalidInput:
    return InvalidInput(
        N_("This code is not right. Type the six digits that the telephone shows now.")
    )


def _hash(code: str) -> str:
    # 60 random bits: a slow hash would add nothing.
    return hashlib.sha256(rule.plain_recovery_code(code).encode()).hexdigest()
