"""Signing in through the company's service, against one that speaks the protocol, well and badly."""

from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from flask import Flask
from pydantic import SecretStr, ValidationError

from config import Settings
from models import AuditEntry, Site, Staff
from rules.scope import CARE_AGENT, SYSTEM
from services import accounts, leaving, second_factor, sign_in
from stores import sealing
from tests.factories import NOW
from tests.sign_in_service import CLIENT_ID, CLIENT_SECRET, Service, query, running
from tests.views.conftest import Browser, make_app

HOME = "http://care.example"
BACK = "/login/sso/callback"


@pytest.fixture(scope="module")
def running_service() -> Iterator[Service]:
    with running() as service:
        yield service


@pytest.fixture
def service(running_service: Service) -> Service:
    """The service as it should be; An is logged in there."""
    fresh = Service(issuer=running_service.issuer, keys=running_service.keys)
    running_service.__dict__.update(fresh.__dict__)
    running_service.person = {"email": "An@Example.com", "email_verified": True, "name": "An"}
    sign_in.forget()
    return running_service


Make = Callable[..., Browser]


@pytest.fixture(scope="module")
def sites() -> dict[Any, Flask]:
    """The sites made so far: making one takes long."""
    return {}


@pytest.fixture
def browser(
    settings: Settings, service: Service, sites: dict[Any, Flask], db: Any, shipped: None
) -> Make:
    """A browser of a site with this service: `browser(oidc_domains="example.com")`."""

    def make(**changes: Any) -> Browser:
        known = {
            "oidc_issuer": service.issuer,
            "oidc_client_id": CLIENT_ID,
            "oidc_client_secret": SecretStr(CLIENT_SECRET),
            "oidc_name": "Công ty",
            "public_url": HOME,
        }
        key = tuple(sorted(changes.items()))
        if key not in sites:
            sites[key] = make_app(settings, **known | changes)
        client = sites[key].test_client()
        assert isinstance(client, Browser)
        return client

    return make


@pytest.fixture
def an(db: Any, shipped: None) -> Staff:
    return accounts.create_staff("an@example.com", "Nguyễn Thị An", [CARE_AGENT], SYSTEM)


def begin(client: Browser, target: str = "") -> str:
    """The address at the service."""
    response = client.get(f"/login/sso?next={target}" if target else "/login/sso")
    assert response.status_code == 303, response.text
    return str(response.location)


def come_back(client: Browser, service: Service, target: str = "", **changes: str) -> Any:
    answer = service.authorize(begin(client, target)) | changes
    return client.get(f"{BACK}?{query(answer)}")


def is_in(client: Browser) -> bool:
    return client.get("/customers").status_code == 200


def refused(client: Browser, response: Any) -> str:
    """What the login page says; nobody is in."""
    assert response.status_code == 303
    assert urlsplit(response.location).path == "/login"
    assert not is_in(client)
    return unescape(client.get(response.location).text)


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


# Attacks


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"aud": "another-program"},
        {"aud": [CLIENT_ID, "another-program"]},
        {"exp": 1_700_000_000},
        {"iat": 1_700_000_000},
        {"sub": None},
    ],
    ids=str,
)
def test_a_token_that_says_something_else_opens_nothing(
    browser: Make, service: Service, an: Staff, claims: dict[str, Any]
) -> None:
    client = browser()
    service.claims = claims
    assert "không thành công" in refused(client, come_back(client, service))
    assert AuditEntry.objects(action="login failed").count() == 1


@pytest.mark.parametrize("algorithm", ["none", "HS256", "stranger"])
def test_a_token_that_the_service_has_not_signed_opens_nothing(
    browser: Make, service: Service, an: Staff, algorithm: str
) -> None:
    client = browser()
    if algorithm == "stranger":
        service.signer = generate_private_key(65537, 2048)
    else:
        service.algorithm = algorithm
        service.signer = "what everybody knows, at least 32 bytes"
    refused(client, come_back(client, service))


def test_a_key_that_is_not_for_signatures_signs_nothing(
    browser: Make, service: Service, an: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser()
    published = service.key_set()
    published["keys"][0]["use"] = "enc"
    monkeypatch.setattr(service, "key_set", lambda: published)
    refused(client, come_back(client, service))


def test_the_answer_of_another_sign_in_opens_nothing(
    browser: Make, service: Service, an: Staff
) -> None:
    """Somebody else's answer in my browser (login CSRF), and mine in somebody else's."""
    mine, theirs = browser(), browser()
    begin(mine)
    foreign = service.authorize(begin(theirs))
    refused(mine, mine.get(f"{BACK}?{query(foreign)}"))
    refused(browser(), browser().get(f"{BACK}?{query(foreign)}"))


@pytest.mark.parametrize("state", ["", "x", "đ"])
def test_a_wrong_state_opens_nothing(
    browser: Make, service: Service, an: Staff, state: str
) -> None:
    client = browser()
    refused(client, come_back(client, service, state=state))


def test_an_answer_comes_back_once_also_with_the_old_cookie(
    browser: Make, service: Service, an: Staff
) -> None:
    client = browser()
    answer = service.authorize(begin(client))
    cookie = client.get_cookie("carebook")
    assert cookie
    address = f"{BACK}?{query(answer)}"
    assert client.get(address).location == "/"
    thief = browser()
    thief.set_cookie("carebook", cookie.value)
    service.codes[answer["code"]] = service.codes.get(answer["code"], {})
    refused(thief, thief.get(address))
    assert "/token" in service.asked
    assert service.asked.count("/token") == 1, "the second one is not even asked about"


def test_a_code_without_its_verifier_is_worthless(
    browser: Make, service: Service, an: Staff
) -> None:
    """A stolen code put into one's own sign-in (PKCE)."""
    victim, thief = browser(), browser()
    stolen = service.authorize(begin(victim))
    own = service.authorize(begin(thief))
    answer = thief.get(f"{BACK}?{query(own | {'code': stolen['code']})}")
    assert "không trả lời" in refused(thief, answer)


def test_a_sign_in_that_takes_too_long_is_begun_again(
    browser: Make, service: Service, an: Staff
) -> None:
    import time_machine

    client = browser()
    with time_machine.travel(NOW, tick=True):
        answer = service.authorize(begin(client))
    with time_machine.travel(NOW.replace(minute=11), tick=True):
        refused(client, client.get(f"{BACK}?{query(answer)}"))


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_it_leads_nowhere_else(browser: Make, service: Service, an: Staff, target: str) -> None:
    client = browser()
    assert come_back(client, service, target).location == "/"


def test_the_answer_of_another_service_is_refused(
    browser: Make, service: Service, an: Staff
) -> None:
    """Mix-up (RFC 9207)."""
    client = browser()
    refused(client, come_back(client, service, iss="https://evil.example"))
    assert come_back(client, service, iss=service.issuer).location == "/"
    service.description = {"authorization_response_iss_parameter_supported": True}
    sign_in.forget()
    other = browser()
    refused(other, come_back(other, service))


def test_who_says_no_there_is_not_in_here(browser: Make, service: Service, an: Staff) -> None:
    client = browser()
    state = service.authorize(begin(client))["state"]
    refused(client, client.get(f"{BACK}?{query({'state': state, 'error': 'access_denied'})}"))


# Who it is


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


# The second factor


@pytest.fixture
def with_factor(an: Staff) -> Staff:
    sealed = sealing.seal("A" * 32, owner=f"second factor of {an.pk}")
    Staff.objects(pk=an.pk).update(totp_secret=sealed)
    assert second_factor.is_on(Staff.objects.get(pk=an.pk))
    return an


def test_the_second_factor_is_asked_for_here(
    browser: Make, service: Service, with_factor: Staff
) -> None:
    client = browser()
    assert come_back(client, service).location == "/login/code"
    assert not is_in(client)


def test_it_is_left_to_the_service_only_when_the_operator_says_so(
    browser: Make, service: Service, with_factor: Staff
) -> None:
    client = browser(oidc_trust_second_factor=True)
    assert come_back(client, service).location == "/"
    assert is_in(client)


@pytest.mark.parametrize("trusts", [True, False])
def test_the_duty_to_have_one_is_left_to_the_service_too(
    browser: Make, service: Service, an: Staff, trusts: bool
) -> None:
    Staff.objects(pk=an.pk).update(second_factor_required=True, must_change_password=True)
    client = browser(oidc_trust_second_factor=trusts)
    come_back(client, service)
    assert is_in(client) == trusts
    by_password = browser(oidc_trust_second_factor=trusts)
    by_password.log_in(an)
    assert not is_in(by_password), "a session by password has both duties"


# The service itself


def test_a_service_that_is_away_is_told(browser: Make, service: Service, an: Staff) -> None:
    client = browser()
    service.is_away = True
    assert "không trả lời" in refused(client, client.get("/login/sso?next=/customers"))
    assert client.get("/login").status_code == 200, "the password still works"


@pytest.mark.parametrize(
    "description",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://user@evil.example/"},
    ],
    ids=str,
)
def test_a_service_that_describes_itself_wrongly_is_not_used(
    browser: Make, service: Service, an: Staff, description: dict[str, Any]
) -> None:
    service.description = description
    client = browser()
    refused(client, client.get("/login/sso"))


def test_new_keys_of_the_service_are_found(
    browser: Make, service: Service, an: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert come_back(browser(), service).location == "/"
    monkeypatch.setattr(sign_in, "REFETCH_SECONDS", 0)
    service.new_key()
    assert come_back(browser(), service).location == "/"


def test_keys_are_not_fetched_at_every_strangers_wish(
    browser: Make, service: Service, an: Staff
) -> None:
    assert come_back(browser(), service).location == "/"
    service.new_key()
    for _ in range(3):
        client = browser()
        refused(client, come_back(client, service))
    assert service.asked.count("/keys") == 1


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


@pytest.mark.parametrize(
    "chosen",
    [
        {"oidc_issuer": "http://id.example", "oidc_client_id": "c"},
        {"oidc_issuer": "https://id.example"},
        {"oidc_issuer": "https://id.example", "oidc_client_id": "c", "oidc_create_role": "manager"},
    ],
)
def test_settings_that_would_be_unsafe_are_refused(chosen: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Settings(**chosen)  # type: ignore[arg-type]


def test_nothing_secret_is_told_to_the_browser_or_the_log(
    browser: Make, service: Service, an: Staff, caplog: pytest.LogCaptureFixture
) -> None:
    client = browser()
    address = begin(client)
    assert "secret" not in address
    assert Site.objects.count() == 1
    service.claims = {"nonce": "wrong"}
    refused(client, client.get(f"{BACK}?{query(service.authorize(address))}"))
    assert "access" not in caplog.text
