"""No address and no name reaches a file outside of what is served.

Defended by: static files through `send_from_directory`; files of records by id, never by path;
languages, themes and templates chosen from lists.
"""

from collections.abc import Callable

import pytest

from rules.scope import Actor
from tests.views.conftest import Browser

ESCAPES = ("../config.py", "..%2fconfig.py", "%2e%2e/config.py", "..\\config.py", "..%5cconfig.py",
           "....//config.py", "css/../../config.py", "/etc/passwd", "%00config.py",
           "css/frame.css%00.py", "..%252fconfig.py", "..%c0%afconfig.py")  # fmt: skip
PLACES = ("/static/", "/files/", "/customers/", "/trash/", "/jobs/", "/lookup/", "/")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("escape", ESCAPES)
def test_no_address_leaves_its_place(
    administrator: Actor, browser_of: Callable[[Actor], Browser], place: str, escape: str
) -> None:
    response = browser_of(administrator).get(place + escape)
    assert response.status_code in (301, 302, 303, 308, 404), place + escape
    for secret in (b"class Settings", b"root:x:0", b"BaseSettings"):
        assert secret not in response.data


@pytest.mark.parametrize("chosen", ["../../config", "/etc/passwd", "vi/../../x", "en\0", "%2e%2e"])
def test_no_choice_names_a_file(
    agent: Actor, browser_of: Callable[[Actor], Browser], chosen: str
) -> None:
    browser = browser_of(agent)
    for address, name in (("/login/language", "locale"), ("/account/theme", "theme")):
        response = browser.send(address, {name: chosen})
        assert response.status_code in (303, 400, 404, 422)
    page = browser.get("/account").text
    assert chosen not in page or chosen == "%2e%2e"
