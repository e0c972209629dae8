"""No address of ours leads to another site.

Defended by: `views.context.local_path` for whatever a request names as the next page; addresses
of lists are built from known filters; mails and links begin with the configured address.
"""

import html
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from rules.scope import Actor
from tests.attacks.routes import office, routes
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")
TARGETS = (
    "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example",
    "javascript:alert(1)", "/\t/evil.example", "/%09/evil.example", "///evil.example",
    "http:evil.example", "/..//evil.example", "data:text/html,x",
)  # fmt: skip
NAMES = ("next", "url", "back", "return", "return_to", "redirect", "continue", "to", "target",
         "_external", "_scheme", "_anchor", "endpoint")  # fmt: skip


def leaves(location: str | None) -> bool:
    if not location:
        return False
    parts = urlsplit(location.replace("\\", "/"))
    return (
        bool(parts.netloc and parts.netloc != "localhost")
        or parts.scheme not in ("", "http", "https")
        or location.replace("\\", "/").startswith("//")
        or "\t" in location
    )


@pytest.mark.parametrize("target", TARGETS[:3])
def test_no_page_sends_anybody_away(
    app: Flask, administrator: Actor, browser_of: Callable[[Actor], Browser], target: str
) -> None:
    boss = browser_of(administrator)
    values = office()
    for _, _, address in routes(app, values, frozenset({"GET"})):
        response = boss.get(address, query_string=dict.fromkeys(NAMES, target))
        assert not leaves(response.headers.get("Location")), address
        assert not leaves(response.headers.get("HX-Redirect")), address


def test_no_form_sends_anybody_away(
    app: Flask, administrator: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    boss = browser_of(administrator)
    values = office()
    headers: dict[str, str] = {"X-CSRFToken": boss.token()}
    for target in TARGETS[:2]:
        for endpoint, method, address in routes(app, values, frozenset({"POST"})):
            if endpoint == "login.logout":
                continue
            sent: dict[str, Any] = dict.fromkeys(NAMES, target)
            response = boss.open(
                address,
                method=method,
                headers=headers | {"Referer": target, "HX-Current-URL": target},
                data=sent,
            )
            assert not leaves(response.headers.get("Location")), address
            assert not leaves(response.headers.get("HX-Redirect")), address


@pytest.mark.parametrize("target", TARGETS)
def test_no_login_sends_anybody_away(stranger: Browser, target: str) -> None:
    response = stranger.get("/login", query_string={"next": target})
    for value in re.findall(r'name="next" value="([^"]*)"', response.text):
        assert not leaves(html.unescape(value))
    token = stranger.token()
    for headers in ({"HX-Request": "true", "HX-Current-URL": target}, {"Referer": target}):
        asked = stranger.get("/account", headers=headers)
        assert not leaves(asked.headers.get("Location"))
        assert not leaves(asked.headers.get("HX-Redirect"))
    moved = stranger.post(
        "/login/language", data={"csrf_token": token, "locale": "en", "next": target}
    )
    assert not leaves(moved.headers.get("Location"))
