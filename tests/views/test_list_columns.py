"""Columns of a list: from the kind's fields, as people choose them and roles may see them."""

from typing import Any

import pytest

from models import Staff
from rules.scope import Actor
from services import configuration_changes
from services.configuration_changes import Change
from services.lists import Sort
from tests.factories import NOW, make_customer
from tests.views.conftest import Browser as Desk

RANK = {"type": "integer", "label_vi": "Hạng <b>", "label_en": "Rank"}


@pytest.fixture(autouse=True)
def _rank(shipped: None, administrator: Actor) -> None:
    configuration_changes.apply(
        [Change("fields", "customers.rank", RANK)], says="t", by=administrator, at=NOW
    )


def choose(desk: Desk, *columns: str, **more: Any) -> Any:
    return desk.send("/customers/columns", {"columns": list(columns), **more})


def headings(page: str) -> list[str]:
    return [part.split('"')[0] for part in page.split('data-column="')[1:]]


def test_a_person_sees_the_columns_that_it_chose_in_its_order(desk: Desk) -> None:
    make_customer(custom={"rank": 1234})
    assert choose(desk, "rank", "name").status_code == 303
    page = desk.get("/customers/").text
    assert headings(page) == ["rank", "name"]
    assert "1.234" in page
    assert "Hạng &lt;b&gt;" in page


def test_widths_are_kept_within_bounds(desk: Desk, agent: Actor) -> None:
    make_customer()
    choose(desk, "rank", "name", **{"width.rank": "99999", "width.name": "1"}, quiet="1")
    page = desk.get("/customers/").text
    assert '<col width="900"><col width="40">' in page


def test_columns_that_do_not_exist_are_left_out(desk: Desk, agent: Actor) -> None:
    make_customer()
    choose(desk, "rank", "$where", "password")
    stored = Staff.objects.get(pk=agent.staff_id).lists["customers"]["columns"]
    assert [one["key"] for one in stored] == ["rank"]


def test_nothing_chosen_and_as_it_was_show_what_everybody_starts_with(desk: Desk) -> None:
    make_customer()
    usual = headings(desk.get("/customers/").text)
    choose(desk)
    assert headings(desk.get("/customers/").text) == usual
    choose(desk, "rank")
    choose(desk, reset="1")
    assert headings(desk.get("/customers/").text) == usual


def test_a_retired_field_leaves_the_list_and_the_rest_stays(
    desk: Desk, administrator: Actor
) -> None:
    make_customer()
    choose(desk, "rank", "name")
    configuration_changes.apply(
        [Change("fields", "customers.rank", RANK | {"is_retired": True})],
        says="t",
        by=administrator,
        at=NOW,
    )
    page = desk.get("/customers/?sort=rank").text
    assert headings(page) == ["name"]
    assert "Hạng" not in page


def test_administrators_set_what_a_role_starts_with(desk: Desk, administrator: Actor) -> None:
    make_customer()
    wanted = {"columns": [{"key": "rank"}], "sort": "-created", "page_size": 20}
    configuration_changes.apply(
        [
            Change("lists", "customers", {"columns": [{"key": "code"}]}),
            Change("lists", "customers@care_agent", wanted),
        ],
        says="t",
        by=administrator,
        at=NOW,
    )
    assert headings(desk.get("/customers/").text) == ["rank"]


def test_a_broken_list_setting_breaks_no_page(desk: Desk, administrator: Actor) -> None:
    make_customer()
    broken = {"columns": "everything", "sort": 7, "page_size": "many", "row_colours": None}
    configuration_changes.apply(
        [Change("lists", "customers", broken)], says="t", by=administrator, at=NOW
    )
    assert "name" in headings(desk.get("/customers/").text)


def test_it_sorts_by_a_field_with_gaps_page_by_page(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("views.list_columns.PAGE_SIZES", (2,))
    monkeypatch.setattr("views.kind_list.PAGE_SIZES", (2,))
    monkeypatch.setattr("views.column_choice.PAGE_SIZES", (2,))
    for code, rank in (("a", 3), ("b", None), ("c", 1), ("d", 2), ("e", None)):
        make_customer(code=f"K-{code}", custom={"rank": rank} if rank else {})
    choose(desk, "code", page_size="2")
    seen = []
    address = "/customers/?sort=-rank"
    while address:
        page = desk.get(address).text
        seen += [part.split("<")[0] for part in page.split("data-open>")[1:]]
        following = page.split('rel="next" href="')
        address = following[1].split('"')[0].replace("&amp;", "&") if len(following) > 1 else ""
    assert seen[:3] == ["K-a", "K-d", "K-c"]
    assert sorted(seen[3:]) == ["K-b", "K-e"]


def test_a_long_list_is_not_sorted_without_an_index(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("views.kind_list.SORTED_AT_MOST", 1)
    make_customer(name="Ân", custom={"rank": 1})
    make_customer(name="Bình", custom={"rank": 2})
    page = desk.get("/customers/?sort=-rank").text
    assert "hay lọc" in page
    assert page.index("Ân") < page.index("Bình")


def test_a_list_is_compiled_once_per_revision(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, administrator: Actor
) -> None:
    compiled = []
    monkeypatch.setattr(
        "views.list_columns._sorts", lambda *args: compiled.append(1) or {"name": Sort("search")}
    )
    make_customer()
    desk.get("/customers/")
    desk.get("/customers/")
    assert len(compiled) == 1
    choose_nothing = Change("lists", "customers", {"page_size": 20})
    configuration_changes.apply([choose_nothing], says="t", by=administrator, at=NOW)
    desk.get("/customers/")
    assert len(compiled) == 2
