"""What stands below a value: in pick lists that are trees, in areas, in product groups (S3.1, S1.12)."""

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

from bson import ObjectId

from models import Area, ProductGroup
from rules.fields import Field
from services.configuration import Configuration

Below = Callable[[Field, str], tuple[str, ...]]
Key = TypeVar("Key", bound=Hashable)
Children = Mapping[Key, list[Key]]

TREES: Mapping[str, type[Area] | type[ProductGroup]] = {
    "areas": Area,
    "product_groups": ProductGroup,
}


def below_of(config: Configuration) -> Below:
    """(field, value) -> the values below it, nearest first, as texts; one query for each kind."""
    known: dict[str, Children[ObjectId]] = {}

    def below(field: Field, value: str) -> tuple[str, ...]:
        if field.pick_list:
            return below_in_list(config, field.pick_list, value)
        kind = field.refers_to
        if kind is None or kind not in TREES or not ObjectId.is_valid(value):
            return ()
        if kind not in known:
            known[kind] = children(kind)
        return tuple(map(str, under(ObjectId(value), known[kind])))

    return below


def below_in_list(config: Configuration, list_key: str, value: str) -> tuple[str, ...]:
    """The values below one of a pick list, nearest first."""
    return tuple(under(value, _of_list(config, list_key)))


def children(kind: str) -> Children[ObjectId]:
    """{area or product group: those right below it}; records with nothing below are not there."""
    found: dict[ObjectId, list[ObjectId]] = {}
    rows = TREES[kind].collection().find({"parent_id": {"$type": "objectId"}}, {"parent_id": 1})
    for row in rows:
        found.setdefault(row["parent_id"], []).append(row["_id"])
    return found


def under(value: Key, children: Children[Key]) -> list[Key]:
    """All that is below a value, nearest first; what stands under itself is met once."""
    found: dict[Key, None] = {value: None}
    level = children.get(value, [])
    while level:
        fresh = [one for one in level if one not in found]
        found |= dict.fromkeys(fresh)
        level = [below for one in fresh for below in children.get(one, ())]
    return list(found)[1:]


def _of_list(config: Configuration, list_key: str) -> Children[str]:
    def made() -> Children[str]:
        found: dict[str, list[str]] = {}
        for one in config.pick_lists.get(list_key, {}).values():
            if one.parent:
                found.setdefault(one.parent, []).append(one.key)
        return found

    return config.once(("children", list_key), made)
