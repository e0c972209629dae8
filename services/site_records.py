"""Records of the kinds that a site defined (B.14): added, changed, and who may see them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import Customer, Record
from rules.errors import N_, InvalidInput, NotFound
from rules.filters import Criteria
from rules.permissions import SEE
from rules.scope import NOTHING, Actor, customer_scope, scope
from rules.text import search_text
from services import configuration, numbers, record_changes
from services.record_changes import Follow, Saved, Writing
from services.record_scope import seeing, seen_by

Stored = dict[str, Any]
COLLECTION = "records"


def create(
    kind: str,
    typed: Mapping[str, str],
    *,
    by: Actor,
    at: datetime,
    record_id: ObjectId | None = None,
    code: str = "",
) -> ObjectId:
    """Adds a record with this number, or the next one of its kind; given a `record_id`, once.

    Raises NotAllowed, InvalidInput with `fields`, or DuplicateKeyError for a `code` that is taken.
    """
    base: Stored = dict(Record().to_mongo().to_dict())
    base |= {"kind": kind, "code": code or numbers.next_code(kind, COLLECTION)}
    return record_changes.create(
        kind, typed, base, by=by, at=at, follow=_follow(), record_id=record_id
    )


def update(
    kind: str,
    record_id: ObjectId,
    typed: Mapping[str, str],
    *,
    version: int,
    by: Actor,
    at: datetime,
    shown: Mapping[str, str] | None = None,
) -> Saved:
    """Saves the form of a record; see `record_changes.update`."""
    return record_changes.update(
        kind, record_id, typed, version=version, by=by, at=at, shown=shown, follow=_follow()
    )


def read(kind: str, record_id: ObjectId, *, by: Actor) -> Stored:
    """The whole record. Raises NotFound, also for one that the actor may not see."""
    wanted = {"_id": record_id, "kind": kind}
    found = Record.collection().find_one({"$and": [wanted, scope(by, kind)]})
    if found is None:
        raise NotFound()
    return found


def cared_for(
    record_id: ObjectId, *, by: Actor, session: ClientSession | None = None
) -> Stored | None:
    """The record, if the actor may see it and its kind is one that is cared for; else None."""
    kinds = configuration.snapshot().kinds
    cared = [key for key, one in kinds.items() if one.has_care and not one.is_retired]
    wanted = {"_id": record_id, "kind": {"$in": cared}}
    seen = {"$and": [wanted, scope_of_all(by, SEE)]}
    return Record.collection().find_one(seen, session=session)


def has_cared_kinds() -> bool:
    """Whether the site has kinds of its own that are cared for."""
    kinds = configuration.snapshot().kinds.values()
    return any(one.has_care and one.collection == COLLECTION for one in kinds)


def entries_scope(by: Actor) -> Criteria:
    """Care entries but those about records of kinds that the actor may not see at all."""
    kinds = configuration.snapshot().kinds.values()
    ours = [one.key for one in kinds if one.collection == COLLECTION]
    hidden = [key for key in ours if not by.may(key, SEE)]
    return {"record_kind": {"$nin": hidden}} if hidden else {}


def said(entries: Iterable[Stored], *, by: Actor) -> list[Stored]:
    """The entries without those about records that the actor may not see."""
    found = list(entries)
    about = {one["record_id"] for one in found if one.get("record_id")}
    if not about:
        return found
    wanted = {"$and": [{"_id": {"$in": list(about)}}, scope_of_all(by, SEE)]}
    seen = {row["_id"] for row in Record.collection().find(wanted, {"_id": 1})}
    return [one for one in found if one.get("record_id") is None or one["record_id"] in seen]


def of_customer(kind: str, customer_id: ObjectId, *, by: Actor, limit: int = 50) -> list[Stored]:
    """The customer's records of a kind that the actor may see, newest first."""
    wanted = {"customer_id": customer_id, "kind": kind}
    found = Record.collection().find({"$and": [wanted, scope(by, kind)]})
    return list(found.sort("created_at", -1).limit(limit))


def scope_of_all(by: Actor, action: str) -> Criteria:
    """The records of all kinds of the site together with which the actor may do this."""
    kinds = configuration.snapshot().kinds.values()
    parts = [
        {"$and": [{"kind": one.key}, scope(by, one.key, action)]}
        for one in kinds
        if one.collection == COLLECTION
    ]
    return {"$or": parts} if parts else NOTHING


def search_fields(record: Mapping[str, Any]) -> Stored:
    """`search` and `search_words` as they follow from title and number (B.4)."""
    folded = search_text(record.get("title"), record.get("code"))
    return {"search": folded, "search_words": list(dict.fromkeys(folded.split()))}


def _follow() -> Follow:
    return Follow(check=_check, more=_more)


def _check(writing: Writing) -> None:
    """A customer that is out of sight cannot be named, whatever its id."""
    if "customer_id" not in writing.changes or writing.becomes("customer_id") is None:
        return
    wanted = {"_id": writing.becomes("customer_id")}
    seen = {"$and": [wanted, customer_scope(writing.by)]}
    if Customer.collection().find_one(seen, {"_id": 1}, session=writing.session) is None:
        raise InvalidInput(fields={"customer": InvalidInput(N_("Choose a value from the list."))})


def _more(writing: Writing) -> Stored:
    after = writing.after
    followed = seeing({after.get("customer_id")}, writing.session)
    return search_fields(after) | {"seen_by": seen_by(after, followed)}
