"""The login in two steps, forced enrolment, lock-out, and forgotten passwords, as attackers see them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
import time_machine
from flask import Flask
from pydantic import SecretStr

from config import Settings
from models import AuditEntry, JobRun, Staff
from rules.scope import CARE_AGENT, SYSTEM, Actor
from services import access_settings, accounts, credentials, leaving, second_factor
from stores import sealing
from tests.views.conftest import Browser, make_app

PASSWORD = "trời hôm nay đẹp"
NOW = datetime.now(UTC)


@pytest.fixture
def chi(db: Any) -> Staff:
    return accounts.create_staff("chi@example.com", "Lê Thị Chi", [CARE_AGENT], SYSTEM, PASSWORD)


@pytest.fixture
def codes(chi: Staff) -> list[str]:
    """Chi has a second factor; her recovery codes."""
    second_factor.begin(chi)
    person = Staff.objects.get(pk=chi.pk)
    early = NOW - timedelta(minutes=5)
    typed = pyotp.TOTP(second_factor.pending_secret(person)).at(early)
    return second_factor.confirm(person, typed, SYSTEM, early)


def shown_code(chi: Staff, at: datetime | None = None) -> str:
    sealed = Staff.objects.get(pk=chi.pk).totp_secret
    secret = sealing.unseal(sealed, owner=f"second factor of {chi.pk}")
    return pyotp.TOTP(secret).at(at or datetime.now(UTC))


def log_in(browser: Browser, password: str = PASSWORD, **form: str) -> Any:
    return browser.send("/login", {"email": "chi@example.com", "password": password, **form})


def is_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200


def test_it_asks_for_the_code_after_the_password(
    stranger: Browser, chi: Staff, codes: list[str]
) -> None:
    first = log_in(stranger, next="/customers")
    assert (first.status_code, first.location) == (303, "/login/code")
    assert not is_in(stranger)
    second = stranger.send("/login/code", {"code": shown_code(chi)})
    assert (second.status_code, second.location) == (303, "/customers")
    assert is_in(stranger)
    entry = AuditEntry.objects(record_id=chi.pk, action="login").get()
    assert entry.changes[0].new == "password + code"


def test_the_first_step_alone_opens_nothing(
    app: Flask, stranger: Browser, chi: Staff, codes: list[str]
) -> None:
    log_in(stranger)
    with app.test_request_context():
        rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
        addresses = [
            app.url_for(rule.endpoint, **dict.fromkeys(rule.arguments, "0" * 24))
            for rule in rules
            if not getattr(app.view_functions[rule.endpoint], "is_public", False)
            and rule.endpoint != "static"
        ]
    assert len(addresses) > 20
    for address in addresses:
        response = stranger.get(address)
        assert response.status_code == 303, address
        assert response.location.startswith("/login"), address
    assert Staff.objects.get(pk=chi.pk).sessions == []


def test_it_takes_a_recovery_code_once(
    app: Flask, stranger: Browser, chi: Staff, codes: list[str]
) -> None:
    log_in(stranger)
    assert stranger.send("/login/code", {"code": codes[0]}).status_code == 303
    again = app.test_client()
    log_in(again)
    assert again.send("/login/code", {"code": codes[0]}).status_code == 422
    assert not is_in(again)


def test_it_takes_no_code_that_was_overseen(
    app: Flask, stranger: Browser, chi: Staff, codes: list[str]
) -> None:
    typed = shown_code(chi)
    log_in(stranger)
    assert stranger.send("/login/code", {"code": typed}).status_code == 303
    thief = app.test_client()
    log_in(thief)
    refused = thief.send("/login/code", {"code": typed})
    assert refused.status_code == 422
    assert "đã dùng rồi" in refused.text


def test_it_locks_who_guesses_codes(stranger: Browser, chi: Staff, codes: list[str]) -> None:
    answers = []
    for _ in range(8):
        if log_in(stranger).status_code != 303:
            break
        answers.append(stranger.send("/login/code", {"code": "000000"}).status_code)
    assert answers == [422] * 5
    refused = log_in(stranger)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 20
    assert "tạm khóa" in refused.text
    assert AuditEntry.objects(record_id=chi.pk, action="lock").count() == 1


def test_it_waits_five_minutes_for_the_code(
    stranger: Browser, chi: Staff, codes: list[str]
) -> None:
    log_in(stranger)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=5, seconds=5)):
        late = stranger.send("/login/code", {"code": shown_code(chi)})
        assert (late.status_code, late.location) == (303, "/login")
        assert not is_in(stranger)


def test_it_ends_the_waiting_when_the_password_changes(
    stranger: Browser, chi: Staff, codes: list[str]
) -> None:
    log_in(stranger)
    person = Staff.objects.get(pk=chi.pk)
    credentials.change_password(person, PASSWORD, "một câu khác hẳn", NOW, keep_session="")
    assert stranger.send("/login/code", {"code": shown_code(chi)}).location == "/login"
    assert not is_in(stranger)


def test_it_ends_the_waiting_when_the_person_is_deactivated(
    stranger: Browser, chi: Staff, codes: list[str], administrator: Actor
) -> None:
    log_in(stranger)
    leaving.deactivate_staff(chi.pk, administrator, NOW)
    assert stranger.send("/login/code", {"code": shown_code(chi)}).location == "/login"


def test_it_takes_nothing_planted_through_both_steps(
    stranger: Browser, chi: Staff, codes: list[str]
) -> None:
    with stranger.session_transaction() as session:
        session["planted"] = "by somebody else"
        session["session_key"] = "known to somebody else"
    log_in(stranger)
    stranger.send("/login/code", {"code": shown_code(chi)})
    with stranger.session_transaction() as session:
        assert "planted" not in session
        assert "login_pending" not in session
        assert session["session_key"] != "known to somebody else"


def test_a_one_time_link_does_not_go_round_the_code(
    stranger: Browser, chi: Staff, codes: list[str]
) -> None:
    path = credentials.one_time_link(chi, "", datetime.now(UTC))
    response = stranger.send(path, {"password": "một câu khác hẳn"})
    assert response.location == "/login/code"
    assert not is_in(stranger)
    stranger.send("/login/code", {"code": shown_code(chi)})
    assert is_in(stranger)


def test_it_asks_nobody_for_a_code_out_of_the_blue(stranger: Browser, db: Any) -> None:
    assert stranger.get("/login/code").location == "/login"
    assert stranger.send("/login/code", {"code": "123456"}).location == "/login"


def test_it_makes_a_person_set_it_up_before_anything_else(
    app: Flask, stranger: Browser, chi: Staff, administrator: Actor
) -> None:
    log_in(stranger)
    version = access_settings.read().version
    access_settings.save([CARE_AGENT], "", version=version, by=administrator, at=NOW)
    for address in ("/", "/customers", "/account/keys", "/orders/due"):
        assert stranger.get(address).location == "/account/second-factor/", address
    assert stranger.send("/account/keys", {"name": "x", "scopes": "read", "days": "30"}).location
    assert stranger.get("/account/second-factor").status_code == 200
    stranger.send("/account/second-factor/begin")
    page = stranger.get("/account/second-factor").text
    picture = re.search(r'src="(/account/second-factor/picture.svg)"', page)
    assert picture
    drawn = stranger.get(picture.group(1))
    assert drawn.mimetype == "image/svg+xml"
    assert drawn.headers["Cache-Control"] == "no-store"
    assert b"<script" not in drawn.data
    secret = second_factor.pending_secret(Staff.objects.get(pk=chi.pk))
    wrong = stranger.send("/account/second-factor/confirm", {"code": "000000"})
    assert wrong.status_code == 422
    typed = {"code": pyotp.TOTP(secret).now()}
    done = stranger.send("/account/second-factor/confirm", typed)
    assert len(re.findall(r"<code>\w{4}-\w{4}-\w{4}</code>", done.text)) == 10
    assert stranger.get("/customers").status_code == 200
    assert stranger.get("/account/second-factor/picture.svg").status_code == 404


def test_it_does_not_show_the_secret_of_somebody_else(
    app: Flask, stranger: Browser, chi: Staff, agent: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    log_in(stranger)
    stranger.send("/account/second-factor/begin")
    assert browser_of(agent).get("/account/second-factor/picture.svg").status_code == 404


def test_an_administrator_resets_it(
    app: Flask, chi: Staff, codes: list[str], administrator: Actor, browser_of: Any
) -> None:
    browser_of(administrator).send(f"/staff/{chi.pk}/second-factor/reset")
    browser = app.test_client()
    assert log_in(browser).location == "/"
    assert is_in(browser)


# Forgotten passwords


@pytest.fixture
def mailing(settings: Settings, valkey: Any, db: Any) -> Browser:
    changes = {"mail_url": SecretStr("smtp://127.0.0.1:9"), "mail_from": "care@example.com"}
    client = make_app(settings, **changes).test_client()
    assert isinstance(client, Browser)
    return client


def test_it_says_the_same_whether_or_not_the_address_exists(mailing: Browser, chi: Staff) -> None:
    said = []
    for email in ("chi@example.com", "nobody@example.com"):
        response = mailing.send("/forgot", {"email": email})
        assert response.status_code == 200
        text = re.sub(r'content="[^"]*"|value="[^"]*"|hx-headers=\S+ \S+', "", response.text)
        said.append(text.replace(email, "X"))
    assert said[0] == said[1]
    assert JobRun.objects(name="send_reset_link").count() == 2
    assert Staff.objects.get(pk=chi.pk).link_hash is None, "the work is left to the job"


def test_it_sends_one_person_a_few_mails_only(mailing: Browser, chi: Staff) -> None:
    answers = [
        mailing.send(
            "/forgot",
            {"email": "chi@example.com"},
            environ_overrides={"REMOTE_ADDR": f"10.0.0.{number}"},
        ).status_code
        for number in range(5)
    ]
    assert answers == [200, 200, 200, 429, 429]


def test_it_sends_an_asker_a_limited_number_of_mails(mailing: Browser, db: Any) -> None:
    answers = [
        mailing.send("/forgot", {"email": f"somebody{number}@example.com"}).status_code
        for number in range(32)
    ]
    assert answers == [200] * 30 + [429] * 2


def test_it_has_no_such_page_without_a_mail_server(stranger: Browser) -> None:
    assert stranger.get("/forgot").status_code == 404
    assert "/forgot" not in stranger.get("/login").text


def test_it_needs_a_token(mailing: Browser, db: Any) -> None:
    assert mailing.post("/forgot", data={"email": "chi@example.com"}).status_code == 409
    assert JobRun.objects.count() == 0


def test_it_does_not_believe_the_host_of_the_request(
    mailing: Browser, chi: Staff, settings: Settings, administrator: Actor
) -> None:
    mailing.send("/forgot", {"email": "chi@example.com"}, headers={"X-Forwarded-Host": "evil.vn"})
    run = JobRun.objects(name="send_reset_link").get()
    assert "evil" not in str(run.to_mongo())
    assert set(run.arguments) == {"email", "address", "key"}
