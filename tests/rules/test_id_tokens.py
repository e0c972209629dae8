"""What an ID token must say before anybody is let in."""

from datetime import UTC, datetime
from typing import Any

import pytest

from rules.id_tokens import SignInRefused, check_claims

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
GOOD = {
    "iss": "https://id.example",
    "aud": "carebook",
    "sub": "1",
    "nonce": "n",
    "iat": AT,
    "exp": AT + 300,
    "email": "an@example.com",
    "email_verified": True,
    "name": " Nguyễn  An ",
}


def check(**claims: Any) -> Any:
    said = {name: value for name, value in (GOOD | claims).items() if value != "left out"}
    return check_claims(said, issuer="https://id.example", client_id="carebook", nonce="n", now=NOW)


def test_a_good_token_tells_who_it_is() -> None:
    found = check()
    assert (found.subject, found.email, found.name) == ("1", "an@example.com", "Nguyễn An")
    assert found.is_email_verified


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["carebook", "other"], "azp": "carebook"},
        {"aud": ["carebook"]},
        {"exp": AT - 59},
        {"iat": AT + 59},
        {"nbf": AT + 59},
        {"exp": AT + 300.5},
    ],
)
def test_it_forgives_what_the_protocol_allows(claims: dict[str, Any]) -> None:
    assert check(**claims).subject == "1"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": "https://id.example/"},
        {"iss": "left out"},
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": ["carebook", "other"]},
        {"aud": ["carebook", "other"], "azp": "other"},
        {"aud": "left out"},
        {"aud": {"carebook": 1}},
        {"azp": "other"},
        {"nonce": "other"},
        {"nonce": "left out"},
        {"nonce": None},
        {"exp": AT - 61},
        {"exp": "left out"},
        {"exp": str(AT + 300)},
        {"exp": True},
        {"exp": 1e300},
        {"exp": float("nan")},
        {"iat": AT + 61},
        {"iat": AT - 601},
        {"iat": "left out"},
        {"nbf": AT + 61},
        {"nbf": "soon"},
        {"sub": ""},
        {"sub": 1},
        {"sub": "left out"},
    ],
    ids=str,
)
def test_it_refuses_everything_else(claims: dict[str, Any]) -> None:
    with pytest.raises(SignInRefused):
        check(**claims)


def test_without_a_nonce_nothing_is_expected() -> None:
    with pytest.raises(SignInRefused):
        check_claims(
            GOOD | {"nonce": ""},
            issuer="https://id.example",
            client_id="carebook",
            nonce="",
            now=NOW,
        )


@pytest.mark.parametrize("said", [False, None, "false", "yes", 1.5, "left out", [True]])
def test_only_a_clear_yes_verifies_an_address(said: Any) -> None:
    assert not check(email_verified=said).is_email_verified
