"""A computed field gives the same on the server and in Python, and is filtered alike."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from bson import Decimal128, ObjectId
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pymongo.database import Database

from models.base import stored_date
from rules.conditions import Condition, Context, Group, criteria, holds, usable, values_of
from rules.errors import InvalidInput
from rules.expression_pipeline import server_expression
from rules.expressions import check, result, value, with_computed
from rules.fields import Field
from rules.operators import operators

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
TODAY = date(2026, 11, 21)
CONTEXT = Context(TODAY, ZONE, store_day=stored_date, store_number=Decimal128, read_id=ObjectId)
FIELDS = {
    one.key: one
    for one in (
        Field("n", "integer", "custom.n"),
        Field("m", "money", "facts.m"),
        Field("t", "text", "name"),
        Field("c", "choice", "stage"),
        Field("d", "date", "care.d"),
        Field("i", "date_time", "at"),
        Field("f", "yes_no", "custom.f"),
    )
}
RECORDS: list[dict[str, Any]] = [
    {"_id": 0},
    {"_id": 1, "custom": None, "facts": {}, "name": "", "care": {"d": None}},
    {
        **{"_id": 2, "custom": {"n": 3, "f": True}, "facts": {"m": Decimal128("1500000.25")}},
        **{"name": "Hoà Đạt", "stage": "hot", "care": {"d": stored_date(date(2024, 2, 29))}},
        "at": datetime(2026, 11, 20, 17, 30, tzinfo=UTC),
    },
    {
        **{"_id": 3, "custom": {"n": 0, "f": False}, "facts": {"m": Decimal128("-7.5")}},
        **{"name": "hot", "stage": "", "care": {"d": stored_date(TODAY)}},
        "at": datetime(2026, 11, 20, 16, 59, tzinfo=UTC),
    },
    # What other programs may have left there is empty, never an error.
    {"_id": 4, "custom": {"n": "three", "f": 1}, "facts": {"m": True}, "name": 5, "at": "now"},
    {"_id": 5, "custom": {"n": Decimal128("NaN")}, "facts": {"m": Decimal128("Infinity")}},
    {"_id": 6, "custom": {"n": 1.5}, "facts": {"m": Decimal128("1E+300")}, "care": {"d": 7}},
    {"_id": 7, "custom": {"n": -2}, "facts": {"m": Decimal128("9.99E+29")}, "name": "é" * 9},
]


def node(depth: int) -> st.SearchStrategy[tuple[str, str]]:
    """(family, text) of an expression that fits together, most of the time."""
    leaf = st.sampled_from(
        [
            *(("number", text) for text in ("n", "m", "0", "2", "0.5", "1000000")),
            *(("text", text) for text in ("t", "c", "'hot'", "'Đ'")),
            *(("day", text) for text in ("d", "i", "today")),
            *(("flag", text) for text in ("f", "true")),
        ]
    )
    return leaf if depth == 0 else st.one_of(leaf, _call(depth))


@st.composite
def _call(draw: st.DrawFn, depth: int) -> tuple[str, str]:
    def of(family: str) -> str:
        found = draw(node(depth - 1).filter(lambda one: one[0] == family))
        return f"({found[1]})"

    shape = draw(st.sampled_from(list(_SHAPES)))
    family, wanted = _SHAPES[shape]
    return family, shape.format(*(of(one) for one in wanted))


N, T, D, F = "number", "text", "day", "flag"
_SHAPES: dict[str, tuple[str, tuple[str, ...]]] = {
    "{}+{}": (N, (N, N)),
    "{}-{}": (N, (N, N)),
    "{}*{}": (N, (N, N)),
    "{}/{}": (N, (N, N)),
    "-{}": (N, (N,)),
    "abs({})": (N, (N,)),
    "round({})": (N, (N,)),
    "round({},2)": (N, (N,)),
    "min({},{})": (N, (N, N)),
    "max({},{},{})": (N, (N, N, N)),
    "days({},{})": (N, (D, D)),
    "{} - {}": (N, (D, D)),
    "year({})": (N, (D,)),
    "length({})": (N, (T,)),
    "concat({},{})": (T, (T, T)),
    "coalesce({},{})": (N, (N, N)),
    "coalesce({}, {})": (D, (D, D)),
    "{} + {}": (D, (D, N)),
    "{}  - {}": (D, (D, N)),
    "min({}, {})": (D, (D, D)),
    "{}<{}": (F, (N, N)),
    "{}>={}": (F, (D, D)),
    "{}={}": (F, (T, T)),
    "{}!={}": (F, (N, N)),
    "{} = {}": (F, (F, F)),
    "{} and {}": (F, (F, F)),
    "{} or {}": (F, (F, F)),
    "not {}": (F, (F,)),
    "if({},{},{})": (N, (F, N, N)),
    "if({}, {}, {})": (D, (F, D, D)),
    "if({} ,{},{})": (T, (F, T, T)),
}


def on_the_server(collection: Any, text: str) -> list[Any]:
    found = collection.aggregate(
        [{"$set": {"found": server_expression(text, FIELDS, CONTEXT)}}, {"$sort": {"_id": 1}}]
    )
    return [python_value(row["found"]) for row in found]


def python_value(stored: Any) -> Any:
    if isinstance(stored, datetime):
        return stored.date()
    return stored.to_decimal() if isinstance(stored, Decimal128) else stored


@pytest.fixture
def collection(db: Database[dict[str, Any]]) -> Any:
    db["expression_test"].insert_many(RECORDS)
    return db["expression_test"]


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(built=node(3))
def test_the_server_computes_what_python_computes(collection: Any, built: tuple[str, str]) -> None:
    text = built[1]
    assume(check(text, FIELDS) is None)
    expected = [
        value(text, values_of(record, FIELDS), TODAY, ZONE)
        for record in collection.find().sort("_id", 1)
    ]
    assert on_the_server(collection, text) == expected, text


@pytest.mark.parametrize("shape", _SHAPES)
def test_every_operation_on_every_value(collection: Any, shape: str) -> None:
    family, wanted = _SHAPES[shape]
    leaves = {N: ["n", "m", "0.5"], T: ["t", "c"], D: ["d", "i", "today"], F: ["f", "n > 1"]}
    for turn in range(3):
        text = shape.format(
            *(f"({leaves[one][(turn + at) % len(leaves[one])]})" for at, one in enumerate(wanted))
        )
        assert result(text, FIELDS) == family
        expected = [
            value(text, values_of(one, FIELDS), TODAY, ZONE)
            for one in collection.find().sort("_id", 1)
        ]
        assert on_the_server(collection, text) == expected, text


COMPUTED = {
    "number": ("n * 2 - 1", [["-5"], ["5"], ["2"]]),
    "text": ("concat(t, c)", [["hoa"], ["hot"], ["Hoà Đạthot"]]),
    "day": ("d + n", [["today"], ["2024-03-03"], ["-30d"]]),
    "flag": ("m > 1", [[]]),
}


@pytest.mark.parametrize("family", COMPUTED)
def test_a_computed_field_is_filtered_like_any_other(collection: Any, family: str) -> None:
    text, samples = COMPUTED[family]
    field = Field("x", "computed", "custom.x", expression=text, result=family)
    own = {**FIELDS, "x": field}
    for operator in operators(field):
        for values in [*samples, [], ["-5", "5"], ["this_year"], ["30"], ["2024-01-01", "today"]]:
            tree = Group("and", (Condition("x", operator.key, tuple(values)),))
            if usable(tree, own, CONTEXT)[0] is None:
                continue
            found = {row["_id"] for row in collection.find(criteria(tree, own, CONTEXT))}
            held = {
                row["_id"]
                for row in collection.find()
                if holds(tree, with_computed(values_of(row, own), own, TODAY, ZONE), CONTEXT)
            }
            assert found == held, tree


def test_a_computed_field_may_name_what_its_reader_lacks(collection: Any) -> None:
    fields = {"x": Field("x", "computed", "custom.x", expression="n + 1")}
    tree = Group("and", (Condition("x", "eq", ("4",)),))
    assert collection.count_documents(criteria(tree, fields, CONTEXT)) == 0
    context = Context(
        TODAY, ZONE, store_day=stored_date, store_number=Decimal128, fields={**FIELDS, **fields}
    )
    assert collection.count_documents(criteria(tree, fields, context)) == 1


def test_expressions_that_double_each_other_are_refused(collection: Any) -> None:
    fields = dict(FIELDS)
    for number in range(12):
        fields[f"x{number}"] = Field(
            f"x{number}",
            "computed",
            "custom.x",
            expression=f"x{number - 1} + x{number - 1}" if number else "n + n",
        )
    with pytest.raises(InvalidInput, match="builds on too many others"):
        server_expression("x11", fields, CONTEXT)
    tree = Group("and", (Condition("x11", "gt", ("0",)),))
    assert collection.count_documents(criteria(tree, fields, CONTEXT)) == 0


def test_a_sum_of_money_keeps_its_cents(collection: Any) -> None:
    found = on_the_server(collection, "m * 3")
    assert found[2] == Decimal("4500000.75")


@pytest.mark.parametrize(
    "text",
    [
        "+".join(["n"] * 25),
        "today" + "+n" * 24,
        "not " * 24 + "f",
        "if(f, " * 11 + "n" + ", m)" * 11,
        "f" + " and n > 1" * 23,
    ],
)
def test_the_longest_chains_are_computed(collection: Any, text: str) -> None:
    if check(text, FIELDS) is None:
        field = Field("x", "computed", "custom.x", expression=text, result=result(text, FIELDS))
        tree = Group("and", (Condition("x", "filled"),))
        for _ in range(4):
            tree = Group("or", (tree, Condition("n", "eq", ("7",))))
        assert collection.count_documents(criteria(tree, {**FIELDS, "x": field}, CONTEXT)) > 0
    else:
        assert "too" in str(check(text, FIELDS))
