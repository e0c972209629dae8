"""Orders, products and customers as flat rows, for files and for other programs.

Rows come from a raw cursor in the order of their code, with one query per thousand rows and kind of
reference; memory stays bounded.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from bson import Decimal128, ObjectId

from models import Area, Customer, Order, Product, ProductGroup
from models.base import CarebookDocument, local_date, stored_date
from models.care import OPEN_STATES, STATES
from models.order import ORDER_KINDS
from rules.errors import N_, InvalidInput
from rules.record_paths import single_value
from rules.scope import Actor
from services import audit
from services.csv_cells import escaped
from services.imports.batches import apart

Stored = dict[str, Any]
Labels = Mapping[str, Mapping[Any, Any]]
Cell = str | int | Decimal | None

ROWS_PER_LOOKUP = 1000


@dataclass(frozen=True, slots=True)
class Reference:
    """Ids of another collection that a field shows by a label."""

    model: type[CarebookDocument]
    path: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """A column: the path of its value, and how the value is shown; `through` names a Reference."""

    path: str
    through: str | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """`criteria(text)` of a `--filter name=text`; `help` says which texts there are."""

    help: str
    criteria: Callable[[str], Stored]


@dataclass(frozen=True, slots=True)
class Export:
    """What can be exported of one kind of record, and what is by default."""

    model: type[CarebookDocument]
    fields: Mapping[str, Field]
    default: Sequence[str]
    filters: Mapping[str, Filter]
    references: Mapping[str, Reference]


def _care(text: str) -> Stored:
    if text == "open":
        return {"care.state": {"$in": list(OPEN_STATES)}}
    return {"care.state": _one_of(text, STATES, "care", (*STATES, "open"))}


def _one_of(text: str, known: Sequence[str], name: str, shown: Sequence[str]) -> str:
    if text not in known:
        raise InvalidInput(
            N_("Filter %(name)s cannot be “%(value)s”. Possible: %(known)s."),
            name=name,
            value=text[:60],
            known=", ".join(shown),
        )
    return text


def _day(text: str) -> datetime:
    try:
        return stored_date(date.fromisoformat(text))
    except ValueError as error:
        raise InvalidInput(
            N_("“%(value)s” is not a date. Write it like 2010-12-31."), value=text[:60]
        ) from error


def _id_of(model: type[CarebookDocument], key: str, value: str, name: str) -> ObjectId:
    row = model.collection().find_one({key: value}, {"_id": 1})
    if row is None:
        raise InvalidInput(
            N_("Filter %(name)s: there is none called “%(value)s”."), name=name, value=value[:80]
        )
    found: ObjectId = row["_id"]
    return found


def _group(text: str) -> ObjectId:
    row = ProductGroup.collection().find_one({"path": text.split("/")}, {"_id": 1})
    if row is None:
        raise InvalidInput(
            N_("Filter %(name)s: there is none called “%(value)s”."), name="group", value=text[:80]
        )
    found: ObjectId = row["_id"]
    return found


DUE = {
    "care": Filter("|".join((*STATES, "open")), _care),
    "from": Filter(
        "YYYY-MM-DD, first due date", lambda text: {"care.due_on": {"$gte": _day(text)}}
    ),
    "to": Filter("YYYY-MM-DD, last due date", lambda text: {"care.due_on": {"$lte": _day(text)}}),
    "area": Filter("name of an area", lambda text: {"area_id": _id_of(Area, "name", text, "area")}),
}
BASIS = {
    "due_on": Field("care.due_on"),
    "care": Field("care.state"),
    "basis": Field("care.basis.kind"),
    "basis_product": Field("care.basis.product_code"),
    "basis_interval_days": Field("care.basis.interval_days"),
    "basis_quantity": Field("care.basis.quantity"),
    "basis_from": Field("care.basis.from_on"),
}
PLACE = Reference(Area, "area_id", "name")

EXPORTS: dict[str, Export] = {
    "orders": Export(
        Order,
        {
            "code": Field("code"),
            "kind": Field("kind"),
            "customer_code": Field("customer_id", "customer_code"),
            "customer_name": Field("customer_id", "customer_name"),
            "area": Field("area_id", "area"),
            "placed_on": Field("placed_on"),
            "placed_at": Field("placed_at"),
            "marketplace": Field("marketplace"),
            "status": Field("status"),
            "note": Field("note"),
            "shipping": Field("shipping"),
            "total": Field("total"),
            **BASIS,
            "care_count": Field("care.count"),
        },
        ("code", "kind", "customer_code", "customer_name", "placed_on", "total", "care", "due_on"),
        DUE
        | {
            "customer": Filter(
                "code of a customer",
                lambda text: {"customer_id": _id_of(Customer, "code", text, "customer")},
            ),
            "kind": Filter(
                "|".join(ORDER_KINDS),
                lambda text: {"kind": _one_of(text, ORDER_KINDS, "kind", ORDER_KINDS)},
            ),
        },
        {
            "customer_code": Reference(Customer, "customer_id", "code"),
            "customer_name": Reference(Customer, "customer_id", "name"),
            "area": PLACE,
        },
    ),
    "products": Export(
        Product,
        {
            "code": Field("code"),
            "name": Field("name"),
            "group_path": Field("group_id", "group_path"),
            "care_interval_days": Field("care_interval_days"),
            "care_min": Field("care_min"),
            "care_max": Field("care_max"),
        },
        ("code", "name", "group_path", "care_interval_days", "care_min", "care_max"),
        {"group": Filter("path of a group, like A/B", lambda text: {"group_ids": _group(text)})},
        {"group_path": Reference(ProductGroup, "group_id", "path")},
    ),
    "customers": Export(
        Customer,
        {
            "code": Field("code"),
            "kind": Field("kind"),
            "name": Field("name"),
            "phones": Field("phones"),
            "emails": Field("emails"),
            "tax_code": Field("tax_code"),
            "birthday": Field("birthday"),
            "gender": Field("gender"),
            "address": Field("address"),
            "area": Field("area_id", "area"),
            "channel": Field("channel"),
            "source": Field("source"),
            "groups": Field("groups"),
            "relationship": Field("relationship"),
            "tags": Field("tags"),
            "note": Field("note"),
            "care_order": Field("care.order_code"),
            **BASIS,
        },
        ("code", "name", "phones", "emails", "area", "relationship", "care", "due_on"),
        DUE
        | {"relationship": Filter("key of a relationship", lambda text: {"relationship": text})},
        {"area": PLACE},
    ),
}


@dataclass(frozen=True, slots=True)
class Rows:
    """An export that was asked for; its field and filter names are known to be right."""

    export: Export
    fields: Sequence[str]
    criteria: Stored
    zone: ZoneInfo

    def __iter__(self) -> Iterator[list[Cell]]:
        """The cells of each record, in the order of its code; texts are not escaped yet."""
        fields = [self.export.fields[name] for name in self.fields]
        used = {field.through for field in fields if field.through}
        paths = {field.path for field in fields}
        cursor = self.export.model.collection().find(self.criteria, dict.fromkeys(paths, 1))
        with cursor.sort("code", 1).batch_size(ROWS_PER_LOOKUP) as rows:
            for some in apart(rows, ROWS_PER_LOOKUP):
                labels = {name: _labels(self.export.references[name], some) for name in used}
                for row in some:
                    yield [self._cell(field, row, labels) for field in fields]

    def _cell(self, field: Field, row: Stored, labels: Labels) -> Cell:
        value = single_value(row, field.path)
        if field.through is not None:
            value = labels[field.through].get(value)
        return _shown(value, field.path, self.zone)


def rows(
    kind: str, *, fields: Sequence[str] | None, filters: Sequence[tuple[str, str]], zone: ZoneInfo
) -> Rows:
    """The rows of an export of `orders`, `products` or `customers`.

    `fields` None means the usual ones; `filters` are (name, value) and all must hold; `zone` is
    that of instants. Raises InvalidInput naming what is possible.
    """
    export = EXPORTS[kind]
    chosen = list(fields) if fields else list(export.default)
    for name in chosen:
        if name not in export.fields:
            raise InvalidInput(
                N_("%(kind)s have no field “%(name)s”. Possible: %(known)s."),
                kind=kind,
                name=name[:60],
                known=", ".join(export.fields),
            )
    parts = [_criteria(export, kind, name, value) for name, value in filters]
    return Rows(export, chosen, {"$and": parts} if parts else {}, zone)


def note_export(
    kind: str, rows: "Rows", filters: Sequence[tuple[str, str]], *, by: Actor, at: datetime
) -> None:
    """Writes who takes which records out; call it before the first row leaves."""
    audit.record(
        by=by,
        at=at,
        action="export",
        kind=kind,
        record_id=None,
        label="",
        changes={
            "fields": (None, list(rows.fields)),
            "filters": (None, [f"{name}={value}" for name, value in filters]),
        },
    )


def write_csv(rows: Rows, file: TextIO) -> int:
    """Writes header and rows as CSV and returns how many rows there were.

    A text that a spreadsheet would run as a formula is escaped by an apostrophe. The file should
    be UTF-8 and opened with newline="".
    """
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(rows.fields)
    count = 0
    for cells in rows:
        writer.writerow([_written(cell) for cell in cells])
        count += 1
    return count


def _written(cell: Cell) -> str | int | None:
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return escaped(cell) if isinstance(cell, str) else cell


def _criteria(export: Export, kind: str, name: str, value: str) -> Stored:
    if name not in export.filters:
        raise InvalidInput(
            N_("%(kind)s have no filter “%(name)s”. Possible: %(known)s."),
            kind=kind,
            name=name[:60],
            known=", ".join(export.filters),
        )
    return export.filters[name].criteria(value)


def _labels(reference: Reference, rows: Iterable[Stored]) -> dict[Any, Any]:
    ids = {row[reference.path] for row in rows if row.get(reference.path) is not None}
    found = reference.model.collection().find({"_id": {"$in": list(ids)}}, {reference.label: 1})
    return {row["_id"]: row.get(reference.label) for row in found}


def _shown(value: Any, path: str, zone: ZoneInfo) -> Cell:
    """Numbers stay numbers (Decimal too), everything else becomes text or stays None."""
    if isinstance(value, datetime):
        if path.endswith("_at"):
            return value.astimezone(zone).isoformat(sep=" ", timespec="seconds")
        day = local_date(value)
        return day.isoformat() if day else None
    if isinstance(value, Decimal128):
        amount: Decimal = value.to_decimal()
        return amount
    if isinstance(value, list):
        return ("/" if path == "group_id" else "; ").join(map(str, value))
    if value is None or isinstance(value, str | int):
        return value
    return str(value)
