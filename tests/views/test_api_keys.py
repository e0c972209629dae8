"""Programs come with a key: hashed, limited, revocable, and never together with a cookie."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from models import ApiToken, AuditEntry, Staff
from rules.scope import CARE_AGENT, MANAGER, SYSTEM, Actor
from services import accounts, api_tokens, leaving
from tests.views.conftest import Browser

KEY = re.compile(r'value="(cb_[A-Za-z0-9_-]{43})"')
FORM = {"name": "Báo cáo", "scopes": "read", "days": "90"}


def make_key(browser: Browser, **form: str) -> str:
    page = browser.send("/account/keys", FORM | form)
    found = KEY.search(page.text)
    assert found, page.text
    return found.group(1)


def call(client: Any, key: str, **options: Any) -> Any:
    return client.get("/api/me", headers={"Authorization": f"Bearer {key}"}, **options)


@pytest.fixture
def mine(agent: Actor, browser_of: Callable[[Actor], Browser], shipped: None) -> Browser:
    return browser_of(agent)


def test_it_says_whose_key_it_is(mine: Browser, app: Flask, agent: Actor) -> None:
    answer = call(app.test_client(), make_key(mine))
    assert answer.status_code == 200
    assert answer.json["name"] == agent.name
    assert answer.json["roles"] == [CARE_AGENT]
    assert answer.json["scopes"] == ["read"]
    assert "Set-Cookie" not in answer.headers


def test_it_shows_a_key_once_and_stores_its_hash(mine: Browser, db: Any) -> None:
    key = make_key(mine)
    assert key not in mine.get("/account/keys").text
    assert key not in str(list(ApiToken.collection().find()))
    assert key not in str(list(AuditEntry.collection().find()))
    assert "Báo cáo" in mine.get("/account/keys").text


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer cb_",
        f"Bearer cb_{'x' * 43}",
        "Bearer {'$ne': None}",
        "Basic YTpi",
        f"Bearer cb_{'x' * 100_000}",
    ],
)
def test_it_refuses_what_is_no_key(stranger: Browser, header: str) -> None:
    answer = stranger.get("/api/me", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "error" in answer.json


def test_it_takes_no_cookie_instead_of_a_key_or_beside_it(
    mine: Browser, app: Flask, administrator: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    assert mine.get("/api/me").status_code == 401
    answer = call(browser_of(administrator), make_key(mine))
    assert answer.json["roles"] == [CARE_AGENT], "the cookie's rights count for nothing"


def test_a_key_opens_no_page_and_passes_no_form(mine: Browser, app: Flask) -> None:
    headers = {"Authorization": f"Bearer {make_key(mine)}"}
    client = app.test_client()
    assert client.get("/customers", headers=headers).status_code == 303
    assert client.post("/account/theme", headers=headers).status_code == 303
    assert mine.post("/account/theme", headers=headers, data={"theme": "dark"}).status_code == 409


def test_it_needs_the_scope(mine: Browser, app: Flask) -> None:
    answer = call(app.test_client(), make_key(mine, scopes="write"))
    assert answer.status_code == 403
    assert "read" in answer.json["error"]


def test_it_ends_with_its_time(mine: Browser, app: Flask) -> None:
    key = make_key(mine, days="30")
    with time_machine.travel(datetime.now(UTC) + timedelta(days=30, minutes=1)):
        assert call(app.test_client(), key).status_code == 401


def test_it_is_revoked_at_once(mine: Browser, app: Flask) -> None:
    key = make_key(mine)
    token = ApiToken.objects.get()
    assert mine.send(f"/account/keys/{token.pk}/revoke").status_code == 303
    assert call(app.test_client(), key).status_code == 401
    assert [one.action for one in AuditEntry.objects(kind="api_tokens").order_by("id")] == [
        "create",
        "revoke",
    ]


def test_it_is_nobody_elses_to_revoke(
    mine: Browser, app: Flask, colleague: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    key = make_key(mine)
    token = ApiToken.objects.get()
    stranger = browser_of(colleague)
    assert stranger.send(f"/account/keys/{token.pk}/revoke").status_code == 404
    assert "Báo cáo" not in stranger.get("/account/keys").text
    assert call(app.test_client(), key).status_code == 200


def test_it_ends_with_the_login_of_its_person(
    mine: Browser, app: Flask, agent: Actor, administrator: Actor
) -> None:
    key = make_key(mine)
    leaving.deactivate_staff(agent.staff_id, administrator, datetime.now(UTC))
    assert call(app.test_client(), key).status_code == 401


def test_it_never_allows_more_than_the_person_may_now(
    mine: Browser, app: Flask, agent: Actor
) -> None:
    key = make_key(mine)
    Staff.collection().update_one({"_id": agent.staff_id}, {"$set": {"roles": []}})
    assert call(app.test_client(), key).json["roles"] == []


def test_a_program_has_a_role_of_its_own_and_stays(
    app: Flask, administrator: Actor, browser_of: Callable[[Actor], Browser], shipped: None
) -> None:
    other = accounts.create_staff("d2@example.com", "Hai", ["administrator"], SYSTEM)
    browser = browser_of(administrator)
    key = make_key(browser, kind="service", role=MANAGER)
    leaving.deactivate_staff(
        administrator.staff_id,
        Actor(other.pk, other.name, frozenset(other.roles)),
        datetime.now(UTC),
    )
    answer = call(app.test_client(), key)
    assert (answer.json["kind"], answer.json["roles"]) == ("service", [MANAGER])
    assert answer.json["staff_id"] is None


@pytest.mark.parametrize("role", ["administrator", "manager", "", "god"])
def test_only_administrators_make_keys_for_programs(mine: Browser, role: str) -> None:
    response = mine.send("/account/keys", FORM | {"kind": "service", "role": role})
    assert response.status_code == 403
    assert ApiToken.objects.count() == 0


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": " "}, "đặt tên"),
        ({"scopes": ""}, "đánh dấu"),
        ({"scopes": "everything"}, "đánh dấu"),
        ({"days": "99999"}, "giá trị"),
    ],
)
def test_it_keeps_what_was_typed(mine: Browser, form: dict[str, str], said: str) -> None:
    page = mine.send("/account/keys", FORM | form)
    assert page.status_code == 422
    assert said in page.text
    if "name" not in form:
        assert 'value="Báo cáo"' in page.text
    assert ApiToken.objects.count() == 0


def test_it_keeps_a_limited_number_of_keys(mine: Browser) -> None:
    for _ in range(api_tokens.TOKENS_KEPT):
        assert mine.send("/account/keys", FORM).status_code == 200
    assert mine.send("/account/keys", FORM).status_code == 422
