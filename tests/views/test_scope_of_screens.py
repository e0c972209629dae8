"""No screen, count, search, form or error shows a care agent what is not theirs (S1.12, B.8)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from bson import ObjectId

from models import Customer, Interaction, Order, Product, Site
from rules.scope import BY_CUSTOMER, BY_PRODUCT, UNLIMITED, Actor
from services.recompute import recompute_customers
from services.scope import recompute_all_scope
from tests.factories import NOW, TODAY, make_customer, make_order, make_product
from tests.views.conftest import Browser

MINE, THEIRS = "Khách của tôi", "Khách của người khác"


@pytest.fixture
def shop(
    morning: None, shipped: None, db: Any, agent: Actor, colleague: Actor
) -> dict[str, dict[str, ObjectId]]:
    """One due customer with one due order for the agent, one for a colleague, in every mode."""
    made = {}
    for name, actor, code in ((MINE, agent, "A"), (THEIRS, colleague, "B")):
        make_product(code, carers=[actor.staff_id])
        customer = make_customer(
            name=name,
            search=name.lower(),
            search_words=["khach"],
            carers=[actor.staff_id],
            code=f"KH-{code}",
        )
        order = make_order(customer, {code: 1}, due_on=TODAY, code=f"DH-{code}")
        made[name] = {"customer": customer, "order": order}
    customers = [one["customer"] for one in made.values()]
    recompute_customers(customers)
    recompute_all_scope(at=NOW)
    return made


def set_mode(mode: str) -> None:
    Site.collection().update_one(
        {"key": "site"}, {"$set": {"care_mode": mode}, "$inc": {"config_rev": 1}}
    )


LISTS = (
    "/orders/due",
    "/orders/due/by-group",
    "/orders/due/by-area",
    "/customers/due",
    "/customers",
    "/customers?q=khach",
    "/lookup/customer?q=khach",
)


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize("mode", [BY_PRODUCT, BY_CUSTOMER])
def test_a_list_shows_what_is_mine(
    shop: Any, agent: Actor, browser_of: Callable[[Actor], Browser], mode: str, address: str
) -> None:
    set_mode(mode)
    page = browser_of(agent).get(address).text

    assert MINE in page
    assert THEIRS not in page


@pytest.mark.parametrize("address", LISTS)
def test_the_unlimited_mode_shows_all(
    shop: Any, agent: Actor, browser_of: Callable[[Actor], Browser], address: str
) -> None:
    set_mode(UNLIMITED)
    page = browser_of(agent).get(address).text

    assert MINE in page
    assert THEIRS in page


@pytest.mark.parametrize("address", LISTS)
def test_a_manager_sees_all_in_every_mode(
    shop: Any, manager: Actor, browser_of: Callable[[Actor], Browser], address: str
) -> None:
    set_mode(BY_CUSTOMER)
    page = browser_of(manager).get(address).text

    assert MINE in page
    assert THEIRS in page


@pytest.mark.parametrize("mode", [BY_PRODUCT, BY_CUSTOMER])
def test_a_foreign_record_is_as_if_it_did_not_exist(
    shop: Any, agent: Actor, browser_of: Callable[[Actor], Browser], mode: str
) -> None:
    set_mode(mode)
    browser = browser_of(agent)
    customer, order = shop[THEIRS]["customer"], shop[THEIRS]["order"]
    before = (Customer.collection().find_one({"_id": customer}), Order.collection().find_one({}))

    answers = [
        browser.get(address)
        for address in (
            f"/customers/{customer}",
            f"/customers/{customer}?tab=orders",
            f"/customers/{customer}/edit",
            f"/orders/{order}",
            f"/care/orders/{order}",
            f"/care/customers/{customer}",
            f"/care/customers/{customer}?for=customer",
            f"/viewers/{customer}",
            f"/orders/due/rows/{order}",
            f"/customers/due/rows/{customer}",
            f"/customers/rows/{customer}",
        )
    ]
    entry = {
        "content": "Xin chào",
        "feedback": "satisfied",
        "next_on": "30/11/2026",
        "count": "0",
        "entry_key": "k1",
    }
    answers += [
        browser.send(f"/care/orders/{order}", entry),
        browser.send(f"/care/customers/{customer}", entry | {"entry_key": "k2"}),
        browser.send(f"/care/orders/{order}/postpone", {"count": "0"}),
        browser.send(f"/customers/{customer}/edit", {"name": "Đổi tên", "version": "1"}),
        browser.send(f"/viewers/{customer}/add", {"staff": str(agent.staff_id)}),
        browser.send(f"/viewers/{customer}/remove", {"staff": str(agent.staff_id)}),
    ]

    assert [answer.status_code for answer in answers[:-2]] == [404] * (len(answers) - 2)
    assert all(THEIRS not in answer.text for answer in answers)
    after = (Customer.collection().find_one({"_id": customer}), Order.collection().find_one({}))
    assert after == before
    assert Interaction.collection().count_documents({}) == 0


@pytest.mark.parametrize(("mode", "expected"), [(BY_PRODUCT, 1), (BY_CUSTOMER, 1), (UNLIMITED, 2)])
def test_counts_and_the_queue_are_of_my_customers(
    shop: Any,
    agent: Actor,
    browser_of: Callable[[Actor], Browser],
    mode: str,
    expected: int,
) -> None:
    set_mode(mode)
    browser = browser_of(agent)

    assert (
        f'id="count-total" hx-swap-oob="innerHTML">{expected}<'
        in browser.get("/orders/due/count").text
    )
    page = browser.get("/queue").text
    assert f"còn {expected}" in page
    if expected == 1:
        assert MINE in page


def test_the_history_screen_shows_my_own_entries(
    shop: Any, agent: Actor, colleague: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    for actor, name in ((agent, MINE), (colleague, THEIRS)):
        Interaction.collection().insert_one(
            {
                "kind": "care",
                "customer_id": shop[name]["customer"],
                "at": NOW,
                "staff_id": actor.staff_id,
                "staff_name": actor.name,
                "content": f"Nội dung về {name}",
            }
        )
    set_mode(BY_CUSTOMER)
    browser = browser_of(agent)

    page = browser.get("/care/history").text
    assert MINE in page
    assert THEIRS not in page
    assert "<b>1</b>" in browser.get("/care/history/summary").text


def test_a_viewer_is_added_and_explained(
    shop: Any, agent: Actor, manager: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    set_mode(BY_CUSTOMER)
    customer = shop[THEIRS]["customer"]
    desk = browser_of(agent)
    assert desk.get(f"/customers/{customer}").status_code == 404

    answer = browser_of(manager).send(
        f"/viewers/{customer}/add", {"staff": str(agent.staff_id), "until": "30/11/2026"}
    )

    assert answer.status_code == 303
    assert desk.get(f"/customers/{customer}").status_code == 200
    assert "người xem đến" in desk.get(f"/viewers/{customer}").text


def test_assigning_in_the_screen_reaches_the_lists(
    shop: Any, agent: Actor, manager: Actor, valkey: Any, browser_of: Callable[[Actor], Browser]
) -> None:
    set_mode(BY_CUSTOMER)
    office = browser_of(manager)
    customer = shop[THEIRS]["customer"]

    answer = office.send(
        "/assignments/customers/assign",
        {"ids": [str(customer)], "staff": str(agent.staff_id), "way": "add"},
    )

    assert answer.status_code == 303
    assert THEIRS in browser_of(agent).get("/orders/due").text
    nobody = office.send("/assignments/customers/assign", {"way": "add"}, follow_redirects=True)
    assert "Hãy chọn người được gán" in nobody.text


def test_the_mode_is_switched_in_the_screen(
    shop: Any, agent: Actor, manager: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    set_mode(UNLIMITED)
    assert THEIRS in browser_of(agent).get("/orders/due").text

    browser_of(manager).send("/settings/care-mode", {"care_mode": BY_PRODUCT})

    assert THEIRS not in browser_of(agent).get("/orders/due").text
    refused = browser_of(agent).get("/settings/care-mode")
    assert refused.status_code == 403


def test_products_are_assigned_by_filter(
    shop: Any, agent: Actor, manager: Actor, valkey: Any, browser_of: Callable[[Actor], Browser]
) -> None:
    browser_of(manager).send(
        f"/assignments/products/assign?carer={agent.staff_id}",
        {"all": "1", "staff": str(manager.staff_id), "way": "replace"},
    )

    carers = {row["code"]: row["carers"] for row in Product.collection().find()}
    assert carers["A"] == [manager.staff_id]
    assert carers["B"] != [manager.staff_id]


def test_several_assignments_are_saved_together_each_with_its_own_filter(
    shop: Any,
    agent: Actor,
    colleague: Actor,
    manager: Actor,
    browser_of: Callable[[Actor], Browser],
) -> None:
    office = browser_of(manager)
    customer = str(shop[THEIRS]["customer"])
    area = ObjectId()
    Customer.collection().update_one({"_id": ObjectId(customer)}, {"$set": {"area_id": area}})
    lines = [
        {"ids": [customer], "staff": str(agent.staff_id), "way": "replace", "filter": ""},
        {"ids": [], "all": True, "staff": str(colleague.staff_id), "way": "add"},
    ]
    lines[1]["filter"] = f"?area={area}"

    answer = office.send(
        "/assignments/customers/assign", {"line": [json.dumps(line) for line in lines]}
    )

    assert answer.status_code == 303
    carers = {str(row["_id"]): row.get("carers") for row in Customer.collection().find()}
    assert carers[customer] == sorted([agent.staff_id, colleague.staff_id])
    assert all(colleague.staff_id not in (carers[one] or []) for one in carers if one != customer)


@pytest.mark.parametrize(
    "line", ["", "[]", '{"filter": ""}', '{"filter": "", "ids": [{"$ne": 1}], "staff": "x"}']
)
def test_an_assignment_that_cannot_be_read_changes_nothing(
    shop: Any, manager: Actor, browser_of: Callable[[Actor], Browser], line: str
) -> None:
    before = list(Customer.collection().find())
    page = browser_of(manager).send(
        "/assignments/customers/assign", {"line": line}, follow_redirects=True
    )
    assert "Không đọc được lần gán này" in page.text
    assert list(Customer.collection().find()) == before


def test_more_assignments_than_are_saved_at_once_are_refused_and_none_is_skipped(
    shop: Any, agent: Actor, manager: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    before = list(Customer.collection().find())
    sent = {"ids": [str(before[0]["_id"])], "staff": str(agent.staff_id), "way": "replace"}
    page = browser_of(manager).send(
        "/assignments/customers/assign",
        {"line": [json.dumps({**sent, "filter": ""})] * 51},
        follow_redirects=True,
    )
    assert "tối đa 50 lần gán" in page.text
    assert list(Customer.collection().find()) == before


def test_a_filter_that_cannot_be_read_never_stands_for_everything(
    shop: Any, agent: Actor, manager: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    before = list(Customer.collection().find())
    sent = {"all": "1", "staff": str(agent.staff_id), "way": "replace"}
    browser_of(manager).send("/assignments/customers/assign?area=nonsense", sent)
    assert list(Customer.collection().find()) == before
