"""[Nội dung đã chăm sóc]: the history with its filters and the manager's summary (S1.19)."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from bson import ObjectId

from models import Interaction
from models.base import stored_date
from rules.scope import Actor
from tests.factories import NOW, TODAY, make_customer
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("desk")
ROW = re.compile(r'<tr id="row-([0-9a-f]{24})"')
HISTORY = "/care/history"


def said(
    by: Actor, at: datetime = NOW, customer: ObjectId | None = None, **values: Any
) -> ObjectId:
    document = {
        "kind": "care",
        "at": at,
        "staff_id": by.staff_id,
        "staff_name": by.name,
        "customer_id": customer or make_customer(),
        "content": "Đã gọi",
        "feedback": "satisfied",
        "next_on": stored_date(TODAY + timedelta(days=7)),
        "ended": False,
    }
    return Interaction.collection().insert_one(document | values).inserted_id


def listed(desk: Browser, query: str = "") -> list[ObjectId]:
    response = desk.get(f"{HISTORY}?{query}")
    assert response.status_code == 200
    return [ObjectId(found) for found in ROW.findall(response.text)]


def summary(desk: Browser, query: str = "") -> str:
    response = desk.get(f"{HISTORY}/summary?{query}")
    assert response.status_code == 200
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def test_it_shows_the_newest_first_and_nothing_but_care(desk: Browser, agent: Actor) -> None:
    old = said(agent, NOW - timedelta(days=400))
    new = said(agent)
    said(agent, kind="event")
    assert listed(desk) == [new, old]
    assert listed(desk, "sort=at") == [old, new]


def test_it_shows_who_said_what_to_whom(desk: Browser, colleague: Actor) -> None:
    customer = make_customer(name="Lê Hoà")
    said(
        colleague,
        customer=customer,
        order_code="DH-7",
        content="Khách hỏi giá",
        feedback="call_back",
    )
    said(colleague, next_on=None, ended=True)
    page = unescape(desk.get(HISTORY).text)
    for shown in (
        *("21/11/2026 10:00", "Trần Văn Bình", "Lê Hoà", "DH-7", "Khách hỏi giá", "Hẹn lại"),
        *("28/11/2026", "Không chăm sóc nữa"),
    ):
        assert shown in page, shown


def test_it_filters_by_staff_customer_and_feedback(
    desk: Browser, agent: Actor, colleague: Actor
) -> None:
    customer = make_customer(name="Lê Hoà")
    mine, theirs = said(agent), said(colleague, customer=customer, feedback="neutral")
    assert listed(desk, f"staff={agent.staff_id}") == [mine]
    assert listed(desk, f"customer={customer}") == [theirs]
    assert listed(desk, "feedback=neutral") == [theirs]
    page = desk.get(f"{HISTORY}?staff={agent.staff_id}&customer={customer}").text
    assert "do Nguyễn Thị An ghi" in page
    assert "của Lê Hoà" in page
    assert not ROW.search(page)


def test_a_day_is_a_day_of_the_site(desk: Browser, agent: Actor) -> None:
    """The 20th there lasts from 17:00 of the 19th until 17:00 of the 20th in UTC."""
    said(agent, datetime(2026, 11, 19, 16, 59, tzinfo=UTC))
    first = said(agent, datetime(2026, 11, 19, 17, 0, tzinfo=UTC))
    last = said(agent, datetime(2026, 11, 20, 16, 59, tzinfo=UTC))
    said(agent, datetime(2026, 11, 20, 17, 0, tzinfo=UTC))
    assert listed(desk, "at=2026-11-20") == [last, first]
    assert listed(desk, "at=20/11/2026..20/11/2026") == [last, first]
    assert len(listed(desk, "at=2026-11-20..")) == 3
    response = desk.get(f"{HISTORY}/range/at?range_from=20/11/2026&range_to=20/11/2026")
    assert response.location == "/care/history/?at=2026-11-20..2026-11-20"


def test_an_entry_of_a_deleted_customer_is_still_shown(desk: Browser, agent: Actor) -> None:
    only = said(agent, customer=ObjectId())
    assert listed(desk) == [only]


def test_imported_entries_without_staff_are_shown(desk: Browser, agent: Actor) -> None:
    only = said(agent, staff_id=None, staff_name=None, feedback=None)
    assert listed(desk) == [only]
    assert "1 nội dung" in summary(desk) or "1" in summary(desk)


def test_the_summary_follows_the_filter(desk: Browser, agent: Actor, colleague: Actor) -> None:
    customer = make_customer()
    for feedback in ("satisfied", "satisfied", "dissatisfied"):
        said(agent, customer=customer, feedback=feedback)
    said(colleague, feedback="satisfied")
    shown = summary(desk)
    assert shown.startswith("4 ")
    assert "Hài lòng 3" in shown
    assert "Chưa hài lòng 1" in shown
    assert re.search(r"Nguyễn Thị An 3 1 ", shown)
    assert re.search(r"Trần Văn Bình 1 1 ", shown)
    shown = summary(desk, f"staff={colleague.staff_id}")
    assert shown.startswith("1 ")
    assert "Nguyễn Thị An" not in shown


def test_the_page_asks_for_the_summary_of_its_filter(desk: Browser, agent: Actor) -> None:
    page = unescape(desk.get(f"{HISTORY}?staff={agent.staff_id}").text)
    assert f'hx-get="/care/history/summary?staff={agent.staff_id}' in page
