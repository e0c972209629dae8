"""The page that says why somebody can or cannot see a record (B.8)."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from models import Staff
from rules.scope import BY_CUSTOMER, Actor
from services import assignments
from services.scope import recompute_all_scope
from tests.factories import NOW, TODAY, make_customer, make_order
from tests.views.conftest import Browser

BrowserOf = Callable[[Actor], Browser]


@pytest.fixture
def customer(shipped: None, morning: None, administrator: Actor, agent: Actor) -> Any:
    assignments.set_care_mode(BY_CUSTOMER, by=administrator, at=NOW)
    made = make_customer(name="Lê Hoà", code="KH-7", carers=[agent.staff_id])
    make_order(made, due_on=TODAY)
    recompute_all_scope(at=NOW)
    return made


def test_a_manager_asks_about_anybody_and_finds_where_to_change_it(
    customer: Any, agent: Actor, colleague: Actor, manager: Actor, browser_of: BrowserOf
) -> None:
    boss = browser_of(manager)
    page = unescape(boss.get(f"/why/customers/{customer}?staff={colleague.staff_id}").text)
    assert f"{colleague.name} không thấy bản ghi này." in page
    assert f"người được gán: {agent.name}" in page
    for address in (
        "/assignments/customers/?q=KH-7",
        "/assignments/products/",
        "/settings/care-mode/",
        f"/viewers/{customer}",
        "/handover/",
    ):
        assert f'href="{address}"' in page, address
    assert f'href="/staff/{colleague.staff_id}"' not in page, "for administrators"
    page = unescape(boss.get(f"/why/customers/{customer}?staff={agent.staff_id}").text)
    assert f"{agent.name} thấy bản ghi này." in page
    assert "Khi đến hạn, bản ghi có trong danh sách" in page


def test_everybody_asks_for_itself(
    customer: Any, agent: Actor, colleague: Actor, browser_of: BrowserOf
) -> None:
    page = unescape(browser_of(agent).get(f"/why/customers/{customer}").text)
    assert f"{agent.name} thấy bản ghi này." in page
    assert "/assignments/" not in page
    assert browser_of(colleague).get(f"/why/customers/{customer}").status_code == 404


def test_an_order_has_it_too(
    customer: Any, db: Any, colleague: Actor, manager: Actor, browser_of: BrowserOf
) -> None:
    order = db.orders.find_one({})["_id"]
    boss = browser_of(manager)
    assert f"/why/orders/{order}" in boss.get(f"/orders/{order}").text
    assert f"/why/customers/{customer}" in boss.get(f"/customers/{customer}").text
    page = unescape(boss.get(f"/why/orders/{order}?staff={colleague.staff_id}").text)
    assert "không thấy bản ghi này" in page


@pytest.mark.parametrize(
    "address",
    [
        "/why/staff/{id}",
        "/why/customers/x",
        "/why/customers/{none}",
        "/why/customers/{id}?staff=$ne",
    ],
)
def test_it_answers_nothing_about_what_is_not_there(
    customer: Any, manager: Actor, browser_of: BrowserOf, address: str
) -> None:
    wanted = address.format(id=customer, none="0" * 24)
    assert browser_of(manager).get(wanted).status_code == 404


def test_the_page_of_viewers_leads_there(
    customer: Any, colleague: Actor, manager: Actor, browser_of: BrowserOf
) -> None:
    page = browser_of(manager).get(f"/viewers/{customer}").text
    assert f"/why/customers/{customer}?staff={colleague.staff_id}" in page
    Staff.collection().update_one({"_id": colleague.staff_id}, {"$set": {"name": "<b>X</b>"}})
    assert "<b>X</b>" not in browser_of(manager).get(f"/viewers/{customer}").text.replace(
        "<b>&lt;", ""
    )
