"""Exports show labels, dates and numbers, in the order of the codes, and no formulas."""

import csv
import io
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from bson import Decimal128

from rules.errors import InvalidInput
from services.export import EXPORTS, rows, write_csv
from tests.factories import make_area, make_customer, make_order, make_product

pytestmark = pytest.mark.usefixtures("db")
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def exported(kind, fields=None, *filters):
    file = io.StringIO(newline="")
    wanted = rows(kind, fields=fields and fields.split(","), filters=filters, zone=ZONE)
    count = write_csv(wanted, file)
    header, *found = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert count == len(found)
    assert header == list(wanted.fields)
    return found


def test_an_order_shows_labels_dates_and_plain_numbers(db):
    area = make_area("Huế")
    customer = make_customer(code="K1", name="Hoà", area_id=area)
    make_order(
        customer,
        {"P": 2},
        code="1",
        placed_on=date(2026, 11, 2),
        due_on=date(2026, 11, 9),
        area_id=area,
        total=Decimal128("-1E+2"),
    )
    fields = "code,customer_code,customer_name,area,placed_on,placed_at,due_on,basis_product,total"
    assert exported("orders", fields) == [
        [
            "1",
            "K1",
            "Hoà",
            "Huế",
            "2026-11-02",
            "2026-11-02 09:00:00+07:00",
            "2026-11-09",
            "P",
            "-100",
        ]
    ]


def test_rows_come_in_the_order_of_their_codes_also_beyond_one_lookup(db, monkeypatch):
    monkeypatch.setattr("services.export.ROWS_PER_LOOKUP", 2)
    customer = make_customer(code="K")
    for code in ("b", "10", "9", "a", "B"):
        make_order(customer, code=code)
    assert exported("orders", "code,customer_code") == [
        [code, "K"] for code in ("10", "9", "B", "a", "b")
    ]


def test_what_is_not_known_is_empty(db):
    make_order(None, code="1")
    assert exported("orders", "customer_code,area,due_on,note") == [["", "", "", ""]]


def test_filters_must_all_hold(db):
    customer = make_customer(code="K")
    make_order(customer, code="1", due_on=date(2026, 11, 1))
    make_order(customer, code="2", due_on=date(2026, 11, 5))
    make_order(make_customer(), code="3", due_on=date(2026, 11, 5))
    make_order(customer, code="4", kind="return")
    assert exported("orders", "code", ("care", "suggested"), ("customer", "K")) == [["1"], ["2"]]
    assert exported("orders", "code", ("from", "2026-11-02"), ("to", "2026-11-30")) == [
        ["2"],
        ["3"],
    ]
    assert exported("orders", "code", ("care", "open"), ("to", "2026-11-01")) == [["1"]]
    assert exported("orders", "code", ("kind", "return")) == [["4"]]


def test_texts_that_look_like_formulas_are_escaped_and_numbers_are_not(db):
    for number, name in enumerate(("=1+1", "+84", "-x", "@x", "\tx", "\rx", "a=b")):
        make_product(f"P{number}", name=name)
    assert [name for (name,) in exported("products", "name")] == [
        "'=1+1", "'+84", "'-x", "'@x", "'\tx", "'\rx", "a=b",
    ]  # fmt: skip
    make_order(None, code="1", total=Decimal128("-5.50"))
    assert exported("orders", "total") == [["-5.50"]]


def test_customers_show_their_lists(db):
    make_customer(code="K", phones=["0987 180 606", "0912 440 785"], emails=[])
    assert exported("customers", "code,phones,emails") == [["K", "0987 180 606; 0912 440 785", ""]]


@pytest.mark.parametrize(
    ("kind", "fields", "filters", "said"),
    [
        ("orders", "code,colour", [], "no field “colour”. Possible: code, kind,"),
        ("orders", None, [("colour", "red")], "no filter “colour”. Possible: care, from,"),
        ("orders", None, [("care", "done")], "Possible: none, suggested, appointed, ended, open"),
        ("orders", None, [("from", "1/2/2026")], "Write it like 2010-12-31"),
        ("orders", None, [("customer", "nobody")], "there is none called “nobody”"),
        ("customers", None, [("area", "Mars")], "there is none called “Mars”"),
        ("products", None, [("group", "A/B")], "there is none called “A/B”"),
    ],
)
def test_an_unknown_field_or_filter_names_what_is_possible(kind, fields, filters, said):
    with pytest.raises(InvalidInput) as refused:
        exported(kind, fields, *filters)
    assert said in str(refused.value)


@pytest.mark.parametrize("kind", EXPORTS)
def test_every_field_can_be_exported(db, kind):
    customer = make_customer()
    make_order(customer, {make_product(): 1}, due_on=date(2026, 11, 5))
    (row,) = exported(kind, ",".join(EXPORTS[kind].fields))
    assert len(row) == len(EXPORTS[kind].fields)
