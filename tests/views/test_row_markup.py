"""Rows of lists: each kind of cell, escaped, and nothing remembered of another row."""

import pytest
from flask import Flask

from views.cells import Cell, Column, RowView
from views.row_markup import rows

BAD = "<script>\"&'"
GOOD = "&lt;script&gt;&#34;&amp;&#39;"
FILE = Cell("file", BAD, url=BAD, panel_url=BAD)

CELLS = [
    Cell("text", BAD, level=BAD),
    Cell("number", BAD),
    Cell("pill", BAD, colour=BAD),
    Cell("pills", items=(Cell("pill", BAD, colour=BAD),)),
    Cell("square", BAD, url=BAD, panel_url=BAD),
    Cell("title", BAD, sub=BAD, url=BAD),
    Cell("title", BAD, sub=BAD, level=BAD),
    Cell("due", BAD, sub=BAD, level=BAD),
    Cell("files", items=(FILE, FILE._replace(panel_url=None)), sub=BAD, level="2"),
    Cell("link", BAD, url=BAD),
    Cell("edit", BAD, panel_url=BAD),
    Cell("edit", BAD),
    Cell("check", BAD),
    Cell("long", BAD),
    Cell("unknown", BAD),
]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.kind)
def test_what_people_typed_is_text_in_every_kind_of_cell(app: Flask, cell: Cell) -> None:
    with app.test_request_context("/"):
        drawn = rows([RowView("1", [cell], BAD, "red", BAD)], [Column("a")], has_menu=True)
    assert BAD not in drawn
    assert "<script" not in drawn
    assert GOOD in drawn


def test_a_box_to_tick_names_its_own_row(app: Flask) -> None:
    """Two rows with the same text: the second is not a copy of the first."""
    cell = Cell("check", "Lan")
    with app.test_request_context("/"):
        drawn = rows([RowView("1", [cell], ""), RowView("2", [cell], "")], [Column("a")])
    assert 'value="1"' in drawn
    assert 'value="2"' in drawn


def test_the_green_square_speaks_the_language_of_the_reader(app: Flask) -> None:
    cell = Cell("square", "KH1", url="/a", panel_url="/b")
    said = []
    for language in ("vi", "en"):
        with app.test_request_context("/", headers={"Cookie": f"locale={language}"}):
            said.append("Write a care entry" in rows([RowView("1", [cell], "")], [Column("a")]))
    assert said == [False, True]


def test_changed_rows_take_the_place_of_those_on_the_page(app: Flask) -> None:
    with app.test_request_context("/"):
        drawn = rows(
            [RowView("1", [Cell()], "", "red", "Nợ")],
            [Column("a", numeric=True)],
            is_changed=True,
            is_in_place=True,
        )
    assert 'id="row-1"' in drawn
    assert 'class="row-red is-changed" title="Nợ" hx-swap-oob="true"' in drawn
    assert '<td class=" num">' in drawn
