"""Parts of a list's page that are remembered: nobody is shown what somebody else's page said."""

import re
from collections.abc import Callable

import pytest

from models import Staff
from rules.scope import Actor
from services import configuration, configuration_changes
from services.configuration_changes import Change
from tests.factories import NOW, make_customer
from tests.views.browser import Browser

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
LIST = "/customers/"
Login = Callable[[Actor], Browser]


def around(page: str) -> str:
    """The page without its tokens, which are others each time."""
    return re.sub(r'csrf-token" content="[^"]+|X-CSRFToken": "[^"]+', "", TOKEN.sub("", page))


@pytest.fixture
def desk(morning: None, shipped: None, browser_of: Login, manager: Actor) -> Browser:
    make_customer()
    return browser_of(manager)


def test_the_second_page_is_the_first_one(desk: Browser) -> None:
    address = f"{LIST}?q=a&sort=-name"
    assert around(desk.get(address).text) == around(desk.get(address).text)


def test_forms_have_the_token_of_their_own_login(
    desk: Browser, browser_of: Login, manager: Actor
) -> None:
    """The parts are the same after another login, its tokens are not."""
    desk.get(LIST)
    again = browser_of(manager)
    found = TOKEN.findall(again.get(LIST).text)
    assert len(found) > 3
    assert len(set(found)) == 1
    assert desk.post("/logout", data={"csrf_token": found[0]}).status_code == 409
    assert again.post("/logout", data={"csrf_token": found[0]}).status_code in (302, 303)


def test_each_person_has_its_own_parts(
    desk: Browser, browser_of: Login, manager: Actor, agent: Actor
) -> None:
    other = browser_of(agent)
    for _ in range(2):
        assert manager.name in desk.get(LIST).text
        assert manager.name not in other.get(LIST).text
        assert agent.name in other.get(LIST).text


def test_a_new_name_or_colour_scheme_is_seen_at_once(desk: Browser, manager: Actor) -> None:
    desk.get(LIST)
    changes = {"name": "Tên Mới", "theme": "dark"}
    Staff.collection().update_one({"_id": manager.staff_id}, {"$set": changes})
    page = desk.get(LIST).text
    assert "Tên Mới" in page
    assert re.search(r'value="dark"[^>]*aria-pressed="true"', page)


def test_pages_of_a_list_share_their_parts(desk: Browser) -> None:
    """Only its own place goes into the forms of language and theme."""
    desk.get(LIST)
    known = configuration.snapshot().once(("kept", "fragments"), lambda: None)
    assert known is not None
    before = len(known)
    page = desk.get(f"{LIST}?after=x").text
    assert 'value="/customers/?after=x"' in page
    assert len(known) == before + 1


def test_a_very_long_address_is_not_remembered(desk: Browser) -> None:
    desk.get(LIST)
    known = configuration.snapshot().once(("kept", "fragments"), lambda: None)
    assert known is not None
    before = len(known)
    many = "&".join(f"n{number}={'y' * 90}" for number in range(30))
    desk.get(f"{LIST}?{many}")
    assert len(known) == before


def test_lists_of_two_kinds_of_one_site_share_nothing(
    morning: None, shipped: None, browser_of: Login, administrator: Actor
) -> None:
    """They are shown by one screen, at addresses that differ in the kind alone."""
    kinds = [Change("kinds", key, {"label_vi": key.title()}) for key in ("phieu", "the")]
    configuration_changes.apply(kinds, says="t", by=administrator, at=NOW)
    desk = browser_of(administrator)
    for _ in range(2):
        for key, other in (("phieu", "the"), ("the", "phieu")):
            page = desk.get(f"/e/{key}/").text
            around_rows = page[page.index("<main") :]
            assert f'href="/e/{key}/import"' in around_rows
            assert f"/e/{other}/" not in around_rows
