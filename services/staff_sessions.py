"""The browsers in which staff are logged in; each can be ended."""

import hashlib
import secrets
from datetime import datetime, timedelta

from models import Staff
from models.staff import StaffSession

SESSIONS_KEPT = 20  # browsers per person; the one unused for longest is logged out first
SESSION_DAYS = 14  # a browser that was not used for so long has to log in again
SEEN_EVERY = timedelta(minutes=5)  # `seen_at` is not exact, so that reading a page writes nothing


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
