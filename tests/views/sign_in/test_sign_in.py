"""Signing in through the company's service: who comes in, and how one gets out."""

from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from models import AuditEntry, Staff
from rules.scope import CARE_AGENT
from services import leaving
from tests.factories import NOW
from tests.sign_in_service import CLIENT_ID, Service
from tests.views.conftest import Browser
from tests.views.sign_in.steps import BACK, HOME, Make, begin, come_back, is_in, refused


def test_it_logs_in_who_works_here(browser: Make, service: Service, an: Staff) -> None:
    client = browser()
    page = client.get("/login?next=/customers").text
    assert 'href="/login/sso?next=/customers"' in page
    assert "Công ty" in page
    response = come_back(client, service, "/customers?q=an")
    assert (response.status_code, response.location) == (303, "/customers?q=an")
    assert is_in(client)
    entry = AuditEntry.objects(action="login").get()
    assert entry.changes[0].new == "sign-in service"
    assert client.get("/login/sso?next=/customers").location == "/customers"


def test_without_a_service_there_is_nothing(stranger: Browser) -> None:
    assert stranger.get("/login/sso").status_code == 404
    assert stranger.get(BACK).status_code == 404
    assert "/login/sso" not in stranger.get("/login").text


def test_what_it_asks_for_is_new_each_time(browser: Make, service: Service) -> None:
    client = browser()
    first, second = (parse_qs(urlsplit(begin(client)).query) for _ in range(2))
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]
        assert len(first[name][0]) >= 43
    assert first["redirect_uri"] == [f"{HOME}{BACK}"]


@pytest.mark.parametrize("verified", [False, None, "false"])
def test_an_address_that_is_not_verified_is_nobodys(
    browser: Make, service: Service, an: Staff, verified: Any
) -> None:
    client = browser()
    service.claims = {"email_verified": verified}
    assert "chưa xác minh" in refused(client, come_back(client, service))


def test_a_stranger_gets_no_login(browser: Make, service: Service, an: Staff) -> None:
    client = browser()
    service.person["email"] = "somebody@example.com"
    assert "somebody@example.com" in refused(client, come_back(client, service))
    assert Staff.objects.count() == 1


def test_who_is_deactivated_here_stays_out(
    browser: Make, service: Service, an: Staff, administrator: Any
) -> None:
    leaving.deactivate_staff(an.pk, administrator, NOW)
    client = browser()
    refused(client, come_back(client, service))


def test_a_login_is_made_only_where_the_operator_says_so(browser: Make, service: Service) -> None:
    changes = {"oidc_create_role": CARE_AGENT, "oidc_domains": "example.com, @other.vn"}
    service.person |= {"email": "moi@example.com", "name": "Người Mới"}
    client = browser(**changes)
    assert come_back(client, service).location == "/"
    made = Staff.objects.get(email="moi@example.com")
    assert (made.name, list(made.roles)) == ("Người Mới", [CARE_AGENT])
    for email in ("x@evil.example", "x@example.com.evil.example", "x@notexample.com"):
        service.person["email"] = email
        other = browser(**changes)
        refused(other, come_back(other, service))
    assert Staff.objects.count() == 1


def test_a_foreign_domain_stays_out_also_with_a_login(
    browser: Make, service: Service, an: Staff
) -> None:
    client = browser(oidc_domains="other.vn")
    refused(client, come_back(client, service))


def test_the_address_may_come_from_the_userinfo(browser: Make, service: Service, an: Staff) -> None:
    service.person, client = {}, browser()
    service.userinfo = {"sub": "person-1", "email": "an@example.com", "email_verified": True}
    assert come_back(client, service).location == "/"
    service.userinfo["sub"] = "somebody else"
    other = browser()
    refused(other, come_back(other, service))


def test_logging_out_offers_to_log_out_there_as_well(
    browser: Make, service: Service, an: Staff
) -> None:
    client = browser()
    come_back(client, service)
    client.send("/logout")
    assert not is_in(client)
    page = unescape(client.get("/login").text)
    assert f'href="{service.issuer}/logout?client_id={CLIENT_ID}' in page
    assert "/logout?client_id" not in client.get("/login").text, "once"
    by_password = browser()
    by_password.log_in(an)
    by_password.send("/logout")
    assert "/logout?client_id" not in by_password.get("/login").text
