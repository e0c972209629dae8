"""One cell becomes a value, or a reason why the row is bad.

The functions for numbers and dates want the cell stripped.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from rules.errors import N_, CareError, InvalidInput
from rules.text import nfc
from services.imports.targets import Column, Target

T = TypeVar("T")

MAX_QUANTITY = 1_000_000_000  # a line's; sums of thousands of such lines still fit 64 bits
MAX_PRICE = Decimal(10) ** 15
LONGEST_NUMBER = 100  # characters
PRICE_DECIMALS = 12  # a spreadsheet shows 0.1 + 0.2 with more; nobody sells at that precision
EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)
LONGEST_REMEMBERED = 500  # characters
REMEMBERED = 4096  # distinct cells of a column whose value is kept: files repeat themselves

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# How exports keep a spreadsheet from running a text as a formula (services/export.py).
_ESCAPED = ("'=", "'+", "'-", "'@", "'\t", "'\r")


class BadRow(InvalidInput):
    """Why a row is not imported; the row goes to the error file, the others go on."""


def stored_text(cell: str) -> str:
    """The cell as text is stored: NFC, trimmed, without control characters or export escape."""
    text = cell.strip()
    if text.startswith(_ESCAPED):
        text = text[1:]
    return text if text.isascii() and text.isprintable() else nfc(text)


def exact_code(cell: str) -> str:
    """A product code as it stands in the file: codes are compared exactly, spaces included."""
    if cell.startswith(_ESCAPED):
        cell = cell[1:]
    if not cell.strip():
        return ""
    return cell if cell.isascii() and cell.isprintable() else nfc(cell)


def checked_length(text: str, limit: int, target: Target) -> str:
    """The text, when it has at most `limit` characters. Raises BadRow."""
    if len(text) > limit:
        raise BadRow(
            N_("%(target)s has %(length)s characters; at most %(limit)s are possible."),
            target=target.name,
            length=len(text),
            limit=target.max_length or limit,
        )
    return text


def needed(text: str, target: Target) -> str:
    """The text, when there is one. Raises BadRow."""
    if not text:
        raise BadRow(N_("%(target)s is empty."), target=target.name)
    return text


def number(cell: str, target: str) -> Decimal:
    """The number in a cell, written with digits and a decimal point. Raises BadRow."""
    if len(cell) > LONGEST_NUMBER or not cell.isascii() or not _NUMBER.fullmatch(cell):
        raise BadRow(
            N_(
                "%(target)s is “%(cell)s”, which is not a number. Write digits only, with a point "
                "before decimals and nothing between thousands."
            ),
            target=target,
            cell=cell[:60],
        )
    return Decimal(cell)


def whole_number(cell: str, target: str, limit: int = MAX_QUANTITY) -> int:
    """The whole number in a cell, at most `limit` in size; "6.0" is 6. Raises BadRow."""
    value = number(cell, target)
    if value.adjusted() > 18 or abs(value) > limit:
        raise BadRow(
            N_("%(target)s is “%(cell)s”, which is too large: at most %(limit)s."),
            target=target,
            cell=cell[:60],
            limit=limit,
        )
    if (value.adjusted() < -18 and value) or value != value.to_integral_value():
        raise BadRow(
            N_("%(target)s is “%(cell)s”; it must be a whole number."),
            target=target,
            cell=cell[:60],
        )
    return int(value)


def days_or_count(cell: str, target: str, limit: int) -> int | None:
    """A whole number from 0 to `limit`; None for an empty cell. Raises BadRow."""
    if not cell:
        return None
    value = whole_number(cell, target, limit)
    if value < 0:
        raise BadRow(
            N_("%(target)s is “%(cell)s”; it cannot be less than 0."), target=target, cell=cell[:60]
        )
    return value


def price(cell: str, target: str) -> str | None:
    """A price as plain digits, without superfluous zeros; None for an empty cell. Raises BadRow."""
    if not cell:
        return None
    value = number(cell, target)
    exponent = value.as_tuple().exponent
    too_fine = isinstance(exponent, int) and exponent < -PRICE_DECIMALS
    if value.adjusted() > 18 or abs(value) > MAX_PRICE or too_fine:
        raise BadRow(
            N_(
                "%(target)s is “%(cell)s”; a price has at most 15 digits before and %(decimals)s "
                "after the decimal point."
            ),
            target=target,
            cell=cell[:60],
            decimals=PRICE_DECIMALS,
        )
    return format(value.normalize(), "f") if value else "0"


def instant_reader(date_format: str | None, zone: ZoneInfo, example: str) -> Callable[[str], int]:
    """A function from a date cell to milliseconds since 1970 UTC; it raises BadRow.

    A date without an offset is one of `zone`.
    """

    def read(cell: str) -> int:
        try:
            if date_format is None:
                found = datetime.fromisoformat(cell)
            else:
                found = datetime.strptime(cell, date_format)  # noqa: DTZ007  (zone follows)
            if not EARLIEST <= found.date() <= LATEST:
                raise ValueError("year")
        except ValueError as error:
            raise BadRow(
                N_(
                    "The date “%(cell)s” is not in the expected format. Write it like %(example)s, "
                    "or change date_format in the mapping."
                ),
                cell=cell[:60],
                example=example,
            ) from error
        aware = found if found.tzinfo else found.replace(tzinfo=zone)
        return (aware - _EPOCH) // _MILLISECOND

    return read


def _integer(cell: str) -> str:
    """What a spreadsheet made of a numeric code, turned back: "17850.0" -> "17850"."""
    if not cell:
        return cell
    value = number(cell, "")
    if "." not in cell and "e" not in cell.lower():
        return cell
    if value.adjusted() > 30 or value != value.to_integral_value():
        raise BadRow(N_("“%(cell)s” is not a whole number."), cell=cell[:60])
    return str(int(value))


def _decimal_comma(cell: str) -> str:
    """A number written as in Vietnam: "1.234,50" -> "1234.50"."""
    return cell.replace(".", "").replace(",", ".")


CLEANERS: dict[str, Callable[[str], str]] = {
    "integer": lambda cell: _integer(cell.strip()),
    "trim": str.strip,
    "upper": lambda cell: cell.strip().upper(),
    "lower": lambda cell: cell.strip().lower(),
    "decimal_comma": _decimal_comma,
}


def cell_reader(column: Column, convert: Callable[[str], T]) -> Callable[[str], T]:
    """A function from a raw cell of this column to its value, cleaned as the mapping asks.

    It remembers what it has read, except in columns of long texts. It raises BadRow.
    """
    clean = CLEANERS[column.clean] if column.clean else None
    longest = column.target.max_length or LONGEST_NUMBER

    def read(cell: str) -> T:
        # Blanks around a cell do not count, but nobody means thousands of them.
        checked_length(cell, longest * 2, column.target)
        if clean is not None:
            cell = _cleaned(cell, clean, column.header)
        return convert(cell)

    return read if longest > LONGEST_REMEMBERED else lru_cache(REMEMBERED)(read)


def _cleaned(cell: str, clean: Callable[[str], str], header: str) -> str:
    try:
        return clean(cell)
    except CareError as error:
        raise BadRow(
            N_("Column “%(column)s” holds “%(cell)s”, which is not a whole number."),
            column=header,
            cell=cell[:60],
        ) from error
