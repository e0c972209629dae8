"""Who sees what: the query of each list answers exactly what the rules say (S1.3, S1.10, S1.11)."""

from dataclasses import replace
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import Customer, Order, Product, Staff
from rules.permissions import ALL, ASSIGNED, EDIT, OWN, SEE, TEAM, KindPermission, Role, union
from rules.reasons import reasons_to_see
from rules.scope import (
    BY_CUSTOMER,
    BY_PRODUCT,
    CARE_MODES,
    SYSTEM,
    UNLIMITED,
    Actor,
    StandIn,
    customer_scope,
    due_customer_scope,
    due_order_scope,
    order_scope,
)
from rules.teams import Team
from services import actors, assignments, configuration, configuration_changes
from services.explaining import standing_of
from services.scope import end_viewers, recompute_all_scope, recompute_scope
from tests.factories import NOW, make_customer, make_order, make_product

STAFF = [ObjectId() for _ in range(4)]
CODES = ["A", "B", "C"]
AREAS = [ObjectId() for _ in range(2)]

worlds = st.fixed_dictionaries(
    {
        "products": st.fixed_dictionaries(
            {code: st.sets(st.sampled_from(STAFF), max_size=2) for code in CODES}
        ),
        "customers": st.lists(
            st.fixed_dictionaries(
                {
                    "owner": st.one_of(st.none(), st.sampled_from(STAFF)),
                    "area": st.sampled_from([None, *AREAS]),
                    "hot": st.booleans(),
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
            owner_id=drawn["owner"],
            carers=sorted(drawn["carers"]),
            viewers=viewers,
            area_id=drawn["area"],
            gender="female" if drawn["hot"] else None,
        )
        orders = [
            make_order(
                customer,
                dict.fromkeys(sorted(codes), 1),
                due_on=NOW.date(),
                area_id=drawn["area"],
            )
            for codes in drawn["orders"]
        ]
        made.append((customer, orders))
    return made


reaches = st.sampled_from([OWN, ASSIGNED, TEAM, ALL, None])
rules = st.sampled_from(["", f"area.in({AREAS[0]})", "gender.in(female)", "nonsense.is(x)", "(("])
drawn_roles = st.lists(st.fixed_dictionaries({"reach": reaches, "where": rules}), max_size=2)
drawn_teams = st.lists(
    st.fixed_dictionaries(
        {
            "members": st.sets(st.sampled_from(STAFF), max_size=2),
            "leads": st.sets(st.sampled_from(STAFF), max_size=1),
        }
    ),
    max_size=2,
)


def role_of(number: int, drawn: dict[str, Any]) -> Role:
    """A role that sees customers and orders in this reach; None: it does not see them at all."""
    if drawn["reach"] is None:
        return Role(f"role{number}", "")
    permission = KindPermission(frozenset({SEE}), drawn["reach"], drawn["where"])
    # Orders know no gender: that rule is broken for them and opens nothing.
    return Role(f"role{number}", "", kinds={"customers": permission, "orders": permission})


def matches(where: str, drawn: dict[str, Any], kind: str) -> bool:
    """The oracle of the three rules that are drawn."""
    if where.startswith("area"):
        return drawn["area"] == AREAS[0]
    return kind == "customers" and where.startswith("gender") and drawn["hot"]


class Oracle:
    """The rules of scope said once more, plainly, record by record."""

    def __init__(
        self,
        world: dict[str, Any],
        mode: str,
        staff_id: ObjectId,
        roles: list[dict[str, Any]],
        teams: list[dict[str, Any]],
        away: ObjectId | None,
    ) -> None:
        self.world, self.mode, self.roles = world, mode, roles
        self.mine = {staff_id} | ({away} if away else set())
        self.team = set(self.mine)
        for team in teams:
            if staff_id in team["leads"]:
                self.mine |= team["members"]
            if staff_id in team["leads"] | team["members"]:
                self.team |= team["members"] | team["leads"]
        self.team |= self.mine

    def reached(self, drawn: dict[str, Any], kind: str, assigned: set[ObjectId | None]) -> bool:
        return any(
            role["reach"] == ALL
            or (role["reach"] == ASSIGNED and self.mode == UNLIMITED)
            or (role["reach"] == OWN and drawn["owner"] in self.mine)
            or (role["reach"] == ASSIGNED and bool(assigned & self.mine))
            or (role["reach"] == TEAM and bool(assigned & self.team))
            or (role["reach"] is not None and matches(role["where"], drawn, kind))
            for role in self.roles
        )

    def bought(self, orders: list[set[str]]) -> set[ObjectId | None]:
        products = self.world["products"]
        return {carer for codes in orders for code in codes for carer in products[code]}

    def sees(self, drawn: dict[str, Any], kind: str) -> bool:
        valid = {one for one, days in drawn["viewers"].items() if days != -1}
        named = {drawn["owner"]} | drawn["carers"] | valid | self.bought(drawn["orders"])
        return self.reached(drawn, kind, named)

    def cares_for(self, drawn: dict[str, Any], kind: str, orders: list[set[str]]) -> bool:
        by_product = self.mode == BY_PRODUCT
        return self.reached(drawn, kind, self.bought(orders) if by_product else drawn["carers"])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    world=worlds,
    mode=st.sampled_from(CARE_MODES),
    staff_id=st.sampled_from(STAFF),
    roles=drawn_roles,
    teams=drawn_teams,
    away=st.one_of(st.none(), st.sampled_from(STAFF)),
)
def test_the_lists_are_what_the_rules_say(
    db: Any,
    world: dict[str, Any],
    mode: str,
    staff_id: ObjectId,
    roles: list[dict[str, Any]],
    teams: list[dict[str, Any]],
    away: ObjectId | None,
) -> None:
    made = build(db, world)
    recompute_all_scope(at=NOW)
    config = replace(
        configuration.snapshot(),
        care_mode=mode,
        roles={f"role{number}": role_of(number, one) for number, one in enumerate(roles)},
        teams={
            str(number): Team(
                str(number), "", "", frozenset(one["members"]), frozenset(one["leads"])
            )
            for number, one in enumerate(teams)
        },
    )
    person = {"_id": staff_id, "name": "A", "roles": list(config.roles)}
    actor = actors.of_person(person, config, at=NOW)
    if away is not None:
        actor = replace(actor, stands_in_for=(StandIn(away, "B", NOW.date()),))
    oracle = Oracle(world, mode, staff_id, roles, teams, away)

    expected: dict[str, set[ObjectId]] = {
        "see": set(),
        "orders": set(),
        "due": set(),
        "care": set(),
    }
    for (customer, orders), drawn in zip(made, world["customers"], strict=True):
        if oracle.sees(drawn, "customers"):
            expected["see"].add(customer)
        if oracle.sees(drawn, "orders"):
            expected["orders"] |= set(orders)
        if oracle.cares_for(drawn, "customers", drawn["orders"]):
            expected["care"].add(customer)
        for order, codes in zip(orders, drawn["orders"], strict=True):
            if oracle.cares_for(drawn, "orders", [codes]):
                expected["due"].add(order)

    customers, all_orders = Customer.collection(), Order.collection()
    assert set(customers.distinct("_id", customer_scope(actor))) == expected["see"]
    assert set(all_orders.distinct("_id", order_scope(actor))) == expected["orders"]
    assert set(all_orders.distinct("_id", due_order_scope(actor))) == expected["due"]
    assert set(customers.distinct("_id", due_customer_scope(actor))) == expected["care"]
    assert recompute_all_scope(at=NOW) == 0, "a second run changes nothing"
    known: dict[str, bool] = {}
    for customer, _ in made:
        known.clear()
        stored = customers.find_one({"_id": customer}) or {}
        why = reasons_to_see(
            actor,
            replace(
                standing_of("customers", stored),
                matched=actors.matched_roles(actor, "customers", customer, known),
            ),
            NOW,
        )
        assert bool(why) == (customer in expected["see"]), "the explanation and the query agree"


def test_a_rule_can_name_whoever_asks(db: Any, agent: Actor, colleague: Actor) -> None:
    permission = KindPermission(frozenset({SEE}), OWN, "carers.in(me)")
    config = replace(
        configuration.snapshot(),
        care_mode=BY_CUSTOMER,
        roles={"mine": Role("mine", "", kinds={"customers": permission})},
    )
    mine = make_customer(carers=[agent.staff_id])
    make_customer(carers=[colleague.staff_id])
    person = {"_id": agent.staff_id, "name": "A", "roles": ["mine"]}
    actor = actors.of_person(person, config, at=NOW)
    assert Customer.collection().distinct("_id", customer_scope(actor)) == [mine]


def test_what_one_role_reaches_another_role_cannot_edit(db: Any, agent: Actor) -> None:
    """Somebody who sees all and edits the own ones edits no foreign one."""
    all_seen = Role("reader", "", kinds={"customers": KindPermission(frozenset({SEE}), ALL)})
    own_edited = Role("owner", "", kinds={"customers": KindPermission(frozenset({SEE, EDIT}), OWN)})
    actor = replace(agent, granted=union([all_seen, own_edited]))
    mine = make_customer(owner_id=agent.staff_id)
    make_customer()
    assert Customer.collection().count_documents(customer_scope(actor)) == 2
    assert Customer.collection().distinct("_id", customer_scope(actor, EDIT)) == [mine]


def test_a_team_waits_with_whoever_lost_a_product(
    db: Any, agent: Actor, colleague: Actor, manager: Actor, shipped: None, valkey: Any
) -> None:
    stored = {"label_vi": "Bắc", "members": [str(agent.staff_id), str(colleague.staff_id)]}
    change = configuration_changes.Change("teams", "north", stored)
    configuration_changes.apply([change], says="x", by=SYSTEM, at=NOW)
    make_product("A", carers=[agent.staff_id])
    assignments.assign_products(
        [product_id("A")], [manager.staff_id], way=assignments.REPLACE, by=manager, at=NOW
    )
    for actor in (agent, colleague):
        person = Staff.collection().find_one({"_id": actor.staff_id}) or {}
        assert actors.of_person(person, configuration.snapshot(), at=NOW).is_scope_pending


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
