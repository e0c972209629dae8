"""Merges two values of a pick list: every record follows by a job, and it can be undone (B.5)."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from models import Customer, Interaction, RelationshipSetup, ValueMove
from rules import conditions
from rules.conditions import Condition, Group
from rules.errors import N_, InvalidInput, NotAllowed
from rules.permissions import CONFIGURE
from rules.record_paths import value_at
from rules.scope import Actor
from services import bulk, configuration, configuration_changes, job_runs, pick_lists
from services.configuration import Configuration
from services.configuration_changes import Change
from services.kinds import collection_of
from services.pick_lists import Use
from services.progress import NoProgress, Progress
from stores import mongo
from stores.mongo import in_transaction

Stored = dict[str, Any]

UNDO_DAYS = 30
BATCH = 1000
# Texts in the configuration that are conditions, or values.
CONDITIONS = ("where", "visible_when")
VALUES = ("default",)
FEEDBACK = "feedback"
HISTORY = "history.feedback"  # copies of the newest entries, in their customer


@dataclass(frozen=True, slots=True)
class Merge:
    """What a merge would change: records per field, and definitions that name the value."""

    records: list[tuple[Use, int]]
    definitions: int

    @property
    def total(self) -> int:
        return sum(number for _, number in self.records)


def preview(config: Configuration, list_key: str, old: str, new: str) -> Merge:
    """Raises InvalidInput when the two cannot be merged."""
    _checked(config, list_key, old, new)
    found = []
    for use in pick_lists.uses(config, list_key):
        collection = collection_of(use.kind)
        number = collection.count_documents({**use.kind.base, use.field.path: old})
        if number:
            found.append((use, number))
    return Merge(found, len(list(_definitions(config, list_key, old, new))))


def merge(list_key: str, old: str, new: str, *, version: int, by: Actor, at: datetime) -> ObjectId:
    """Retires `old` in favour of `new`; the job that moves the records.

    Raises NotAllowed, NotFound, StaleForm or InvalidInput.
    """
    if not by.can(CONFIGURE):
        raise NotAllowed()
    config = configuration.snapshot()
    _checked(config, list_key, old, new)
    content, _ = pick_lists.stored(list_key)
    key = secrets.token_hex(8)
    note = {"into": new, "key": key, "at": at.isoformat()}
    values = [
        {**one, "retired": True, "merged": note} if one["key"] == old else one
        for one in content["values"]
    ]
    changes = [
        Change(pick_lists.SECTION, list_key, {**content, "values": values}, version=version),
        *_definitions(config, list_key, old, new),
    ]
    says = f"{_label(content, old)} → {_label(content, new)}"
    arguments = {"list_key": list_key, "old": old, "new": new, "merge": key}
    return _start(changes, says, "merge_values", arguments, by, at)


def undo(list_key: str, old: str, *, version: int, by: Actor, at: datetime) -> ObjectId:
    """Brings a merged value back, on every record that still has what the merge gave it.

    Raises NotAllowed, NotFound, StaleForm, or InvalidInput when it is too late.
    """
    if not by.can(CONFIGURE):
        raise NotAllowed()
    content, _ = pick_lists.stored(list_key)
    value: Stored = next((one for one in content["values"] if one["key"] == old), {})
    note = value.get("merged")
    if not note or at - datetime.fromisoformat(note["at"]) > timedelta(days=UNDO_DAYS):
        raise InvalidInput(
            N_("This was merged more than %(days)s days ago, or not at all."), days=UNDO_DAYS
        )
    values = [
        {name: part for name, part in one.items() if name != "merged"} | {"retired": False}
        if one["key"] == old
        else one
        for one in content["values"]
    ]
    changes = [Change(pick_lists.SECTION, list_key, {**content, "values": values}, version=version)]
    says = f"{_label(content, old)} ← {_label(content, note['into'])}"
    return _start(changes, says, "unmerge_values", {"merge": note["key"]}, by, at)


def move(
    list_key: str, old: str, new: str, merge: str, *, at: datetime, progress: Progress | None = None
) -> None:
    """Gives every record with `old` the value `new` instead, and notes what it had before.

    Run twice, the result is the same. Raises Cancelled.
    """
    progress = progress or NoProgress()
    config = configuration.snapshot()
    for use in pick_lists.uses(config, list_key):
        collection = collection_of(use.kind)
        path = use.field.path

        def work(ids: Sequence[ObjectId], collection: Any = collection, path: str = path) -> None:
            if not _is_in_force(list_key, old, merge):
                return  # it was taken back while this ran
            rows = list(collection.find({"_id": {"$in": list(ids)}, path: old}, {path: 1}))
            moves = [
                (row["_id"], before, _moved(before, old, new))
                for row in rows
                if (before := value_at(row, path)) is not None
            ]
            _note(merge, collection.name, path, moves, at)
            _write(collection, path, moves)
            progress.count("values_moved", len(moves))

        wanted = {**use.kind.base, path: old}
        step = f"{use.kind.key}-{use.field.key}"
        bulk.over(collection, wanted, work, progress, step=step, size=BATCH)
    if list_key == FEEDBACK:
        _move_in_history(old, new, merge, progress)


def _move_in_history(old: str, new: str, merge: str, progress: Progress) -> None:
    """The same for the newest entries, which stand in their customer as well."""

    def work(ids: Sequence[ObjectId]) -> None:
        if not _is_in_force(FEEDBACK, old, merge):
            return
        Customer.collection().update_many(
            {"_id": {"$in": list(ids)}, HISTORY: old},
            {"$set": {"history.$[one].feedback": new}, "$inc": {"version": 1}},
            array_filters=[{"one.feedback": old}],
        )

    bulk.over(Customer.collection(), {HISTORY: old}, work, progress, step="history", size=BATCH)


def move_back(merge: str, *, progress: Progress | None = None) -> None:
    """Gives the records of a merge their old values back, unless somebody chose another since.

    Run twice, the result is the same. Raises Cancelled.
    """
    progress = progress or NoProgress()
    moves = ValueMove.collection()

    def work(ids: Sequence[ObjectId]) -> None:
        for collection, path, found in _grouped(moves.find({"_id": {"$in": list(ids)}})):
            back = [(one["record_id"], one["after"], one["before"]) for one in found]
            progress.count("values_moved", _write(mongo.database()[collection], path, back))
            if collection == Interaction.collection().name and path == FEEDBACK:
                _move_back_in_history(back)

    bulk.over(moves, {"merge": merge}, work, progress, step="back", size=BATCH)
    moves.delete_many({"merge": merge})


def _move_back_in_history(back: Sequence[tuple[Any, Any, Any]]) -> None:
    entries = {"_id": {"$in": [entry_id for entry_id, _, _ in back]}}
    owners = {
        row["_id"]: row.get("customer_id")
        for row in Interaction.collection().find(entries, {"customer_id": 1})
    }
    writes = []
    for entry_id, now, before in back:
        copy = {"$elemMatch": {"interaction_id": entry_id, "feedback": now}}
        where = {"_id": owners.get(entry_id), "history": copy}
        change = {"$set": {"history.$.feedback": before}, "$inc": {"version": 1}}
        writes.append(UpdateOne(where, change))
    if writes:
        Customer.collection().bulk_write(writes, ordered=False)


def _start(
    changes: Sequence[Change], says: str, job: str, arguments: Stored, by: Actor, at: datetime
) -> ObjectId:
    def work(session: ClientSession) -> ObjectId:
        configuration_changes.apply(changes, says=says, by=by, at=at, session=session)
        return job_runs.create(job, arguments, by, session=session)

    run_id = in_transaction(work)
    job_runs.enqueue(run_id)
    return run_id


def _checked(config: Configuration, list_key: str, old: str, new: str) -> None:
    values = config.pick_lists.get(list_key, {})
    if old == new or old not in values or new not in values:
        raise InvalidInput(N_("Choose two different values of the list."))
    if values[new].retired:
        raise InvalidInput(N_("The value that stays must not be retired."))
    if any(one.parent == old for one in values.values()):
        raise InvalidInput(N_("Other values stand under this one. Move them first."))
    setup = RelationshipSetup.collection().find_one({}) or {}
    if old in _named_by_rules(setup, list_key):
        raise InvalidInput(
            N_("The relationship rules name “%(label)s”. Change the rules first."),
            label=values[old].label_vi[:60],
        )


def _named_by_rules(setup: Stored, list_key: str) -> set[str]:
    found: set[str] = set()
    rules = setup.get("rules") or []
    if list_key == "relationship":
        found |= {rule.get("status") for rule in rules}
    if list_key == "feedback":
        found |= set(setup.get("unanswered") or [])
    for rule in rules:
        for one in rule.get("conditions") or []:
            found |= set(one.get("values") or []) | set(one.get("by_group") or {})
    return found


def _is_in_force(list_key: str, old: str, merge: str) -> bool:
    content, _ = configuration_changes.item(pick_lists.SECTION, list_key)
    values = (content or {}).get("values", [])
    return any(
        one["key"] == old and (one.get("merged") or {}).get("key") == merge for one in values
    )


def _moved(before: Any, old: str, new: str) -> Any:
    if not isinstance(before, list):
        return new
    return list(dict.fromkeys(new if one == old else one for one in before))


def _note(
    merge: str, collection: str, path: str, moves: Sequence[tuple[Any, Any, Any]], at: datetime
) -> None:
    writes = []
    for record_id, before, after in moves:
        where = {
            "merge": merge,
            "collection_name": collection,
            "record_id": record_id,
            "path": path,
        }
        first = {"before": before, "after": after, "at": at, "version": 1}
        writes.append(UpdateOne(where, {"$setOnInsert": first}, upsert=True))
    if writes:
        ValueMove.collection().bulk_write(writes, ordered=False)


def _write(collection: Any, path: str, moves: Sequence[tuple[Any, Any, Any]]) -> int:
    """Writes each value where nobody has changed it since it was read."""
    writes = [
        UpdateOne({"_id": record_id, path: before}, {"$set": {path: after}, "$inc": {"version": 1}})
        for record_id, before, after in moves
    ]
    if not writes:
        return 0
    return int(collection.bulk_write(writes, ordered=False).modified_count)


def _grouped(rows: Any) -> Iterator[tuple[str, str, list[Stored]]]:
    found: dict[tuple[str, str], list[Stored]] = {}
    for row in rows:
        found.setdefault((row["collection_name"], row["path"]), []).append(row)
    for (collection, path), some in found.items():
        yield collection, path, some


def _label(content: Mapping[str, Any], key: str) -> str:
    value: Stored = next((one for one in content["values"] if one["key"] == key), {})
    return str(value.get("label_vi") or key)[:80]


def _definitions(config: Configuration, list_key: str, old: str, new: str) -> Iterator[Change]:
    """The definitions that name the value, with the other one in its place."""
    keys = {use.field.key for use in pick_lists.uses(config, list_key)}
    for section, items in config.sections.items():
        if section == pick_lists.SECTION:
            continue
        for key, content in items.items():
            is_own = section == "fields" and content.get("pick_list") == list_key
            made = _renamed(content, keys, old, new, is_own=is_own)
            if made != content:
                yield Change(section, key, made)


def _renamed(part: Any, keys: set[str], old: str, new: str, *, is_own: bool, name: str = "") -> Any:
    if isinstance(part, Mapping):
        return {
            key: _renamed(one, keys, old, new, is_own=is_own, name=str(key))
            for key, one in part.items()
        }
    if isinstance(part, list | tuple):
        return [_renamed(one, keys, old, new, is_own=is_own, name=name) for one in part]
    if not isinstance(part, str) or old not in part:
        return part
    if name in CONDITIONS:
        return _renamed_condition(part, keys, old, new)
    if is_own and name in VALUES:
        return ", ".join(new if one.strip() == old else one.strip() for one in part.split(","))
    return part


def _renamed_condition(text: str, keys: set[str], old: str, new: str) -> str:
    try:
        tree = conditions.read(text)
    except InvalidInput:
        return text

    def renamed(part: Condition | Group) -> Condition | Group:
        if isinstance(part, Group):
            return Group(part.joiner, tuple(renamed(one) for one in part.parts))
        if part.field not in keys or old not in part.values:
            return part
        values = tuple(dict.fromkeys(new if one == old else one for one in part.values))
        return Condition(part.field, part.operator, values)

    if tree is None:
        return text
    made = renamed(tree)
    written = conditions.write(made if isinstance(made, Group) else Group("and", (made,)))
    return written if written != conditions.write(tree) else text
