"""[Vắng mặt, bàn giao]: the screen of absences and hand-overs."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from jobs import runner
from models import Customer, HandOver, JobRun, Staff
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


def test_empty_forms_say_beside_each_field_what_is_missing(
    by_customer: None, manager: Actor, browser_of: BrowserOf
) -> None:
    desk = browser_of(manager)
    away, given = desk.send("/handover/absence", {}), desk.send("/handover/give", {})
    assert (away.status_code, given.status_code) == (422, 422)
    assert all(f'id="{name}-error"' in away.text for name in ("staff", "to", "from_on", "until_on"))
    assert all(f'id="{name}-error"' in given.text for name in ("from", "receiver"))


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


# For good


@pytest.fixture
def gone(by_customer: None, valkey: Any, agent: Actor) -> Any:
    """A customer of the agent's."""
    customer = make_customer(name="Khách Của An", carers=[agent.staff_id])
    recompute_all_scope(at=NOW)
    return customer


def work_off() -> None:
    for row in JobRun.collection().find({"state": "queued"}).sort("_id", 1):
        runner.run(str(row["_id"]))


def test_a_manager_hands_over_and_takes_back(
    gone: Any, agent: Actor, colleague: Actor, manager: Actor, browser_of: BrowserOf
) -> None:
    boss, other = browser_of(manager), browser_of(colleague)
    shown = unescape(boss.get(f"/handover/left?from={agent.staff_id}").text)
    assert "<b>1</b> khách hàng" in shown
    form = {"from": str(agent.staff_id), "receiver": str(colleague.staff_id)}
    assert boss.send("/handover/give", form).status_code == 303
    assert "đang chạy" in unescape(boss.get("/handover").text)
    work_off()
    assert other.get(f"/customers/{gone}").status_code == 200
    assert browser_of(agent).get(f"/customers/{gone}").status_code == 404
    hand = (HandOver.collection().find_one({}) or {})["_id"]
    page = unescape(boss.get("/handover").text)
    assert f"/handover/give/{hand}/undo" in page
    for _ in range(2):  # a double click takes back once, and says so
        assert boss.send(f"/handover/give/{hand}/undo").status_code == 303
    work_off()
    assert other.get(f"/customers/{gone}").status_code == 404
    assert "đã hoàn lại" in unescape(boss.get("/handover").text)


def test_a_job_that_ended_early_is_shown_and_can_be_taken_back(
    gone: Any, agent: Actor, colleague: Actor, manager: Actor, browser_of: BrowserOf
) -> None:
    boss = browser_of(manager)
    boss.send("/handover/give", {"from": str(agent.staff_id), "receiver": str(colleague.staff_id)})
    JobRun.collection().update_many({}, {"$set": {"state": "failed"}})
    page = unescape(boss.get("/handover").text)
    assert "dừng giữa chừng" in page
    assert "/undo" in page


def test_the_form_names_what_is_wrong(
    gone: Any, agent: Actor, manager: Actor, browser_of: BrowserOf
) -> None:
    boss = browser_of(manager)
    for form in (
        {"from": str(agent.staff_id), "receiver": str(agent.staff_id)},
        {"from": str(agent.staff_id), "receiver": "$ne"},
        {"from": "", "receiver": str(manager.staff_id)},
    ):
        response = boss.send("/handover/give", form)
        assert response.status_code == 422
        assert 'class="field-error"' in response.text


def test_only_managers_hand_over(
    gone: Any, agent: Actor, colleague: Actor, manager: Actor, browser_of: BrowserOf
) -> None:
    desk = browser_of(agent)
    form = {"from": str(manager.staff_id), "receiver": str(colleague.staff_id)}
    assert desk.send("/handover/give", form).status_code == 403
    assert desk.get(f"/handover/left?from={manager.staff_id}").status_code == 403
    assert desk.send(f"/handover/give/{'0' * 24}/undo").status_code == 403
    assert 'id="give"' not in desk.get("/handover").text


# Leaving


def test_who_leaves_hands_over_first(
    gone: Any, agent: Actor, colleague: Actor, administrator: Actor, browser_of: BrowserOf
) -> None:
    admin, desk = browser_of(administrator), browser_of(agent)
    address = f"/staff/{agent.staff_id}/deactivate"
    page = unescape(admin.get(address).text)
    assert "<b>1</b> khách hàng" in page
    for form in ({}, {"to": ""}, {"to": "$ne"}, {"to": str(agent.staff_id)}):
        admin.send(address, form)
        stored = Staff.collection().find_one({"_id": agent.staff_id}) or {}
        assert stored["active"] is True, form
    assert admin.send(address, {"to": str(colleague.staff_id)}).status_code == 303
    assert desk.get("/").location.startswith("/login"), "logged out at once"
    work_off()
    assert browser_of(colleague).get(f"/customers/{gone}").status_code == 200


def test_the_work_of_nobody_stays_in_sight(
    gone: Any, agent: Actor, administrator: Actor, manager: Actor, browser_of: BrowserOf
) -> None:
    browser_of(administrator).send(f"/staff/{agent.staff_id}/deactivate", {"to": "nobody"})
    assert (Staff.collection().find_one({"_id": agent.staff_id}) or {})["active"] is False
    page = unescape(browser_of(manager).get("/handover").text)
    assert "Công việc của người đã nghỉ" in page
    assert f"person={agent.staff_id}" in page
    chosen = unescape(browser_of(manager).get(f"/handover?person={agent.staff_id}").text)
    assert f'value="{agent.staff_id}" selected' in chosen


def test_the_last_administrator_keeps_everything(
    gone: Any, colleague: Actor, administrator: Actor, browser_of: BrowserOf
) -> None:
    address = f"/staff/{administrator.staff_id}/deactivate"
    browser_of(administrator).send(address, {"to": str(colleague.staff_id)})
    assert HandOver.collection().count_documents({}) == 0
    assert (Staff.collection().find_one({"_id": administrator.staff_id}) or {})["active"] is True
