"""Lines of files become orders with customers, products, totals and care dates."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from models import Customer, Order
from services import trash
from services.imports import orders as importing
from services.imports.order_lines import MAX_LINES
from tests.factories import make_customer, make_product
from tests.importing import AT, ORDERS, contents, line, order_file, run_orders

pytestmark = pytest.mark.usefixtures("db")


def order(db, code="1001"):
    return db.orders.find_one({"code": code})


def errors_of(report):
    rows = report.error_file.read_text(encoding="utf-8-sig").splitlines()
    return rows[0], rows[1:]


def test_an_order_has_its_lines_total_and_customer(db, tmp_path):
    report = run_orders(
        order_file(tmp_path, line(product="A", quantity=2, price="2.55"), line(product="B"))
    )
    stored = order(db)
    assert (report.rows, report.new, report.bad) == (2, 1, 0)
    assert report.created == {"customers": 1, "products": 2, "areas": 1}
    assert [(one["product_code"], one["quantity"]) for one in stored["lines"]] == [
        ("A", 2),
        ("B", 1),
    ]
    assert stored["total"].to_decimal() == Decimal("7.60")
    assert stored["placed_at"] == datetime(2026, 11, 2, 2, tzinfo=UTC)
    assert stored["placed_on"] == datetime(2026, 11, 2, tzinfo=UTC)
    customer = db.customers.find_one({"_id": stored["customer_id"]})
    assert (customer["code"], customer["name"]) == ("7", "7")
    assert stored["area_id"] == customer["area_id"] == db.areas.find_one({"name": "Huế"})["_id"]
    assert Order.objects.get(code="1001").lines[0].product_name == "Cà phê"


def test_a_made_product_needs_no_care_and_takes_the_first_name_there_is(db, tmp_path):
    run_orders(
        order_file(
            tmp_path,
            line(product="A", name=""),
            line(product="A", name="Trà"),
            line("2", "B", name=""),
        )
    )
    products = {row["code"]: row for row in db.products.find()}
    assert (products["A"]["name"], products["A"]["care_interval_days"]) == ("Trà", 0)
    assert products["B"]["name"] == "B"
    assert products["A"]["search_words"] == ["tra", "a"]
    assert order(db)["care"] == {"state": "none", "count": 0}


def test_the_first_care_date_counts_from_the_earliest_line(db, tmp_path):
    make_product("A", interval=5)
    report = run_orders(
        order_file(
            tmp_path,
            line(product="A", quantity=3, date="2026-11-03 08:00:00"),
            line(product="A", quantity=-1, date="2026-11-02 23:59:59"),
        )
    )
    stored = order(db)
    assert report.new == 1
    assert stored["care"]["state"] == "suggested"
    assert stored["care"]["due_on"] == datetime(2026, 11, 12, tzinfo=UTC)
    assert stored["care"]["basis"]["quantity"] == 2
    assert stored["care_items"] == [{"code": "A", "quantity": 2, "interval_days": 5}]
    customer = db.customers.find_one({"code": "7"})
    assert customer["care"]["order_id"] == stored["_id"]
    assert customer["care"]["due_on"] == datetime(2026, 11, 12, tzinfo=UTC)


def test_the_local_date_is_the_sites(db, tmp_path):
    mapping = ORDERS | {"timezone": "UTC"}
    run_orders(order_file(tmp_path, line(date="2026-11-02 17:30:00")), mapping=mapping)
    assert order(db)["placed_on"] == datetime(2026, 11, 3, tzinfo=UTC)


def test_lines_of_an_order_may_be_scattered_over_files(db, tmp_path):
    first = order_file(tmp_path, line("1"), line("2"), line("1", quantity=2), name="a.csv")
    second = order_file(tmp_path, line("1", quantity=3), name="b.csv")
    run_orders(first, second)
    assert [one["quantity"] for one in order(db, "1")["lines"]] == [1, 2, 3]


def test_returns_and_orders_without_customer_are_kept_and_never_due(db, tmp_path):
    make_product("P", interval=5)
    report = run_orders(order_file(tmp_path, line("C1"), line("2", customer="")))
    assert (report.returns, report.without_customer) == (1, 1)
    assert order(db, "C1")["kind"] == "return"
    assert "customer_id" not in order(db, "2")
    assert db.orders.count_documents({"care.state": "none"}) == 2


def test_a_spreadsheets_customer_number_becomes_a_code_again(db, tmp_path):
    known = make_customer(code="17850")
    run_orders(order_file(tmp_path, line(customer="17850.0")))
    assert order(db)["customer_id"] == known
    assert db.customers.count_documents({}) == 1


def test_lines_that_disagree_take_the_first_and_warn(db, tmp_path):
    report = run_orders(
        order_file(tmp_path, line(customer=""), line(customer="8"), line(customer="9"))
    )
    assert db.customers.distinct("code") == ["8"]
    assert sum(report.warnings.values()) == 1


def test_an_existing_customer_keeps_its_area(db, tmp_path):
    known = make_customer(code="7", area_id=None)
    run_orders(order_file(tmp_path, line(area="Đà Nẵng")))
    assert order(db).get("area_id") is None
    assert db.customers.find_one({"_id": known})["area_id"] is None


def test_a_second_run_changes_nothing(db, tmp_path):
    make_product("P", interval=5)
    path = order_file(tmp_path, line("1"), line("2"), line("C3"), line("4", customer=""))
    run_orders(path)
    before = contents(db)
    report = run_orders(path, at=AT.replace(year=2027))
    assert report.changes_nothing
    assert report.unchanged == 4
    assert contents(db) == before


def test_a_dry_run_counts_the_same_and_writes_nothing(db, tmp_path, monkeypatch):
    monkeypatch.setattr(importing, "BATCH_ORDERS", 2)
    run_orders(order_file(tmp_path, line("1"), name="old.csv"))
    path = order_file(
        tmp_path,
        line("1", quantity=9),
        line("2", "Q", area="Vinh", customer="8"),
        line("3", "Q", area="Vinh", customer="8"),
        line("4", "Q", area="Vinh", customer="8"),
        line("5", quantity="x"),
    )
    before = contents(db)
    dry = run_orders(path, dry_run=True)
    assert contents(db) == before
    real = run_orders(path)
    for name in ("rows", "bad", "new", "changed", "unchanged", "created"):
        assert getattr(dry, name) == getattr(real, name), name
    assert (real.new, real.changed, real.bad) == (3, 1, 1)


def test_a_changed_order_follows_the_file(db, tmp_path):
    make_product("P", interval=5)
    run_orders(order_file(tmp_path, line(), name="a.csv"))
    report = run_orders(order_file(tmp_path, line(quantity=2, customer="8"), name="b.csv"))
    stored = order(db)
    assert (report.changed, report.new) == (1, 0)
    assert stored["version"] == 2
    assert stored["care"]["due_on"] == datetime(2026, 11, 12, tzinfo=UTC)
    assert db.customers.find_one({"code": "7"})["care"] == {"state": "none"}
    assert db.customers.find_one({"code": "8"})["care"]["order_id"] == stored["_id"]


def test_a_changed_order_that_needs_no_care_any_more_loses_its_date(db, tmp_path):
    make_product("P", interval=5)
    run_orders(order_file(tmp_path, line(), name="a.csv"))
    run_orders(order_file(tmp_path, line(quantity=0, customer="", area=""), name="b.csv"))
    stored = order(db)
    assert stored["care"] == {"state": "none", "count": 0}
    assert "customer_id" not in stored
    assert "area_id" not in stored
    assert db.customers.find_one({"code": "7"})["care"] == {"state": "none"}


def test_care_that_a_person_logged_survives_a_changed_order(db, tmp_path):
    make_product("P", interval=5)
    run_orders(order_file(tmp_path, line(), name="a.csv"))
    care = {
        "state": "appointed",
        "due_on": datetime(2027, 1, 1, tzinfo=UTC),
        "basis": {"kind": "appointment"},
        "count": 1,
    }
    db.orders.update_one({"code": "1001"}, {"$set": {"care": care}})
    run_orders(order_file(tmp_path, line(quantity=4), name="b.csv"))
    stored = order(db)
    assert stored["care"] == care
    assert stored["care_items"][0]["quantity"] == 4


def test_texts_that_look_like_operators_are_only_texts(db, tmp_path):
    for text in ("$name", "$$ROOT", "{$gt: 1}", "=1+1", "<script>"):
        run_orders(order_file(tmp_path, line(name=text, product=text, area=text)))
        stored = order(db)["lines"][0]
        assert (stored["product_name"], stored["product_code"]) == (text, text)


def test_each_batch_leaves_one_audit_entry_of_the_run(db, tmp_path, monkeypatch):
    monkeypatch.setattr(importing, "BATCH_ORDERS", 2)
    report = run_orders(order_file(tmp_path, line("1"), line("2"), line("3")))
    entries = list(db.audit_entries.find())
    assert [entry["record_id"] for entry in entries] == [report.import_id] * 2
    assert entries[0]["record_label"] == "orders: orders.csv"
    assert {"field": "orders_new", "old": None, "new": 2} in entries[0]["changes"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (line(quantity="1e308"), "too large"),
        (line(quantity=2**63), "too large"),
        (line(quantity="-99999999999"), "too large"),
        (line(quantity="1.5"), "must be a whole number"),
        (line(quantity="1e-300"), "must be a whole number"),
        (line(quantity="nan"), "not a number"),
        (line(quantity="inf"), "not a number"),
        (line(quantity="1_000"), "not a number"),
        (line(quantity="٣"), "not a number"),
        (line(quantity=""), "line.quantity is empty"),
        (line(quantity='"1,000"'), "nothing between thousands"),
        (line(price="1e400"), "at most 15 digits"),
        (line(price="0." + "1" * 13), "at most 15 digits"),
        (line(price="free"), "not a number"),
        (line(code=""), "order.code is empty"),
        (line(product="   "), "line.product_code is empty"),
        (line(code="x" * 81), "81 characters"),
        (line(name="x" * 401), "401 characters"),
        (line(customer="Ann"), "not a whole number"),
        (line(customer="1.5"), "not a whole number"),
        (line(date="02/11/2026 09:00"), "Write it like 2010-12-31 14:30:05"),
        (line(date="0001-01-01"), "not in the expected format"),
        (line(date="9999-12-31"), "not in the expected format"),
        (line(date=""), "order.placed_at is empty"),
    ],
)
def test_a_bad_row_is_kept_with_its_reason_and_stops_nothing(db, tmp_path, row, said):
    report = run_orders(order_file(tmp_path, line("1"), row, line("2")))
    header, (bad,) = errors_of(report)
    assert header.startswith("file,line,reason,Invoice,")
    assert bad.startswith("orders.csv,3,")
    assert said in bad
    assert (report.rows, report.bad, report.new) == (3, 1, 2)
    assert db.orders.count_documents({}) == 2


def test_numbers_a_spreadsheet_writes_are_understood(db, tmp_path):
    run_orders(
        order_file(tmp_path, line(quantity="6.0", price="1E+2"), line(quantity="+2", price=""))
    )
    stored = order(db)
    assert [one["quantity"] for one in stored["lines"]] == [6, 2]
    assert stored["total"].to_decimal() == 600
    assert "unit_price" not in stored["lines"][1]


def test_a_local_number_format_can_be_mapped(db, tmp_path):
    columns = ORDERS["columns"] | {"Price": {"to": "line.unit_price", "clean": "decimal_comma"}}
    path = order_file(tmp_path, line(price='"1.234,50"'))
    run_orders(path, mapping=ORDERS | {"columns": columns})
    assert order(db)["total"].to_decimal() == Decimal("1234.5")


def test_an_order_with_too_many_lines_is_refused_alone(db, tmp_path):
    lines = [line("1") for _ in range(MAX_LINES + 1)]
    report = run_orders(order_file(tmp_path, *lines, line("2")))
    assert db.orders.distinct("code") == ["2"]
    assert "more than 5000 lines" in errors_of(report)[1][0]
    assert report.bad == MAX_LINES + 1


def test_a_total_that_no_store_can_keep_is_refused_alone(db, tmp_path):
    huge = "9" * 14 + ".123456789012"
    lines = [line("1", quantity=987654321, price=huge) for _ in range(3)]
    report = run_orders(order_file(tmp_path, *lines, line("2")))
    assert db.orders.distinct("code") == ["2"]
    assert "34 digits" in errors_of(report)[1][0]


def test_the_largest_quantities_and_intervals_give_no_date_and_no_error(db, tmp_path):
    make_product("P", interval=36500)
    run_orders(order_file(tmp_path, *[line(quantity=1_000_000_000) for _ in range(20)]))
    assert order(db)["care"]["state"] == "none"
    assert order(db)["care_items"][0]["quantity"] == 20_000_000_000


def test_cells_of_bad_rows_cannot_run_as_formulas(tmp_path):
    report = run_orders(order_file(tmp_path, line("=cmd()", quantity="x", name="@SUM(A1)")))
    bad = errors_of(report)[1][0]
    assert ",'=cmd()," in bad
    assert ",'@SUM(A1)," in bad


def test_a_formula_that_an_export_escaped_comes_back_as_it_was(db, tmp_path):
    run_orders(order_file(tmp_path, line(name="'-10% off", product="'=P")))
    stored = order(db)["lines"][0]
    assert (stored["product_name"], stored["product_code"]) == ("-10% off", "=P")


def test_no_error_file_without_bad_rows(tmp_path):
    report = run_orders(order_file(tmp_path, line()))
    assert report.error_file is None
    assert list((tmp_path / "imports").iterdir()) == []


def test_it_makes_a_customer_from_what_the_file_knows(db, tmp_path):
    path = tmp_path / "full.csv"
    path.write_text(
        "Invoice,Date,Customer,Product,Quantity,Who,Phone,Mail,Street,Tax,Shop,State,Note,Ship\n"
        "1,2026-11-02,K1,P,1,Hoà,+84 912 440 785,a@b.vn,12 Lê Lợi,0101,Shopee,Đã giao,nhé,GHN\n",
        encoding="utf-8",
    )
    targets = {
        "Customer": "customer.code",
        "Who": "customer.name",
        "Phone": "customer.phone",
        "Mail": "customer.email",
        "Street": "customer.address",
        "Tax": "customer.tax_code",
        "Shop": "order.marketplace",
        "State": "order.status",
        "Note": "order.note",
        "Ship": "order.shipping",
    }
    kept = {name: ORDERS["columns"][name] for name in ("Invoice", "Date", "Product", "Quantity")}
    report = run_orders(path, mapping=ORDERS | {"columns": kept | targets})
    assert report.bad == 0
    customer = db.customers.find_one()
    assert customer["phone_keys"] == ["+84912440785"]
    assert customer["search"].startswith("hoa k1")
    assert customer["address"] == "12 Lê Lợi"
    stored = order(db, "1")
    assert [stored[name] for name in ("marketplace", "status", "note", "shipping")] == [
        "Shopee",
        "Đã giao",
        "nhé",
        "GHN",
    ]
    assert date(2026, 11, 2) == stored["placed_on"].date()
    assert run_orders(path, mapping=ORDERS | {"columns": kept | targets}).changes_nothing


def test_an_order_in_the_trash_stays_there_and_the_row_says_so(db, tmp_path, manager):
    file = order_file(tmp_path, line("1001"), line("1001", "Q"), line("1002"))
    run_orders(file)
    trash.delete("orders", order(db)["_id"], by=manager, at=AT)
    before = contents(db)
    for dry_run in (True, False):
        report = run_orders(file, dry_run=dry_run)
        assert (report.new, report.unchanged, report.bad) == (0, 1, 2)
        assert report.error_file
        said = report.error_file.read_text("utf-8-sig")
        assert said.count("Order 1001 is in the trash") == 2
        report.error_file.unlink()
    assert contents(db) == before


def test_an_order_for_a_customer_who_is_deleted_at_the_same_time_goes_along(
    db, tmp_path, manager, shipped
):
    """Without a write on the customer both would succeed and the order belong to nobody."""
    run_orders(order_file(tmp_path, line("1001")))
    customer = Customer.collection().find_one({})
    assert customer
    more = order_file(tmp_path, *(line(str(2000 + n)) for n in range(300)), name="more.csv")
    with ThreadPoolExecutor(2) as pool:
        importing = pool.submit(run_orders, more)
        deleting = pool.submit(trash.delete, "customers", customer["_id"], by=manager, at=AT)
        importing.result()
        deleting.result()
    for one in Order.collection().find():
        assert Customer.collection().find_one({"_id": one["customer_id"]})
