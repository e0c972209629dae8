"""Files in fields: given to a record with its form, taken out into the trash, seen like the field.

The value of such a field is a list of ids of attachments. Each of them names its place
("kind.key"), so that it is reached through the field alone: a file in a field that a person may
not see is not there for that person, whatever its id.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from models import Attachment, TrashedRecord
from models.attachment import PENDING
from rules import field_values
from rules.errors import N_, InvalidInput, NotAllowed, NotFound
from rules.fields import FILES, Field, Kind
from rules.files import PICTURES
from rules.filters import Criteria
from rules.permissions import CREATE, EDIT, EDITED
from rules.record_paths import value_at
from rules.scope import Actor, scope
from rules.text import fold
from services import audit, configuration
from services.kinds import collection_of, kind_of
from stores import files

Stored = dict[str, Any]
Changes = dict[str, tuple[Any, Any]]
TRASH_WORDS = 20


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes the files of which record, and when."""

    kind: Kind
    record_id: ObjectId
    by: Actor
    at: datetime
    session: ClientSession


def place_of(kind: str, key: str) -> str:
    """Where a file stands: what its attachment says in `field`."""
    return f"{kind}.{key}"


def fillable(kind_key: str, key: str, by: Actor) -> Field:
    """The field, for an actor who may give files to it. Raises NotFound, NotAllowed."""
    field = kind_of(kind_key).fields.get(key)
    is_theirs = by.access.level(kind_key, key) == EDITED and (
        by.may(kind_key, EDIT) or by.may(kind_key, CREATE)
    )
    if field is None or field.family != FILES or not field.is_usable or not is_theirs:
        raise NotAllowed()
    return field


def refuse_other(field: Field, attachment: Stored) -> None:
    """Raises InvalidInput for a file that the field does not take: pictures take pictures only."""
    if field.type == "picture" and attachment["content_type"] not in PICTURES:
        raise InvalidInput(
            N_("“%(name)s” is no picture. Choose a PNG, JPEG, GIF or WebP file."),
            name=attachment["name"],
        )


def is_seen(attachment: Mapping[str, Any], by: Actor) -> bool:
    """Whether the actor sees the field that the file stands in; its record is another question."""
    kind_key, _, key = str(attachment["field"]).partition(".")
    kind = configuration.snapshot().kinds.get(kind_key)
    field = kind.fields.get(key) if kind else None
    is_there = field is not None and field.is_usable and field.family == FILES
    return is_there and by.access.sees(kind_key, key)


def rows(
    ids: Iterable[Any], field: Field, kind: Kind, record_id: Any, *, by: Actor
) -> list[Stored]:
    """The attachments of these ids, in this order: those of the field of the record, and what the
    actor has sent and not saved yet.
    """
    wanted = [one for one in dict.fromkeys(ids) if isinstance(one, ObjectId)]
    if not wanted:
        return []
    either = [
        {"owner_id": record_id, "field": place_of(kind.key, field.key)},
        {"owner_kind": PENDING, "owner_id": by.staff_id},
    ]
    found = Attachment.collection().find({"_id": {"$in": wanted}, "$or": either})
    known = {row["_id"]: row for row in found}
    return [known[one] for one in wanted if one in known]


def follow(changes: Changes, change: Change) -> Changes:
    """Brings the files in line with what becomes of their fields, in the transaction of the change.

    New ones are given to the record, those of an earlier version come back from the trash, and what
    was taken out goes there. Returns the changes as the change log keeps them, with names.

    Raises InvalidInput with `fields` for a file that is gone, or of the wrong type.
    """
    logged = dict(changes)
    for field in change.kind.fields.values():
        if field.family == FILES and field.path in changes:
            before, after = (_ids(value) for value in changes[field.path])
            known = _known([*before, *after], change.session)
            for file_id in after:
                if file_id not in before:
                    _give(file_id, field, change)
            _take_out([one for one in before if one not in after], change)
            known |= _known(after, change.session)
            logged[field.path] = (_named(before, known), _named(after, known))
    return logged


def with_names(ids: Any) -> list[Stored] | None:
    """A stored value as the change log keeps it: [{file, name}]; None for none."""
    found = _ids(ids)
    return _named(found, _known(found, None)) if found else None


def text_of(value: Any) -> str:
    """A value of the change log as the form would have it."""
    if isinstance(value, str):
        return value
    return ", ".join(
        str(one["file"]) if isinstance(one, Mapping) else str(one) for one in value or ()
    )


def put_back(document: Stored, by: Actor, at: datetime, session: ClientSession) -> None:
    """Puts a file that comes back from the trash into its field again.

    Raises NotAllowed, NotFound, or InvalidInput when the field takes it no more.
    """
    kind_key, _, key = document["field"].partition(".")
    kind = configuration.snapshot().kinds.get(kind_key)
    field = kind.fields.get(key) if kind else None
    if kind is None or field is None or field.family != FILES:
        raise InvalidInput(
            N_("The field of “%(name)s” takes no files any more."), name=document["name"]
        )
    if not by.may(kind_key, EDIT) or by.access.level(kind_key, key) != EDITED:
        raise NotAllowed()
    mine = {"$and": [{"_id": document["owner_id"], **kind.base}, scope(by, kind_key, EDIT)]}
    collection = collection_of(kind)
    record = collection.find_one(mine, session=session)
    if record is None:
        raise NotFound()
    before = _ids(value_at(record, field.path))
    if document["_id"] in before:
        return
    after = [document["_id"], *before]
    _refuse_too_many(field, after)
    collection.update_one(
        {"_id": record["_id"]},
        {"$set": {field.path: after, "updated_at": at}, "$inc": {"version": 1}},
        session=session,
    )
    known = _known(after, session)
    title = kind.fields[kind.title].path if kind.title in kind.fields else "code"
    audit.record(
        by=by,
        at=at,
        action="update",
        kind=kind_key,
        record_id=record["_id"],
        label=str(value_at(record, title) or record.get("code") or ""),
        changes={field.path: (_named(before, known), _named(after, known))},
        session=session,
    )


def purge_unnamed(
    collection: Collection[Stored],
    record_ids: Sequence[ObjectId],
    *,
    by: Actor,
    at: datetime,
    session: ClientSession,
) -> list[Stored]:
    """Deletes for good the files in fields that no value of these records names any more.

    A change of type leaves them behind, for going back. Returns them: their bytes are to be dropped
    after the transaction.
    """
    mine = {"owner_kind": collection.name, "owner_id": {"$in": list(record_ids)}}
    found = list(Attachment.collection().find(mine | {"field": {"$ne": None}}, session=session))
    owners = {"_id": {"$in": [one["owner_id"] for one in found]}}
    rows = collection.find(owners, {"custom": 1}, session=session) if found else ()
    named = {row["_id"]: _all_ids(row.get("custom") or {}) for row in rows}
    # A record that is not there is on its way into the trash, and takes its files along.
    gone = [one for one in found if one["_id"] not in named.get(one["owner_id"], {one["_id"]})]
    if gone:
        chosen = {"_id": {"$in": [one["_id"] for one in gone]}}
        Attachment.collection().delete_many(chosen, session=session)
    for one in gone:
        # Who may read the log may lack the field, so that the name is not said.
        audit.record(
            by=by,
            at=at,
            action="purge",
            kind="attachments",
            record_id=one["_id"],
            label="",
            changes={},
            session=session,
        )
    return gone


def drop_bytes(attachments: Iterable[Stored]) -> None:
    """Deletes what the files hold; those that a killed process leaves are found as orphans."""
    for one in attachments:
        files.delete(one["file_id"])
        files.delete(one.get("thumbnail_id"))


def trash_criteria(by: Actor) -> Criteria:
    """What of the trash is hidden with the fields that the actor may not see."""
    kinds = configuration.snapshot().kinds.values()
    unseen = [
        place_of(kind.key, field.key)
        for kind in kinds
        for field in kind.custom_fields
        if not by.access.sees(kind.key, field.key)
    ]
    return {"document.field": {"$nin": unseen}} if unseen else {}


def _refuse_too_many(field: Field, after: Sequence[ObjectId]) -> None:
    most = int(field.maximum) if field.maximum.isdecimal() else field_values.FILES_KEPT
    if len(after) > most:
        raise InvalidInput(
            N_("The field has %(limit)s files and takes no more. Remove one first."), limit=most
        )


def _ids(value: Any) -> list[ObjectId]:
    return [one for one in value or () if isinstance(one, ObjectId)]


def _all_ids(custom: Mapping[str, Any]) -> set[ObjectId]:
    return {one for value in custom.values() if isinstance(value, list) for one in _ids(value)}


def _known(ids: Iterable[ObjectId], session: ClientSession | None) -> dict[ObjectId, str]:
    """{id: name}, of those in the trash too."""
    wanted = {"$in": list(ids)}
    found = Attachment.collection().find({"_id": wanted}, {"name": 1}, session=session)
    names = {row["_id"]: row["name"] for row in found}
    gone = {"kind": "attachments", "record_id": wanted}
    trashed = TrashedRecord.collection().find(
        gone, {"record_id": 1, "record_label": 1}, session=session
    )
    return {row["record_id"]: row["record_label"] for row in trashed} | names


def _named(ids: Iterable[ObjectId], known: Mapping[ObjectId, str]) -> list[Stored]:
    return [{"file": one, "name": known.get(one, "?")} for one in ids]


def _give(file_id: ObjectId, field: Field, change: Change) -> None:
    """Makes a file one of the field's: sent and waiting, or taken out before."""
    place = {"owner_id": change.record_id, "field": place_of(change.kind.key, field.key)}
    waiting = {"_id": file_id, "owner_kind": PENDING, "owner_id": change.by.staff_id}
    either = {"_id": file_id, **place}
    found = Attachment.collection().find_one({"$or": [waiting, either]}, session=change.session)
    found = found or _from_trash(file_id, place, change)
    if found is None:
        error = InvalidInput(
            N_(
                "A file is not there any more: it was deleted for good, or never arrived. "
                "Attach it again, then save."
            )
        )
        raise InvalidInput(fields={field.key: error})
    try:
        refuse_other(field, found)
    except InvalidInput as error:
        raise InvalidInput(fields={field.key: error}) from error
    given = {"owner_kind": change.kind.collection, **place}
    Attachment.collection().update_one({"_id": file_id}, {"$set": given}, session=change.session)


def _from_trash(file_id: ObjectId, place: Stored, change: Change) -> Stored | None:
    """Brings back a file that was taken out of this field; None for any other one."""
    mine = {
        "kind": "attachments",
        "record_id": file_id,
        "is_root": True,
        "is_purging": {"$ne": True},
        **{f"document.{name}": value for name, value in place.items()},
    }
    entry = TrashedRecord.collection().find_one_and_delete(mine, session=change.session)
    if entry is None:
        return None
    document: Stored = entry["document"]
    Attachment.collection().insert_one(document, session=change.session)
    return document


def _take_out(ids: Sequence[ObjectId], change: Change) -> None:
    """Moves files into the trash, each as a batch of its own: the change log says that they went
    with their field."""
    gone = {"_id": {"$in": list(ids)}, "owner_id": change.record_id}
    documents = list(Attachment.collection().find(gone, session=change.session))
    if not documents:
        return
    entries = [_trashed(one, change) for one in documents]
    TrashedRecord.collection().insert_many(entries, session=change.session)
    Attachment.collection().delete_many(gone, session=change.session)


def _trashed(document: Stored, change: Change) -> Stored:
    """The entry of the trash, as services/trash.py makes them."""
    batch_id = ObjectId()
    return {
        "_id": batch_id,
        "batch_id": batch_id,
        "is_root": True,
        "kind": "attachments",
        "record_id": document["_id"],
        "record_label": document["name"],
        "owner_ids": [document["owner_id"]],
        "counts": {},
        "search_words": list(dict.fromkeys(fold(document["name"]).split()))[:TRASH_WORDS],
        "deleted_at": change.at,
        "staff_id": change.by.staff_id,
        "staff_name": change.by.name,
        "document": document,
    }
