"""The tree of product groups as files write it: paths, made level by level."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from models import Order, Product, ProductGroup
from rules.errors import N_
from services.imports.batches import apart
from services.imports.cells import BadRow
from services.imports.records import new_record

Stored = dict[str, Any]
Path = tuple[str, ...]

MAX_LEVELS = 10
MAX_NAME = 200
ORDERS_PER_UPDATE = 2000


def parse_path(text: str, separator: str) -> Path:
    """The names from the root in a cell like "Gift ware/1x/10xxx"; empty levels are left out."""
    path = tuple(name for part in text.split(separator) if (name := part.strip()))
    if len(path) > MAX_LEVELS:
        raise BadRow(
            N_("The product group has %(levels)s levels; at most %(limit)s are possible."),
            levels=len(path),
            limit=MAX_LEVELS,
        )
    if any(len(name) > MAX_NAME for name in path):
        raise BadRow(N_("A product group's name has at most %(limit)s characters."), limit=MAX_NAME)
    return path


class GroupTree:
    """Groups by path. `missing` are those that `find` did not find and `insert_missing` writes.

    What an attempt finds counts only for it; `keep` after the commit makes it last.
    """

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._kept: dict[Path, Stored] = {}
        self._found: dict[Path, Stored] = {}
        self.missing: dict[Path, Stored] = {}

    def find(self, paths: Iterable[Path], session: ClientSession | None) -> None:
        """Looks up the groups on these paths, level by level."""
        self._found, self.missing = {}, {}
        wanted = {path[:depth] for path in paths for depth in range(1, len(path) + 1)}
        for depth in range(1, MAX_LEVELS + 1):
            level = sorted(path for path in wanted if len(path) == depth and path not in self._kept)
            if level:
                self._find_level(level, session)

    def fields(self, path: Path) -> Stored:
        """`group_id` and `group_ids` (root first) of a product in this group."""
        group = self._group(path)
        return {"group_id": group["_id"], "group_ids": [*group["ancestor_ids"], group["_id"]]}

    def insert_missing(self, session: ClientSession) -> None:
        if self.missing:
            ProductGroup.collection().insert_many(self.missing.values(), session=session)

    def keep(self) -> None:
        self._kept |= self._found

    def _group(self, path: Path) -> Stored:
        return self._found.get(path) or self._kept[path]

    def _find_level(self, level: list[Path], session: ClientSession | None) -> None:
        parents = {path: self._group(path[:-1])["_id"] if path[:-1] else None for path in level}
        rows = ProductGroup.collection().find(
            {
                "parent_id": {"$in": list(set(parents.values()))},
                "name": {"$in": list({path[-1] for path in level})},
            },
            session=session,
        )
        stored = {(row.get("parent_id"), row["name"]): row for row in rows}
        for path in level:
            group = stored.get((parents[path], path[-1]))
            if group is None:
                group = self.missing[path] = self._new(path, parents[path])
            self._found[path] = {
                "_id": group["_id"],
                "ancestor_ids": list(group.get("ancestor_ids") or ()),
            }

    def _new(self, path: Path, parent_id: ObjectId | None) -> Stored:
        ancestors: list[ObjectId] = []
        if parent_id is not None:
            parent = self._group(path[:-1])
            ancestors = [*parent["ancestor_ids"], parent_id]
        return new_record(
            ProductGroup,
            self._at,
            name=path[-1],
            path=list(path),
            parent_id=parent_id,
            ancestor_ids=ancestors,
        )


def move_orders(moves: Mapping[str, Stored], at: datetime) -> int:
    """Gives the orders with these products the groups that the products are about to have.

    `moves` is `{product code: {"group_ids": ...}}`. Every line counts, not only those that need
    care, and lines have no index: this reads all orders, once. Returns how many changed.
    """
    if not moves:
        return 0
    rows = Order.collection().find(
        {"lines.product_code": {"$in": list(moves)}},
        {"lines.product_code": 1, "group_ids": 1, "version": 1},
    )
    return sum(_move(orders, moves, at) for orders in apart(rows, ORDERS_PER_UPDATE))


def _move(orders: list[Stored], moves: Mapping[str, Stored], at: datetime) -> int:
    groups = _groups_of({line["product_code"] for order in orders for line in order["lines"]})
    groups |= {code: move["group_ids"] for code, move in moves.items()}
    changes = []
    for order in orders:
        wanted = sorted(
            {group for line in order["lines"] for group in groups.get(line["product_code"], ())}
        )
        if wanted != order.get("group_ids"):
            # An order that somebody changes now gets its groups from that change.
            changes.append(
                UpdateOne(
                    {"_id": order["_id"], "version": order.get("version")},
                    {"$set": {"group_ids": wanted, "updated_at": at}, "$inc": {"version": 1}},
                )
            )
    if not changes:
        return 0
    return Order.collection().bulk_write(changes, ordered=False).modified_count


def _groups_of(codes: Iterable[str]) -> dict[str, list[ObjectId]]:
    rows = Product.collection().find({"code": {"$in": list(codes)}}, {"code": 1, "group_ids": 1})
    return {row["code"]: row.get("group_ids") or [] for row in rows}
