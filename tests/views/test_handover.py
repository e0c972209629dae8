"""[Vắng mặt, bàn giao]: the screen of absences and hand-overs."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from models import Customer, Staff
from rules.scope import BY_CUSTOMER, Actor
from services import assignments
from services.scope import recompute_all_scope
from tests.factories import NOW, TODAY, make_customer, make_order
from tests.views.conftest import Browser

BrowserOf = Callable[[Actor], Browser]
DAYS = {"from_on": "21/11/2026", "until_on": "24/11/2026"}


@pytest.fixture
def by_customer(shipped: None, morning: None, administrator: Actor) -> None:
    assignments.set_care_mode(BY_CUSTOMER, by=administrator, at=NOW)


def test_a_colleague_finds_the_work_and_whose_it_is(
    by_customer: None, agent: Actor, colleague: Actor, browser_of: BrowserOf
) -> None:
    customer = make_customer(name="Khách Của An", carers=[agent.staff_id])
    mine = make_customer(name="Khách Của Bình", carers=[colleague.staff_id])
    for one in (customer, mine):
        make_order(one, due_on=TODAY)
    Customer.collection().update_many(
        {}, {"$set": {"care": {"state": "suggested", "due_on": NOW.replace(hour=0)}}}
    )
    recompute_all_scope(at=NOW)
    desk, other = browser_of(agent), browser_of(colleague)
    assert "Khách Của An" not in other.get("/orders/due?due=all").text
    saved = desk.send("/handover/absence", DAYS | {"to": str(colleague.staff_id)})
    assert saved.status_code == 303
    for address in ("/orders/due", "/customers/due"):
        page = unescape(other.get(f"{address}?due=all").text)
        assert "Khách Của An" in page
        assert page.count(f"thay {agent.name}") == 1
        only = unescape(other.get(f"{address}?due=all&whose={agent.staff_id}").text)
        assert "Khách Của An" in only
        assert "Khách Của Bình" not in only
        assert "Khách Của An" not in other.get(f"{address}?due=all&whose=mine").text
        assert f"thay {agent.name}" not in desk.get(f"{address}?due=all").text
    assert "Bạn đang làm thay" in unescape(other.get("/").text)
    assert other.get(f"/customers/{customer}").status_code == 200
    why = unescape(other.get(f"/viewers/{customer}").text)
    assert f"Làm thay {agent.name} đến hết 24/11/2026" in why


def test_it_names_what_is_wrong_and_keeps_what_was_typed(
    by_customer: None, agent: Actor, colleague: Actor, browser_of: BrowserOf
) -> None:
    desk = browser_of(agent)
    typed = {"from_on": "31/02/2026", "until_on": "24/11/2026", "to": str(colleague.staff_id)}
    response = desk.send("/handover/absence", typed)
    assert response.status_code == 422
    assert "31/02/2026" in response.text
    assert f'value="{colleague.staff_id}" selected' in response.text
    response = desk.send("/handover/absence", DAYS | {"to": "$ne"})
    assert response.status_code == 422


def test_nobody_leaves_the_work_of_somebody_else(
    by_customer: None, agent: Actor, colleague: Actor, manager: Actor, browser_of: BrowserOf
) -> None:
    """A care agent's form is about the agent whatever it names."""
    form = DAYS | {"staff": str(manager.staff_id), "to": str(colleague.staff_id)}
    assert browser_of(agent).send("/handover/absence", form).status_code == 303
    stored: dict[str, Any] = Staff.collection().find_one({"_id": colleague.staff_id}) or {}
    assert [one["staff_id"] for one in stored["stands_in"]] == [agent.staff_id]


def test_a_manager_leaves_and_ends_for_others(
    by_customer: None, agent: Actor, colleague: Actor, manager: Actor, browser_of: BrowserOf
) -> None:
    boss = browser_of(manager)
    form = DAYS | {"staff": str(agent.staff_id), "to": str(colleague.staff_id)}
    assert boss.send("/handover/absence", form).status_code == 303
    stored: dict[str, Any] = Staff.collection().find_one({"_id": colleague.staff_id}) or {}
    absence = stored["stands_in"][0]["absence_id"]
    page = unescape(boss.get("/handover").text)
    assert "21/11/2026 – 24/11/2026" in page
    assert browser_of(colleague).send(f"/handover/absence/{absence}/end").status_code == 403
    assert boss.send(f"/handover/absence/{absence}/end").status_code == 303
    assert boss.send(f"/handover/absence/{absence}/end").status_code == 404
    assert "Không ai vắng mặt." in unescape(boss.get("/handover").text)
