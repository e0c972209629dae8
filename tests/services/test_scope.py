"""Who sees what: the query of each list answers exactly what the rules say (S1.3, S1.10, S1.11)."""

from dataclasses import replace
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import Customer, Order, Product, Staff
from rules.reasons import reasons_to_see
from rules.scope import (
    BY_CUSTOMER,
    BY_PRODUCT,
    CARE_MODES,
    UNLIMITED,
    Actor,
    customer_scope,
    due_customer_scope,
    due_order_scope,
    order_scope,
)
from services import assignments
from services.explaining import standing_of
from services.scope import end_viewers, recompute_all_scope, recompute_scope
from tests.factories import NOW, make_customer, make_order, make_product

STAFF = [ObjectId() for _ in range(4)]
CODES = ["A", "B", "C"]

worlds = st.fixed_dictionaries(
    {
        "products": st.fixed_dictionaries(
            {code: st.sets(st.sampled_from(STAFF), max_size=2) for code in CODES}
        ),
        "customers": st.lists(
            st.fixed_dictionaries(
                {
                    "owner": st.one_of(st.none(), st.sampled_from(STAFF)),
                    "carers": st.sets(st.sampled_from(STAFF), max_size=2),
                    "viewers": st.dictionaries(
                        st.sampled_from(STAFF), st.sampled_from([None, -1, 1]), max_size=2
                    ),
                    "orders": st.lists(
                        st.sets(st.sampled_from(CODES), min_size=1, max_size=2), max_size=3
                    ),
                }
            ),
            min_size=1,
            max_size=4,
        ),
    }
)


def build(db: Any, world: dict[str, Any]) -> list[tuple[ObjectId, list[ObjectId]]]:
    """(customer, its orders) of a drawn world, in its order."""
    for name in ("customers", "orders", "products"):
        db[name].delete_many({})
    for code, carers in world["products"].items():
        make_product(code, carers=sorted(carers))
    made = []
    for drawn in world["customers"]:
        viewers = [
            {
                "staff_id": staff_id,
                "until": None if days is None else NOW.replace(day=NOW.day + days),
                "added_at": NOW,
            }
            for staff_id, days in drawn["viewers"].items()
        ]
        customer = make_customer(
            owner_id=drawn["owner"], carers=sorted(drawn["carers"]), viewers=viewers
        )
        orders = [
            make_order(customer, dict.fromkeys(sorted(codes), 1), due_on=NOW.date())
            for codes in drawn["orders"]
        ]
        made.append((customer, orders))
    return made


def bought_from(world: dict[str, Any], orders: list[set[str]]) -> set[ObjectId]:
    return {carer for codes in orders for code in codes for carer in world["products"][code]}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(world=worlds, mode=st.sampled_from(CARE_MODES), staff_id=st.sampled_from(STAFF))
def test_the_lists_are_what_the_rules_say(
    db: Any, world: dict[str, Any], mode: str, staff_id: ObjectId
) -> None:
    made = build(db, world)
    recompute_all_scope(at=NOW)
    actor = Actor(staff_id, "A", frozenset({"care_agent"}), care_mode=mode)

    expected: dict[str, set[ObjectId]] = {
        "see": set(),
        "orders": set(),
        "due": set(),
        "care": set(),
    }
    for (customer, orders), drawn in zip(made, world["customers"], strict=True):
        valid = {one for one, days in drawn["viewers"].items() if days != -1}
        bought = bought_from(world, drawn["orders"])
        reasons = {drawn["owner"]} | drawn["carers"] | valid | bought
        if mode == UNLIMITED or staff_id in reasons:
            expected["see"].add(customer)
            expected["orders"] |= set(orders)
        if (
            mode == UNLIMITED
            or (mode == BY_CUSTOMER and staff_id in drawn["carers"])
            or (mode == BY_PRODUCT and staff_id in bought)
        ):
            expected["care"].add(customer)
        for order, codes in zip(orders, drawn["orders"], strict=True):
            if (
                mode == UNLIMITED
                or (mode == BY_CUSTOMER and staff_id in drawn["carers"])
                or (mode == BY_PRODUCT and staff_id in bought_from(world, [codes]))
            ):
                expected["due"].add(order)

    customers, all_orders = Customer.collection(), Order.collection()
    assert set(customers.distinct("_id", customer_scope(actor))) == expected["see"]
    assert set(all_orders.distinct("_id", order_scope(actor))) == expected["orders"]
    assert set(all_orders.distinct("_id", due_order_scope(actor))) == expected["due"]
    assert set(customers.distinct("_id", due_customer_scope(actor))) == expected["care"]
    assert recompute_all_scope(at=NOW) == 0, "a second run changes nothing"
    for customer, _ in made:
        stored = customers.find_one({"_id": customer}) or {}
        why = reasons_to_see(
            actor,
            standing_of("customers", stored),
            NOW,
        )
        assert bool(why) == (customer in expected["see"]), "the explanation and the query agree"


@pytest.fixture
def shop(db: Any, agent: Actor, colleague: Actor) -> dict[str, Any]:
    """Product A is the agent's, B the colleague's; a customer bought each."""
    make_product("A", carers=[agent.staff_id])
    make_product("B", carers=[colleague.staff_id])
    made = {}
    for code in "AB":
        customer = make_customer()
        made[code] = (customer, make_order(customer, {code: 1}, due_on=NOW.date()))
    recompute_all_scope(at=NOW)
    return made


def product_id(code: str) -> ObjectId:
    return (Product.collection().find_one({"code": code}) or {})["_id"]


def seen(actor: Actor) -> set[ObjectId]:
    stored = Staff.collection().find_one({"_id": actor.staff_id}) or {}
    now_is = replace(
        actor, care_mode=BY_PRODUCT, is_scope_pending=bool(stored.get("scopes_pending"))
    )
    return set(Order.collection().distinct("_id", due_order_scope(now_is))) | set(
        Customer.collection().distinct("_id", customer_scope(now_is))
    )


def test_who_loses_a_product_sees_nothing_of_it_from_that_moment(
    shop: dict[str, Any], agent: Actor, colleague: Actor, manager: Actor, valkey: Any
) -> None:
    assert seen(agent) == set(shop["A"])

    assignments.assign_products(
        [product_id("A")], [colleague.staff_id], way=assignments.REPLACE, by=manager, at=NOW
    )

    assert seen(agent) == set(), "before the job has run"
    run_waiting_jobs()
    assert seen(agent) == set()
    assert seen(colleague) == {*shop["A"], *shop["B"]}
    stored = Staff.collection().find_one({"_id": agent.staff_id}) or {}
    assert not stored.get("scopes_pending")


def test_several_people_share_a_product(
    shop: dict[str, Any], agent: Actor, colleague: Actor, manager: Actor, valkey: Any
) -> None:
    assignments.assign_products(
        [product_id("A")], [colleague.staff_id], way=assignments.ADD, by=manager, at=NOW
    )
    run_waiting_jobs()

    assert set(shop["A"]) <= seen(agent)
    assert set(shop["A"]) <= seen(colleague)


def test_a_viewer_sees_the_customer_until_the_end(db: Any, agent: Actor, manager: Actor) -> None:
    customer = make_customer()
    recompute_scope([customer], at=NOW)
    restricted = replace(agent, care_mode=BY_CUSTOMER)
    assert Customer.collection().count_documents(customer_scope(restricted)) == 0

    until = NOW.replace(hour=20)
    assignments.add_viewer(customer, agent.staff_id, until=until, by=manager, at=NOW)
    assert Customer.collection().count_documents(customer_scope(restricted)) == 1
    assignments.add_viewer(customer, agent.staff_id, until=until, by=manager, at=NOW)
    assert len((Customer.collection().find_one({}) or {})["viewers"]) == 1

    end_viewers(at=NOW.replace(hour=21))
    assert Customer.collection().count_documents(customer_scope(restricted)) == 0
    assert end_viewers(at=NOW.replace(hour=21)) == 0


def run_waiting_jobs() -> None:
    from jobs import runner
    from models import JobRun

    for row in JobRun.collection().find({"state": "queued"}).sort("_id", 1):
        runner.run(str(row["_id"]))


def test_nobody_in_particular_sees_nothing(db: Any) -> None:
    make_order(make_customer(), {}, due_on=NOW.date())
    nobody = Actor(None, "?", frozenset({"care_agent"}), care_mode=BY_CUSTOMER)

    for document, scope in (
        (Customer, customer_scope),
        (Customer, due_customer_scope),
        (Order, order_scope),
        (Order, due_order_scope),
    ):
        assert document.collection().count_documents(scope(nobody)) == 0
