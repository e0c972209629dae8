"""A table as a spreadsheet (XLSX), written row by row, whatever its length.

The format is Office Open XML (ECMA-376): a zip of a few small parts and one large one, the sheet.
Cells carry their texts themselves (inline strings), so that nothing has to be kept until the end.
A text is always a text: nothing that was typed becomes a formula or a link.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

Cell = str | int | float | Decimal | date | datetime | None

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS_MOST = 1_048_575  # that a sheet holds under its headings
TEXT_MOST = 32_767  # characters that a cell holds
WIDTH_LEAST, WIDTH_MOST = 12, 60  # characters
ROWS_AT_ONCE = 500
COMPRESSION = 3  # a tenth larger than the best, in a third of the time
BOLD, DAY, INSTANT = 1, 2, 3  # places among the `cellXfs` of _STYLES

# What may not stand in a text as it is, and what a spreadsheet would read as a code of its own.
_UNSAFE = re.compile("[&<>\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_CODE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_FIRST_DAY = date(1899, 12, 30)  # day 0 of the calendar of spreadsheets, which has one day too many
_FROM = date(1900, 3, 1)  # before it, that calendar is wrong
_DAY_SECONDS = 24 * 60 * 60


def write(file: BinaryIO, headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """Writes the whole file and returns the number of rows; those above ROWS_MOST are left out.

    Args:
        rows: cells in the order of the headings; dates as days, instants as local times.
    """
    number = 0
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=COMPRESSION) as archive:
        for name, content in _PARTS.items():
            archive.writestr(name, content)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(_begin(headings).encode())
            columns = [_letters(place) for place in range(len(headings))]
            remaining = islice(rows, ROWS_MOST)
            while some := list(islice(remaining, ROWS_AT_ONCE)):
                texts = (_row(number + place, row, columns) for place, row in enumerate(some, 2))
                sheet.write("".join(texts).encode("utf-8", "replace"))
                number += len(some)
            sheet.write(b"</sheetData></worksheet>")
    return number


def _begin(headings: Sequence[str]) -> str:
    widths = (min(WIDTH_MOST, max(WIDTH_LEAST, len(one) + 2)) for one in headings)
    columns = "".join(
        f'<col min="{place}" max="{place}" width="{width}" customWidth="1"/>'
        for place, width in enumerate(widths, 1)
    )
    cells = "".join(
        _text_cell(f"{_letters(place)}1", one, BOLD) for place, one in enumerate(headings)
    )
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        f"</sheetView></sheetViews>{f'<cols>{columns}</cols>' if columns else ''}"
        f'<sheetData><row r="1">{cells}</row>'
    )


def _row(number: int, row: Sequence[Cell], columns: Sequence[str]) -> str:
    cells = (
        _cell(f"{column}{number}", value)
        for column, value in zip(columns, row, strict=True)
        if value is not None and value != ""
    )
    return "".join(chain((f'<row r="{number}">',), cells, ("</row>",)))


def _cell(at: str, value: Cell) -> str:
    if isinstance(value, str):
        return _text_cell(at, value)
    if isinstance(value, datetime):
        seconds = (value - datetime.combine(value, datetime.min.time())).total_seconds()
        return _day_cell(
            at, value.date(), seconds / _DAY_SECONDS, INSTANT, f"{value:%d/%m/%Y %H:%M}"
        )
    if isinstance(value, date):
        return _day_cell(at, value, 0, DAY, f"{value:%d/%m/%Y}")
    if isinstance(value, bool):
        return f'<c r="{at}" t="b"><v>{value:d}</v></c>'
    if not math.isfinite(value or 0):
        return _text_cell(at, str(value))
    return f'<c r="{at}"><v>{value}</v></c>'


def _day_cell(at: str, day: date, part: float, style: int, text: str) -> str:
    if day < _FROM:
        return _text_cell(at, text)
    return f'<c r="{at}" s="{style}"><v>{(day - _FIRST_DAY).days + part}</v></c>'


def _text_cell(at: str, text: str, style: int = 0) -> str:
    if len(text) > TEXT_MOST:
        text = f"{text[: TEXT_MOST - 1]}…"
    if _UNSAFE.search(text):
        text = escape(_CODE.sub("_x005F_", _FORBIDDEN.sub("", text)))
    styled = f' s="{style}"' if style else ""
    return f'<c r="{at}" t="inlineStr"{styled}><is><t xml:space="preserve">{text}</t></is></c>'


def _letters(place: int) -> str:
    """The name of a column: A, B, ... Z, AA, AB, ..."""
    found = ""
    while place >= 0:
        found = chr(ord("A") + place % 26) + found
        place = place // 26 - 1
    return found


# The parts that are the same in every file.
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_FORMATS = "http://schemas.openxmlformats.org"
_MAIN = f"{_FORMATS}/spreadsheetml/2006/main"
_SHEETS = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _types() -> Iterator[str]:
    for part, kind in (
        ("/xl/workbook.xml", "sheet.main"),
        ("/xl/worksheets/sheet1.xml", "worksheet"),
        ("/xl/styles.xml", "styles"),
    ):
        yield f'<Override PartName="{part}" ContentType="{_SHEETS}.{kind}+xml"/>'


def _relations(*targets: tuple[str, str]) -> str:
    kinds = f"{_FORMATS}/officeDocument/2006/relationships"
    each = "".join(
        f'<Relationship Id="rId{number}" Type="{kinds}/{kind}" Target={quoteattr(target)}/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    package = f"{_FORMATS}/package/2006/relationships"
    return f'{_XML}<Relationships xmlns="{package}">{each}</Relationships>'


_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="2"><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/>'
    '<numFmt numFmtId="165" formatCode="dd/mm/yyyy hh:mm"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
_PARTS = {
    "[Content_Types].xml": (
        f'{_XML}<Types xmlns="{_FORMATS}/package/2006/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{"".join(_types())}</Types>'
    ),
    "_rels/.rels": _relations(("officeDocument", "xl/workbook.xml")),
    "xl/_rels/workbook.xml.rels": _relations(
        ("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml")
    ),
    "xl/workbook.xml": (
        f'{_XML}<workbook xmlns="{_MAIN}" '
        f'xmlns:r="{_FORMATS}/officeDocument/2006/relationships">'
        '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/styles.xml": _STYLES,
}
