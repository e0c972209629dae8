"""What an ID token of a sign-in service must say before anybody is let in (OpenID Connect Core 3.1.3.7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rules.errors import N_, CareError

# Signatures that need the service's private key. None of the others is ever accepted: `none` proves
# nothing, and with HS256 the public key would do as a secret.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
CLOCKS_APART = timedelta(seconds=60)
OLDEST = timedelta(minutes=10)  # a token is used in the moment in which it is issued


class SignInRefused(CareError):
    """The sign-in service said something that must not be believed; `reason` is for the log."""

    status = 403
    message = N_(
        "The sign-in did not work. Start it again from this page; if it fails again, tell your administrator."
    )

    def __init__(self, reason: str, message: str | None = None, /, **params: Any) -> None:
        super().__init__(message, **params)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is at the sign-in service."""

    subject: str
    email: str
    is_email_verified: bool
    name: str


def check_claims(
    claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str, now: datetime
) -> Identity:
    """Who the token is about; its signature was checked before. Raises SignInRefused."""
    if claims.get("iss") != issuer:
        raise SignInRefused("the token is from another issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise SignInRefused("the token is for somebody else")
    if claims.get("azp", client_id) != client_id or (len(audiences) > 1 and "azp" not in claims):
        raise SignInRefused("the token was issued to another program")
    if not nonce or claims.get("nonce") != nonce:
        raise SignInRefused("the token belongs to another sign-in")
    _check_times(claims, now)
    return identity_of(claims)


def identity_of(claims: Mapping[str, Any]) -> Identity:
    """The person that claims are about. Raises SignInRefused without a subject."""
    subject, email = claims.get("sub"), claims.get("email")
    if not isinstance(subject, str) or not subject:
        raise SignInRefused("the token names nobody")
    name = claims.get("name")
    return Identity(
        subject=subject,
        email=email.strip() if isinstance(email, str) else "",
        # Some services write it as a text.
        is_email_verified=claims.get("email_verified") in (True, "true"),
        name=" ".join(name.split()) if isinstance(name, str) else "",
    )


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    expires, issued = _instant(claims.get("exp")), _instant(claims.get("iat"))
    if expires is None or now > expires + CLOCKS_APART:
        raise SignInRefused("the token has expired")
    if issued is None or issued > now + CLOCKS_APART or now > issued + OLDEST:
        raise SignInRefused("the token was not issued just now")
    not_before = claims.get("nbf")
    if not_before is not None:
        begins = _instant(not_before)
        if begins is None or begins > now + CLOCKS_APART:
            raise SignInRefused("the token is not valid yet")


def _instant(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        return None
