"""What has had its time: old mail, browsers long logged out, claims, links, temporary files."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from config import Settings
from models import ApiToken, Customer, MailMessage, Staff
from models.mail_message import WAITING
from services.staff_sessions import SESSION_DAYS

Stored = dict[str, Any]

CLAIM_DAYS = 1  # claims last for minutes; a lapsed one says nothing any more
LINK_DAYS = 30  # after a one-time link has lapsed


def search(settings: Settings, now: datetime, *, removes: bool) -> Iterator[tuple[str, int]]:
    """(name of the result, how many) of each kind; removes them as it goes."""
    yield "old_mails", _mails(now - timedelta(days=settings.job_run_days), removes)
    yield "old_sessions", _sessions(now - timedelta(days=SESSION_DAYS), removes)
    yield (
        "old_links",
        _unset(
            Staff,
            {"link_until": {"$lt": now - timedelta(days=LINK_DAYS)}},
            ("link_hash", "link_until"),
            removes,
        ),
    )
    for claim in ("claim", "later"):
        old = {f"{claim}.until": {"$lt": now - timedelta(days=CLAIM_DAYS)}}
        yield "old_claims", _unset(Customer, old, (claim,), removes)
    yield "keys_of_nobody", _keys_of_nobody(removes)
    yield "temporary_files", _temporary_files(settings, now - timedelta(days=1), removes)


def _mails(before: datetime, removes: bool) -> int:
    """Sent or given up so long ago that the job which wrote them has left its list, too."""
    old = {"state": {"$ne": WAITING}, "created_at": {"$lt": before}}
    messages = MailMessage.collection()
    return messages.delete_many(old).deleted_count if removes else messages.count_documents(old)


def _sessions(before: datetime, removes: bool) -> int:
    """Browsers that would have to log in again anyway; people that have some."""
    lapsed = {"sessions": {"$elemMatch": {"seen_at": {"$lt": before}}}}
    people = Staff.collection()
    if not removes:
        return people.count_documents(lapsed)
    pulled = {"$pull": {"sessions": {"seen_at": {"$lt": before}}}}
    return people.update_many(lapsed, pulled).modified_count


def _unset(document: Any, old: Stored, fields: tuple[str, ...], removes: bool) -> int:
    collection = document.collection()
    if not removes:
        return int(collection.count_documents(old))
    return int(collection.update_many(old, {"$unset": dict.fromkeys(fields, "")}).modified_count)


def _keys_of_nobody(removes: bool) -> int:
    people = {row["_id"] for row in Staff.collection().find({}, {"_id": 1})}
    nobodys = {"kind": "personal", "staff_id": {"$nin": list(people)}}
    keys = ApiToken.collection()
    return keys.delete_many(nobodys).deleted_count if removes else keys.count_documents(nobodys)


def _temporary_files(settings: Settings, before: datetime, removes: bool) -> int:
    """What a killed import has left on this host."""
    found = 0
    for path in (settings.data / "imports").glob("*.staged"):
        try:
            is_old = path.stat().st_mtime < before.timestamp()
            if is_old and removes:
                path.unlink()
        except FileNotFoundError:
            continue
        found += is_old
    return found
