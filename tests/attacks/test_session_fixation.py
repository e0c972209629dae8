"""A session that somebody planted, kept or altered is worth nothing.

Defended by: everything from before a login is dropped and a new key is made; the key must be among
the person's sessions in the database; cookies are signed (services/accounts.py, views/identity.py).
"""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from itsdangerous import URLSafeTimedSerializer

from models import Staff
from rules.scope import CARE_AGENT, SYSTEM, Actor
from services import accounts
from tests.views.conftest import Browser
from views.identity import SESSION_KEY

EMAIL, PASSWORD = "chi@example.com", "trời hôm nay đẹp"


@pytest.fixture
def chi(db: Any, valkey: Any) -> Staff:
    return accounts.create_staff(EMAIL, "Lê Thị Chi", [CARE_AGENT], SYSTEM, PASSWORD)


def log_in(browser: Browser) -> None:
    response = browser.send("/login", {"email": EMAIL, "password": PASSWORD})
    assert response.status_code == 303


def cookie(browser: Browser) -> str:
    found = browser.get_cookie("carebook")
    assert found
    return found.value


def test_a_planted_session_is_not_the_one_after_the_login(
    app: Flask, stranger: Browser, chi: Staff
) -> None:
    with stranger.session_transaction() as session:
        session[SESSION_KEY] = "planted-key"
        session["planted"] = "yes"
    planted = cookie(stranger)
    log_in(stranger)
    with stranger.session_transaction() as session:
        assert session[SESSION_KEY] != "planted-key"
        assert "planted" not in session
    thief = app.test_client()
    thief.set_cookie("carebook", planted)
    assert thief.get("/account").status_code == 303


def test_each_login_makes_another_key(stranger: Browser, chi: Staff) -> None:
    keys = set()
    for _ in range(3):
        log_in(stranger)
        with stranger.session_transaction() as session:
            keys.add(session[SESSION_KEY])
        stranger.send("/logout")
    assert len(keys) == 3


def test_a_copied_cookie_ends_with_the_logout(app: Flask, stranger: Browser, chi: Staff) -> None:
    log_in(stranger)
    thief = app.test_client()
    thief.set_cookie("carebook", cookie(stranger))
    assert thief.get("/account").status_code == 200
    stranger.send("/logout")
    assert thief.get("/account").status_code == 303


def test_a_key_is_of_one_person_only(
    stranger: Browser, chi: Staff, manager: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    log_in(stranger)
    boss = Staff.objects.get(pk=manager.staff_id)
    with stranger.session_transaction() as session:
        session["_user_id"] = boss.fs_uniquifier
    assert stranger.get("/account").status_code == 303


@pytest.mark.parametrize("salt", ["cookie-session", "other"])
def test_a_cookie_that_somebody_signed_is_not_believed(app: Flask, chi: Staff, salt: str) -> None:
    forged = URLSafeTimedSerializer("guessed", salt=salt).dumps(
        {"_user_id": chi.fs_uniquifier, "_fresh": True}
    )
    thief = app.test_client()
    thief.set_cookie("carebook", forged)
    assert thief.get("/account").status_code == 303


def test_an_altered_cookie_is_not_believed(app: Flask, stranger: Browser, chi: Staff) -> None:
    log_in(stranger)
    value = cookie(stranger)
    for altered in (value[:-2], value.swapcase(), value.replace(".", "", 1), f"{value}x"):
        thief = app.test_client()
        thief.set_cookie("carebook", altered)
        assert thief.get("/account").status_code == 303


def test_no_session_comes_in_through_an_address(stranger: Browser, chi: Staff) -> None:
    log_in(stranger)
    with stranger.session_transaction() as session:
        key = session[SESSION_KEY]
    other = stranger.application.test_client()
    for name in ("session", "carebook", SESSION_KEY, "sid", "auth_token", "token"):
        assert other.get(f"/account?{name}={key}").status_code == 303
