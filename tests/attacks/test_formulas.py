"""No cell of a file that a spreadsheet opens runs as a formula.

Defended by: `services.csv_cells.escaped` for every text of a CSV file; spreadsheets get texts as
texts.
"""

import csv
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from models import Area, Customer, Order, Product
from rules.scope import Actor
from services import export
from services.csv_cells import FORMULA_SIGNS
from tests.attacks.routes import routes
from tests.factories import ZONE, make_customer, make_order, make_product
from tests.importing import order_file, run_orders
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")
FORMULAS = ("=HYPERLINK(1)", "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1")


def fill(formula: str) -> None:
    """One of each record, every text of which is the formula."""
    area = Area.collection().insert_one({"name": formula, "search": "x"}).inserted_id
    code = make_product(formula, name=formula)
    texts = dict.fromkeys(("name", "address", "tax_code", "national_id", "note"), formula)
    customer = make_customer(
        code=formula, area_id=area, phones=[formula], emails=[formula], tags=[formula], **texts
    )
    order = dict.fromkeys(("marketplace", "status", "note", "shipping"), formula)
    make_order(customer, {code: 1}, code=formula, area_id=area, **order)
    assert all(one.collection().count_documents({}) for one in (Customer, Order, Product))


def cells_of(text: str) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_exported_list_runs_anything(
    app: Flask,
    administrator: Actor,
    browser_of: Callable[[Actor], Browser],
    formula: str,
    db: Any,
) -> None:
    fill(formula)
    boss = browser_of(administrator)
    taken = 0
    for endpoint, _, address in routes(app, {"format": "csv", "kind": "csv"}, frozenset({"GET"})):
        if "export" not in endpoint and "export" not in address:
            continue
        response = boss.get(address)
        if response.status_code != 200 or "csv" not in response.headers["Content-Type"]:
            continue
        cells = cells_of(response.data.decode("utf-8-sig"))
        assert not [cell for cell in cells if cell.startswith(FORMULA_SIGNS)], address
        taken += any(formula.strip() in cell for cell in cells)
    for kind in ("customers", "products"):
        response = boss.get(f"/{kind}/export/csv")
        cells = cells_of(response.data.decode("utf-8-sig"))
        assert not [cell for cell in cells if cell.startswith(FORMULA_SIGNS)]
        taken += 1
    assert taken


def test_a_spreadsheet_holds_texts_and_no_formula(
    administrator: Actor, browser_of: Callable[[Actor], Browser], db: Any
) -> None:
    fill("=HYPERLINK(1)")
    answer = browser_of(administrator).get("/customers/export/xlsx")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as book:
        sheets = [book.read(name) for name in book.namelist() if "worksheets/" in name]
    assert sheets
    assert not any(b"<f>" in sheet or b"<f " in sheet for sheet in sheets)


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_export_of_the_command_line_runs_anything(db: Any, formula: str) -> None:
    fill(formula)
    for kind in export.EXPORTS:
        file = io.StringIO(newline="")
        fields = list(export.EXPORTS[kind].fields)
        export.write_csv(export.rows(kind, fields=fields, filters=(), zone=ZONE), file)
        cells = cells_of(file.getvalue().lstrip("\ufeff"))
        numbers = [cell for cell in cells if cell.lstrip("-").replace(".", "").isdigit()]
        assert not [c for c in cells if c.startswith(FORMULA_SIGNS) and c not in numbers]


def test_the_file_of_bad_rows_runs_nothing(db: Any, tmp_path: Any) -> None:
    bad = order_file(tmp_path, "=1+1,nonsense,@SUM(1),-x,+1,=2,=3,=4")
    report = run_orders(bad)
    assert report.error_file
    cells = cells_of(report.error_file.read_text("utf-8-sig"))
    assert not [cell for cell in cells if cell.startswith(FORMULA_SIGNS)]
