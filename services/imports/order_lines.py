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
    cell_reader,
    checked_length,
    exact_code,
    instant_reader,
    needed,
    price,
    stored_text,
    whole_number,
)
from services.imports.mapping import ImportMapping, KindRule
from services.imports.run import RowParser
from services.imports.staging import Row
from services.imports.targets import ORDERS, TARGETS, Column

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
        code_at, code = _cell(positions, "order.code", stored_text)
        placed_at, placed = _cell(positions, "order.placed_at", str.strip, read_instant)
        customer_at, customer = _cell(positions, "customer.code", stored_text)
        area_at, area = _cell(positions, "customer.area", stored_text)
        product_at, product = _cell(positions, "line.product_code", exact_code)
        name_at, name = _cell(positions, "line.product_name", stored_text)
        quantity_at, quantity = _cell(positions, "line.quantity", str.strip, _quantity)
        price_at, unit_price = _cell(positions, "line.unit_price", str.strip, _price)
        details = [
            (target.name, *_cell(positions, target.name, stored_text))
            for target in DETAILS
            if target.name in positions
        ]

        # Called for every line of a file: each value is one look into what was read before.
        def parse(sequence: int, cells: list[str]) -> Row:
            return (
                code(cells[code_at]),
                sequence,
                placed(cells[placed_at]),
                customer(cells[customer_at]),
                area(cells[area_at]),
                product(cells[product_at]),
                name(cells[name_at]),
                quantity(cells[quantity_at]),
                unit_price(cells[price_at]),
                _details(details, cells) if details else None,
            )

        return parse

    return for_file


def _cell(
    positions: Positions,
    name: str,
    tidy: Callable[[str], str],
    convert: Callable[[str], Any] | None = None,
) -> tuple[int, Callable[[str], Any]]:
    """(index of a target's cell, function to its value or None); absent columns give None."""
    if name not in positions:
        return 0, lambda cell: None
    index, column = positions[name]
    target = column.target

    def value(cell: str) -> Any:
        text = tidy(cell)
        if target.max_length is not None:
            checked_length(text, target.max_length, target)
        if target.required:
            needed(text, target)
        if not text:
            return None
        return convert(text) if convert is not None else text

    return index, cell_reader(column, value)


def _quantity(cell: str) -> int:
    return whole_number(cell, "line.quantity")


def _price(cell: str) -> str | None:
    return price(cell, "line.unit_price")


def _details(readers: list[tuple[str, int, Callable[[str], Any]]], cells: list[str]) -> str | None:
    found = {name: text for name, index, read in readers if (text := read(cells[index]))}
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
    """One order as the files say it. `lines` are (product code, name, quantity, unit price).

    `sequences` are the staged rows that it was made of.
    """

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
    sequences: list[int] = field(default_factory=list)


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
