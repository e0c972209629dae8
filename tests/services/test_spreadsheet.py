"""Spreadsheets, read back by another program's reader."""

import io
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from services import spreadsheet
from services.spreadsheet import Cell


def read_back(headings: Sequence[str], *rows: Sequence[Cell]) -> list[list[Any]]:
    file = io.BytesIO()
    assert spreadsheet.write(file, headings, rows) == len(rows)
    file.seek(0)
    return CalamineWorkbook.from_filelike(file).get_sheet_by_index(0).to_python()


def test_numbers_days_instants_and_texts_come_back_as_they_were() -> None:
    moment = datetime(2026, 11, 22, 13, 45)  # noqa: DTZ001 - a local time, as a cell holds it
    row = (1250000, -2.5, Decimal("12.75"), date(2026, 11, 22), moment, "Nguyễn Thị Hoà")
    assert read_back("abcdef", row)[1] == [1250000, -2.5, 12.75, row[3], moment, row[5]]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "<b>&amp;</b>", ' "hai\nđòng" ', "_x0041_", "https://a.vn", "00123", "]]>", "🙂"],
)
def test_a_text_stays_the_text_that_it_is(text: str) -> None:
    assert read_back(["a"], [text]) == [["a"], [text]]


def test_signs_that_no_spreadsheet_can_hold_are_left_out() -> None:
    assert read_back(["a"], ["a\x00b\x1fc\ufffe"])[1] == ["abc"]


def test_a_text_is_cut_at_what_a_cell_holds_and_says_so() -> None:
    (cell,) = read_back(["a"], ["x" * 40_000])[1]
    assert len(cell) == spreadsheet.TEXT_MOST
    assert cell.endswith("x…")


def test_what_the_calendar_of_spreadsheets_lacks_is_a_text() -> None:
    assert read_back("ab", [date(1899, 5, 6), float("inf")])[1] == ["06/05/1899", "inf"]


def test_empty_cells_leave_their_places() -> None:
    assert read_back("abc", [None, "", 3], ["x", None, None])[1:] == [["", "", 3], ["x", "", ""]]


def test_many_rows_and_columns() -> None:
    headings = [f"h{number}" for number in range(60)]  # beyond Z, and beyond AZ
    rows = [[number] * 60 for number in range(1201)]
    found = read_back(headings, *rows)
    assert found[0] == headings
    assert found[-1] == [1200] * 60
    assert len(found) == 1202
