"""B.8: why somebody can or cannot see a record, and that it is what the query answers."""

from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import Customer, Order, Site, Staff
from rules import reasons
from rules.errors import NotFound
from rules.scope import BY_CUSTOMER, CARE_MODES, Actor
from services import absences, assignments, explaining
from services.scope import recompute_all_scope
from tests.factories import NOW, TODAY, ZONE, make_customer, make_order, make_product

KINDS = ("customers", "orders")


@pytest.fixture(autouse=True)
def limited(shipped: None) -> None:
    Site.collection().update_one(
        {"key": "site"}, {"$set": {"care_mode": BY_CUSTOMER}, "$inc": {"config_rev": 1}}
    )


def ask(who: Actor, record_id: ObjectId, kind: str = "customers") -> explaining.Answer:
    recompute_all_scope(at=NOW)
    document = Customer if kind == "customers" else Order
    record = document.collection().find_one({"_id": record_id}) or {}
    person = Staff.collection().find_one({"_id": who.staff_id}) or {}
    return explaining.answer(kind, record, person, at=NOW)


def said(answer: explaining.Answer, about: str) -> list[tuple[bool, str]]:
    return [
        (one.holds, one.says.message % one.says.params)
        for one in answer.reasons
        if one.about == about
    ]


def test_it_names_every_rule_that_is_missing(agent: Actor, colleague: Actor) -> None:
    customer = make_customer(carers=[colleague.staff_id], owner_id=colleague.staff_id)
    answer = ask(agent, customer)
    assert not answer.can_see
    assert not any(one.holds for one in answer.reasons)
    assert {one.about for one in answer.reasons} == {
        *(reasons.ROLE, reasons.MODE, reasons.OWNER, reasons.CARERS),
        *(reasons.PRODUCTS, reasons.VIEWERS, reasons.ABSENCE),
    }
    assert colleague.name in said(answer, reasons.CARERS)[0][1]
    assert colleague.name in said(answer, reasons.OWNER)[0][1]
    assert "by customer" in said(answer, reasons.MODE)[0][1]


@pytest.mark.parametrize(
    ("about", "values"),
    [
        (reasons.OWNER, {"owner_id": "me"}),
        (reasons.CARERS, {"carers": ["me"]}),
        (reasons.VIEWERS, {"viewers": [{"staff_id": "me", "until": None, "added_at": NOW}]}),
    ],
)
def test_it_names_the_one_that_holds_first(
    agent: Actor, about: str, values: dict[str, Any]
) -> None:
    me = agent.staff_id
    mine = {
        "owner_id": me,
        "carers": [me],
        "viewers": [{"staff_id": me, "until": None, "added_at": NOW}],
    }
    answer = ask(agent, make_customer(**{key: mine[key] for key in values}))
    assert answer.can_see
    assert [one.about for one in answer.reasons if one.holds] == [about]
    assert answer.reasons[0].about == about


def test_an_order_is_explained_by_its_customer_and_products(agent: Actor, colleague: Actor) -> None:
    make_product("A", carers=[agent.staff_id])
    order = make_order(make_customer(), {"A": 1}, due_on=TODAY)
    assert said(ask(agent, order, "orders"), reasons.PRODUCTS)[0][0] is True
    assert ask(agent, order, "orders").can_see
    assert not ask(agent, order, "orders").is_in_due_lists, "the care mode is by customer"
    assert not ask(colleague, order, "orders").can_see
    nobodys = make_order(None, due_on=TODAY)
    assert not ask(agent, nobodys, "orders").can_see


def test_a_viewer_whose_time_is_over_is_told_so(agent: Actor) -> None:
    viewer = {"staff_id": agent.staff_id, "until": NOW - timedelta(days=1), "added_at": NOW}
    answer = ask(agent, make_customer(viewers=[viewer]))
    assert not answer.can_see
    assert "Was a viewer until" in said(answer, reasons.VIEWERS)[0][1]


def test_who_stands_in_is_told_for_whom(agent: Actor, colleague: Actor) -> None:
    customer = make_customer(carers=[colleague.staff_id])
    absences.start(
        colleague.staff_id, agent.staff_id, TODAY, TODAY, zone=ZONE, by=colleague, at=NOW
    )
    answer = ask(agent, customer)
    assert answer.can_see
    assert answer.is_in_due_lists
    held = next(one for one in answer.reasons if one.about == reasons.ABSENCE)
    assert held.holds
    assert held.says.params["name"] == colleague.name


def test_who_is_deactivated_sees_nothing_whatever_else_holds(agent: Actor) -> None:
    customer = make_customer(carers=[agent.staff_id])
    Staff.collection().update_one({"_id": agent.staff_id}, {"$set": {"active": False}})
    answer = ask(agent, customer)
    assert not answer.can_see
    assert answer.reasons[0].about == reasons.LOGIN
    assert not any(one.holds for one in answer.reasons)


def test_while_an_assignment_is_taken_back_products_do_not_count(
    agent: Actor, manager: Actor, valkey: Any
) -> None:
    product = make_product("A", carers=[agent.staff_id])
    customer = make_customer()
    make_order(customer, {product: 1})
    recompute_all_scope(at=NOW)
    from models import Product

    ids = Product.collection().distinct("_id")
    assignments.assign_products(ids, [manager.staff_id], way="replace", by=manager, at=NOW)
    stored = Customer.collection().find_one({"_id": customer}) or {}
    person = Staff.collection().find_one({"_id": agent.staff_id}) or {}
    answer = explaining.answer("customers", stored, person, at=NOW)
    assert not answer.can_see
    assert "for a moment" in said(answer, reasons.PRODUCTS)[0][1]


def test_nobody_asks_about_what_the_asker_does_not_see(agent: Actor, colleague: Actor) -> None:
    customer = make_customer(carers=[colleague.staff_id])
    recompute_all_scope(at=NOW)
    limited_agent = Actor(agent.staff_id, agent.name, agent.roles, care_mode=BY_CUSTOMER)
    for kind, record in (("customers", customer), ("customers", ObjectId()), ("staff", customer)):
        with pytest.raises(NotFound):
            explaining.subject(kind, record, by=limited_agent)


PEOPLE = [ObjectId() for _ in range(3)]
worlds = st.fixed_dictionaries(
    {
        "owner": st.sampled_from([None, *PEOPLE]),
        "carers": st.sets(st.sampled_from(PEOPLE)),
        "viewer": st.sampled_from([None, *PEOPLE]),
        "product": st.sets(st.sampled_from(PEOPLE)),
        "away": st.sampled_from([None, *PEOPLE]),
        "pending": st.booleans(),
        "role": st.sampled_from(["care_agent", "manager"]),
        "mode": st.sampled_from(CARE_MODES),
    }
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(world=worlds)
def test_the_words_and_the_query_always_agree(db: Any, world: dict[str, Any]) -> None:
    for name in ("customers", "orders", "products", "staff"):
        db[name].delete_many({})
    me = PEOPLE[0]
    away = {
        "staff_id": world["away"],
        "name": "B",
        "from_at": NOW - timedelta(days=1),
        "until_at": NOW + timedelta(days=1),
        "until_on": NOW,
    }
    person = {
        "_id": me,
        "name": "A",
        "active": True,
        "roles": [world["role"]],
        "stands_in": [away] if world["away"] else [],
        "scopes_pending": [ObjectId()] if world["pending"] else [],
    }
    Site.collection().update_one(
        {"key": "site"}, {"$set": {"care_mode": world["mode"]}, "$inc": {"config_rev": 1}}
    )
    make_product("A", carers=sorted(world["product"]))
    viewers = [{"staff_id": world["viewer"], "until": None}] if world["viewer"] else []
    customer = make_customer(
        owner_id=world["owner"], carers=sorted(world["carers"]), viewers=viewers
    )
    make_order(customer, {"A": 1})
    recompute_all_scope(at=NOW)
    for kind, document in zip(KINDS, (Customer, Order), strict=True):
        record = document.collection().find_one({}) or {}
        answer = explaining.answer(kind, record, person, at=NOW)
        assert answer.can_see == any(one.holds for one in answer.reasons), (kind, answer)
