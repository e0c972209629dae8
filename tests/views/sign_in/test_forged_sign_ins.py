"""No token, code, state or address that is forged, stolen or old opens anything."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from models import AuditEntry, Site, Staff
from services import sign_in
from tests.factories import NOW
from tests.sign_in_service import CLIENT_ID, Service, query
from tests.views.sign_in.steps import BACK, Make, begin, come_back, refused


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
