"""A mapping that cannot work is refused with a sentence that says what to change."""

from copy import deepcopy

import pytest

from models import Customer, Order, Product
from models.order import OrderLine
from services.imports.mapping import BadMapping, load_mapping, parse_mapping
from services.imports.targets import TARGETS
from tests.importing import DATA, HEADER, ORDERS, PRODUCTS, ZONE


def orders(**changes):
    return parse_mapping(deepcopy(ORDERS) | changes, "orders", ZONE)


def columns(**changes):
    return {"columns": deepcopy(ORDERS["columns"]) | changes}


def test_it_reads_the_shipped_mappings():
    mapping = load_mapping(DATA / "online-retail.mapping.toml", "orders", ZONE)
    assert mapping.date_format == "%Y-%m-%d %H:%M:%S"
    assert mapping.kind_rule.kind_of("C536379") == "return"
    assert mapping.kind_rule.kind_of("536379") == "sale"
    products = load_mapping(DATA / "care-products.mapping.toml", "products", ZONE)
    assert len(products.columns) == 6


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "products"}, "this is an import of orders"),
        ({"colums": {}}, "unknown key “colums”"),
        ({"columns": {}}, "no [columns]"),
        ({"group_by": "Customer"}, "must name the column of order.code"),
        ({"date_format": "%H:%M"}, "does not give a whole date"),
        ({"date_format": 7}, "does not give a whole date"),
        ({"timezone": "Hanoi"}, "timezone “Hanoi” is unknown"),
        ({"timezone": "../etc/passwd"}, "is unknown"),
        ({"delimiter": ";;"}, "must be one character"),
        ({"encoding": "klingon"}, "encoding “klingon” is unknown"),
        ({"encoding": "hex"}, "encoding “hex” is unknown"),
        ({"rules": {"order.status": "new"}}, "unknown key “rules.order.status”"),
        ({"rules": {"order.kind": {"then": "return"}}}, "if_code_starts_with, then, else"),
        ({"rules": {"order.kind": "gift"}}, "one of: sale, return, purchase"),
        ({"rules": []}, "[rules] in the mapping must be a table"),
        (columns(Note="order.remark"), "“order.remark”, which does not exist"),
        (columns(Note="order.code"), "order.code to more than one column"),
        (columns(Note=7), "must name its target"),
        (columns(Note={"to": "order.note", "clean": "wash"}), "cleaned by “wash”"),
        (columns(Note={"to": "order.note", "separator": ""}), "separator of column “Note”"),
        (columns(Note={"to": "order.note", "seperator": "/"}), "unknown key “columns.Note.sep"),
        (columns(Kind="order.kind"), "order.kind twice"),
    ],
)
def test_it_refuses_a_mapping_and_says_why(changes, said):
    with pytest.raises(BadMapping) as refused:
        orders(**changes)
    assert said in str(refused.value)


def test_it_names_a_needed_target_that_is_missing():
    mapping = deepcopy(ORDERS)
    del mapping["columns"]["Quantity"]
    with pytest.raises(BadMapping, match=r"no column for line\.quantity"):
        parse_mapping(mapping, "orders", ZONE)


def test_a_missing_column_names_the_columns_of_the_file():
    with pytest.raises(BadMapping) as refused:
        orders().positions(["Invoice", "Datum"], "a.csv")
    assert "no column “Date”" in str(refused.value)
    assert "Invoice, Datum" in str(refused.value)


def test_a_column_that_stands_twice_is_refused():
    with pytest.raises(BadMapping, match="more than one column “Price”"):
        orders().positions([*HEADER.split(","), "Price"], "a.csv")


def test_a_doubled_column_that_nobody_maps_is_no_problem():
    assert orders().positions([*HEADER.split(","), "X", "X"], "a.csv")["order.code"][0] == 0


def test_another_separator_in_the_file_is_recognised():
    with pytest.raises(BadMapping, match='delimiter = ";"'):
        orders().positions([HEADER.replace(",", ";")], "a.csv")


def test_a_fixed_kind_may_be_written_as_a_word():
    assert orders(rules={"order.kind": "purchase"}).kind_rule.kind_of("X") == "purchase"


@pytest.mark.parametrize("content", [b"kind = ", b"\xff\xfe\x00", None])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, content):
    path = tmp_path / "mapping.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadMapping, match=r"mapping\.toml"):
        load_mapping(path, "orders", ZONE)


def test_texts_are_as_long_as_the_documents_take():
    embedded = {"line": OrderLine, "order": Order, "customer": Customer, "product": Product}
    names = {"area": None, "phone": 40, "email": 200, "group_path": None}
    for targets in TARGETS.values():
        for target in targets.values():
            owner, field = target.name.split(".")
            if target.max_length is not None and field not in names:
                assert getattr(embedded[owner], field).max_length == target.max_length, target


def test_products_have_a_mapping_too():
    assert parse_mapping(PRODUCTS, "products", ZONE).columns[2].separator == "/"
