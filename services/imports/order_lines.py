"""Rows of an order file become lines, and the lines of one code become an order."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Any

from models.order import ORDER_KINDS
from rules.errors import N_
from services.imports.cells import (
    BadRow,
    checked_length,
    cleaned,
    exact_code,
    instant_reader,
    price,
    stored_text,
    whole_number,
)
from services.imports.mapping import Column, ImportMapping, KindRule
from services.imports.run import RowParser
from services.imports.staging import Row
from services.imports.targets import ORDERS, TARGETS

# A staged row: order code, sequence, placed (ms), customer code, area, product code, product
# name, quantity, unit price, details (JSON of the rarer texts).
WIDTH = 10
MAX_LINES = 5000  # of one order: a document has at most 16 MB
DETAILS = tuple(
    target
    for target in TARGETS[ORDERS].values()
    if target.name
    in {
        "order.kind",
        "order.marketplace",
        "order.status",
        "order.note",
        "order.shipping",
        "customer.name",
        "customer.phone",
        "customer.email",
        "customer.address",
        "customer.tax_code",
    }
)
DIGEST_VERSION = 1  # grows when an order is derived from its lines in another way

MANY_CUSTOMERS = N_("The lines of an order name different customers; the first one counts.")
MANY_AREAS = N_("The lines of an order name different areas; the first one counts.")

_EXACT = Context(prec=34, traps=[Inexact, InvalidOperation, Overflow])
Positions = dict[str, tuple[int, Column]]


def order_line_parser(mapping: ImportMapping) -> Callable[[Positions], RowParser]:
    """A function from the positions of the targets in a file to the parser of its rows."""
    read_instant = instant_reader(mapping.date_format, mapping.zone, mapping.date_example)

    def for_file(positions: Positions) -> RowParser:
        cell = _cells(positions)
        code, placed = cell("order.code", stored_text), cell("order.placed_at", str.strip)
        customer, area = cell("customer.code", stored_text), cell("customer.area", stored_text)
        product = cell("line.product_code", exact_code)
        name = cell("line.product_name", stored_text)
        quantity = cell("line.quantity", str.strip)
        unit_price = cell("line.unit_price", str.strip)
        details = [
            (target.name, cell(target.name, stored_text))
            for target in DETAILS
            if target.name in positions
        ]

        def parse(sequence: int, cells: list[str]) -> Row:
            return (
                _needed(code(cells), "order.code"),
                sequence,
                read_instant(_needed(placed(cells), "order.placed_at")),
                customer(cells) or None,
                area(cells) or None,
                _needed(product(cells), "line.product_code"),
                name(cells) or None,
                whole_number(_needed(quantity(cells), "line.quantity"), "line.quantity"),
                price(unit_price(cells), "line.unit_price"),
                _details(details, cells) if details else None,
            )

        return parse

    return for_file


def _cells(
    positions: Positions,
) -> Callable[[str, Callable[[str], str]], Callable[[list[str]], str]]:
    """Gives, per target, the function that takes its cell out of a row as a checked text."""

    def reader(name: str, tidy: Callable[[str], str]) -> Callable[[list[str]], str]:
        if name not in positions:
            return lambda cells: ""
        index, column = positions[name]
        clean, target = column.clean, column.target

        def read(cells: list[str]) -> str:
            cell = cells[index]
            if clean is not None:
                cell = cleaned(cell, clean, column.header)
            return checked_length(tidy(cell), target)

        return read

    return reader


def _needed(text: str, target: str) -> str:
    if not text:
        raise BadRow(N_("%(target)s is empty."), target=target)
    return text


def _details(readers: list[tuple[str, Callable[[list[str]], str]]], cells: list[str]) -> str | None:
    found = {name: text for name, read in readers if (text := read(cells))}
    kind = found.get("order.kind")
    if kind is not None and kind not in ORDER_KINDS:
        raise BadRow(
            N_("order.kind is “%(cell)s”; it must be one of: %(known)s."),
            cell=kind[:60],
            known=", ".join(ORDER_KINDS),
        )
    return json.dumps(found, ensure_ascii=False, sort_keys=True) if found else None


@dataclass(slots=True)
class ImportedOrder:
    """One order as the files say it. `lines` are (product code, name, quantity, unit price)."""

    code: str
    kind: str
    placed_ms: int
    customer_code: str | None
    area: str | None
    lines: list[tuple[str, str | None, int, str | None]]
    details: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    total: Decimal = Decimal(0)
    digest: str = ""


def order_from_rows(code: str, rows: Iterable[Row], rule: KindRule) -> ImportedOrder:
    """The order that the staged rows of one code make: its date is its earliest line's.

    Where lines disagree about the customer or the area, the first one that names any counts.

    Raises:
        BadRow: the order as a whole cannot be stored.
    """
    lines: list[tuple[str, str | None, int, str | None]] = []
    customers: dict[str, None] = {}
    areas: dict[str, None] = {}
    details: dict[str, Any] = {}
    placed_ms: int | None = None
    for _, _, placed, customer, area, product, name, quantity, unit_price, more in rows:
        lines.append((product, name, quantity, unit_price))
        placed_ms = placed if placed_ms is None or placed < placed_ms else placed_ms
        if customer is not None:
            customers[customer] = None
        if area is not None:
            areas[area] = None
        if more is not None:
            details = json.loads(more) | details
        if len(lines) > MAX_LINES:
            raise BadRow(
                N_(
                    "Order %(code)s has more than %(limit)s lines and is not imported. Check that "
                    "group_by names the column of the order code."
                ),
                code=code,
                limit=MAX_LINES,
            )
    assert placed_ms is not None  # noqa: S101  a code is staged with its lines only
    order = ImportedOrder(
        code=code,
        kind=details.pop("order.kind", None) or rule.kind_of(code),
        placed_ms=placed_ms,
        customer_code=next(iter(customers), None),
        area=next(iter(areas), None),
        lines=lines,
        details=details,
        warnings=[MANY_CUSTOMERS] * (len(customers) > 1) + [MANY_AREAS] * (len(areas) > 1),
        total=_total(code, lines),
    )
    order.digest = _digest(order)
    return order


def _total(code: str, lines: list[tuple[str, str | None, int, str | None]]) -> Decimal:
    """The exact sum of quantity x unit price; Decimal128 keeps 34 digits."""
    total = Decimal(0)
    try:
        for _, _, quantity, unit_price in lines:
            if unit_price is not None:
                total = _EXACT.add(total, _EXACT.multiply(quantity, Decimal(unit_price)))
    except (Inexact, InvalidOperation, Overflow) as error:
        raise BadRow(
            N_("The total of order %(code)s has more than 34 digits. Check quantities and prices."),
            code=code,
        ) from error
    return total


def _digest(order: ImportedOrder) -> str:
    """Equal for equal content: an order with the digest that is stored need not be written.

    Left out is what an import only uses to create a customer that is missing.
    """
    content = (
        DIGEST_VERSION,
        order.kind,
        order.placed_ms,
        order.customer_code,
        None if order.customer_code else order.area,
        sorted(item for item in order.details.items() if item[0].startswith("order.")),
        order.lines,
    )
    return hashlib.blake2b(repr(content).encode(), digest_size=16).hexdigest()
