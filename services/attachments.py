"""Files of records: kept in GridFS, given to their record, seen by whoever sees it (S2.5).

A file is stored before its transaction, because GridFS takes part in none; what no attachment
names is an orphan and is cleaned up. In the transaction the owner is written too: a deletion of
the owner at the same time conflicts, and no file is left behind.
"""

import io
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId
from gridfs import GridOut
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from models import Attachment, TrashedRecord
from models.attachment import PENDING
from rules.errors import N_, InvalidInput, NotAllowed, NotFound
from rules.files import (
    HEAD_BYTES,
    PICTURES,
    UNKNOWN,
    UPLOAD_BYTES,
    clean_name,
    content_type,
    has_markup,
)
from rules.permissions import EDIT
from rules.scope import Actor, may_attach
from services import audit, field_files, lists
from services.attachment_copies import refresh
from services.attachment_owners import OWNERS, owner_for
from services.orphans import files as orphaned
from services.thumbnails import NotAPicture, thumbnail
from stores import files
from stores.mongo import in_transaction

Stored = dict[str, Any]
FILES_SHOWN = 200
PENDING_MOST = 50  # of one person: nobody fills the store with what is never saved
THUMBNAIL_BYTES = 1024 * 1024


# A file that stands in none of these places is nobody's, and is removed after a day.
orphaned.register(
    files.BUCKET,
    [
        (Attachment, "file_id"),
        (Attachment, "thumbnail_id"),
        (TrashedRecord, "document.file_id"),
        (TrashedRecord, "document.thumbnail_id"),
    ],
)


class FileRefused(InvalidInput):
    """A file that is not taken; the message names it and the reason."""


def add(
    owner_kind: str,
    owner_id: ObjectId,
    stream: files.Readable,
    name: str,
    *,
    by: Actor,
    at: datetime,
    upload_key: str | None = None,
) -> Stored:
    """Stores a file of a record and returns its attachment.

    Of the stream at most UPLOAD_BYTES and one byte are read. `upload_key` is a random key of the
    sender: the same file sent twice is stored once.

    Raises NotFound (the record is gone or not visible), NotAllowed, FileRefused.
    """
    if owner_kind not in OWNERS or not OWNERS[owner_kind].has_documents:
        raise NotFound()
    if not may_attach(by, owner_kind):
        raise NotAllowed()
    owner_for(owner_kind, owner_id, by, None, EDIT)
    made = _stored(stream, name, by, at, upload_key)

    def work(session: ClientSession) -> Stored:
        owner = owner_for(owner_kind, owner_id, by, session, EDIT)
        attachment = made | {
            "owner_kind": owner_kind,
            "owner_id": owner_id,
            "customer_id": OWNERS[owner_kind].customer_id(owner),
        }
        Attachment.collection().insert_one(attachment, session=session)
        _note([attachment], owner, by, at, session)
        return attachment

    return _once(made, work)


def add_pending(
    stream: files.Readable,
    name: str,
    *,
    by: Actor,
    at: datetime,
    upload_key: str | None = None,
    field: tuple[str, str] | None = None,
) -> Stored:
    """Stores a file for a record that is not saved yet: `attach` gives it to the record.

    Only its sender sees it; after attachment_removal.PENDING_HOURS it is removed.

    Args:
        field: (kind, key) of the field that it is meant for, which takes it when its form is saved;
            None: it is meant for a care entry.

    Raises NotAllowed, NotFound, or FileRefused, also for what is no picture where one is asked for.
    """
    asked = field_files.fillable(*field, by) if field else None
    if by.staff_id is None or (asked is None and not may_attach(by, "entries")):
        raise NotAllowed()
    mine = {"owner_kind": PENDING, "owner_id": by.staff_id}
    if Attachment.collection().count_documents(mine, limit=PENDING_MOST) >= PENDING_MOST:
        raise FileRefused(N_("Too many files wait to be saved. Save or remove some of them first."))
    made = _stored(stream, name, by, at, upload_key) | mine
    if asked is not None:
        try:
            field_files.refuse_other(asked, made)
        except InvalidInput as error:
            field_files.drop_bytes([made])
            raise FileRefused(error.message, **error.params) from error

    def work(session: ClientSession) -> Stored:
        Attachment.collection().insert_one(made, session=session)
        return made

    return _once(made, work)


def pending(ids: Iterable[ObjectId], *, by: Actor) -> list[Stored]:
    """The person's own files that wait, of these ids."""
    mine = {"_id": {"$in": list(ids)}, "owner_kind": PENDING, "owner_id": by.staff_id}
    return list(Attachment.collection().find(mine).sort("_id", 1))


def attach(
    ids: Sequence[ObjectId],
    owner_kind: str,
    owner_id: ObjectId,
    *,
    by: Actor,
    at: datetime,
    session: ClientSession,
) -> int:
    """Gives the person's waiting files to a record, in the transaction that saves the record.

    Raises FileRefused when one of them is gone, so that nobody believes that it was saved.
    """
    if not ids:
        return 0
    wanted = list(dict.fromkeys(ids))
    owner = owner_for(owner_kind, owner_id, by, session)
    mine = {"_id": {"$in": wanted}, "owner_kind": PENDING, "owner_id": by.staff_id}
    waiting = list(Attachment.collection().find(mine, session=session))
    if len(waiting) != len(wanted):
        raise FileRefused(
            N_("A file that you attached is not there any more. Attach it again, then save.")
        )
    given = {
        "owner_kind": owner_kind,
        "owner_id": owner_id,
        "customer_id": OWNERS[owner_kind].customer_id(owner),
    }
    Attachment.collection().update_many(mine, {"$set": given}, session=session)
    _note([one | given for one in waiting], owner, by, at, session)
    return len(waiting)


def open_file(
    attachment_id: ObjectId, *, by: Actor, is_thumbnail: bool = False
) -> tuple[Stored, GridOut]:
    """The attachment and its bytes (or those of its thumbnail), for whoever sees its record.

    Raises NotFound.
    """
    attachment = visible(attachment_id, by=by)
    file_id = attachment.get("thumbnail_id") if is_thumbnail else attachment["file_id"]
    if file_id is None:
        raise NotFound()
    try:
        return attachment, files.open_file(file_id)
    except FileNotFoundError as error:
        raise NotFound() from error


def visible(attachment_id: ObjectId, *, by: Actor) -> Stored:
    """The attachment, if the actor sees the record that it belongs to. Raises NotFound."""
    attachment = Attachment.collection().find_one({"_id": attachment_id})
    if attachment is None:
        raise NotFound()
    if attachment["owner_kind"] == PENDING:
        if attachment["owner_id"] != by.staff_id:
            raise NotFound()
        return attachment
    if attachment.get("field") and not field_files.is_seen(attachment, by):
        raise NotFound()
    owner_for(attachment["owner_kind"], attachment["owner_id"], by, None)
    return attachment


def check_seen(kind: str, record_id: ObjectId, *, by: Actor) -> None:
    """Raises NotFound for a record that has no documents, or that the actor does not see."""
    if kind not in OWNERS or not OWNERS[kind].has_documents:
        raise NotFound()
    owner_for(kind, record_id, by, None)


def of_owner(owner_id: ObjectId) -> list[Stored]:
    """The documents of a record, newest first, without the files in its fields; the caller has
    checked that the record is visible."""
    found = Attachment.collection().find({"owner_id": owner_id, "field": None})
    return list(found.sort([("added_at", -1), ("_id", -1)]).limit(FILES_SHOWN))


def of_customer(customer_id: ObjectId) -> list[Stored]:
    """The same of a customer, with those of its orders and entries."""
    found = Attachment.collection().find({"customer_id": customer_id, "field": None})
    return list(found.sort([("added_at", -1), ("_id", -1)]).limit(FILES_SHOWN))


def count(kind: str, record_id: ObjectId) -> int:
    """How many documents the page of a record lists, capped like every count of a list."""
    path = "customer_id" if kind == "customers" else "owner_id"
    return lists.capped_count(Attachment.collection(), {path: record_id, "field": None})


def _stored(
    stream: files.Readable, name: str, by: Actor, at: datetime, upload_key: str | None
) -> Stored:
    """Stores the bytes and says what they are. Raises FileRefused."""
    clean = clean_name(name) or "file"
    try:
        saved = files.save(stream, clean, limit=UPLOAD_BYTES, head_bytes=HEAD_BYTES)
    except files.TooLarge as error:
        raise FileRefused(
            N_("“%(name)s” is larger than %(limit)s MB. Make it smaller or send it in parts."),
            name=clean,
            limit=UPLOAD_BYTES // 1024 // 1024,
        ) from error
    if not saved.size_bytes:
        files.delete(saved.file_id)
        raise FileRefused(N_("“%(name)s” is empty. Check the file and send it again."), name=clean)
    try:
        found, thumbnail_id = _judged(saved)
    except BaseException:
        files.delete(saved.file_id)
        raise
    return {
        "_id": ObjectId(),
        "file_id": saved.file_id,
        "thumbnail_id": thumbnail_id,
        "name": clean,
        "content_type": found,
        "size_bytes": saved.size_bytes,
        "sha256": saved.sha256,
        "added_at": at,
        "staff_id": by.staff_id,
        "staff_name": by.name,
        "version": 1,
    } | ({"upload_key": upload_key} if upload_key else {})


def _judged(saved: files.Saved) -> tuple[str, ObjectId | None]:
    """(content type, thumbnail) of stored bytes; UNKNOWN for whatever is not quite what it says."""
    found = content_type(saved.head)
    if found == UNKNOWN:
        return found, None
    with files.open_file(saved.file_id) as file:
        if has_markup(files.chunks(file)):
            return UNKNOWN, None
        if found not in PICTURES:
            return found, None
        try:
            small = thumbnail(file, found)
        except NotAPicture:
            return UNKNOWN, None
    kept = files.save(io.BytesIO(small), "thumbnail", limit=THUMBNAIL_BYTES)
    return found, kept.file_id


def _once(made: Stored, work: Callable[[ClientSession], Stored]) -> Stored:
    """Runs the transaction; a file that was sent before under the same key is the answer."""
    try:
        return in_transaction(work)
    except DuplicateKeyError:
        field_files.drop_bytes([made])
        before = Attachment.collection().find_one(
            {"upload_key": {"$eq": made.get("upload_key"), "$type": "string"}}
        )
        if before is None or before.get("staff_id") != made["staff_id"]:
            raise NotFound() from None
        return before
    except BaseException:
        field_files.drop_bytes([made])
        raise


def _note(
    attachments: Sequence[Stored], owner: Stored, by: Actor, at: datetime, session: ClientSession
) -> None:
    """The owner's own list, and who attached what to it."""
    first = attachments[0]
    refresh([(first["owner_kind"], first["owner_id"], first["customer_id"])], session, at=at)
    audit.record(
        by=by,
        at=at,
        action="attach",
        kind=first["owner_kind"],
        record_id=first["owner_id"],
        label=OWNERS[first["owner_kind"]].label(owner),
        changes={"attachments": (None, [one["name"] for one in attachments])},
        session=session,
    )
