"""The real month, from the command line, against dates that were computed elsewhere."""

import csv
import io

import pytest
from click.testing import CliRunner

from commands import cli
from tests.importing import DATA, HEADER, contents, line, order_file

FIELDS = "code,customer_code,placed_on,due_on,basis_product,basis_interval_days,basis_quantity"


@pytest.fixture
def carebook(db, settings, monkeypatch):
    """Runs the command line against the test's stores."""
    monkeypatch.setenv("CAREBOOK_DATA", str(settings.data))
    monkeypatch.setenv("CAREBOOK_MONGO_DATABASE", settings.mongo_database)

    def run(*arguments):
        return CliRunner().invoke(cli, [str(argument) for argument in arguments])

    monkeypatch.setattr("commands.Settings", lambda: settings)
    monkeypatch.setattr(settings, "locale", "en")
    return run


def import_products(carebook, *more):
    return carebook(
        *("import", "products", DATA / "care-products.csv"),
        *("--mapping", DATA / "care-products.mapping.toml", *more),
    )


def import_month(carebook, *more):
    return carebook(
        *("import", "orders", DATA / "online-retail-2010-12.csv.gz"),
        *("--mapping", DATA / "online-retail.mapping.toml", *more),
    )


def expected():
    path = DATA / "expected-first-care-2010-12.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))[1:]


def test_the_real_month_gives_exactly_the_expected_dates(carebook, db):
    assert import_products(carebook).exit_code == 0
    before = contents(db)
    dry = import_month(carebook, "--dry-run")
    assert "Dry run: 2,025 new, 0 changed, 0 unchanged. Nothing was written." in dry.output
    assert contents(db) == before
    first = import_month(carebook)
    assert first.exit_code == 0, first.output
    assert "2,025 new" in first.output
    assert "42,481 rows read, 0 of them bad." in first.output

    exported = carebook(
        *("export", "orders", "--fields", FIELDS),
        *("--filter", "care=suggested", "--format", "csv"),
    )
    assert exported.exit_code == 0, (exported.output, exported.exception)
    header, *rows = csv.reader(io.StringIO(exported.stdout, newline=""))
    assert ",".join(header) == FIELDS
    assert rows == expected()

    stored = contents(db)
    again = import_month(carebook)
    assert "Nothing changed: all 2,025 orders of these files are here already." in again.output
    assert "Nothing changed" in import_products(carebook).output
    assert contents(db) == stored


def test_a_customers_next_care_is_its_nearest_order(carebook, db):
    import_products(carebook)
    import_month(carebook)
    nearest = {}
    for _, customer, _, due_on, *_ in expected():
        nearest[customer] = min(due_on, nearest.get(customer, due_on))
    stored = {
        row["code"]: row["care"]["due_on"].date().isoformat()
        for row in db.customers.find({"care.state": "suggested"})
    }
    assert stored == nearest


def test_bad_rows_are_counted_and_the_chosen_file_keeps_them(carebook, tmp_path):
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        'kind = "orders"\n[columns]\nInvoice = "order.code"\nDate = "order.placed_at"\n'
        'Product = "line.product_code"\nQuantity = "line.quantity"\n'
    )
    errors = tmp_path / "bad" / "errors.csv"
    result = carebook(
        *("import", "orders", order_file(tmp_path, line(), line("2", quantity="x"))),
        *("--mapping", mapping, "--errors", errors),
    )
    assert result.exit_code == 0
    assert "2 rows read, 1 of them bad." in result.output
    assert str(errors) in result.output
    header, bad = csv.reader(errors.read_text(encoding="utf-8-sig").splitlines())
    assert header == ["file", "line", "reason", *HEADER.split(",")]
    assert bad[:2] == ["orders.csv", "3"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import", "orders", "gone.csv", "--mapping", "{orders}"), "does not exist"),
        (("import", "orders", "{tmp}", "--mapping", "{orders}"), "is a directory"),
        (("import", "orders", "{file}", "--mapping", "{orders}"), "has no column “InvoiceNo”"),
        (("import", "orders", "{file}", "--mapping", "{products}"), "import of orders"),
        (("import", "orders", "{file}", "{file}", "--mapping", "{orders}"), "the same file"),
        (("import", "orders", "{file}", "{copy}", "--mapping", "{orders}"), "the same file"),
        (
            ("import", "orders", "{file}", "--mapping", "{orders}", "--errors", "{file}"),
            "choose another for bad rows",
        ),
        (("export", "orders", "--filter", "care"), "name=value"),
        (("export", "orders", "--output", "{tmp}"), "cannot be written"),
    ],
)
def test_what_cannot_work_is_one_clear_line(carebook, tmp_path, arguments, said):
    file = order_file(tmp_path, line())
    places = {
        "tmp": tmp_path,
        "file": file,
        "copy": order_file(tmp_path, line(), name="copy.csv"),
        "orders": DATA / "online-retail.mapping.toml",
        "products": DATA / "care-products.mapping.toml",
    }
    result = carebook(*(argument.format(**places) for argument in arguments))
    assert result.exit_code == 1
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "Traceback" not in result.output


def test_a_file_for_bad_rows_that_cannot_be_written_stops_before_anything_is(
    carebook, db, tmp_path
):
    mapping = DATA / "care-products.mapping.toml"
    file = tmp_path / "p.csv"
    file.write_text(
        "StockCode,Name,group_path,care_interval_days,care_min,care_max\n,,,,,\nA,,,,,\n"
    )
    blocked = tmp_path / "p.csv" / "errors.csv"
    result = carebook("import", "products", file, "--mapping", mapping, "--errors", blocked)
    assert result.exit_code == 1
    assert "--errors FILE" in result.stderr
    assert db.products.count_documents({}) == 0


def test_an_exported_file_opens_in_spreadsheets_and_can_be_imported(carebook, db, tmp_path):
    import_products(carebook)
    output = tmp_path / "products.csv"
    result = carebook("export", "products", "--output", output)
    assert result.output == f"3958 products written to {output}.\n"
    assert output.read_bytes().startswith(b"\xef\xbb\xbf")
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        'kind = "products"\n[columns]\ncode = "product.code"\nname = "product.name"\n'
        'group_path = "product.group_path"\ncare_interval_days = "product.care_interval_days"\n'
        'care_min = "product.care_min"\ncare_max = "product.care_max"\n'
    )
    assert "Nothing changed" in carebook("import", "products", output, "--mapping", mapping).output


@pytest.mark.parametrize("command", ["import", "export"])
def test_the_help_has_an_example(carebook, command):
    for more in ([], ["orders"], ["products"]):
        result = carebook(command, *more, "--help")
        assert "Example:" in result.output
        assert result.exit_code == 0


def test_it_speaks_the_language_of_the_site(carebook, settings, monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "locale", "vi")
    file = tmp_path / "hong.csv"
    file.write_text("StockCode,Name\nP1,Một\n", encoding="utf-8")

    refused = carebook("import", "products", file, "--mapping", DATA / "care-products.mapping.toml")
    taken = import_products(carebook)

    assert refused.exit_code == 1
    assert "cột" in refused.stderr
    assert "Đã nhập mặt hàng: 3.958 mới" in taken.output
