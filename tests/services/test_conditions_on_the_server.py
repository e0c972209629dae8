"""The server finds by a condition exactly what holds in Python."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from bson import Decimal128, ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.database import Database

from models import Customer
from models.base import stored_date
from rules.conditions import (
    Condition,
    Context,
    Group,
    criteria,
    holds,
    read,
    sentence,
    usable,
    values_of,
    write,
)
from rules.fields import Field, Option
from rules.operators import operators
from rules.phones import phone_key
from rules.text import search_text
from services import conditions, configuration
from tests import factories

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
TODAY = date(2026, 11, 21)
IDS = [ObjectId(f"{number:024x}") for number in range(1, 4)]
OPTIONS = tuple(Option(key, key) for key in ("hot", "new", "lost"))
FIELDS = {
    one.key: one
    for one in (
        Field("text", "text", "custom.text"),
        Field("phone", "phone", "custom.phone"),
        Field("said", "long_text", "history.content"),
        Field("at", "date_time", "history.at"),
        Field("line", "text", "lines.product_code"),
        Field("quantity", "integer", "lines.quantity"),
        Field("number", "decimal", "custom.number"),
        Field("day", "date", "custom.day"),
        Field("instant", "date_time", "custom.instant"),
        Field("flag", "yes_no", "custom.flag"),
        Field("choice", "choice", "choice", choices=OPTIONS),
        Field("choices", "choices", "custom.choices", choices=OPTIONS),
        Field("tags", "tags", "tags"),
        Field("staff", "staff", "owner_id"),
        Field("viewers", "staff_list", "viewers.staff_id"),
    )
}
BELOW = {("choice", "hot"): ("new",), ("choices", "hot"): ("new", "lost")}
BELOW["staff", str(IDS[1])] = (str(IDS[2]),)
CONTEXT = Context(
    TODAY,
    ZONE,
    me=IDS[0],
    store_day=stored_date,
    store_number=Decimal128,
    read_id=ObjectId,
    below=lambda field, value: BELOW.get((field.key, value), ()),
    fields=FIELDS,
)
texts = st.sampled_from(["", "Hoà Đạt", "hoa", "HÒA ", "đ", "0912 440 785", "a.b", "Ngô  ý"])
days = st.integers(-40, 40).map(lambda shift: date.fromordinal(TODAY.toordinal() + shift))
instants = st.integers(-50 * 24, 40 * 24).map(
    lambda hours: datetime(2026, 11, 21, tzinfo=UTC) + timedelta(hours=hours)
)
numbers = st.one_of(
    st.integers(-3, 3),
    st.sampled_from(["1.5", "-2", "1.50", "1E+2"]).map(lambda text: Decimal128(Decimal(text))),
)
keys = st.sampled_from([one.key for one in OPTIONS])
ids = st.sampled_from(IDS)


def perhaps(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), st.just(...), values)


def lists(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return perhaps(st.lists(values, max_size=3))


def embedded(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return lists(st.fixed_dictionaries({name: perhaps(one) for name, one in members.items()}))


def without_missing(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: without_missing(one) for name, one in found.items() if one is not ...}
    return [without_missing(one) for one in found] if isinstance(found, list) else found


records = st.fixed_dictionaries(
    {
        "custom": perhaps(
            st.fixed_dictionaries(
                {
                    "text": perhaps(texts),
                    "phone": perhaps(texts),
                    "number": perhaps(numbers),
                    "day": perhaps(days.map(stored_date)),
                    "instant": perhaps(instants),
                    "flag": perhaps(st.booleans()),
                    "choices": lists(keys),
                }
            )
        ),
        "history": embedded(content=texts, at=instants),
        "lines": embedded(product_code=texts, quantity=numbers),
        "viewers": embedded(staff_id=ids),
        "choice": perhaps(keys),
        "tags": lists(st.sampled_from(["vip", "tele"])),
        "owner_id": perhaps(ids),
    }
).map(without_missing)

day_texts = st.one_of(
    st.sampled_from(["today", "yesterday", "+7d", "-30d"]), days.map(lambda day: day.isoformat())
)
operands = {
    "text": texts.map(str.strip).filter(bool).map(lambda one: [one]),
    "phone": st.sampled_from([["0912"], ["440 785"]]),
    "number": st.sampled_from([["1.5"], ["-2"], ["0"], ["100"]]),
    "numbers": st.sampled_from([["-1", "1"], ["1.5", "100"], ["2", "3"]]),
    "day": day_texts.map(lambda one: [one]),
    "days": st.tuples(day_texts, day_texts).map(list),
    "period": st.sampled_from(["this_week", "last_month", "next_quarter", "-7d"]).map(
        lambda one: [one]
    ),
    "count": st.integers(0, 40).map(lambda one: [str(one)]),
    "nothing": st.just([]),
}
values_by_field = {
    "choice": keys,
    "choices": keys,
    "tags": st.sampled_from(["vip", "#Tele", "none"]),
    "staff": st.one_of(st.just("me"), ids.map(str)),
    "viewers": st.one_of(st.just("me"), ids.map(str)),
}


@st.composite
def condition(draw: st.DrawFn) -> Condition:
    field = draw(st.sampled_from(list(FIELDS.values())))
    chosen = draw(st.sampled_from(operators(field)))
    if chosen.takes == "values":
        values = draw(st.lists(values_by_field[field.key], min_size=1, max_size=3))
    else:
        values = draw(operands[chosen.takes])
    return Condition(field.key, chosen.key, tuple(values))


def tree(depth: int) -> st.SearchStrategy[Group]:
    part = condition() if depth == 1 else st.one_of(condition(), tree(depth - 1))
    return st.builds(
        Group, st.sampled_from(["and", "or"]), st.lists(part, min_size=1, max_size=3).map(tuple)
    )


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(wanted=tree(2), stored=st.lists(records, min_size=1, max_size=6))
def test_criteria_on_the_server_agree_with_python(
    db: Database[dict[str, Any]], wanted: Group, stored: list[dict[str, Any]]
) -> None:
    asked, _ = usable(read(write(wanted)), FIELDS, CONTEXT)
    if asked is None:
        return
    collection = db["condition_test"]
    collection.delete_many({})
    collection.insert_many([{"_id": number} | one for number, one in enumerate(stored)])
    found = {row["_id"] for row in collection.find(criteria(asked, FIELDS, CONTEXT), {"_id": 1})}
    rows = list(collection.find())
    expected = {row["_id"] for row in rows if holds(asked, values_of(row, FIELDS), CONTEXT)}
    assert found == expected


SOME_TEXTS = [None, ..., "", "Hoà Đạt", "hoa", "HÒA ", "đ", "0912 440 785", "a.b", "Ngô  ý"]
SOME_NUMBERS = [None, ..., 0, 1, 2, -2, Decimal128("1.5"), Decimal128("1.50"), Decimal128("1E+2")]
SOME_DAYS = [
    date.fromordinal(TODAY.toordinal() + shift) for shift in (-31, -30, -29, -1, 0, 1, 6, 7, 8)
]
SOME_INSTANTS = [
    *(datetime(2026, 11, day, hour, tzinfo=UTC) for day in (20, 21) for hour in (16, 17)),
    *(datetime(2026, 10, day, 17, tzinfo=UTC) for day in (20, 21, 22)),
]
SOME_KEYS = [[], [None], ["hot"], ["hot", "new"], ["new", "lost"], None, ...]
SOME_IDS = [[], [IDS[0]], IDS[:2], None, ...]
EVERY_VALUE: dict[str, list[Any]] = {
    "text": SOME_TEXTS,
    "phone": SOME_TEXTS,
    "said": [None, ..., [], [{}], *([{"content": one}, {}] for one in SOME_TEXTS)],
    "at": [
        None,
        ...,
        [],
        [{}],
        *([{"at": one}, {"at": SOME_INSTANTS[-1]}] for one in SOME_INSTANTS),
    ],
    "line": [None, ..., [], [{}], *([{"product_code": one}] for one in SOME_TEXTS)],
    "quantity": [
        [],
        [{"quantity": -2}, {"quantity": 9}],
        *([{"quantity": n}] for n in SOME_NUMBERS),
    ],
    "number": SOME_NUMBERS,
    "day": [None, ..., *map(stored_date, SOME_DAYS)],
    "instant": [None, ..., *SOME_INSTANTS],
    "flag": [None, ..., True, False],
    "choice": [None, ..., "", "hot", "new", "lost"],
    "choices": SOME_KEYS,
    "tags": [None, ..., [], ["vip"], ["tele", "vip"]],
    "staff": [None, ..., *IDS],
    "viewers": [*SOME_IDS[3:], [], *([{"staff_id": one} for one in some] for some in SOME_IDS[:3])],
}
SOME_PAIRS = [["hot"], ["hot", "new"], ["vip"], ["#Tele", "vip"], ["me"], [str(IDS[1]), "me"]]
DAY_TEXTS = ["today", "yesterday", "+7d", "-30d", "2026-11-20", "2026-10-22"]
EVERY_OPERAND: dict[str, list[list[str]]] = {
    "text": [["hoa"], ["Hoà Đạt"], ["d"], ["đạt"], ["."], ["ngo y"], ["0912"]],
    "phone": [["0912"], ["440 785"], ["1"]],
    "number": [["0"], ["1"], ["1.5"], ["-2"], ["100"]],
    "numbers": [["-1", "1"], ["1.5", "100"], ["3", "4"]],
    "day": [[one] for one in [*DAY_TEXTS, "this_month"]],
    "days": [[one, other] for one in DAY_TEXTS for other in DAY_TEXTS],
    "period": [[one] for one in ("this_week", "last_month", "next_quarter", "-7d", "+1d")],
    "count": [["0"], ["1"], ["7"], ["30"]],
    "nothing": [[]],
    "values": SOME_PAIRS,
}


def put(record: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The record with the value where the field's path begins."""
    if value is ...:
        return record
    root, _, rest = path.partition(".")
    inside = rest and root == "custom"
    return record | {root: {rest: value} if inside else value}


@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
def test_every_operator_agrees_on_every_value(db: Database[dict[str, Any]], field: Field) -> None:
    collection = db["condition_test"]
    collection.insert_many(
        [
            without_missing(put({"_id": n}, field.path, one))
            for n, one in enumerate(EVERY_VALUE[field.key])
        ]
    )
    rows = list(collection.find())
    asked = [
        Group("and", (Condition(field.key, one.key, tuple(values)),))
        for one in operators(field)
        for values in EVERY_OPERAND[one.takes]
    ]
    usable_ones = [one for one in asked if usable(one, FIELDS, CONTEXT)[0]]
    assert len({one.parts[0].operator for one in usable_ones}) == len(operators(field))  # type: ignore[union-attr]
    for one in usable_ones:
        found = {row["_id"] for row in collection.find(criteria(one, FIELDS, CONTEXT))}
        held = {row["_id"] for row in rows if holds(one, values_of(row, FIELDS), CONTEXT)}
        assert found == held, write(one)


@pytest.mark.parametrize("length", [100, 5000])
def test_a_long_text_is_no_pattern_that_the_server_refuses(
    db: Database[dict[str, Any]], length: int
) -> None:
    asked = read(f"text.contains({'o' * min(length, 400)})")
    db["condition_test"].insert_one({"custom": {"text": "ố" * 500}})
    assert db["condition_test"].count_documents(criteria(asked, FIELDS, CONTEXT)) == 1


def test_the_context_of_the_site_knows_its_pick_lists_and_names(shipped: None) -> None:
    config = configuration.snapshot()
    fields = config.kinds["customers"].fields
    context = conditions.context(
        config, today=TODAY, zone=ZONE, me=IDS[0], names=lambda kind, key: f"{kind} {key[-1]}"
    )
    tree, problems = usable(
        read(f"and(relationship.in(hot),area.in({IDS[0]}),channel.in(nowhere))"), fields, context
    )
    assert len(problems) == 1
    assert criteria(tree, fields, context) == {
        "$and": [{"relationship": {"$in": ["hot"]}}, {"area_id": {"$in": [IDS[0]]}}]
    }
    assert "Nóng" in str(sentence(tree, fields, context))
    assert "areas 1" in str(sentence(tree, fields, context))


def test_name_and_phone_of_a_customer_are_found_by_their_index(shipped: None) -> None:
    config = configuration.snapshot()
    fields = config.kinds["customers"].fields
    context = conditions.context(config, today=TODAY, zone=ZONE)
    for name, phone in (("Trần Hoà Đạt", "0912 440 785"), ("Lê Đạt Hoà", "0912 440 786")):
        factories.make_customer(
            name=name,
            search=search_text(name, phone),
            phones=[phone],
            phone_keys=[phone_key(phone)],
        )
    for text, expected in (
        ("name.contains(hoa%20dat)", ["Trần Hoà Đạt"]),
        ("name.starts(le)", ["Lê Đạt Hoà"]),
        ("phones.phone(%2B84912440785)", ["Trần Hoà Đạt"]),
        ("phones.phone(440%20786)", ["Lê Đạt Hoà"]),
    ):
        found = Customer.collection().find(criteria(read(text), fields, context))
        assert [row["name"] for row in found] == expected, text
    plan = Customer.collection().find(
        criteria(read("phones.phone(0912440785)"), fields, context)
    ).explain()  # fmt: skip
    assert "customers_by_phone" in str(plan["queryPlanner"]["winningPlan"])
