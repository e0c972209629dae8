"""A service that is away, describes itself wrongly or has new keys, and settings of it that are unsafe."""

from typing import Any

import pytest
from pydantic import ValidationError

from config import Settings
from models import Staff
from services import sign_in
from tests.sign_in_service import Service
from tests.views.sign_in.steps import Make, come_back, refused


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
