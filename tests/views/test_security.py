"""The guard in front of every page."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from config import Settings
from models import Staff
from rules.errors import StoreUnavailable
from rules.scope import Actor
from services import readiness, staff_sessions
from tests.views.conftest import Browser, make_app
from tests.views.declared_addresses import PUBLIC
from views.context import now

EXAMPLES = {"secret": "nonsense", "filename": "css/frame.css"}


def addresses(app: Flask) -> list[tuple[str, str, str]]:
    """(endpoint, method, address) of every route, with something in place of arguments."""
    found = []
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            values = {name: EXAMPLES.get(name, "0" * 24) for name in rule.arguments}
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                found.append((rule.endpoint, method, app.url_for(rule.endpoint, **values)))
    return found


def test_it_answers_nobody_without_a_login(app: Flask, stranger: Browser) -> None:
    token = stranger.token()
    for endpoint, method, address in addresses(app):
        if endpoint in PUBLIC:
            continue
        response = stranger.open(address, method=method, headers={"X-CSRFToken": token})
        assert response.status_code == 303, (method, address)
        assert response.location.startswith("/login"), (method, address)


def test_it_opens_just_these_pages_to_strangers(app: Flask) -> None:
    public = {
        endpoint
        for endpoint, view in app.view_functions.items()
        if getattr(view, "is_public", False)
    }
    assert public | {"static"} == PUBLIC


def test_it_moves_the_whole_page_when_htmx_meets_a_closed_session(stranger: Browser) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/orders/due?status=new"}
    response = stranger.get("/account", headers=headers)
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/login?next=/orders/due?status%3Dnew"
    assert response.text == ""


def test_it_never_sends_a_strange_address_back_through_htmx(stranger: Browser) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://evil.example//evil.example/x"}
    assert stranger.get("/account", headers=headers).headers["HX-Redirect"] == "/login"


def test_it_shows_staff_without_a_role_nothing_but_a_clear_word(
    outsider: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    response = browser_of(outsider).get("/account")
    assert response.status_code == 403
    assert "Bạn không có quyền" in response.text


def test_it_needs_a_token_to_change_anything(
    app: Flask, agent: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    browser = browser_of(agent)
    for endpoint, method, address in addresses(app):
        if method == "GET" or endpoint == "static" or endpoint.startswith("api."):
            continue  # the API takes a key and no cookie, see test_api_keys
        response = browser.open(address, method=method)
        assert response.status_code == 409, (method, address)


def test_it_keeps_the_text_of_a_form_from_a_closed_session(
    agent: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    form = {"csrf_token": "old", "content": "Khách <b>hẹn</b> thứ Hai", "password": "bí mật lắm"}
    response = browser_of(agent).post("/account/theme", data=form)
    assert response.status_code == 409
    assert "Khách &lt;b&gt;hẹn&lt;/b&gt; thứ Hai" in response.text
    assert "bí mật lắm" not in response.text
    assert "Trang này đã mở quá lâu" in response.text


def test_it_takes_the_token_of_a_page_that_was_open_all_day(
    app: Flask, agent: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    assert app.config["WTF_CSRF_TIME_LIMIT"] is None
    browser = browser_of(agent)
    token = browser.token()
    response = browser.post("/account/theme", data={"csrf_token": token, "theme": "dark"})
    assert response.status_code == 303


@pytest.mark.parametrize("address", ["/login", "/nowhere", "/healthz", "/static/css/frame.css"])
def test_it_sends_security_headers_with_everything(stranger: Browser, address: str) -> None:
    headers = stranger.get(address).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Permissions-Policy" in headers
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers


def test_it_insists_on_https_where_there_is_https(stranger: Browser) -> None:
    headers = stranger.get("/healthz", base_url="https://localhost").headers
    assert headers["Strict-Transport-Security"].startswith("max-age=")


def test_it_believes_a_proxy_only_when_there_is_one(settings: Settings, db: Any) -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.9.8.7"}
    direct = make_app(settings).test_client().get("/healthz", headers=forwarded)
    assert "Strict-Transport-Security" not in direct.headers
    behind = make_app(settings, public_url="https://care.example.vn").test_client()
    assert "Strict-Transport-Security" in behind.get("/healthz", headers=forwarded).headers


def test_it_lets_no_cache_keep_pages_but_every_cache_keep_versions(stranger: Browser) -> None:
    assert stranger.get("/login").headers["Cache-Control"] == "no-store"
    css = "/static/css/frame.css"
    assert "immutable" in stranger.get(f"{css}?v=1").headers["Cache-Control"]
    assert stranger.get(css).headers["Cache-Control"] == "no-cache"
    assert "immutable" not in stranger.get("/static/none.css?v=1").headers["Cache-Control"]


def test_it_costs_one_query_to_know_the_person_and_what_it_may_do(
    app: Flask, agent: Actor, browser_of: Callable[[Actor], Browser], queries: list[str]
) -> None:
    browser = browser_of(agent)
    browser.get("/account")  # the configuration of this revision is known from now on
    queries.clear()
    assert browser.get("/account").status_code == 200
    assert queries == ["aggregate staff"]


def test_it_costs_no_query_to_serve_a_style_sheet(
    agent: Actor, browser_of: Callable[[Actor], Browser], queries: list[str]
) -> None:
    browser = browser_of(agent)
    queries.clear()
    browser.get("/static/css/frame.css")
    browser.get("/healthz")
    assert queries == []


def test_it_refuses_too_much_with_a_word(stranger: Browser, db: Any) -> None:
    token = stranger.token()
    form = {"csrf_token": token, "email": "a" * 2_000_000, "password": "b"}
    response = stranger.post("/login", data=form)
    assert response.status_code == 413
    assert "Quá lớn" in response.text


def test_it_says_that_it_lives_and_that_it_is_ready(stranger: Browser, valkey: Any) -> None:
    assert stranger.get("/healthz").status_code == 200
    assert stranger.get("/readyz").status_code == 200


def test_it_is_not_ready_without_a_store(
    stranger: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Settings) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(readiness.valkey, "connect", away)
    assert stranger.get("/readyz").status_code == 503
    assert stranger.get("/healthz").status_code == 200


def test_it_does_not_wait_for_a_store_that_hangs(
    settings: Settings, db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading
    import time

    never = threading.Event()
    monkeypatch.setattr(readiness.valkey, "connect", lambda _: never.wait(30))
    before = time.monotonic()
    assert not readiness.is_ready(settings, limit_seconds=0.3)
    assert time.monotonic() - before < 2
    never.set()


def test_it_does_not_let_tokens_in(app: Flask, agent: Actor, stranger: Browser) -> None:
    staff = Staff.objects.get(pk=agent.staff_id)
    with app.test_request_context():
        staff_sessions.open_session(staff, now(), address="", agent="")
        token = app.extensions["security"].remember_token_serializer.dumps(
            {"ver": "5", "uid": staff.fs_uniquifier, "fs_paa": 0, "exp": 0}
        )
    asked = stranger.get(f"/account?auth_token={token}", headers={"Authentication-Token": token})
    assert asked.status_code == 303
