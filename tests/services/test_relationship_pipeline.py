"""The server decides about many customers as the rule decides about one (S3.3)."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from bson import Decimal128, ObjectId
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from models import Customer, Interaction, Order
from models.base import stored_date
from rules.fields import Field
from rules.relationship import Condition, Rule, because, decide
from rules.relationship_facts import FACTS, KNOWN, NUMERIC, UNKNOWN, of_field
from rules.relationship_pipeline import decision, set_by
from services import relationship_bulk, relationship_facts, relationship_setup, relationships
from stores import mongo

TODAY = date(2026, 11, 21)
AT = datetime(2026, 11, 21, 3, tzinfo=UTC)
STATUSES = ["new", "won", "lost", "hot", "$x", "do_not_forget", "approached"]
GROUPS = ["retail", "vip", "$g"]
WORDS = {
    "last_feedback": ["satisfied", "no_answer", "$f"],
    "tags": ["a", "b", "$t"],
    "groups": GROUPS,
    "relationship": STATUSES,
}

OWN = {
    fact.key: fact
    for fact in map(
        of_field,
        (
            Field("points", "integer", "custom.points", label_vi="Điểm"),
            Field("met_on", "date", "custom.met_on", label_vi="$Gặp"),
            Field("rank", "choice", "custom.rank", label_vi="Hạng", pick_list="rank"),
            Field("likes", "choices", "custom.likes", label_vi="Sở thích", pick_list="likes"),
        ),
    )
    if fact
}
WORDS |= {"custom.rank": ["gold", "$r"], "custom.likes": ["a", "b"]}

days = st.integers(0, 60).map(lambda ago: stored_date(TODAY - timedelta(days=ago)))
numbers = st.none() | st.integers(0, 60)


@st.composite
def conditions(draw):
    known = FACTS | OWN
    fact = known[draw(st.sampled_from(sorted(known)))]
    of = OWN.get(fact.key)
    operator = draw(st.sampled_from(fact.operators))
    if operator in (KNOWN, UNKNOWN):
        return Condition(fact.key, operator, of=of)
    if fact.kind in NUMERIC:
        by_group = draw(st.dictionaries(st.sampled_from(GROUPS), st.integers(0, 60), max_size=2))
        return Condition(fact.key, operator, draw(numbers), by_group=by_group, of=of)
    values = draw(st.lists(st.sampled_from(WORDS[fact.key]), min_size=1, max_size=3, unique=True))
    return Condition(fact.key, operator, values=tuple(values), of=of)


rules = st.lists(
    st.builds(
        Rule,
        key=st.sampled_from(["one", "$two"]),
        status=st.sampled_from(STATUSES),
        conditions=st.lists(conditions(), max_size=3).map(tuple),
        hold_days=numbers,
        is_enabled=st.sampled_from([True, True, True, False]),
        label_vi=st.sampled_from(["Một", "$hai"]),
    ),
    max_size=6,
)


def some(**fields):
    """Documents in which each field may be missing."""
    return st.fixed_dictionaries({}, optional=fields)


customers = st.fixed_dictionaries(
    {},
    optional={
        "relationship": st.none() | st.sampled_from(["", *STATUSES]),
        "relationship_chosen": st.fixed_dictionaries(
            {"status": st.sampled_from(STATUSES)},
            optional={
                "since_on": st.none() | days,
                "staff_name": st.sampled_from(["", "An", "$An"]),
                "reason": st.sampled_from(["", "vì"]),
            },
        ),
        "relationship_set": some(by=st.sampled_from(["rule", "person"])),
        "groups": st.none() | st.lists(st.sampled_from(GROUPS), max_size=2),
        "tags": st.none() | st.lists(st.sampled_from(WORDS["tags"]), max_size=2),
        "custom": some(
            points=st.none() | st.integers(0, 60),
            met_on=st.none() | days,
            rank=st.sampled_from(WORDS["custom.rank"]),
            likes=st.none() | st.lists(st.sampled_from(WORDS["custom.likes"]), max_size=2),
        ),
        "facts": some(
            order_count=st.integers(0, 60),
            revenue=st.integers(0, 6000).map(lambda n: Decimal128(Decimal(n) / 100)),
            first_purchase_on=days,
            last_purchase_on=days,
            last_contact_on=days,
            last_feedback=st.sampled_from(WORDS["last_feedback"]),
        ),
    },
)


def computed_decisions(db, stored, chosen_rules):
    collection = db["property_customers"]
    collection.delete_many({})
    collection.insert_many([{"_id": number} | one for number, one in enumerate(stored)])
    return list(
        collection.aggregate(
            [
                {"$sort": {"_id": 1}},
                {"$set": {"decided": decision(chosen_rules, TODAY)}},
                {"$project": {"decided": 1, "set": set_by(chosen_rules, TODAY, AT, "$decided")}},
            ]
        )
    )


@hypothesis_settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(customers, min_size=1, max_size=15), rules)
def test_the_server_decides_as_the_rule_and_gives_the_same_reasons(db, stored, chosen_rules):
    for customer, row in zip(stored, computed_decisions(db, stored, chosen_rules), strict=True):
        expected = decide(customer, chosen_rules, TODAY)
        place = row["decided"]["rule"]
        assert row["decided"]["status"] == expected.status
        assert (chosen_rules[place] if place >= 0 else None) is expected.rule
        assert row["decided"]["chosen"] == (expected.chosen and expected.chosen.status)
        wanted = relationships._set_by(expected, customer, TODAY, AT)
        assert _plain(row["set"]) == _plain(wanted)
        if expected.rule:
            assert row["set"]["because"] == because(expected, customer, TODAY) or _plain(
                row["set"]["because"]
            ) == _plain(because(expected, customer, TODAY))


def _plain(value):
    """Amounts as numbers: 1E+3 is 1000."""
    if isinstance(value, dict):
        is_amount = value.get("fact") == "revenue" and "actual" in value
        known = {name: _plain(one) for name, one in value.items()}
        return known | ({"actual": Decimal(value["actual"])} if is_amount else {})
    return [_plain(one) for one in value] if isinstance(value, list) else value


instants = st.integers(0, 300 * 24 * 3600).map(lambda ago: AT - timedelta(seconds=ago))
orders = some(
    kind=st.sampled_from(["sale", "sale", "return", "purchase"]),
    status=st.sampled_from(["completed", "cancelled"]),
    placed_at=instants,
    placed_on=days,
    total=st.integers(-5000, 5000).map(lambda n: Decimal128(Decimal(n) / 100)),
)
entries = some(
    kind=st.sampled_from(["care", "care", "note", "event"]),
    at=instants,
    feedback=st.none() | st.sampled_from(WORDS["last_feedback"]),
)


@hypothesis_settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.tuples(st.lists(orders, max_size=4), st.lists(entries, max_size=4)), max_size=6),
    st.sets(st.sampled_from(["care", "note", "order"]), min_size=1),
)
def test_the_server_finds_the_same_facts(db, bought_and_said, kinds):
    setup = relationship_setup.from_stored(
        {"rules": [], "contact_kinds": list(kinds), "unanswered": ["no_answer"]}
    )
    for model in (Customer, Order, Interaction):
        model.collection().delete_many({})
    ids = [ObjectId() for _ in bought_and_said]
    for one, (bought, said) in zip(ids, bought_and_said, strict=True):
        Customer.collection().insert_one({"_id": one, "code": str(one)})
        for order in bought:
            Order.collection().insert_one(
                order | {"_id": (new := ObjectId()), "code": str(new), "customer_id": one}
            )
        for entry in said:
            Interaction.collection().insert_one(entry | {"_id": ObjectId(), "customer_id": one})
    expected = relationship_facts.of_customers(ids, setup, mongo.zone())
    if ids:
        relationship_bulk._bring_in_line({"$in": ids}, setup, AT, None)
    for row in Customer.collection().find():
        known = expected[row["_id"]]
        assert _decimal(row["facts"]) == _decimal(known.stored)
        assert list(row["facts"]) == list(known.stored)
        assert row.get("last_contact_at") == known.last_contact_at
    if ids:
        again = relationship_bulk._bring_in_line({"$in": ids}, setup, AT, None)
        assert again == {"facts_changed": 0, "relationships_changed": 0}


def _decimal(facts):
    return {
        name: value.to_decimal() if isinstance(value, Decimal128) else value
        for name, value in facts.items()
    }
