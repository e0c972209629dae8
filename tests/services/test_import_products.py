"""Products of files, their groups, and what follows for orders that contain them."""

from datetime import UTC, datetime

import pytest

from models import Product
from services.imports import products as importing
from tests.importing import (
    AT,
    contents,
    line,
    order_file,
    product_file,
    run_orders,
    run_products,
)

pytestmark = pytest.mark.usefixtures("db")


def product(db, code="A"):
    return db.products.find_one({"code": code})


def test_a_product_has_its_values_and_its_group(db, tmp_path):
    report = run_products(product_file(tmp_path, "A,Cà phê Đắk Lắk,Đồ uống/Cà phê,14,1,3"))
    stored = product(db)
    assert (report.new, report.created["groups"]) == (1, 2)
    assert (stored["name"], stored["care_interval_days"]) == ("Cà phê Đắk Lắk", 14)
    assert (stored["care_min"], stored["care_max"]) == (1, 3)
    top = db.product_groups.find_one({"name": "Đồ uống"})
    leaf = db.product_groups.find_one({"name": "Cà phê"})
    assert stored["group_id"] == leaf["_id"]
    assert stored["group_ids"] == [top["_id"], leaf["_id"]]
    assert leaf["path"] == ["Đồ uống", "Cà phê"]
    assert leaf["ancestor_ids"] == [top["_id"]]
    assert Product.objects.get(code="A").search == "ca phe dak lak a"


def test_groups_of_one_name_under_different_parents_stay_apart(db, tmp_path, monkeypatch):
    monkeypatch.setattr(importing, "BATCH", 1)
    run_products(product_file(tmp_path, "A,a,X/Khác,1,,", "B,b,Y/Khác,1,,", "C,c,X/Khác,1,,"))
    assert db.product_groups.count_documents({}) == 4
    assert product(db, "A")["group_id"] == product(db, "C")["group_id"]
    assert product(db, "A")["group_id"] != product(db, "B")["group_id"]


def test_a_product_without_a_name_is_called_by_its_code(db, tmp_path):
    run_products(product_file(tmp_path, "A,,,,,"))
    assert (product(db)["name"], product(db)["care_interval_days"]) == ("A", 0)


def test_codes_are_compared_exactly(db, tmp_path):
    run_products(product_file(tmp_path, "m,a,,1,,", "M,b,,2,,", "m ,c,,3,,"))
    assert {row["code"]: row["care_interval_days"] for row in db.products.find()} == {
        "m": 1,
        "M": 2,
        "m ": 3,
    }


def test_a_second_run_changes_nothing(db, tmp_path):
    path = product_file(tmp_path, "A,a,X/Y,5,1,2", "B,b,,,,")
    run_products(path)
    before = contents(db)
    report = run_products(path, at=AT.replace(year=2027))
    assert report.changes_nothing
    assert report.unchanged == 2
    assert contents(db) == before


def test_empty_cells_leave_a_product_as_it_is(db, tmp_path):
    run_products(product_file(tmp_path, "A,a,X,5,1,2"))
    assert run_products(product_file(tmp_path, "A,,,,,", name="b.csv")).changes_nothing
    assert product(db)["care_interval_days"] == 5


def test_a_dry_run_counts_the_same_and_writes_nothing(db, tmp_path, monkeypatch):
    monkeypatch.setattr(importing, "BATCH", 2)
    run_products(product_file(tmp_path, "A,a,X,5,1,2", "B,b,X,5,,", "C,c,X,5,,"))
    path = product_file(
        tmp_path, "A,a,Z/1,5,1,2", "B,b,X,6,,", "C,,,,,", "D,d,Z/1,1,,", "E,e,Z/2,1,,", "F,f,,x,,"
    )
    before = contents(db)
    dry = run_products(path, dry_run=True)
    assert contents(db) == before
    real = run_products(path)
    for name in ("rows", "bad", "new", "changed", "unchanged", "created"):
        assert getattr(dry, name) == getattr(real, name), name
    assert (real.new, real.changed, real.unchanged, real.bad) == (2, 2, 1, 1)


def test_orders_follow_a_changed_interval(db, tmp_path):
    run_products(product_file(tmp_path, "P,p,,5,,"))
    run_orders(order_file(tmp_path, line()))
    report = run_products(product_file(tmp_path, "P,p,,7,,"))
    order = db.orders.find_one()
    assert report.recomputed_orders == 1
    assert order["care"]["due_on"] == datetime(2026, 11, 9, tzinfo=UTC)
    assert db.customers.find_one()["care"]["due_on"] == datetime(2026, 11, 9, tzinfo=UTC)


def test_products_after_orders_give_the_same_as_before_them(db, tmp_path):
    orders = order_file(tmp_path, line("1"), line("2", "Q", 2), line("C3"), line("4", customer=""))
    products = product_file(tmp_path, "P,p,X/Y,5,,", "Q,q,X/Z,3,,")
    run_orders(orders)
    run_products(products)
    after = comparable(db)
    for name in db.list_collection_names():
        db[name].delete_many({})
    run_products(products)
    run_orders(orders)
    assert comparable(db) == after


def comparable(db):
    names = {row["_id"]: row["name"] for row in db.product_groups.find()}
    return {
        row["code"]: (
            row["care"],
            row["care_items"],
            sorted(names[group] for group in row["group_ids"]),
        )
        for row in db.orders.find()
    }


def test_orders_follow_a_product_into_another_group(db, tmp_path):
    run_products(product_file(tmp_path, "P,p,X/Y,5,,", "Q,q,X/Z,5,,"))
    run_orders(order_file(tmp_path, line(), line(product="Q", quantity=-1)))
    run_products(product_file(tmp_path, "Q,q,W,5,,"))
    names = {row["_id"]: row["name"] for row in db.product_groups.find()}
    assert {names[group] for group in db.orders.find_one()["group_ids"]} == {"X", "Y", "W"}


def test_a_run_killed_before_the_groups_is_made_good_by_the_next(db, tmp_path, monkeypatch):
    run_products(product_file(tmp_path, "P,p,X,5,,"))
    run_orders(order_file(tmp_path, line()))
    path = product_file(tmp_path, "P,p,W,6,,")

    def killed(*_, **__):
        raise KeyboardInterrupt

    for step in ("move_orders", "recompute_care"):
        with monkeypatch.context() as patched:
            patched.setattr(importing, step, killed)
            with pytest.raises(KeyboardInterrupt):
                run_products(path)
    run_products(path)
    names = {row["_id"]: row["name"] for row in db.product_groups.find()}
    order = db.orders.find_one()
    assert [names[group] for group in order["group_ids"]] == ["W"]
    assert order["care"]["due_on"] == datetime(2026, 11, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",a,,5,,", "product.code is empty"),
        ("A,a,,-1,,", "cannot be less than 0"),
        ("A,a,,36501,,", "at most 36500"),
        ("A,a,,1.5,,", "must be a whole number"),
        ("A,a,,5,1001,", "at most 1000"),
        ("A,a,,5,3,1", "The maximum 1 is below the minimum 3"),
        ("A,a,a/b/c/d/e/f/g/h/i/j/k,5,,", "at most 10 are possible"),
        ("A,a," + "x" * 201 + ",5,,", "at most 200 characters"),
        ("B,b,,5,,", "stands on line 2 already"),
    ],
)
def test_a_bad_row_is_kept_with_its_reason_and_stops_nothing(db, tmp_path, row, said):
    report = run_products(product_file(tmp_path, "B,b,,9,,", row, "C,c,,5,,"))
    bad = report.error_file.read_text(encoding="utf-8-sig").splitlines()[1]
    assert bad.startswith("products.csv,3,")
    assert said in bad
    assert (report.bad, report.new) == (1, 2)
    assert product(db, "B")["care_interval_days"] == 9
