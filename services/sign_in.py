"""Signing in through a company's sign-in service: OpenID Connect, code flow with PKCE.

The service tells by a signed token who somebody is; Carebook decides by the verified e-mail
address whether that is somebody who works here.
"""

import base64
import hashlib
import logging
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import jwt
from cachetools import TTLCache
from pymongo.errors import DuplicateKeyError

from config import Settings, is_safe_address
from models import Staff, UsedSignIn
from rules.errors import N_, CareError
from rules.id_tokens import ALGORITHMS, Identity, SignInRefused, check_claims, identity_of
from rules.scope import SYSTEM, Actor
from services import accounts

logger = logging.getLogger(__name__)

SCOPES = "openid email profile"
FLOW_SECONDS = 10 * 60  # from the click to the way back; people look for their telephone
WAIT_SECONDS = 10.0
KNOWN_SECONDS = 3600  # how long what the service says about itself is kept
REFETCH_SECONDS = 60  # an unknown key is looked for again at most so often
KEY_TYPES = ("RSA", "EC", "OKP")

Document = Mapping[str, Any]


class ServiceAway(CareError):
    """The sign-in service does not answer, or not as one."""

    status = 503
    message = N_(
        "The sign-in service does not answer. Log in with your password, or try again in a moment."
    )


@dataclass(frozen=True, slots=True)
class Flow:
    """One sign-in on its way, as the browser's signed cookie keeps it."""

    state: str
    nonce: str
    verifier: str
    at: int  # seconds since 1970
    target: str


def is_on(settings: Settings) -> bool:
    """Whether the site has a sign-in service."""
    return settings.oidc_issuer is not None


def begin(settings: Settings, target: str, *, redirect_uri: str, now: datetime) -> tuple[str, Flow]:
    """The address to send the browser to, and what it has to bring back. Raises ServiceAway."""
    flow = Flow(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        at=int(now.timestamp()),
        target=target,
    )
    asked = {
        "response_type": "code",
        "client_id": _client_id(settings),
        "redirect_uri": redirect_uri,
        "scope": SCOPES,
        "state": flow.state,
        "nonce": flow.nonce,
        "code_challenge": _challenge(flow.verifier),
        "code_challenge_method": "S256",
    }
    return _with_query(_service(settings)["authorization_endpoint"], asked), flow


def finish(
    settings: Settings,
    flow: Flow | None,
    answer: Mapping[str, str],
    *,
    redirect_uri: str,
    now: datetime,
) -> Identity:
    """Who came back from the service.

    Args:
        flow: what the browser's cookie kept; None when it kept nothing.
        answer: the query of the address that the service sent the browser to.

    Raises SignInRefused, ServiceAway.
    """
    flow = _expected(flow, answer, now)
    _claim(flow, now)
    service = _service(settings)
    has_issuer = service.get("authorization_response_iss_parameter_supported") is True
    if answer.get("iss", None if has_issuer else service["issuer"]) != service["issuer"]:
        raise SignInRefused("the answer is from another issuer")
    if "error" in answer or not answer.get("code"):
        raise SignInRefused(f"the service answered {answer.get('error', 'without a code')!r}")
    tokens = _redeem(settings, service, answer["code"], flow.verifier, redirect_uri)
    claims = _verified(tokens.get("id_token"), service)
    client_id = _client_id(settings)
    found = check_claims(
        claims, issuer=service["issuer"], client_id=client_id, nonce=flow.nonce, now=now
    )
    return found if found.email else _from_userinfo(service, tokens, found)


def staff_of(identity: Identity, settings: Settings, *, by: Actor, now: datetime) -> Staff:
    """The person who works here under the identity's verified address. Raises SignInRefused."""
    if not identity.email or not identity.is_email_verified:
        raise SignInRefused(
            "the e-mail address is not verified",
            N_("The sign-in service has not verified your e-mail address. Have it verified there."),
        )
    email = accounts.plain_email(identity.email)
    known = accounts.find_staff(email)
    domains = settings.oidc_domain_list
    is_foreign = bool(domains) and email.rpartition("@")[2] not in domains
    if known is None and settings.oidc_create_role and not is_foreign:
        name = identity.name or email.partition("@")[0]
        # The operator has said so; whoever signs in could not give anybody a role.
        maker = replace(SYSTEM, screen=by.screen, address=by.address)
        return accounts.create_staff(email, name[:120], [settings.oidc_create_role], maker, at=now)
    if known is None or not known.active or is_foreign:
        raise SignInRefused(
            "nobody with this address works here",
            N_("There is no login for %(email)s. Ask an administrator for one."),
            email=email[:200],
        )
    return known


def logout_address(settings: Settings, back: str) -> str | None:
    """Where the person ends the session at the service, too; None when it offers no such place."""
    try:
        ends = _service(settings).get("end_session_endpoint")
    except ServiceAway:
        return None
    if not isinstance(ends, str) or not is_safe_address(ends):
        return None
    asked = {"client_id": _client_id(settings), "post_logout_redirect_uri": back}
    return _with_query(ends, asked)


# The way back


def _expected(flow: Flow | None, answer: Mapping[str, str], now: datetime) -> Flow:
    if flow is None:
        raise SignInRefused("this browser has begun no sign-in")
    if not compare_digest(flow.state.encode(), answer.get("state", "").encode()):
        raise SignInRefused("the answer belongs to another sign-in")
    if not 0 <= now.timestamp() - flow.at + 1 <= FLOW_SECONDS:
        raise SignInRefused("the sign-in took too long")
    return flow


def _claim(flow: Flow, now: datetime) -> None:
    """Each sign-in comes back once, also with an old copy of the cookie."""
    mark = hashlib.sha256(flow.state.encode()).hexdigest()
    expires_at = now + timedelta(seconds=2 * FLOW_SECONDS)
    try:
        UsedSignIn.collection().insert_one({"mark": mark, "expires_at": expires_at})
    except DuplicateKeyError as error:
        raise SignInRefused("this sign-in has come back already") from error


def _redeem(
    settings: Settings, service: Document, code: str, verifier: str, redirect_uri: str
) -> Document:
    """The tokens for the code; only who began the sign-in knows the verifier."""
    client_id, secret = _client_id(settings), settings.oidc_client_secret
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    headers = {}
    ways = service.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    if secret is None:
        form["client_id"] = client_id
    elif "client_secret_basic" in ways or "client_secret_post" not in ways:
        pair = f"{quote(client_id, safe='')}:{quote(secret.get_secret_value(), safe='')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode("ascii")
    else:
        form |= {"client_id": client_id, "client_secret": secret.get_secret_value()}
    return _ask("POST", service["token_endpoint"], data=form, headers=headers)


def _verified(token: Any, service: Document) -> Document:
    """The claims of a token that the service has signed. Raises SignInRefused, ServiceAway."""
    if not isinstance(token, str):
        raise SignInRefused("the service sent no ID token")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise SignInRefused("the token cannot be read") from error
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise SignInRefused(f"the token is signed by {algorithm!r}")
    for key in _keys(service, header.get("kid")):
        try:
            made = jwt.PyJWK(dict(key), algorithm=algorithm)
            # The claims are checked by rules.id_tokens, all in one place.
            options: Any = {
                "verify_signature": True,
                **dict.fromkeys(
                    (
                        f"verify_{name}"
                        for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
                    ),
                    False,
                ),
            }
            return dict(jwt.decode(token, made, algorithms=[algorithm], options=options))
        except jwt.PyJWTError:
            continue
    raise SignInRefused("no key of the service fits the signature")


def _from_userinfo(service: Document, tokens: Document, found: Identity) -> Identity:
    """Some services tell the address only here. The answer must be about the same person."""
    address, access = service.get("userinfo_endpoint"), tokens.get("access_token")
    if not isinstance(address, str) or not is_safe_address(address) or not access:
        return found
    told = identity_of(_ask("GET", address, headers={"Authorization": f"Bearer {access}"}))
    if told.subject != found.subject:
        raise SignInRefused("the service told about another person")
    return told


# What the service says about itself

_known: TTLCache[str, Document] = TTLCache(maxsize=8, ttl=KNOWN_SECONDS)
_fetched: dict[str, float] = {}
_lock = threading.Lock()


def forget() -> None:
    """Drops what is known about sign-in services."""
    with _lock:
        _known.clear()
        _fetched.clear()


def _service(settings: Settings) -> Document:
    """The service's own description. Raises ServiceAway."""
    issuer = settings.oidc_issuer or ""
    with _lock:
        found = _known.get(issuer)
    if found is None:
        found = _ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if str(found.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
            raise _away(f"{issuer} calls itself {found.get('issuer')!r}")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(found.get(name), str) or not is_safe_address(found[name]):
                raise _away(f"{issuer} names no safe {name}")
        with _lock:
            _known[issuer] = found
    return found


def _keys(service: Document, key_id: Any) -> list[Document]:
    """The service's keys with this id, or all of them for a token that names none.

    A key that is not known may be new: it is looked for once more, but not at every stranger's
    wish.
    """
    address = str(service["jwks_uri"])
    for is_fresh in (False, True):
        found = [
            key
            for key in _key_set(address, is_fresh=is_fresh)
            if key.get("kty") in KEY_TYPES
            and key.get("use", "sig") == "sig"
            and (key_id is None or key.get("kid") == key_id)
        ]
        if found:
            return found
    return []


def _key_set(address: str, *, is_fresh: bool) -> list[Document]:
    with _lock:
        known = _known.get(address)
        was_fetched = time.monotonic() - _fetched.get(address, -REFETCH_SECONDS) < REFETCH_SECONDS
    if known is None or (is_fresh and not was_fetched):
        known = _ask("GET", address)
        with _lock:
            _known[address] = known
            _fetched[address] = time.monotonic()
    keys = known.get("keys")
    return [one for one in keys if isinstance(one, dict)] if isinstance(keys, list) else []


def _ask(method: str, address: str, **options: Any) -> Document:
    try:
        with httpx.Client(timeout=WAIT_SECONDS, follow_redirects=False) as client:
            response = client.request(method, address, **options)
        response.raise_for_status()
        found = response.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise _away(f"{urlsplit(address).netloc}: {type(error).__name__} {error}"[:300]) from error
    if not isinstance(found, dict):
        raise _away(f"{urlsplit(address).netloc} answered something else")
    return found


def _away(reason: str) -> ServiceAway:
    logger.warning("The sign-in service cannot be used: %s", reason)
    return ServiceAway()


def _client_id(settings: Settings) -> str:
    return settings.oidc_client_id or ""


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _with_query(address: str, asked: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"
