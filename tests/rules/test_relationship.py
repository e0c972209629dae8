"""Which relationship status follows from facts, a person's choice and the rules (S3.3, S3.4)."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from bson import Decimal128
from hypothesis import given
from hypothesis import strategies as st

from rules.relationship import Condition, Rule, because, decide
from rules.relationship_facts import FACTS, Fact, register
from rules.relationship_sentences import condition, explain
from services import relationship_setup

TODAY = date(2026, 11, 21)
SHIPPED = relationship_setup.from_stored(relationship_setup.shipped()).rules


def day(back):
    past = TODAY - timedelta(days=back)
    return datetime(past.year, past.month, past.day, tzinfo=UTC)


def customer(relationship="new", contact=None, bought=None, orders=0, chosen=None, **values):
    """`contact`, `bought` and `chosen` (status, days) count days back."""
    facts = {"order_count": orders}
    if contact is not None:
        facts["last_contact_on"] = day(contact)
    if bought is not None:
        facts |= {"last_purchase_on": day(bought), "order_count": orders or 1}
    if chosen:
        values["relationship_chosen"] = {"status": chosen[0], "since_on": day(chosen[1])}
    return {"relationship": relationship, "facts": facts} | values


def status(*arguments, rules=SHIPPED, today=TODAY, **values):
    return decide(customer(*arguments, **values), rules, today).status


@pytest.mark.parametrize(
    ("expected", "values"),
    [
        ("new", {}),
        ("approached", {"contact": 0}),
        ("approached", {"contact": 29}),
        ("do_not_forget", {"contact": 30}),
        ("do_not_forget", {"contact": 400, "relationship": "approached"}),
        ("won", {"orders": 1}),
        ("won", {"orders": 3, "contact": 5}),
        ("do_not_forget", {"orders": 3, "contact": 30, "relationship": "won"}),
        ("approached", {"contact": 1, "relationship": "do_not_forget"}),
        ("won", {"contact": 1, "orders": 2, "relationship": "do_not_forget"}),
    ],
)
def test_shipped_rules(expected, values):
    assert status(**values) == expected


@pytest.mark.parametrize(
    ("expected", "values"),
    [
        ("hot", {"contact": 5}),
        ("hot", {"contact": 40, "chosen": ("hot", 29)}),
        ("do_not_forget", {"contact": 40, "chosen": ("hot", 30)}),
        ("hot", {"bought": 20, "chosen": ("hot", 10)}),
        ("hot", {"bought": 10, "chosen": ("hot", 10)}),
        ("won", {"bought": 9, "chosen": ("hot", 10)}),
    ],
)
def test_a_choice_holds_for_as_long_as_the_rule_says(expected, values):
    values.setdefault("chosen", ("hot", 100))
    assert status("hot", **values) == expected


def test_a_lost_customer_is_not_called_forgotten():
    assert status("lost", contact=90, chosen=("lost", 80)) == "lost"


def test_a_choice_comes_back_when_the_customer_is_no_longer_forgotten():
    assert status("do_not_forget", contact=0, chosen=("potential", 90)) == "potential"


def test_a_status_of_unknown_origin_that_no_rule_gives_counts_as_chosen():
    assert status("hot", contact=3) == "hot"
    decision = decide(customer("hot", contact=31), SHIPPED, TODAY)
    assert decision.status == "do_not_forget"
    assert decision.chosen.status == "hot"


def test_a_status_left_by_a_rule_that_is_gone_does_not_stick():
    given_by_rule = customer("vip_care", relationship_set={"by": "rule", "rule": "old"})
    assert decide(given_by_rule, SHIPPED, TODAY).status == "new"


def test_a_group_has_its_own_number_and_the_smallest_counts():
    forget = Condition("days_since_contact", "at_least", 30, by_group={"vip": 14, "wholesale": 20})
    rules = (Rule("forget", "do_not_forget", (forget,)), *SHIPPED[1:])
    assert status(contact=14, rules=rules) == "approached"
    assert status(contact=14, rules=rules, groups=["vip"]) == "do_not_forget"
    assert status(contact=14, rules=rules, groups=["wholesale", "vip"]) == "do_not_forget"
    assert status(contact=14, rules=rules, groups=["wholesale"]) == "approached"


def test_the_day_counts_and_not_the_hour_also_over_a_leap_day():
    one = {"relationship": "new", "facts": {"last_contact_on": datetime(2024, 1, 31, tzinfo=UTC)}}
    assert decide(one, SHIPPED, date(2024, 2, 29)).status == "approached"
    assert decide(one, SHIPPED, date(2024, 3, 1)).status == "do_not_forget"


def test_a_rule_that_is_switched_off_is_passed_over():
    off = Rule("forget", "do_not_forget", (), is_enabled=False)
    assert status(rules=(off, *SHIPPED[1:])) == "new"


def test_a_fact_that_this_version_does_not_know_never_fires():
    future = Rule("future", "won", (Condition("shoe_size", "known"),))
    assert status(rules=(future, *SHIPPED)) == "new"


@pytest.mark.parametrize(
    ("one", "holds"),
    [
        (Condition("revenue", "at_least", 1000), True),
        (Condition("revenue", "at_most", 1000), False),
        (Condition("order_count", "at_most", 2), True),
        (Condition("last_feedback", "one_of", values=("satisfied",)), True),
        (Condition("last_feedback", "none_of", values=("satisfied",)), False),
        (Condition("tags", "one_of", values=("vip", "x")), True),
        (Condition("tags", "none_of", values=("x",)), True),
        (Condition("groups", "unknown"), True),
        (Condition("groups", "none_of", values=("vip",)), True),
        (Condition("days_since_contact", "at_most", 10), False),
        (Condition("days_since_contact", "unknown"), True),
        (Condition("days_since_first_purchase", "at_least", 9), True),
    ],
)
def test_conditions(one, holds):
    known = {
        "facts": {
            "revenue": Decimal128(Decimal("1000.5")),
            "order_count": 2,
            "last_feedback": "satisfied",
            "first_purchase_on": day(9),
        },
        "tags": ["vip"],
        "groups": [],
    }
    assert one.holds(known, TODAY) is holds


def test_rules_that_go_round_in_circles_leave_the_customer_where_it_is():
    def move(before, after):
        return Rule(f"to_{after}", after, (Condition("relationship", "one_of", values=(before,)),))

    rules = (move("new", "hot"), move("hot", "potential"), move("potential", "new"))
    for stands in ("new", "hot", "potential"):
        one = customer(stands, relationship_set={"by": "rule"})
        assert decide(one, rules, TODAY).status == stands


STATUSES = st.sampled_from(
    ["new", "approached", "hot", "potential", "lost", "won", "do_not_forget"]
)
CONDITIONS = st.one_of(
    st.builds(
        Condition,
        st.sampled_from(["days_since_contact", "order_count", "purchase_after_choice"]),
        st.sampled_from(["at_least", "at_most", "known", "unknown"]),
        st.integers(0, 40),
    ),
    st.builds(
        Condition,
        st.just("relationship"),
        st.sampled_from(["one_of", "none_of"]),
        values=st.lists(STATUSES, min_size=1, max_size=3).map(tuple),
    ),
)
RULES = st.lists(
    st.builds(
        Rule,
        st.just("r"),
        STATUSES,
        st.lists(CONDITIONS, max_size=2).map(tuple),
        st.one_of(st.none(), st.integers(0, 40)),
    ),
    max_size=5,
)
CUSTOMERS = st.builds(
    customer,
    STATUSES,
    contact=st.none() | st.integers(0, 60),
    bought=st.none() | st.integers(0, 60),
    chosen=st.none() | st.tuples(STATUSES, st.integers(0, 60)),
)


@given(CUSTOMERS, RULES)
def test_deciding_again_changes_nothing(one, rules):
    first = decide(one, rules, TODAY)
    after = one | {"relationship": first.status, "relationship_set": {"by": first.by}}
    if first.chosen and "relationship_chosen" not in one:
        after["relationship_chosen"] = {"status": first.chosen.status}
    assert decide(after, rules, TODAY).status == first.status


@given(CUSTOMERS)
def test_shipped_rules_always_give_a_shipped_status(one):
    assert decide(one, SHIPPED, TODAY).status in {
        *("new", "approached", "hot", "potential", "lost", "won", "do_not_forget")
    }


def plainly(list_key, key):
    return {"lost": "Mất"}.get(key, key)


def everything(field):
    return True


def test_the_explanation_names_the_rule_and_what_it_found():
    one = customer("approached", contact=42)
    decision = decide(one, SHIPPED, TODAY)
    set_by = {
        "by": "rule",
        "rule": decision.rule.key,
        "label_vi": "Đừng quên",
        "because": because(decision, one, TODAY),
    }
    said = explain(set_by, label=plainly, sees=everything)
    assert said.params["rule"] == "Đừng quên"
    assert [str(found) for found in said.params["because"]] == [
        "days since the last contact: 42 (at least 30)"
    ]


def test_the_explanation_leaves_out_facts_about_fields_that_the_reader_does_not_see():
    told = {
        "days_since_contact": "last_contact",
        "days_since_first_purchase": "first_purchase",
        "days_since_last_purchase": "last_purchase",
        "purchase_after_choice": "last_purchase",
        "order_count": "order_count",
        "custom.rank": "rank",
        "gone": "gone",
    }
    found = [{"fact": fact, "operator": "at_least", "value": 1, "actual": 2} for fact in told]
    set_by = {"by": "rule", "label_vi": "Đừng quên", "because": found}
    for hidden in told.values():
        said = explain(set_by, label=plainly, sees=lambda field, unseen=hidden: field != unseen)
        assert len(said.params["because"]) == len([one for one in told.values() if one != hidden])
    said = explain(set_by, label=plainly, sees=lambda field: False)
    assert said.params == {"rule": "Đừng quên"}


def test_the_explanation_of_a_choice_names_the_person_and_the_reason():
    said = explain(
        {"by": "person", "staff_name": "An", "since_on": day(0), "reason": "Khách hẹn mua"},
        label=plainly,
        sees=everything,
    )
    assert str(said) == "Chosen by An on 2026-11-21: Khách hẹn mua"
    assert explain(None, label=plainly, sees=everything) is None


def test_a_condition_in_words_without_a_customer():
    assert str(condition({"fact": "tags", "operator": "unknown"}, label=plainly)) == (
        "tags: there is none"
    )


def test_a_later_fact_plugs_in(monkeypatch):
    monkeypatch.setattr("rules.relationship_facts.FACTS", FACTS)
    fact = Fact(
        "days_since_call", "days since the last call", "days", lambda one, today: 3, lambda today: 3
    )
    register(fact)
    try:
        assert status(rules=(Rule("called", "hot", (Condition(fact.key, "at_most", 3),)),)) == "hot"
        with pytest.raises(ValueError, match="days_since_call"):
            register(fact)
    finally:
        FACTS.pop(fact.key)
