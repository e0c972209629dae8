"""The newest files as their owner and its customer repeat them, so that a page needs no query."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import Attachment
from models.attachment import EMBEDDED_KEPT, PENDING
from stores import mongo

Stored = dict[str, Any]
Place = tuple[str, ObjectId, ObjectId | None]  # owner's kind, owner's id, customer's id
ANY: Stored = {"$exists": True}
FIELDS = ("name", "content_type", "size_bytes", "added_at", "staff_id", "staff_name")


def refresh(
    places: Iterable[Place], session: ClientSession, *, at: datetime, is_held: bool = True
) -> None:
    """Brings the embedded lists of these owners and customers in line.

    `is_held`: both are written in any case, which makes a deletion of the owner at the same time
    conflict; else only where something differs.
    """
    wanted: dict[tuple[str, ObjectId], Stored] = {}
    for kind, owner_id, customer_id in places:
        if customer_id is not None:
            wanted["customers", customer_id] = {"customer_id": customer_id, "field": None}
        if kind not in ("customers", PENDING):
            wanted[kind, owner_id] = {"owner_id": owner_id, "field": None}
    for (kind, record_id), criteria in wanted.items():
        newest = (
            Attachment.collection()
            .find(criteria, session=session)
            .sort([("added_at", -1), ("_id", -1)])
            .limit(EMBEDDED_KEPT)
        )
        copies = [embedded(one) for one in newest]
        differs: Stored = {"attachments": {"$ne": copies}} if copies else {"attachments.0": ANY}
        mongo.database()[kind].update_one(
            {"_id": record_id} | ({} if is_held else differs),
            {
                "$set": {"attachments": copies, "updated_at": at},
                "$inc": {"version": 1},
            },
            session=session,
        )


def embedded(attachment: Stored) -> Stored:
    """The copy of an attachment (models.attachment.EmbeddedAttachment)."""
    return {
        "attachment_id": attachment["_id"],
        **{name: attachment.get(name) for name in FIELDS},
        "has_thumbnail": attachment.get("thumbnail_id") is not None,
    }
