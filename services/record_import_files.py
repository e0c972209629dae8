"""A table that people send: CSV with any delimiter and encoding, or a spreadsheet, as rows of text."""

import codecs
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import python_calamine

from rules.errors import N_, CareError
from rules.numbers import typed_decimal
from services.imports.reading import SourceFile, UnreadableFile

FILE_BYTES = 20 * 1024 * 1024
UNPACKED_BYTES = 300 * 1024 * 1024  # of a spreadsheet, which is a packed archive
ROWS_MOST = 10_000
COLUMNS_MOST = 200
DELIMITERS = ",;\t|"
ENCODINGS = ("utf-8", "cp1258", "latin-1")  # the last one reads anything
SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


@dataclass
class Table:
    """The rows by their line in the file; `broken` are lines that are no rows, with the reason."""

    header: list[str]
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    broken: list[tuple[int, CareError, list[str]]] = field(default_factory=list)


def read(file: BinaryIO, name: str) -> Table:
    """The table in a file. Raises UnreadableFile that names the file and says what to do."""
    content = file.read(FILE_BYTES + 1)
    if len(content) > FILE_BYTES:
        raise UnreadableFile(
            N_("“%(file)s” is larger than %(limit)s MB. Make it smaller or send it in parts."),
            file=name,
            limit=FILE_BYTES // 1024 // 1024,
        )
    is_sheet = content.startswith(SPREADSHEETS)
    table = _spreadsheet(content, name) if is_sheet else _csv(content, name)
    if len(table.header) > COLUMNS_MOST:
        raise UnreadableFile(
            N_("%(file)s has more than %(limit)s columns."), file=name, limit=COLUMNS_MOST
        )
    return table


def _csv(content: bytes, name: str) -> Table:
    encoding = _encoding(content)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "table.csv"
        path.write_bytes(content)
        try:
            source = SourceFile(path, _delimiter(content, encoding), encoding)
            try:
                table = Table(source.header)
                _fill(table, source.rows(lambda *broken: table.broken.append(broken)), name)
            finally:
                source.close()
        except UnreadableFile as error:
            raise UnreadableFile(error.message, **{**error.params, "file": name}) from error
    return table


def _fill(table: Table, rows: Iterable[tuple[int, list[str]]], name: str) -> None:
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if len(table.rows) + len(table.broken) >= ROWS_MOST:
            raise UnreadableFile(
                N_("%(file)s has more than %(limit)s rows. Send it in parts."),
                file=name,
                limit=ROWS_MOST,
            )
        table.rows.append((line, cells))


def _encoding(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ENCODINGS:
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise AssertionError  # pragma: no cover


def _delimiter(content: bytes, encoding: str) -> str:
    """The sign that stands most often in the first line, outside of quotation marks."""
    text = content[:65536].decode(encoding, errors="replace").lstrip("\ufeff\r\n")
    first = "".join(text.split("\n", 1)[0].split('"')[::2])
    return max(DELIMITERS, key=first.count)


def _spreadsheet(content: bytes, name: str) -> Table:
    """The first sheet that holds anything. Formulas count as what they gave when it was saved."""
    for rows in _sheets(content, name):
        filled = ((line, cells) for line, cells in rows if any(cell.strip() for cell in cells))
        first = next(filled, None)
        if first is None:
            continue
        header = [cell.strip() for cell in first[1]]
        while header and not header[-1]:
            header.pop()
        table = Table(header)
        _fill(table, ((line, _fitted(cells, len(header))) for line, cells in filled), name)
        return table
    raise UnreadableFile(N_("%(file)s is empty."), file=name)


def _sheets(content: bytes, name: str) -> Iterator[Iterator[tuple[int, list[str]]]]:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        try:
            if content.startswith(b"PK") and _unpacked(file) > UNPACKED_BYTES:
                raise _damaged(name)
            file.seek(0)
            book = python_calamine.CalamineWorkbook.from_filelike(file)
            for sheet in book.sheet_names:
                # Empty rows at the beginning are kept, so that lines are those of the sheet.
                yield _texts(book.get_sheet_by_name(sheet).to_python(skip_empty_area=False))
        except (python_calamine.CalamineError, zipfile.BadZipFile, OSError, ValueError) as error:
            raise _damaged(name) from error


def _unpacked(file: Any) -> int:
    with zipfile.ZipFile(file) as archive:
        return sum(one.file_size for one in archive.infolist())


def _damaged(name: str) -> UnreadableFile:
    return UnreadableFile(
        N_("%(file)s cannot be read as a spreadsheet. Save it again as XLSX or CSV UTF-8."),
        file=name,
    )


def _texts(rows: list[list[Any]]) -> Iterator[tuple[int, list[str]]]:
    for number, row in enumerate(rows, 1):
        yield number, [_text(cell) for cell in row]


def _fitted(cells: list[str], width: int) -> list[str]:
    return (cells + [""] * width)[:width]


def _text(cell: Any) -> str:
    """The cell as a person would type it into the form."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime):
        return f"{cell:%d/%m/%Y}" if cell.time() == time() else f"{cell:%d/%m/%Y %H:%M}"
    if isinstance(cell, date):
        return f"{cell:%d/%m/%Y}"
    if isinstance(cell, float):
        return _number(cell)
    return str(cell)


def _number(value: float) -> str:
    """12.0 is 12; a comma stands before decimals, and never three of them, which would look like
    thousands."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    text = typed_decimal(Decimal(repr(value)))
    return f"{text}0" if len(text.rpartition(",")[2]) == 3 else text
