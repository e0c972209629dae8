"""Taking files away: into the trash and back (S2.5), and what was sent and never saved for good."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId

from models import Attachment
from models.attachment import PENDING
from rules.errors import NotFound
from rules.scope import Actor, may_delete
from services import field_files, trash
from services.attachments import visible

Stored = dict[str, Any]
PENDING_HOURS = 24


def may_remove(attachment: Stored, by: Actor) -> bool:
    """Whether the actor may delete this file; one in a field is taken out by the field's form."""
    if attachment.get("field"):
        return False
    return may_delete(by, "attachments", is_own=attachment.get("staff_id") == by.staff_id)


def remove(attachment_id: ObjectId, *, by: Actor, at: datetime) -> Stored:
    """Moves a file into the trash; one that waits to be saved is gone at once.

    Removing what is in the trash already changes nothing. Raises NotFound, NotAllowed, or
    InvalidInput for a file in a field.
    """
    try:
        attachment = visible(attachment_id, by=by)
    except NotFound:
        if not trash.is_in_trash("attachments", attachment_id):
            raise
        return {"_id": attachment_id, "name": ""}
    if attachment["owner_kind"] == PENDING:
        _discard([attachment])
        return attachment
    trash.delete("attachments", attachment_id, by=by, at=at)
    return attachment


def restore(attachment_id: ObjectId, *, by: Actor, at: datetime) -> None:
    """Brings a file back from the trash. Raises NotFound, NotAllowed, InvalidInput."""
    trash.restore_record("attachments", attachment_id, by=by, at=at)


def purge_pending(now: datetime) -> int:
    """Removes files that were sent for records nobody saved; returns how many."""
    old = {"owner_kind": PENDING, "added_at": {"$lt": now - timedelta(hours=PENDING_HOURS)}}
    found = list(Attachment.collection().find(old))
    _discard(found)
    return len(found)


def _discard(attachments: Sequence[Stored]) -> None:
    """The document goes first: without it nobody reaches the bytes, which are cleaned up anyhow."""
    for one in attachments:
        waiting = {"_id": one["_id"], "owner_kind": PENDING}
        if Attachment.collection().delete_one(waiting).deleted_count:
            field_files.drop_bytes([one])
