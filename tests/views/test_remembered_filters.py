"""Filters whose reading is remembered: each day and each reader has its own."""

from collections.abc import Callable
from datetime import timedelta

import time_machine

from models import Customer, Staff
from rules.scope import Actor
from tests.factories import NOW, make_customer
from tests.views.browser import Browser

Login = Callable[[Actor], Browser]


def shown(browser: Browser, where: str) -> str:
    return browser.get(f"/customers/?where={where}").text


def test_today_is_another_day_tomorrow(shipped: None, manager: Actor, browser_of: Login) -> None:
    customer = make_customer(name="Sinh hôm nay")
    Customer.collection().update_one({"_id": customer}, {"$set": {"created_at": NOW}})
    for days, is_there in ((0, True), (0, True), (1, False), (0, True)):
        with time_machine.travel(NOW + timedelta(days=days), tick=True):
            page = shown(browser_of(manager), "created.on(today)")
            assert ("Sinh hôm nay" in page) is is_there


def test_a_record_that_is_named_has_its_name_of_now(
    morning: None, shipped: None, manager: Actor, agent: Actor, browser_of: Login
) -> None:
    make_customer(name="Khách của An", owner_id=agent.staff_id)
    desk = browser_of(manager)
    where = f"owner.in({agent.staff_id})"
    assert agent.name in shown(desk, where)
    Staff.collection().update_one({"_id": agent.staff_id}, {"$set": {"name": "Đổi Tên"}})
    page = shown(desk, where)
    assert "Đổi Tên" in page
    assert "Khách của An" in page


def test_what_is_wrong_with_a_filter_is_said_each_time(
    morning: None, shipped: None, manager: Actor, browser_of: Login
) -> None:
    desk = browser_of(manager)
    first, second = (shown(desk, "created.on(31/02/2026)") for _ in range(2))
    assert 'class="alert alert-warning list-problem"' in first
    assert 'class="alert alert-warning list-problem"' in second
