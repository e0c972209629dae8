"""Guessing passwords, codes and keys takes longer than anybody has.

Defended by: limits per address and account (views/limits.py), locks that double and hold for the
right password too (services/login_attempts.py), and keys too long to be guessed.
"""

from typing import Any

import pytest

from config import Settings
from models import ApiToken, Staff
from rules.logins import FREE_ATTEMPTS
from rules.scope import CARE_AGENT, SYSTEM
from services import accounts
from tests.views.conftest import Browser, make_app

EMAIL, PASSWORD = "chi@example.com", "trời hôm nay đẹp"


@pytest.fixture
def chi(db: Any, valkey: Any) -> Staff:
    return accounts.create_staff(EMAIL, "Lê Thị Chi", [CARE_AGENT], SYSTEM, PASSWORD)


def guess(browser: Browser, password: str, **more: Any) -> Any:
    return browser.send("/login", {"email": EMAIL, "password": password}, **more)


def test_the_right_password_is_refused_after_too_many_wrong_ones(
    stranger: Browser, chi: Staff
) -> None:
    for number in range(FREE_ATTEMPTS):
        assert guess(stranger, f"wrong guess {number}").status_code in (422, 429)
    assert guess(stranger, PASSWORD).status_code == 429
    assert stranger.get("/account").status_code == 303


def test_other_addresses_and_browsers_do_not_help(stranger: Browser, chi: Staff) -> None:
    for number in range(FREE_ATTEMPTS):
        elsewhere = stranger.application.test_client()
        assert isinstance(elsewhere, Browser)
        guess(elsewhere, f"wrong {number}", environ_overrides={"REMOTE_ADDR": f"10.0.0.{number}"})
    fresh = stranger.application.test_client()
    assert isinstance(fresh, Browser)
    response = guess(fresh, PASSWORD, environ_overrides={"REMOTE_ADDR": "10.9.9.9"})
    assert response.status_code == 429


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Client-IP"])
def test_a_header_does_not_make_a_new_address(settings: Settings, chi: Staff, header: str) -> None:
    app = make_app(settings, login_rate="3 per hour")
    browser = app.test_client()
    assert isinstance(browser, Browser)
    answers = [
        guess(browser, f"wrong {n}", headers={header: f"10.1.1.{n}"}).status_code for n in range(5)
    ]
    assert answers[:3] == [422, 422, 422]
    assert answers[3:] == [429, 429]


def test_spellings_of_one_address_are_one_account(stranger: Browser, chi: Staff) -> None:
    for spelling in ("CHI@example.com", " chi@example.com", "Chi@Example.Com ", EMAIL, EMAIL):
        stranger.send("/login", {"email": spelling, "password": "wrong guess"})
    assert guess(stranger, PASSWORD).status_code == 429


def test_a_guessed_key_opens_nothing_and_says_nothing(stranger: Browser, chi: Staff) -> None:
    answers = {
        stranger.get("/api/me", headers={"Authorization": f"Bearer {key}"}).data
        for key in ("cb_", "cb_" + "a" * 43, "x", str(chi.pk), "cb_" + "\x7f" * 9)
    }
    assert len(answers) == 1
    assert ApiToken.collection().count_documents({}) == 0
