"""A list in groups, as a board and as a calendar: the same rows, filters and scope."""

import json
from datetime import date
from typing import Any

import pytest

from models.base import stored_date
from rules.scope import Actor
from services import configuration_changes, list_groups
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


def test_more_groups_or_rows_than_are_shown_are_said(
    desk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for status in ("hot", "hot", "won", "won", "new"):
        make_customer(relationship=status, tags=["a", "b"])
    assert "groups-cut" not in desk.get("/customers/?group=relationship").text
    monkeypatch.setattr(list_groups, "GROUPS_AT_MOST", 2)
    page = desk.get("/customers/?group=relationship").text
    assert "2 nhóm lớn nhất" in page
    assert page.count('scope="row"') == 2
    monkeypatch.setattr(list_groups, "GROUPED_AT_MOST", 5)
    assert "20.000" not in desk.get("/customers/?group=relationship").text
    assert "groups-cut" not in desk.get("/customers/?group=tags").text, "each row is counted once"
    monkeypatch.setattr(list_groups, "GROUPED_AT_MOST", 4)
    assert "20.000" in desk.get("/customers/?group=relationship").text


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


def test_a_card_that_a_colleague_moved_says_where_it_stands_now(desk: Browser) -> None:
    customer = make_customer(relationship="won")
    sent = {"relationship": "new", "was.relationship": "hot", "quiet": "1"}
    answer = desk.send(
        f"/customers/cell/{customer}/relationship", sent, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 409
    assert json.loads(answer.headers["HX-Trigger"]) == {"carebook:value": "won"}
    assert "đồng nghiệp" in answer.text
    assert "“Chốt”" in answer.text
    assert "Nội dung của bạn" not in answer.text, "a card has no text that could be kept"
    # The form of a cell has a text, which is kept.
    answer = desk.send(
        f"/customers/cell/{customer}/relationship",
        {**sent, "quiet": ""},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 409
    assert "Nội dung của bạn vẫn còn" in answer.text


def test_a_card_that_may_not_move_says_why_without_a_form(desk: Browser) -> None:
    customer = make_customer(relationship="won")
    sent = {"relationship": "nonsense", "was.relationship": "won", "quiet": "1"}
    answer = desk.send(
        f"/customers/cell/{customer}/relationship", sent, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 422
    assert "data-toast" in answer.text
    assert "<form" not in answer.text
    back = f"/customers/cell/{customer}/relationship?undo_from=won&undo_to=nonsense"
    answer = desk.send(back, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "<form" not in answer.text
    back = f"/customers/cell/{customer}/relationship?undo_from=hot&undo_to=new"
    answer = desk.send(back, headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert "đồng nghiệp" in answer.text


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


def test_a_calendar_stays_within_the_years_that_it_can_show(desk: Browser) -> None:
    make_customer(name="Ân")
    for field in ("due", "last_contact"):
        for month in ("9999-12", "0001-01", "0001-02", "1899-12", "2201-01"):
            answer = desk.get(f"/customers/?group={field}&mode=calendar&month={month}")
            assert answer.status_code == 200, (field, month)
            assert "<h2>11/2026</h2>" in answer.text, (field, month)
        first = desk.get(f"/customers/?group={field}&mode=calendar&month=1900-01").text
        assert "month=1899" not in first
        assert "month=1900-02" in first
        last = desk.get(f"/customers/?group={field}&mode=calendar&month=2200-12").text
        assert "month=2201" not in last
        assert "month=2200-11" in last


def lane(page: str, key: str) -> str:
    """The lane of a board from its value to the next lane."""
    return next((one for one in page.split('data-lane="') if one.startswith(f'{key}"')), "")


def test_a_board_shows_values_that_are_chosen_no_more_where_rows_have_them(
    desk: Browser, administrator: Actor
) -> None:
    def value(key: str, *, retired: bool) -> dict[str, Any]:
        label = {"key": key, "label_vi": key.title(), "label_en": "", "colour": "gray"}
        return {**label, "retired": retired}

    ranks = [value("gold", retired=False), value("old", retired=True), value("rare", retired=True)]
    changes = [
        Change("pick_lists", "rank", {"label_vi": "Hạng", "label_en": "", "values": ranks}),
        Change(
            "fields",
            "customers.rank",
            {"type": "choice", "label_vi": "Hạng", "pick_list": "rank"},
        ),
    ]
    configuration_changes.apply(changes, says="t", by=administrator, at=NOW)
    make_customer(name="Khách Vàng", custom={"rank": "gold"})
    customer = make_customer(name="Khách Cũ", custom={"rank": "old"})
    make_customer(name="Khách Lạ", custom={"rank": "imported"})
    make_customer(name="Khách Trống", custom={"rank": ""})
    page = desk.get("/customers/?group=rank&mode=kanban").text
    assert "Khách Vàng" in lane(page, "gold")
    assert "Khách Cũ" in lane(page, "old")
    assert "không còn dùng" in page.split('data-lane="old"')[0].rsplit("<h2", 1)[1]
    assert "Khách Lạ" in lane(page, "imported")
    assert "Khách Trống" in lane(page, "")
    assert not lane(page, "rare"), "nobody has it and nobody may choose it"
    closed = [
        key for key in ("gold", "old", "imported", "") if "data-closed" in lane(page, key)[:40]
    ]
    assert closed == ["old", "imported"]
    for out_of, into, status in (("old", "gold", 200), ("gold", "old", 422)):
        sent = {"rank": into, "was.rank": out_of, "quiet": "1"}
        assert desk.send(f"/customers/cell/{customer}/rank", sent).status_code == status


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
