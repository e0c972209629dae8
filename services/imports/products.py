"""Products from CSV files, with the product groups that they name.

New products and changed texts and intervals are written in batches, each one transaction. Product
groups of products that exist come last, after the orders that contain them: a run that is killed
before that leaves the products as they were, so that the next run does it again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bson import ObjectId
from pymongo import InsertOne, UpdateOne
from pymongo.client_session import ClientSession

from models import Product
from rules.errors import N_
from services import follow_ups
from services.imports.batches import apart, write_together
from services.imports.cells import (
    BadRow,
    cell_reader,
    checked_length,
    days_or_count,
    exact_code,
    needed,
    stored_text,
)
from services.imports.groups import GroupTree, Path, move_orders, parse_path
from services.imports.records import find, new_product, searched
from services.imports.report import ImportReport
from services.imports.run import FOLLOWING, WRITING, ImportRequest, ImportRun, RowParser
from services.imports.staging import Row
from services.imports.targets import Column
from services.recompute import recompute_care

Stored = dict[str, Any]

# A staged row: code, sequence, name, group path, interval, fewest and most contacts.
WIDTH = 7
BATCH = 1000
CODES_PER_RECOMPUTE = 10_000
PATH_SIGN = "\x1f"  # between the levels of a staged path; no cell contains it
COUNTS = tuple(
    (f"product.{field.name}", int(field.max_value))
    for field in (Product.care_interval_days, Product.care_min, Product.care_max)
)


def import_products(request: ImportRequest) -> ImportReport:
    """Imports the products of the request's files and returns what happened.

    An empty cell leaves a product's value as it is. Orders follow: care intervals and groups of
    changed products reach the orders that contain them, and their customers' next dates.
    Running it again changes nothing. Raises CareError before anything is written when a file
    cannot be used.
    """
    with ImportRun(request, WIDTH) as run:
        run.read(_parser)
        request.watch.begin(WRITING, run.stage.key_count())
        writing = _Writing(run)
        written = 0
        for batch in apart(_products(run), BATCH):
            writing.add(batch)
            written += len(batch)
            request.watch.done(written)
        if not request.dry_run:
            request.watch.begin(FOLLOWING, None)
            run.report.recomputed_orders += writing.finish()
        return run.finished()


@dataclass(frozen=True, slots=True)
class ImportedProduct:
    """One product as the files say it; None: they say nothing."""

    code: str
    name: str | None
    path: Path | None
    care_interval_days: int | None
    care_min: int | None
    care_max: int | None

    @property
    def values(self) -> Stored:
        """The fields that the files name, group aside, as they are stored."""
        named = {
            "name": self.name,
            "care_interval_days": self.care_interval_days,
            "care_min": self.care_min,
            "care_max": self.care_max,
        }
        return {name: value for name, value in named.items() if value is not None}


def _parser(positions: dict[str, tuple[int, Column]]) -> RowParser:
    def reader(name: str, convert: Callable[[str, Column], Any]) -> Callable[[list[str]], Any]:
        if name not in positions:
            return lambda cells: None
        index, column = positions[name]
        read = cell_reader(column, lambda cell: convert(cell, column))
        return lambda cells: read(cells[index])

    code, name = reader("product.code", _code), reader("product.name", _text)
    path = reader("product.group_path", _path)
    counts = [reader(target, partial(_count, limit=limit)) for target, limit in COUNTS]

    def parse(sequence: int, cells: list[str]) -> Row:
        interval, fewest, most = (count(cells) for count in counts)
        if fewest is not None and most is not None and fewest > most:
            raise BadRow(
                N_("The maximum %(most)s is below the minimum %(fewest)s."),
                most=most,
                fewest=fewest,
            )
        return code(cells), sequence, name(cells), path(cells), interval, fewest, most

    return parse


def _code(cell: str, column: Column) -> str:
    return needed(
        checked_length(exact_code(cell), column.target.max_length or 0, column.target),
        column.target,
    )


def _text(cell: str, column: Column) -> str | None:
    limit = column.target.max_length or 0
    return checked_length(stored_text(cell), limit, column.target) or None


def _path(cell: str, column: Column) -> str | None:
    return PATH_SIGN.join(parse_path(_text(cell, column) or "", column.separator)) or None


def _count(cell: str, column: Column, limit: int) -> int | None:
    return days_or_count(cell.strip(), column.target.name, limit)


def _products(run: ImportRun) -> Iterator[ImportedProduct]:
    """Each product once: a code that comes again is a bad row, because one of them is wrong."""
    for code, rows in run.stage.groups():
        _, first, name, path, *counts = next(rows)
        for _, sequence, *_ in rows:
            run.refuse(
                sequence,
                BadRow(
                    N_("Product %(code)s stands on line %(line)s already; only that line counts."),
                    code=code,
                    line=run.line_of(first),
                ),
                [code],
            )
        yield ImportedProduct(code, name, tuple(path.split(PATH_SIGN)) if path else None, *counts)


@dataclass(slots=True)
class _Plan:
    new: list[Stored] = field(default_factory=list)
    changes: list[UpdateOne] = field(default_factory=list)
    moves: dict[str, Stored] = field(default_factory=dict)
    changed: int = 0
    unchanged: int = 0
    groups: int = 0


class _Writing:
    """Writes batches of products and remembers what has to follow."""

    def __init__(self, run: ImportRun) -> None:
        self.run, self.at = run, run.request.at
        self.tree = GroupTree(self.at)
        self.moves: dict[str, Stored] = {}
        self.follow_ups: list[str] = []

    def add(self, products: list[ImportedProduct]) -> None:
        """Writes new products and changed values of a batch, and counts."""
        plan = (
            self._planned(products, None) if self.run.request.dry_run else self._written(products)
        )
        report = self.run.report
        report.new += len(plan.new)
        report.changed += plan.changed
        report.unchanged += plan.unchanged
        report.created["groups"] += plan.groups
        self.moves |= plan.moves

    def finish(self) -> int:
        """Lets orders and customers follow; returns how many orders changed."""
        moved = move_orders(self.moves, self.at)
        for codes in apart(self.moves, BATCH):
            write_together(lambda session, codes=codes: self._move(codes, session))  # type: ignore[misc]
        recomputed = 0
        # All codes of the files, not only those that changed now: a run that was killed here
        # has changed the products already.
        for codes in apart(self.run.stage.keys(), CODES_PER_RECOMPUTE):
            recomputed += recompute_care(product_codes=codes, at=self.at)["orders_changed"]
        for key in self.follow_ups:
            follow_ups.done(key, datetime.now(UTC))
        return moved + recomputed

    def _written(self, products: list[ImportedProduct]) -> _Plan:
        follow_up = ""

        def work(session: ClientSession) -> _Plan:
            nonlocal follow_up
            plan = self._planned(products, session)
            self.tree.insert_missing(session)
            writes: list[InsertOne[Stored] | UpdateOne] = [
                InsertOne(document) for document in plan.new
            ]
            writes += plan.changes
            if writes:
                Product.collection().bulk_write(writes, ordered=False, session=session)
                codes = [product.code for product in products]
                follow_up = follow_ups.put(session, at=datetime.now(UTC), product_codes=codes)
            if writes or plan.groups:
                counts = {
                    "products_new": len(plan.new),
                    "products_changed": len(plan.changes),
                    "groups_new": plan.groups,
                }
                self.run.record(counts, session)
            return plan

        plan = write_together(work)
        self.follow_ups += [follow_up] if follow_up else []
        self.tree.keep()
        return plan

    def _planned(self, products: list[ImportedProduct], session: ClientSession | None) -> _Plan:
        self.tree.find({product.path for product in products if product.path}, session)
        plan = _Plan(groups=len(self.tree.missing))
        stored = find(
            Product,
            "code",
            [product.code for product in products],
            ("name", "care_interval_days", "care_min", "care_max", "group_id", "group_ids"),
            session,
        ).by_key
        for product in products:
            self._plan_product(plan, product, stored.get(product.code))
        if self.run.request.dry_run:
            self.tree.keep()  # as if they were written: the next batch does not count them again
        return plan

    def _plan_product(self, plan: _Plan, product: ImportedProduct, stored: Stored | None) -> None:
        values = product.values
        group = self.tree.fields(product.path) if product.path else {}
        if stored is None:
            plan.new.append(new_product(product.code, product.name, self.at) | values | group)
            return
        changes = {name: value for name, value in values.items() if stored.get(name) != value}
        if "name" in changes:
            changes |= searched(changes["name"], product.code)
        moves = any(stored.get(name) != value for name, value in group.items())
        if changes:
            plan.changes.append(_change(stored["_id"], changes, self.at))
        if moves:
            plan.moves[product.code] = group
        plan.changed += bool(changes or moves)
        plan.unchanged += not (changes or moves)

    def _move(self, codes: list[str], session: ClientSession) -> None:
        moves = [
            UpdateOne(
                {"code": code},
                {"$set": self.moves[code] | {"updated_at": self.at}, "$inc": {"version": 1}},
            )
            for code in codes
        ]
        Product.collection().bulk_write(moves, ordered=False, session=session)
        self.run.record({"products_moved": len(moves)}, session)


def _change(product_id: ObjectId, changes: Stored, at: Any) -> UpdateOne:
    return UpdateOne(
        {"_id": product_id}, {"$set": changes | {"updated_at": at}, "$inc": {"version": 1}}
    )
