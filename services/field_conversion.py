"""Changes of a field's type: what would become of the values, and the job that converts them.

What a value was before stays in `custom_before.<key>`, so that going back gives back what nobody
has changed since, for as long as the site keeps what is in the trash (`forget_before`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from models import Attachment
from rules import conversions
from rules.conversions import CONVERTED, KEPT, LOST, Names
from rules.fields import FILES, Field, Kind, Typing
from rules.files import PICTURES
from rules.filters import merge
from rules.kinds import site_field
from rules.record_paths import value_at
from rules.scope import SYSTEM, Actor, scope
from services import (
    bulk,
    configuration,
    field_files,
    field_indexes,
    field_values,
    references,
)
from services.configuration import Configuration
from services.configuration_changes import Content
from services.kinds import collection_of
from services.progress import NoProgress, Progress
from stores import mongo

Stored = dict[str, Any]

LOOKED_AT = 20_000  # records of a preview; a page should come within a few seconds
SAMPLES = 5
BATCH = 1000
FORGOTTEN = 200  # records of a transaction: forms may be saved at the same time
BEFORE = "custom_before"
BEFORE_AT = "custom_before_at"  # when the newest of them was kept


@dataclass(frozen=True, slots=True)
class Sample:
    """A value that would be lost, and the record that has it."""

    label: str
    value: Any


@dataclass(slots=True)
class Loss:
    """What a change of type does to the values that are there; `values` of them were looked at."""

    values: int = 0
    kept: int = 0
    converted: int = 0
    lost: int = 0
    is_partial: bool = False
    lost_samples: list[Sample] = field(default_factory=list)
    converted_samples: list[tuple[Any, Any]] = field(default_factory=list)


def is_needed(before: Content, after: Content) -> bool:
    """Whether stored values mean something else under the new definition."""
    parts = ("type", "pick_list")
    return any(before.get(name) != after.get(name) for name in parts)


def preview(
    config: Configuration,
    kind: Kind,
    key: str,
    before: Content,
    after: Content,
    *,
    by: Actor,
    at: datetime,
) -> Loss:
    """Counts what would become of the values of the newest records; samples are of those that the
    actor sees.
    """
    turn = _Turn(config, kind, key, before, after, at)
    told = _told(turn, kind, by)
    loss = Loss()
    wanted = {turn.old.path: 1, BEFORE: 1, **dict.fromkeys(_naming(kind), 1)}
    rows = turn.collection.find({**kind.base, **turn.concerned}, wanted)
    for row in rows.sort("_id", -1).limit(LOOKED_AT):
        value = value_at(row, turn.old.path)
        what, new = turn.becomes(row)
        if value is None and new is None:
            continue
        loss.values += 1
        setattr(loss, what, getattr(loss, what) + 1)
        if not told(row["_id"]):
            continue
        if what == LOST and len(loss.lost_samples) < SAMPLES:
            label = " · ".join(str(row.get(path) or "") for path in _naming(kind)).strip(" ·")
            loss.lost_samples.append(Sample(label, turn.shown(value)))
        if what == CONVERTED and len(loss.converted_samples) < SAMPLES:
            loss.converted_samples.append((turn.shown(value), turn.shown_new(new)))
    loss.is_partial = loss.values >= LOOKED_AT
    return loss


def _told(turn: "_Turn", kind: Kind, by: Actor) -> Callable[[ObjectId], bool]:
    """Whether the actor sees this record, the field as it is, and what it refers to."""
    targets = (references.TARGETS.get(one.refers_to or "") for one in (turn.old, turn.new))
    if not by.access.sees(kind.key, turn.old.key) or any(
        one is not None and one.scope(by) for one in targets
    ):
        return lambda _: False
    mine = scope(by, kind.key)
    if not mine:
        return lambda _: True
    rows = turn.collection.find(merge([{**kind.base, **turn.concerned}, mine]), {"_id": 1})
    seen = {row["_id"] for row in rows.sort("_id", -1).limit(LOOKED_AT)}
    return seen.__contains__


def convert(
    kind: str, key: str, before: Content, after: Content, progress: Progress | None = None
) -> None:
    """Converts the values of all records, and brings the indexes in line.

    Run twice, or killed half-way and run again, the result is the same: a value that is converted
    already reads as itself under the new type. Raises Cancelled.
    """
    progress = progress or NoProgress()
    config = configuration.snapshot()
    known = config.kinds.get(kind)
    if known is None:
        return
    turn = _Turn(config, known, key, before, after, datetime.now(UTC))

    def work(ids: Sequence[ObjectId]) -> None:
        # What a value was before is read and written back at one moment: the purge may forget it,
        # and delete the files that it names, just then.
        done = mongo.in_transaction(lambda session: turn.convert(ids, session))
        for name, number in done.items():
            progress.count(f"values_{name}", number)

    # While values are on their way from one type to the other, an index that demands that they
    # differ would be in the way.
    concerned = {**known.base, **turn.concerned}
    bulk.over(turn.collection, concerned, work, progress, step="values", size=BATCH)
    field_indexes.bring_in_line(kind, progress)


def forget_before(
    limit: datetime, progress: Progress | None = None, *, by: Actor = SYSTEM, at: datetime
) -> None:
    """Removes what values were before a change of type that is older than `limit`, and the files
    that only these values named.

    A record keeps all of them until the newest one is too old. Raises Cancelled.
    """
    progress = progress or NoProgress()
    kinds = [kind for kind in configuration.snapshot().kinds.values() if kind.custom_fields]
    too_old = {BEFORE_AT: {"$lt": limit}}
    for name in dict.fromkeys(kind.collection for kind in kinds):
        collection = mongo.database()[name]

        def work(ids: Sequence[ObjectId], collection: Collection[Stored] = collection) -> None:
            done, files = _forget(collection, {"_id": {"$in": list(ids)}, **too_old}, by, at)
            if done:
                progress.count("values_forgotten", done)
            if files:
                progress.count("files_forgotten", files)

        step = f"values-{name}"
        bulk.over(collection, too_old, work, progress, step=step, size=FORGOTTEN, is_whole=False)


def _forget(
    collection: Collection[Stored], criteria: Stored, by: Actor, at: datetime
) -> tuple[int, int]:
    """How many records forgot their values, and how many files went with these.

    In one transaction: without the old value nothing would lead to its files any more.
    """

    def work(session: ClientSession) -> tuple[int, list[Stored]]:
        ids = [row["_id"] for row in collection.find(criteria, {"_id": 1}, session=session)]
        gone = {"$unset": {BEFORE: "", BEFORE_AT: ""}}
        collection.update_many({"_id": {"$in": ids}}, gone, session=session)
        return len(ids), field_files.purge_unnamed(collection, ids, by=by, at=at, session=session)

    done, files = mongo.in_transaction(work)
    field_files.drop_bytes(files)
    return done, len(files)


class _Turn:
    """One change of type."""

    def __init__(
        self,
        config: Configuration,
        kind: Kind,
        key: str,
        before: Content,
        after: Content,
        at: datetime,
    ) -> None:
        lists = frozenset(config.pick_lists)
        self.old: Field = site_field(key, before, lists)
        self.new: Field = site_field(key, after, lists)
        self.collection: Collection[Stored] = collection_of(kind)
        self._key = key
        self._at = at
        self._config = config
        today = at.astimezone(mongo.zone()).date()
        self._typing: Typing = field_values.typing_for(config, SYSTEM, today)
        self._names: Names = self._called

    @property
    def concerned(self) -> Stored:
        """The records that have a value, or had one that was lost."""
        kept = f"{BEFORE}.{self._key}"
        return {"$or": [{self.old.path: {"$exists": True}}, {kept: {"$exists": True}}]}

    def becomes(self, row: Stored) -> tuple[str, Any]:
        """(what happens, the stored value afterwards) of the record's value."""
        stored = value_at(row, self.old.path)
        kept = (row.get(BEFORE) or {}).get(self._key)
        if isinstance(kept, dict) and kept.get("became") == stored:
            if self._had(kept, self.old):
                return KEPT, stored  # converted by an attempt before this one
            if self._had(kept, self.new):
                return CONVERTED, kept["value"]
        if stored is None:
            return KEPT, None
        if self.new.family == FILES:
            return self._files(stored)
        value = self._read(stored)
        what, new = conversions.convert(self.old, self.new, value, self._typing, self._names)
        return what, field_values.stored(self.new, new)

    def convert(self, ids: Sequence[ObjectId], session: ClientSession) -> dict[str, int]:
        """Converts the values of these records; {what: how many}."""
        counts = {KEPT: 0, CONVERTED: 0, LOST: 0}
        writes = []
        wanted = {self.old.path: 1, BEFORE: 1}
        for row in self.collection.find({"_id": {"$in": list(ids)}}, wanted, session=session):
            stored = value_at(row, self.old.path)
            what, new = self.becomes(row)
            if stored is None and new is None:
                continue
            counts[what] += 1
            if what != KEPT:
                writes.append(self._write(row["_id"], stored, new))
        if writes:
            self.collection.bulk_write(writes, ordered=False, session=session)
        return counts

    def shown(self, value: Any) -> Any:
        """A stored value of the old type: a number, or the text that a form shows."""
        return self._said(self.old, value)

    def shown_new(self, value: Any) -> Any:
        return self._said(self.new, value)

    def _said(self, of: Field, value: Any) -> Any:
        found = field_values.from_stored(of, value)
        if isinstance(found, int | Decimal) and not isinstance(found, bool):
            return found
        called = self._called(of, found) if of.refers_to or of.pick_list else ""
        return (called or field_values.form_text(of, found))[:120]

    @staticmethod
    def _had(kept: Stored, of: Field) -> bool:
        """Whether what was kept is a value of this field."""
        return kept.get("type") == of.type and kept.get("pick_list", "") == of.pick_list

    def _read(self, stored: Any) -> Any:
        value = field_values.from_stored(self.old, stored)
        # A whole number that somebody typed under the new type while this runs, or an import left.
        return (
            str(value) if self.old.family == "text" and not isinstance(value, str | list) else value
        )

    def _write(self, record_id: ObjectId, stored: Any, new: Any) -> UpdateOne:
        kept = {
            "type": self.old.type,
            "pick_list": self.old.pick_list,
            "value": stored,
            "became": new,
        }
        update: Stored = {
            "$set": {f"{BEFORE}.{self._key}": kept, BEFORE_AT: self._at},
            "$inc": {"version": 1},
        }
        if new is None:
            update["$unset"] = {self.old.path: ""}
        else:
            update["$set"][self.old.path] = new
        # Whoever changed the value meanwhile did so under the new type: that stays.
        return UpdateOne({"_id": record_id, self.old.path: stored}, update)

    def _files(self, stored: Any) -> tuple[str, Any]:
        """What becomes of a value in a field of files: nothing else can turn into a file, and a
        field of pictures has pictures only."""
        if self.old.family != FILES or not isinstance(stored, list):
            return LOST, None
        if self.new.type == "picture":
            others = {"_id": {"$in": stored}, "content_type": {"$nin": list(PICTURES)}}
            if Attachment.collection().find_one(others, {"_id": 1}):
                return LOST, None
        return KEPT, stored

    def _called(self, of: Field, value: Any) -> str:
        if of.pick_list:
            picked = self._config.value(of.pick_list, str(value))
            return picked.label_vi if picked else ""
        if of.refers_to and value is not None:
            ids = value if isinstance(value, list) else [value]
            names = references.names(of.refers_to, ids, by=SYSTEM)
            return ", ".join(names[one] for one in ids if one in names)
        return ""


def _naming(kind: Kind) -> list[str]:
    """Where the number and the name of a record stand."""
    return list(
        dict.fromkeys(
            kind.fields[key].path for key in (kind.code, kind.title) if key in kind.fields
        )
    )
