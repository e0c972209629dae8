"""The records that fields refer to: their names, for lists, forms and exports, in one query.

Scope is part of the query: the name of a record that the reader may not see is not there.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from models import Area, Attachment, Customer, Order, Product, ProductGroup, Staff
from models.base import CarebookDocument
from rules.fields import Field
from rules.filters import Criteria, merge
from rules.record_paths import reader
from rules.scope import Actor, customer_scope, order_scope, product_scope

Stored = dict[str, Any]


def _everyone(actor: Actor) -> Criteria:
    return {}


@dataclass(frozen=True, slots=True)
class Target:
    """A kind that fields refer to. `name` says what a record is called, from `fields` of it.

    `known_by` is the field by which people name a record in a text, beside its id.
    """

    document: type[CarebookDocument]
    fields: tuple[str, ...]
    name: Callable[[Stored], str]
    known_by: str = "code"
    scope: Callable[[Actor], Criteria] = _everyone


TARGETS: Mapping[str, Target] = {
    "staff": Target(Staff, ("name",), lambda row: str(row.get("name") or ""), "email"),
    "customers": Target(
        Customer,
        ("name", "code"),
        lambda row: str(row.get("name") or ""),
        scope=customer_scope,
    ),
    "orders": Target(Order, ("code",), lambda row: str(row.get("code") or ""), scope=order_scope),
    "products": Target(
        Product,
        ("name", "code"),
        lambda row: str(row.get("name") or ""),
        scope=product_scope,
    ),
    "areas": Target(Area, ("name",), lambda row: str(row.get("name") or ""), "name"),
    "product_groups": Target(
        ProductGroup, ("path",), lambda row: " / ".join(row.get("path") or ()), "name"
    ),
    # Files of fields: seen with their field, so that whoever has their ids may read their names.
    "files": Target(Attachment, ("name",), lambda row: str(row["name"])),
}


def names(kind: str, ids: Iterable[Any], *, by: Actor) -> dict[Any, str]:
    """{id: name} of the records of a kind that the actor may see; one query, none for no ids."""
    return names_of_kinds({kind: ids}, by=by)[kind]


def names_of_kinds(wanted: Mapping[str, Iterable[Any]], *, by: Actor) -> dict[str, dict[Any, str]]:
    """The same for records of several kinds, `{kind: {id: name}}`: one query for all of them."""
    found: dict[str, dict[Any, str]] = {kind: {} for kind in wanted}
    asked = {
        kind: _named(kind, known, by)
        for kind, ids in wanted.items()
        if kind in TARGETS and (known := {one for one in ids if one is not None})
    }
    if not asked:
        return found
    (first, stages), *others = asked.items()
    union = [
        {"$unionWith": {"coll": _collection(kind).name, "pipeline": of_kind}}
        for kind, of_kind in others
    ]
    for row in _collection(first).aggregate([*stages, *union]):
        kind = row["kind"]
        found[kind][row["_id"]] = TARGETS[kind].name(row)
    return found


def _named(kind: str, ids: Collection[Any], by: Actor) -> list[Stored]:
    """The stages that find what records of a kind are called, and say of which kind they are."""
    criteria = merge([{"_id": {"$in": list(ids)}}, TARGETS[kind].scope(by)])
    shown = {**dict.fromkeys(TARGETS[kind].fields, 1), "kind": {"$literal": kind}}
    return [{"$match": criteria}, {"$project": shown}]


def _collection(kind: str) -> Any:
    return TARGETS[kind].document.collection()


def rows(kind: str, ids: Iterable[Any], fields: Iterable[str], *, by: Actor) -> dict[Any, Stored]:
    """{id: these fields} of the records of a kind that the actor may see, masked where they are so
    for the actor; one query, none for no ids."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    target = TARGETS[kind]
    criteria = merge([{"_id": {"$in": list(wanted)}}, target.scope(by)])
    found = target.document.collection().find(criteria, dict.fromkeys(fields, 1))
    return {row["_id"]: by.shown(kind, row) for row in found}


def of_rows(
    rows: Iterable[Stored], fields: Iterable[Field], *, by: Actor
) -> dict[str, dict[Any, str]]:
    """{kind: {id: name}} of everything that these fields of the rows refer to."""
    rows = list(rows)
    wanted: dict[str, set[Any]] = {}
    for field in fields:
        if field.refers_to:
            ids, read = wanted.setdefault(field.refers_to, set()), reader(field.path)
            for row in rows:
                found = read(row)
                ids.update(found if isinstance(found, list) else [found])
    return names_of_kinds(wanted, by=by)
