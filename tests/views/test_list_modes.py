"""A list in groups, as a board and as a calendar: the same rows, filters and scope."""

from datetime import date
from typing import Any

from models.base import stored_date
from rules.scope import Actor
from services import configuration_changes
from services.configuration_changes import Change
from tests.factories import NOW, make_customer
from tests.views.conftest import Browser


def test_groups_count_and_add_up_what_is_shown(desk: Browser, administrator: Actor) -> None:
    field = {"type": "money", "label_vi": "Công nợ"}
    configuration_changes.apply(
        [Change("fields", "customers.debt", field)], says="t", by=administrator, at=NOW
    )
    make_customer(relationship="hot", custom={"debt": 1000})
    make_customer(relationship="hot", custom={"debt": 2500})
    make_customer(relationship="won")
    desk.send("/customers/columns", {"columns": ["name", "debt"]})
    page = desk.get("/customers/?group=relationship").text
    assert "3.500" in page
    assert page.index("Nóng</span>") < page.rindex("Chốt</span>")
    assert "where=and(relationship.in(hot))" in page


def test_a_board_has_a_lane_for_each_value_with_its_rows(desk: Browser) -> None:
    make_customer(name="Ân Nóng", relationship="hot")
    make_customer(name="Bình Chốt", relationship="won")
    page = desk.get("/customers/?group=relationship&mode=kanban").text
    lanes = page.split('data-lane="')
    hot = next(lane for lane in lanes if lane.startswith("hot"))
    assert "Ân Nóng" in hot
    assert "Bình Chốt" not in hot


def test_a_moved_card_gets_the_value_of_its_lane(desk: Browser) -> None:
    from models import Customer

    customer = make_customer(relationship="hot")
    answer = desk.send(
        f"/customers/cell/{customer}/relationship",
        {"relationship": "won", "was.relationship": "hot", "quiet": "1"},
    )
    assert answer.status_code == 200
    assert (Customer.collection().find_one({"_id": customer}) or {})["relationship"] == "won"


def test_a_calendar_puts_rows_on_their_day_and_says_how_many_more(desk: Browser) -> None:
    for number in range(6):
        due = {"state": "suggested", "due_on": stored_date(date(2026, 12, 24))}
        make_customer(name=f"Khách {number}", care=due)
    page = desk.get("/customers/?group=due&mode=calendar&month=2026-12").text
    day = page.split('month-number">24<')[1].split("</td>")[0]
    assert day.count("month-entry") == 4
    assert "còn 2" in day


def test_a_calendar_of_instants_follows_the_local_day(desk: Browser) -> None:
    from datetime import UTC, datetime

    make_customer(name="Đêm muộn", last_contact_at=datetime(2026, 12, 24, 18, tzinfo=UTC))
    page = desk.get("/customers/?group=last_contact&mode=calendar&month=2026-12").text
    assert "Đêm muộn" in page.split('month-number">25<')[1].split("</td>")[0]


def test_nonsense_in_the_address_shows_the_plain_list(desk: Browser) -> None:
    make_customer(name="Ân")
    for query in (
        "group=password",
        "group=name&mode=kanban",
        "group=relationship&mode=calendar",
        "group=due&mode=calendar&month=9999-99",
        "group=due&mode=calendar&month=0001-01",
        "mode=kanban",
    ):
        assert desk.get(f"/customers/?{query}").status_code == 200, query


def test_groups_show_only_what_the_reader_may_see(
    desk: Browser, agent: Actor, administrator: Actor
) -> None:
    from models import Site

    make_customer(relationship="hot", owner_id=agent.staff_id, seen_by=[agent.staff_id])
    make_customer(relationship="won", name="Người Lạ")
    Site.collection().update_one(
        {"key": "site"}, {"$set": {"care_mode": "by_customer"}, "$inc": {"config_rev": 1}}
    )
    for query in ("group=relationship", "group=relationship&mode=kanban"):
        page: Any = desk.get(f"/customers/?{query}").text
        assert "Người Lạ" not in page
    rows = desk.get("/customers/?group=relationship").text
    assert rows.count('scope="row"') == 1
