"""Another site cannot change anything in the name of who is logged in here.

Defended by: a token in each form or header (views/security.py), cookies that other sites do not
send (SameSite), GET requests that write no records, and an API that takes no cookies.
"""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from rules.scope import Actor
from tests.attacks.routes import domain, office, routes
from tests.views.conftest import Browser

CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
CLAIMS = ("today.",)  # the queue claims the customer that it shows, for some minutes

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")


@pytest.fixture
def boss(administrator: Actor, browser_of: Callable[[Actor], Browser]) -> Browser:
    return browser_of(administrator)


def test_nothing_is_changed_without_a_token_of_this_session(
    app: Flask, boss: Browser, agent: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    values = office()
    before = domain()
    foreign = browser_of(agent).token()
    for endpoint, method, address in routes(app, values, CHANGING):
        if endpoint.startswith("api."):
            continue
        for sent in (
            {},
            {"headers": {"X-CSRFToken": "made-up"}},
            {"headers": {"X-CSRFToken": foreign}},
            {"headers": {"HX-Request": "true"}},
            {"data": {"csrf_token": foreign}},
            {"query_string": {"csrf_token": boss.token()}},
            {"json": {"csrf_token": boss.token()}},
        ):
            response = boss.open(address, method=method, **sent)
            assert response.status_code == 409, (method, address, sent)
    assert domain() == before


def test_no_link_and_no_picture_changes_a_record(app: Flask, boss: Browser) -> None:
    values = office()
    before = domain()
    for endpoint, _, address in routes(app, values, frozenset({"GET"})):
        if endpoint.startswith(CLAIMS):
            continue
        boss.get(address)
    assert domain() == before


def test_other_sites_do_not_send_the_cookie(boss: Browser, stranger: Browser) -> None:
    cookie = stranger.get("/login").headers.getlist("Set-Cookie")
    assert all("SameSite=Lax" in one and "HttpOnly" in one for one in cookie)


def test_the_api_takes_no_cookie(boss: Browser) -> None:
    assert boss.get("/api/me").status_code == 401


def test_a_page_of_ours_stands_in_no_frame_of_others(boss: Browser) -> None:
    headers: Any = boss.get("/customers").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
