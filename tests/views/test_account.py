"""The person's own page."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from models import Staff
from rules.scope import CARE_AGENT, SYSTEM, Actor
from services import accounts, credentials, mail, staff_sessions
from tests.views.conftest import Browser
from views.browsers import browser_name
from views.context import now

PASSWORD = "trời hôm nay đẹp"


@pytest.fixture
def chi(db: Any) -> Staff:
    return accounts.create_staff("chi@example.com", "Lê Thị Chi", [CARE_AGENT], SYSTEM, PASSWORD)


@pytest.fixture
def browser(app: Flask, chi: Staff) -> Browser:
    made = app.test_client()
    made.log_in(chi)
    return made


@pytest.fixture
def other(app: Flask, chi: Staff) -> Browser:
    made = app.test_client()
    made.log_in(chi)
    return made


def change(browser: Browser, current: str = PASSWORD, new: str = "một câu khác hẳn") -> Any:
    return browser.send("/account/password", {"current": current, "new": new})


def test_it_changes_the_password_and_logs_out_other_browsers(
    browser: Browser, other: Browser
) -> None:
    assert change(browser).status_code == 303
    assert browser.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    assert credentials.authenticate("chi@example.com", "một câu khác hẳn")
    assert not credentials.authenticate("chi@example.com", PASSWORD)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"current": "wrong password"}, "không phải là mật khẩu hiện tại"),
        ({"new": "ngắn"}, "ít nhất 10 ký tự"),
        ({"new": "lêthịchi"}, "ít nhất 10 ký tự"),
        ({"new": "chi@example.com"}, "khác với tên và địa chỉ email"),
        ({"new": "aaaaaaaaaaaa"}, "quá dễ đoán"),
        ({"new": ""}, "bắt buộc"),
    ],
)
def test_it_says_what_is_wrong_with_a_password(
    browser: Browser, form: dict[str, str], said: str
) -> None:
    response = change(browser, **form)
    assert response.status_code == 422
    assert said in response.text
    assert credentials.authenticate("chi@example.com", PASSWORD)


def test_it_lists_browsers_without_their_keys(browser: Browser, other: Browser, chi: Staff) -> None:
    page = browser.get("/account").text
    assert page.count("Firefox · Linux") >= 2
    assert "trình duyệt này" in page
    for session in Staff.objects.get(pk=chi.pk).sessions:
        assert session.key not in page


def test_it_logs_out_one_browser(browser: Browser, other: Browser, chi: Staff) -> None:
    key = Staff.objects.get(pk=chi.pk).sessions[-1].key
    browser.send(f"/account/sessions/{staff_sessions.session_name(key)}/close")
    assert other.get("/account").status_code == 303
    assert browser.get("/account").status_code == 200


def test_it_logs_out_all_other_browsers(browser: Browser, other: Browser) -> None:
    browser.send("/account/sessions/close-others")
    assert other.get("/account").status_code == 303
    assert browser.get("/account").status_code == 200


def test_it_does_not_log_out_another_person(
    browser: Browser, agent: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    theirs = browser_of(agent)
    key = Staff.objects.get(pk=agent.staff_id).sessions[0].key
    browser.send(f"/account/sessions/{staff_sessions.session_name(key)}/close")
    assert theirs.get("/account").status_code == 200


def test_it_remembers_the_look(browser: Browser) -> None:
    assert 'data-bs-theme="' not in browser.get("/account").text.split("<head>")[0]
    browser.send("/account/theme", {"theme": "dark"})
    assert '<html lang="vi" data-bs-theme="dark">' in browser.get("/account").text
    browser.send("/account/theme", {"theme": ""})
    assert "data-bs-theme=" not in browser.get("/account").text.split("<head>")[0]


def test_it_refuses_an_unknown_look(browser: Browser) -> None:
    assert browser.send("/account/theme", {"theme": "<script>"}).status_code == 422


def test_it_remembers_the_language_of_the_person(
    browser: Browser, other: Browser, chi: Staff
) -> None:
    assert "Tài khoản của tôi" in browser.get("/account").text
    assert browser.send("/language", {"locale": "en", "next": "/account"}).location == "/account"
    assert "My account" in other.get("/account").text
    assert browser.send("/language", {"locale": "xx"}).status_code == 422
    assert Staff.objects.get(pk=chi.pk).locale == "en"


def test_it_remembers_a_strangers_language_in_the_browser(stranger: Browser) -> None:
    assert "Đăng nhập" in stranger.get("/login").text
    stranger.send("/language", {"locale": "en", "next": "https://evil.example"})
    page = stranger.get("/login").text
    assert "Log in" in page
    assert '<html lang="en">' in page


def test_it_escapes_what_a_browser_says_about_itself(app: Flask, chi: Staff) -> None:
    staff_sessions.open_session(chi, now_in(app), address="<b>", agent="<script>alert(1)</script>")
    browser = app.test_client()
    browser.log_in(chi)
    page = browser.get("/account").text
    assert "<script>alert" not in page
    assert "<b>" not in page


def now_in(app: Flask) -> Any:
    with app.app_context():
        return now()


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0 Safari/537.36",
            "Chrome · Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604.1", "Safari · iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537.36 Edg/140", "Edge · Windows"),
        ("curl", "curl"),
    ],
)
def test_it_names_browsers(app: Flask, agent: str, name: str) -> None:
    with app.test_request_context():
        shown = browser_name(agent)
    assert shown == (name if name != "curl" else "Trình duyệt không rõ")


def test_everybody_may_switch_the_morning_mail_off(
    browser: Browser, chi: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Thư buổi sáng" not in browser.get("/account/").text, "there is no mail server"
    monkeypatch.setattr(mail, "is_on", lambda _: True)

    def is_ticked() -> bool:
        (tick,) = re.findall(r'<input[^>]*name="is_wanted"[^>]*>', browser.get("/account/").text)
        return " checked" in tick

    assert is_ticked()
    assert browser.send("/account/morning-mail").status_code == 303
    assert not is_ticked()
    assert Staff.objects.get(pk=chi.pk).no_morning_mail
    assert browser.send("/account/morning-mail", {"is_wanted": "1"}).status_code == 303
    assert is_ticked()
