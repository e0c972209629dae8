"""The rows of a list as a file: exactly the columns, filters and order that are seen (CSV, XLSX).

Rows come from a raw cursor with one query per thousand rows and kind of reference; memory stays
bounded, whatever the number of rows. Texts that a spreadsheet would run are made harmless.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO

from bson import Decimal128
from pymongo.collection import Collection

from models.base import local_date
from rules.errors import N_
from rules.fields import FLAG, Field, Kind
from rules.filters import Criteria
from rules.record_paths import reader
from rules.scope import Actor
from services import references, spreadsheet
from services.catalogues import Words
from services.computed import paths_of
from services.computed import reader as computed_reader
from services.configuration import Configuration
from services.csv_cells import escaped
from services.lists import Sort, projection_of
from services.progress import NoProgress, Progress, stop_if_cancelled
from stores import mongo

Stored = dict[str, Any]
Shown = spreadsheet.Cell

CSV, XLSX = "csv", "xlsx"
FORMATS: Mapping[str, str] = {
    CSV: "text/csv; charset=utf-8",
    XLSX: spreadsheet.MEDIA_TYPE,
}
ROWS_PER_LOOKUP = 1000


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is to be written. `headings` stand over `fields`, in the reader's language."""

    collection: Collection[Stored]
    criteria: Criteria
    sort: Sort
    fields: Sequence[Field]
    headings: Sequence[str]
    config: Configuration
    words: Words
    by: Actor
    kind: Kind
    today: date


def write(sheet: Sheet, form: str, file: BinaryIO, progress: Progress | None = None) -> int:
    """Writes the whole file and returns the number of rows.

    Args:
        form: CSV or XLSX.

    Raises Cancelled when the progress was told to stop.
    """
    rows = _watched(rows_of(sheet), progress or NoProgress())
    if form == CSV:
        return _write_csv(sheet, rows, file)
    return spreadsheet.write(file, sheet.headings, rows)


def rows_of(sheet: Sheet) -> Iterator[list[Shown]]:
    """The rows as values: numbers, dates and texts in the reader's language."""
    direction = -1 if sheet.sort.descending else 1
    cursor = (
        sheet.collection.find(
            sheet.criteria,
            projection_of(path for field in sheet.fields for path in paths_of(field, sheet.kind)),
        )
        .sort([(sheet.sort.path, direction), ("_id", direction)])
        .allow_disk_use(True)
        .batch_size(ROWS_PER_LOOKUP)
    )
    while batch := list(islice(cursor, ROWS_PER_LOOKUP)):
        names = references.of_rows(batch, sheet.fields, by=sheet.by)
        shows = [_shower(field, sheet, names) for field in sheet.fields]
        for row in batch:
            yield [show(row) for show in shows]


def _write_csv(sheet: Sheet, rows: Iterable[list[Shown]], file: BinaryIO) -> int:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([escaped(heading) for heading in sheet.headings])
    number = 0
    for row in rows:
        writer.writerow([_csv_cell(value) for value in row])
        number += 1
    text.detach()
    return number


def _csv_cell(value: Shown) -> str | int | None:
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, float | Decimal):
        return f"{Decimal(str(value)):f}"  # plain digits, never 7.89E+5
    if isinstance(value, datetime):
        return f"{value:%d/%m/%Y %H:%M}"
    return f"{value:%d/%m/%Y}" if isinstance(value, date) else value


def _watched(rows: Iterator[list[Shown]], progress: Progress) -> Iterator[list[Shown]]:
    """Tells the progress about every thousand rows."""
    while batch := list(islice(rows, ROWS_PER_LOOKUP)):
        stop_if_cancelled(progress)
        progress.advance(len(batch))
        yield from batch


def _shower(
    field: Field, sheet: Sheet, names: Mapping[str, Mapping[Any, str]]
) -> Callable[[Stored], Shown]:
    """What turns a row into the value of this field, chosen once for all rows."""
    if field.type == "computed":
        read = computed_reader(field, sheet.kind, today=sheet.today, zone=mongo.zone())
        if field.result != FLAG:
            return read
        said = _flag_shower(sheet.words)
        return lambda row: None if (found := read(row)) is None else said(found)
    read, show = reader(field.path), _value_shower(field, sheet, names)
    return lambda row: None if (found := read(row)) is None else show(found)


def _value_shower(
    field: Field, sheet: Sheet, names: Mapping[str, Mapping[Any, str]]
) -> Callable[[Any], Shown]:
    locale = sheet.words.locale
    if field.choices:
        labels = {one.key: sheet.words.say(one.label) for one in field.choices}
        return lambda key: labels.get(key, str(key))
    if field.family in ("choice", "choices") and field.pick_list:
        values = sheet.config.pick_lists.get(field.pick_list, {})
        known = {key: value.label(locale) for key, value in values.items()}
        return lambda keys: _joined(known.get(key, str(key)) for key in _several(keys))
    if field.refers_to:
        found = names.get(field.refers_to, {})
        return lambda ids: _joined(found.get(one, "") for one in _several(ids))
    if field.family == "number":
        return _number
    if field.family == "day":
        return lambda value: local_date(value)
    if field.family == "instant":
        zone = mongo.zone()
        return lambda value: value.astimezone(zone).replace(tzinfo=None)
    if field.family == "flag":
        return _flag_shower(sheet.words)
    return lambda value: _joined(map(str, _several(value)))


def _flag_shower(words: Words) -> Callable[[Any], str]:
    yes, no = words.say(N_("Yes")), words.say(N_("No"))
    return lambda value: yes if value else no


def _number(value: Any) -> Shown:
    if isinstance(value, Decimal128):
        return value.to_decimal()
    return value if isinstance(value, int | float | Decimal) else str(value)


def _several(value: Any) -> list[Any]:
    return [one for one in value if one is not None] if isinstance(value, list) else [value]


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(filter(None, texts))
