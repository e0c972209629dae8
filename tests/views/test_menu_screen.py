"""[Menu]: arranged by administrators, seen with the next click; hiding never takes rights."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from rules.scope import Actor
from services import configuration, configuration_changes, saved_views
from services.configuration_changes import Change
from services.saved_views import Content
from tests.factories import NOW
from tests.views.conftest import Browser

PAGE = "/settings/menu/"


@pytest.fixture
def office(
    morning: None, shipped: None, administrator: Actor, browser_of: Callable[[Actor], Browser]
) -> Browser:
    return browser_of(administrator)


def form_of(page: str) -> dict[str, Any]:
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version
    return {
        "version": version.group(1),
        "item": re.findall(r'name="item" value="([^"]+)"', page),
        "shown": re.findall(r'name="shown" value="([^"]+)" checked', page),
    }


def entries(browser: Browser) -> list[str]:
    return re.findall(r'data-screen="([^"]+)"', browser.get("/").get_data(as_text=True))


def arrange(by: Actor, key: str, *sections: Any) -> None:
    content = {
        "sections": [
            {"key": section, "entries": [{"endpoint": one} for one in names]}
            for section, *names in sections
        ]
    }
    configuration_changes.apply([Change("menus", key, content)], says="x", by=by, at=NOW)


def test_saving_what_is_shown_changes_no_sidebar(office: Browser) -> None:
    before = entries(office)
    form = form_of(office.get(f"{PAGE}all").get_data(as_text=True))
    assert office.send(f"{PAGE}all", form | {"do": "save"}).status_code == 303
    assert entries(office) == before
    assert len(before) > 15


def test_an_entry_is_hidden_for_one_role_and_stays_reachable(
    office: Browser, agent: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    desk = browser_of(agent)
    assert "history" in entries(desk)
    form = form_of(office.get(f"{PAGE}care_agent").get_data(as_text=True))
    form["shown"].remove("history")
    office.send(f"{PAGE}care_agent", form | {"do": "save"})
    assert "history" not in entries(desk)
    assert "history" in entries(office)
    assert desk.get("/care/history/").status_code == 200
    assert "Nội dung đã chăm sóc" in desk.get("/search/?q=noi dung").get_data(as_text=True)


def test_the_order_is_that_of_the_menu(office: Browser, administrator: Actor) -> None:
    arrange(administrator, "all", ("own_1", "trash", "today"), ("care", "history"))
    assert entries(office)[:4] == ["trash", "today", "history", "orders_due"]


def test_buttons_move_without_scripts(office: Browser) -> None:
    form = form_of(office.get(f"{PAGE}all").get_data(as_text=True))
    page = office.send(f"{PAGE}all", form | {"do": "down:entry:today"}).get_data(as_text=True)
    items = form_of(page)["item"]
    assert items.index("entry:today") > items.index("section:pins")
    page = office.send(f"{PAGE}all", form | {"do": "add"}).get_data(as_text=True)
    assert "section:own_1" in form_of(page)["item"]
    assert configuration_changes.items("menus") == {}


def test_the_preview_shows_what_the_role_may_open(office: Browser) -> None:
    form = form_of(office.get(f"{PAGE}care_agent").get_data(as_text=True))
    page = office.send(f"{PAGE}care_agent/preview", form).get_data(as_text=True)
    assert "Nội dung đã chăm sóc" in page
    assert "Nhân viên" not in page
    assert "<html" not in page


def test_two_at_once_lose_nothing(office: Browser, administrator: Actor) -> None:
    form = form_of(office.get(f"{PAGE}all").get_data(as_text=True))
    arrange(administrator, "all", ("care", "history"))
    form["shown"].remove("history")
    answer = office.send(f"{PAGE}all", form | {"do": "save"})
    assert answer.status_code == 409
    again = form_of(answer.get_data(as_text=True))
    assert "history" not in again["shown"]
    assert office.send(f"{PAGE}all", again | {"do": "save"}).status_code == 303
    assert office.send(f"{PAGE}all", {"do": "reset", "version": "2"}).status_code == 303
    assert configuration_changes.items("menus") == {}


def test_a_shared_view_stands_where_it_was_put(
    office: Browser, administrator: Actor, agent: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    view = saved_views.create(
        "customers", "Khách <b>", Content({}), by=administrator, at=NOW, audience="everyone"
    )
    assert f"view:{view.key}" not in entries(office)
    arrange(administrator, "all", ("care", f"view:{view.key}", "history"))
    desk = browser_of(agent)
    assert f"view:{view.key}" in entries(desk)
    assert "Khách &lt;b&gt;" in desk.get("/").get_data(as_text=True)
    saved_views.delete(view.id, by=administrator, at=NOW)
    assert f"view:{view.key}" not in entries(desk)
    assert "history" in entries(desk)


def test_only_administrators_arrange_it(
    office: Browser, manager: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    other = browser_of(manager)
    assert other.get(f"{PAGE}all").status_code == 403
    assert other.send(f"{PAGE}all", {"do": "save"}).status_code == 403
    assert office.get(f"{PAGE}nobody").status_code == 404
    assert office.send(f"{PAGE}all", {"do": "save", "version": "x"}).status_code == 409


def test_addresses_that_somebody_makes_up_keep_no_sidebar_of_their_own(office: Browser) -> None:
    def kept() -> int:
        made = configuration.snapshot()._made
        return len([key for key in made if isinstance(key, tuple) and key[0] == "sidebar markup"])

    office.get("/e/made-up-0/")
    before = kept()
    for number in range(1, 4):
        office.get(f"/e/made-up-{number}/")
    assert before
    assert kept() == before
