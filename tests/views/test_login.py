"""Logging in and out, one-time links, sessions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from config import Settings
from models import AuditEntry, Staff
from rules.scope import CARE_AGENT, SYSTEM, Actor
from services import accounts, credentials, leaving, staff_sessions
from tests.views.conftest import Browser, make_app
from views.identity import SESSION_KEY

PASSWORD = "trời hôm nay đẹp"
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@pytest.fixture
def chi(db: Any) -> Staff:
    return accounts.create_staff("chi@example.com", "Lê Thị Chi", [CARE_AGENT], SYSTEM, PASSWORD)


def log_in(browser: Browser, password: str = PASSWORD, **form: str) -> Any:
    return browser.send("/login", {"email": "chi@example.com", "password": password, **form})


def stored(staff: Staff) -> Staff:
    return Staff.objects.get(pk=staff.pk)


def test_it_lets_in_with_address_and_password(stranger: Browser, chi: Staff) -> None:
    response = log_in(stranger)
    assert (response.status_code, response.location) == (303, "/")
    assert stranger.get("/account").status_code == 200


def test_it_does_not_care_about_the_case_of_the_address(stranger: Browser, chi: Staff) -> None:
    assert log_in(stranger, email=" Chi@Example.COM ").status_code == 303


@pytest.mark.parametrize(
    "form",
    [
        {"password": "wrong password"},
        {"email": "nobody@example.com"},
        {"email": "chi@example.com\x00"},
        {"email": {"$ne": ""}},
    ],
)
def test_it_says_the_same_to_a_wrong_password_and_an_unknown_address(
    stranger: Browser, chi: Staff, form: dict[str, Any]
) -> None:
    response = stranger.send("/login", {"email": chi.email, "password": PASSWORD, **form})
    assert response.status_code == 422
    assert "Email hoặc mật khẩu không đúng." in response.text
    assert stranger.get("/account").status_code == 303


def test_it_keeps_the_typed_address_but_never_the_password(stranger: Browser, chi: Staff) -> None:
    response = log_in(stranger, "not this one at all")
    assert 'value="chi@example.com"' in response.text
    assert "not this one at all" not in response.text


def test_it_names_empty_fields(stranger: Browser, db: Any) -> None:
    response = stranger.send("/login", {"email": "", "password": ""})
    assert response.status_code == 422
    assert response.text.count("Ô này bắt buộc phải nhập.") == 2


def test_it_answers_a_very_long_password(stranger: Browser, chi: Staff) -> None:
    assert log_in(stranger, "x" * 100_000).status_code == 422


def test_it_has_no_login_without_a_password_set(stranger: Browser, db: Any) -> None:
    accounts.create_staff("chi@example.com", "Chi", [CARE_AGENT], SYSTEM)
    assert log_in(stranger, "whatever it may be").status_code == 422


@pytest.mark.parametrize(
    ("asked", "reached"),
    [
        ("/orders/due?status=new", "/orders/due?status=new"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("", "/"),
    ],
)
def test_it_leads_on_within_this_site_only(
    stranger: Browser, chi: Staff, asked: str, reached: str
) -> None:
    assert log_in(stranger, next=asked).location == reached


def test_it_asks_strangers_to_log_in_and_remembers_where_they_were(stranger: Browser) -> None:
    response = stranger.get("/account?x=1")
    assert response.status_code == 303
    assert response.location == "/login?next=/account?x%3D1"


def test_it_starts_a_new_session_at_login(stranger: Browser, chi: Staff) -> None:
    with stranger.session_transaction() as session:
        session["planted"] = "by somebody else"
        session[SESSION_KEY] = "known to somebody else"
    log_in(stranger)
    with stranger.session_transaction() as session:
        assert "planted" not in session
        assert session[SESSION_KEY] == stored(chi).sessions[0].key


def test_it_sends_cookies_for_this_site_and_not_for_scripts(stranger: Browser, chi: Staff) -> None:
    cookie = log_in(stranger).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_it_sends_secure_cookies_when_told(settings: Settings, chi: Staff) -> None:
    browser = make_app(settings, secure_cookies=True).test_client()
    page = browser.get("/login", base_url="https://localhost")
    assert "Secure" in page.headers["Set-Cookie"]


def test_it_keeps_a_logged_out_cookie_out(stranger: Browser, chi: Staff, app: Flask) -> None:
    log_in(stranger)
    with stranger.session_transaction() as session:
        stolen = dict(session)
    assert stranger.send("/logout").location == "/login"
    thief = app.test_client()
    with thief.session_transaction() as session:
        session.update(stolen)
    assert thief.get("/account").status_code == 303
    assert stored(chi).sessions == []


def test_it_refuses_a_logout_by_link(stranger: Browser, chi: Staff) -> None:
    log_in(stranger)
    assert stranger.get("/logout").status_code == 405
    assert stranger.post("/logout").status_code == 409
    assert stranger.get("/account").status_code == 200


def test_it_puts_a_deactivated_person_out_at_once(
    stranger: Browser, chi: Staff, administrator: Actor
) -> None:
    log_in(stranger)
    leaving.deactivate_staff(chi.pk, administrator, NOW)
    assert stranger.get("/account").status_code == 303
    assert log_in(stranger).status_code == 422
    leaving.activate_staff(chi.pk, administrator, NOW)
    assert log_in(stranger).status_code == 303


def test_it_forgets_a_browser_that_was_not_used_for_two_weeks(
    stranger: Browser, chi: Staff
) -> None:
    log_in(stranger)
    later = datetime.now(UTC) + timedelta(days=staff_sessions.SESSION_DAYS, hours=1)
    with time_machine.travel(later):
        assert stranger.get("/account").status_code == 303


def test_it_notes_when_a_browser_was_seen_but_not_at_every_page(
    stranger: Browser, chi: Staff
) -> None:
    start = datetime.now(UTC)
    with time_machine.travel(start, tick=False):
        log_in(stranger)
    with time_machine.travel(start + timedelta(minutes=2), tick=False):
        stranger.get("/account")
        assert stored(chi).sessions[0].seen_at < start + timedelta(seconds=1)
    with time_machine.travel(start + timedelta(minutes=6), tick=False):
        stranger.get("/account")
        assert stored(chi).sessions[0].seen_at > start + timedelta(minutes=5)


def test_it_keeps_the_newest_browsers_only(db: Any, chi: Staff) -> None:
    keys = [
        staff_sessions.open_session(chi, NOW + timedelta(minutes=n), address="a", agent="b")
        for n in range(staff_sessions.SESSIONS_KEPT + 3)
    ]
    assert [session.key for session in stored(chi).sessions] == keys[3:]


def test_it_limits_attempts_per_address_and_account(
    settings: Settings, valkey: Any, chi: Staff
) -> None:
    browser = make_app(settings, login_rate="3 per minute").test_client()
    for _ in range(3):
        assert log_in(browser, "wrong password").status_code == 422
    refused = log_in(browser)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert "Quá nhiều lần thử. Hãy thử lại sau" in refused.text
    assert log_in(browser, email="other@example.com").status_code == 422


def test_it_limits_attempts_while_valkey_is_away(
    settings: Settings, chi: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Settings) -> None:
        raise ConnectionError("no Valkey")

    monkeypatch.setattr("stores.valkey.connect", away)
    browser = make_app(settings, login_rate="2 per minute").test_client()
    answers = [log_in(browser, "wrong password").status_code for _ in range(3)]
    assert answers == [422, 422, 429]


# One-time links


def test_it_lets_a_new_person_choose_a_password_once(
    stranger: Browser, app: Flask, db: Any
) -> None:
    staff = accounts.create_staff("moi@example.com", "Người Mới", [CARE_AGENT], SYSTEM)
    link = credentials.one_time_link(staff, "http://localhost", datetime.now(UTC))
    path = link.removeprefix("http://localhost")
    assert "moi@example.com" in stranger.get(path).text
    assert stranger.send(path, {"password": PASSWORD}).status_code == 303
    assert "Người Mới" in stranger.get("/account").text
    again = app.test_client().get(path)
    assert again.status_code == 404
    assert "Hãy xin quản trị viên liên kết mới" in again.text


def test_it_keeps_the_link_and_the_typed_text_when_a_password_is_refused(
    stranger: Browser, db: Any
) -> None:
    staff = accounts.create_staff("moi@example.com", "Người Mới", [CARE_AGENT], SYSTEM)
    path = credentials.one_time_link(staff, "", datetime.now(UTC))
    refused = stranger.send(path, {"password": "ngắn"})
    assert refused.status_code == 422
    assert 'value="ngắn"' in refused.text
    assert "ít nhất 10 ký tự" in refused.text
    common = stranger.send(path, {"password": "Matkhau123456"})
    assert "quá dễ đoán" in common.text
    assert stranger.send(path, {"password": PASSWORD}).status_code == 303


def test_it_stores_only_the_hash_of_a_link(db: Any, chi: Staff) -> None:
    secret = credentials.one_time_link(chi, "", NOW).rsplit("/", 1)[1]
    assert secret not in str(Staff.collection().find_one({"_id": chi.pk}))


def test_it_refuses_a_link_after_a_week(stranger: Browser, chi: Staff) -> None:
    path = credentials.one_time_link(chi, "", datetime.now(UTC))
    with time_machine.travel(datetime.now(UTC) + timedelta(days=credentials.LINK_DAYS, minutes=1)):
        assert stranger.get(path).status_code == 404


def test_it_refuses_an_earlier_link(stranger: Browser, chi: Staff) -> None:
    earlier = credentials.one_time_link(chi, "", datetime.now(UTC))
    credentials.one_time_link(chi, "", datetime.now(UTC))
    assert stranger.get(earlier).status_code == 404


def test_it_logs_out_other_browsers_when_a_link_was_used(
    stranger: Browser, app: Flask, chi: Staff
) -> None:
    log_in(stranger)
    path = credentials.one_time_link(chi, "", datetime.now(UTC))
    app.test_client().send(path, {"password": "một câu khác hẳn"})
    assert stranger.get("/account").status_code == 303


def test_it_records_who_was_created_and_who_set_a_password(
    chi: Staff, administrator: Actor
) -> None:
    credentials.change_password(chi, PASSWORD, "một câu khác hẳn", NOW, keep_session="")
    leaving.deactivate_staff(chi.pk, administrator, NOW)
    actions = [entry.action for entry in AuditEntry.objects(record_id=chi.pk).order_by("id")]
    assert actions == ["create", "set password", "deactivate"]


def test_it_renews_the_cookie_of_who_comes_every_day(stranger: Browser, chi: Staff) -> None:
    start = datetime.now(UTC)
    for day in range(0, 40, 10):
        with time_machine.travel(start + timedelta(days=day), tick=False):
            if not day:
                log_in(stranger)
            assert stranger.get("/account").status_code == 200, day


def test_it_ends_the_session_of_who_was_logged_in_when_a_link_is_used(
    stranger: Browser, chi: Staff
) -> None:
    log_in(stranger)
    staff = accounts.create_staff("moi@example.com", "Người Mới", [CARE_AGENT], SYSTEM)
    path = credentials.one_time_link(staff, "", datetime.now(UTC))
    stranger.send(path, {"password": "một câu khác hẳn"})
    assert stored(chi).sessions == []
    assert len(stored(staff).sessions) == 1
