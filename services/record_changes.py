"""Saves the form of a record of any kind: what was typed, checked, written, and followed up.

What is special about a kind (the texts that it is searched by, dates that follow) is in its
`Follow`, which the kind's own service hands over.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from rules.errors import N_, NotAllowed, NotFound, StaleForm
from rules.fields import Kind, Typing
from rules.permissions import CREATE, EDIT
from rules.scope import Actor, scope
from rules.three_way import clashes, touched
from services import audit, configuration, field_files, field_values, job_runs
from services.field_values import Changes
from services.kinds import collection_of, kind_of
from stores import mongo
from stores.mongo import in_transaction

Stored = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Writing:
    """One record that is being written: as it was ({} when it is new), and what becomes of it."""

    kind: Kind
    record_id: ObjectId
    before: Stored
    changes: Changes
    by: Actor
    at: datetime
    session: ClientSession

    def becomes(self, path: str) -> Any:
        """The value at this path afterwards."""
        if path in self.changes:
            return self.changes[path][1]
        return self.before.get(path)

    @property
    def after(self) -> Stored:
        """The record with its top-level changes."""
        new = {path: value for path, (_, value) in self.changes.items() if "." not in path}
        return self.before | new


@dataclass(frozen=True, slots=True)
class Saved:
    """The version of the record now, and the jobs that follow; they are in the queue already."""

    version: int
    jobs: tuple[ObjectId, ...] = ()


def _no_more(writing: Writing) -> Stored:
    return {}


def _nothing_follows(writing: Writing) -> list[ObjectId]:
    return []


@dataclass(frozen=True, slots=True)
class Follow:
    """What a kind needs beside its fields.

    Attributes:
        check: refuses what the fields alone cannot know, with InvalidInput.
        more: what else is set together with the changes.
        after: what else is written in the transaction; returns jobs for the queue.
        label: the path of what the change log calls the record; "" for its title.
    """

    check: Callable[[Writing], object] = _no_more
    more: Callable[[Writing], Stored] = _no_more
    after: Callable[[Writing], list[ObjectId]] = _nothing_follows
    label: str = ""


def update(
    kind_key: str,
    record_id: ObjectId,
    typed: Mapping[str, str],
    *,
    version: int,
    by: Actor,
    at: datetime,
    shown: Mapping[str, str] | None = None,
    follow: Follow | None = None,
) -> Saved:
    """Saves what was typed into the form of a record.

    A field that is not among `typed`, or that still says what the form showed, keeps its value.

    Args:
        typed: {field key: text}.
        version: that of the record as the form was opened.
        shown: {field key: text} as the form was opened. Given, it decides and not the version:
            a conflict is a touched field that somebody else changed.

    Raises:
        NotAllowed: the actor edits no record of the kind.
        InvalidInput: with `fields`.
        NotFound: the record is gone, or out of the actor's sight.
        StaleForm: somebody changed a touched field to something else meanwhile.
    """
    kind = kind_of(kind_key)
    if not by.may(kind_key, EDIT):
        raise NotAllowed()
    follow = follow or Follow()

    def work(session: ClientSession) -> Saved:
        before = collection_of(kind).find_one(
            {"$and": [{"_id": record_id, **kind.base}, scope(by, kind_key, EDIT)]},
            session=session,
        )
        if before is None:
            raise NotFound(
                N_("This record was deleted meanwhile. Copy your text before you leave.")
            )
        mine = _mine(kind, typed, shown, before, version, by)
        made = _changes(kind, mine, before, by, at, session, asked=typed)
        known = int(before.get("version", 1))
        if not made:
            return Saved(known)
        writing = Writing(kind, record_id, before, made, by, at, session)
        return Saved(known + 1, tuple(_write(writing, follow)))

    return _run(work, kind, record_id, by)


def create(
    kind_key: str,
    typed: Mapping[str, str],
    base: Stored,
    *,
    by: Actor,
    at: datetime,
    follow: Follow | None = None,
    record_id: ObjectId | None = None,
) -> ObjectId:
    """Adds a record with what was typed and `base` (its number, ...); returns its id.

    A field that is not among `typed` begins with its default, whether or not the actor sees it.

    Given a `record_id`, the same form sent twice adds one record.

    Raises NotAllowed, or InvalidInput with `fields`.
    """
    kind = kind_of(kind_key)
    if not by.may(kind_key, CREATE):
        raise NotAllowed()
    new_id = record_id or ObjectId()

    def work(session: ClientSession) -> Saved:
        if collection_of(kind).find_one({"_id": new_id}, {"_id": 1}, session=session):
            return Saved(1)
        allowed = field_values.editable(kind, by.access)
        made = _changes(kind, typed, {}, by, at, session, asked=list(allowed), is_new=True)
        start = {**kind.base, **base, "version": 1, "created_at": at, "updated_at": at}
        collection_of(kind).insert_one({"_id": new_id, **start}, session=session)
        writing = Writing(kind, new_id, start, made, by, at, session)
        return Saved(1, tuple(_write(writing, follow or Follow())))

    _run(work, kind, new_id, by)
    return new_id


def _run(
    work: Callable[[ClientSession], Saved], kind: Kind, record_id: ObjectId, by: Actor
) -> Saved:
    try:
        saved = in_transaction(work)
    except DuplicateKeyError as error:
        refused = field_values.duplicate(error, kind, record_id, by)
        raise (refused or error) from error
    for run_id in saved.jobs:
        job_runs.enqueue(run_id)
    return saved


def _mine(
    kind: Kind,
    typed: Mapping[str, str],
    shown: Mapping[str, str] | None,
    before: Stored,
    version: int,
    by: Actor,
) -> Mapping[str, str]:
    """What the person typed of what the form showed. Raises StaleForm."""
    if shown is None:
        if before.get("version", 1) != version:
            raise StaleForm()
        return typed
    # A draft may be older than the form it came back in: what was shown decides.
    mine = touched(shown, typed)
    allowed = field_values.editable(kind, by.access)
    if clashes(shown, field_values.form_values(allowed, before), mine):
        raise StaleForm()
    return mine


def _changes(
    kind: Kind,
    typed: Mapping[str, str],
    before: Stored,
    by: Actor,
    at: datetime,
    session: ClientSession,
    *,
    asked: Any,
    is_new: bool = False,
) -> Changes:
    typing = _typing(by, at, session)
    return field_values.changes(kind, typed, before, by.access, typing, asked=asked, is_new=is_new)


def _typing(by: Actor, at: datetime, session: ClientSession) -> Typing:
    today = at.astimezone(mongo.zone()).date()
    return field_values.typing_for(configuration.snapshot(), by, today, session)


def _write(writing: Writing, follow: Follow) -> list[ObjectId]:
    kind, before, session = writing.kind, writing.before, writing.session
    follow.check(writing)
    field_values.refuse_duplicates(kind, writing.changes, writing.record_id, writing.by, session)
    about = field_files.Change(kind, writing.record_id, writing.by, writing.at, session)
    logged = field_files.follow(writing.changes, about)
    update = field_values.update_of(writing.changes)
    is_new = "_id" not in before
    more = {"updated_at": writing.at, **follow.more(writing)}
    update["$set"] = update.get("$set", {}) | more
    if not is_new:
        update["$inc"] = {"version": 1}
    collection_of(kind).update_one({"_id": writing.record_id}, update, session=session)
    jobs = follow.after(writing)
    title = follow.label or (kind.fields[kind.title].path if kind.title in kind.fields else "code")
    audit.record(
        by=writing.by,
        at=writing.at,
        action="create" if is_new else "update",
        kind=kind.key,
        record_id=writing.record_id,
        label=str(writing.becomes(title) or before.get("code") or ""),
        changes=logged,
        session=session,
    )
    return jobs
