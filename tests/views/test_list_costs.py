"""Lists cost few queries, and an index sorts each of them (B.10)."""

from collections.abc import Callable
from typing import Any

import pytest

from models import Customer
from rules.scope import Actor
from services import lists, recompute
from tests.factories import make_area, make_customer, make_order, make_product
from tests.views.conftest import Browser
from tests.views.due_lists import CUSTOMERS, ORDERS, appointed, due_order, in_days, listed, rows

pytestmark = pytest.mark.usefixtures("desk")


@pytest.mark.parametrize("query", ["", "?state=cared&due=all"])
def test_the_orders_due_cost_at_most_five_queries(
    agent: Actor,
    morning: None,
    shipped: None,
    colleague: Actor,
    browser_of: Callable[[Actor], Browser],
    queries: list[str],
    query: str,
) -> None:
    """Fifty rows, each of another customer and area, half of them with a product."""
    for number in range(60):
        code = make_product(interval=3)
        area = make_area(f"Khu vực {number}")
        customer = make_customer(area_id=area)
        make_order(customer, {code: 1}, due_on=in_days(2), area_id=area)
    appointed(3, colleague)
    desk = browser_of(agent)
    desk.get(ORDERS + query)  # the first page of a revision reads its configuration
    queries.clear()
    page = desk.get(ORDERS + query).text
    assert len(rows(page)) == (1 if query else 50)
    assert len(queries) <= 5, queries
    assert queries[0] == "aggregate staff"


def test_the_customers_due_and_the_counts_cost_few_queries(
    agent: Actor,
    morning: None,
    shipped: None,
    browser_of: Callable[[Actor], Browser],
    queries: list[str],
) -> None:
    customers = [make_customer(area_id=make_area(f"Khu vực {number}")) for number in range(20)]
    for customer in customers:
        due_order(1, customer=customer)
    recompute.recompute_customers(customers)
    desk = browser_of(agent)
    desk.get(CUSTOMERS)
    queries.clear()
    assert len(listed(desk, CUSTOMERS)) == 20
    assert len(queries) <= 4, queries
    queries.clear()
    desk.get(f"{ORDERS}/count")
    assert queries == ["aggregate staff", "aggregate orders"]


@pytest.mark.parametrize(
    ("address", "document"),
    [
        ("/orders/due", "orders"),
        ("/orders/due?sort=-due&state=new", "orders"),
        ("/orders/due?area=none", "orders"),
        (f"/orders/due/by-group?group={'1' * 24}", "orders"),
        ("/customers/due", "customers"),
        ("/customers", "customers"),
        ("/customers?sort=-name", "customers"),
        ("/customers?sort=created", "customers"),
        ("/customers?sort=-created", "customers"),
        ("/care/history", "interactions"),
        ("/products", "products"),
        ("/jobs", "job_runs"),
    ],
)
def test_every_list_is_sorted_by_an_index(
    manager: Actor,
    morning: None,
    shipped: None,
    browser_of: Callable[[Actor], Browser],
    monkeypatch: pytest.MonkeyPatch,
    connected: Any,
    address: str,
    document: str,
) -> None:
    """A sort in memory would read the whole collection for one page."""
    plans: list[str] = []
    fetch = lists.fetch_page

    def explained(collection: Any, criteria: Any, sort: Any, **options: Any) -> Any:
        direction = -1 if sort.descending else 1
        found = collection.find(criteria).sort([(sort.path, direction), ("_id", direction)])
        plans.append(repr(found.limit(51).explain()["queryPlanner"]["winningPlan"]))
        return fetch(collection, criteria, sort, **options)

    monkeypatch.setattr(lists, "fetch_page", explained)
    assert browser_of(manager).get(address).status_code == 200
    assert len(plans) == 1
    assert "'IXSCAN'" in plans[0]
    assert "'SORT'" not in plans[0], plans[0]


def test_a_relationship_nobody_has_is_looked_up_and_not_searched_for(db: Any) -> None:
    """The quick filter of the customer list: in its order, without looking at other customers."""
    for relationship in ("new", "hot", "won"):
        make_customer(relationship=relationship)
    found = Customer.collection().find({"relationship": "lost"}).sort([("search", 1), ("_id", 1)])
    plan = found.hint("customers_by_relationship").explain()
    assert "'SORT'" not in repr(plan["queryPlanner"]["winningPlan"])
    assert plan["executionStats"]["totalKeysExamined"] <= 1


def test_all_customers_are_counted_when_asked_for(db: Any) -> None:
    for _ in range(3):
        make_customer()
    assert lists.exact_count(Customer.collection(), {}) == 3
    assert lists.exact_count(Customer.collection(), {"relationship": "new"}) == 3
