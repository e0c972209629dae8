"""Locks an account for a while after wrong logins in a row, longer each time.

An attempt is counted before the password is looked at, so that many at once gain nothing; a login
that succeeds forgets them. Addresses that nobody has are counted alike, so that a lock does not
tell who works here.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from models import LoginAttempts
from rules.errors import N_, CareError
from rules.logins import FREE_ATTEMPTS, LOCK_LONGEST, LOCK_SHORTEST

FORGET_AFTER = timedelta(days=1)


class LockedOut(CareError):
    """Too many wrong logins; `seconds` is how long to wait."""

    status = 429
    message = N_("This account is locked for a while after too many wrong attempts.")

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds


def claim(email: str, now: datetime) -> bool:
    """Counts an attempt that may go ahead; whether the account is locked from the next one on.

    Raises:
        LockedOut: the account is locked now; nothing may be tried.
    """
    free = {"$or": [{"locked_until": None}, {"locked_until": {"$lte": now}}]}
    try:
        after = LoginAttempts.collection().find_one_and_update(
            {"_id": _key(email), **free}, _counted(now), upsert=True, return_document=True
        )
    except DuplicateKeyError as error:  # it is there, and not free
        raise LockedOut(max(1, seconds_locked(email, now))) from error
    return bool(after and after.get("locked_until"))


def give_back(email: str) -> None:
    """After a right password that a code still has to follow: this attempt was not a wrong one.

    Wrong codes stay counted, so that guessing them is locked like guessing passwords.
    """
    LoginAttempts.collection().update_one(
        {"_id": _key(email), "count": {"$gt": 0}},
        {"$inc": {"count": -1}, "$set": {"locked_until": None}},
    )


def seconds_locked(email: str, now: datetime) -> int:
    """How long the account is still locked, in whole seconds; 0 when it is not."""
    stored = LoginAttempts.collection().find_one({"_id": _key(email)}) or {}
    until = stored.get("locked_until")
    return max(0, -int((now - until).total_seconds() // 1)) if until else 0


def forget(email: str, session: ClientSession | None = None) -> None:
    """After a login, or a new password."""
    LoginAttempts.collection().delete_one({"_id": _key(email)}, session=session)


def _counted(now: datetime) -> list[dict[str, Any]]:
    """Server side, so that attempts at the same time are all counted."""
    is_old = {"$lt": [{"$ifNull": ["$last_at", now]}, now - FORGET_AFTER]}
    counted = {"$add": [{"$cond": [is_old, 0, {"$ifNull": ["$count", 0]}]}, 1]}
    doublings = {"$min": [{"$subtract": ["$count", FREE_ATTEMPTS]}, 20]}
    lock_ms = {
        "$min": [
            {"$multiply": [LOCK_SHORTEST.total_seconds() * 1000, {"$pow": [2, doublings]}]},
            LOCK_LONGEST.total_seconds() * 1000,
        ]
    }
    until = {"$add": [now, {"$toLong": lock_ms}]}
    return [
        {"$set": {"count": counted, "last_at": now}},
        {"$set": {"locked_until": {"$cond": [{"$gte": ["$count", FREE_ATTEMPTS]}, until, None]}}},
    ]


def _key(email: str) -> str:
    return hashlib.sha256(email.strip().lower().encode("utf-8", "replace")).hexdigest()
