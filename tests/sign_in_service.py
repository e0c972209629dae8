"""A sign-in service of its own: it speaks OpenID Connect with real keys, well or badly.

Only what Carebook asks for: discovery, keys, the code flow with PKCE, userinfo. A test changes
what it answers through its attributes.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

CLIENT_ID, CLIENT_SECRET = "carebook", "not & so / secret"


@dataclass
class Service:
    """The service and everything that a test may want it to do wrong.

    `claims` replace what the token says; None leaves a claim out. `algorithm` signs by something
    else, `description` changes what the service says about itself.
    """

    issuer: str = ""
    keys: dict[str, RSAPrivateKey] = field(default_factory=dict)
    person: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    description: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    signer: Any = None  # another key than the one that is published
    userinfo: dict[str, Any] = field(default_factory=dict)
    is_away: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def new_key(self) -> None:
        self.keys = {secrets.token_hex(4): generate_private_key(65537, 2048)}

    def authorize(self, address: str) -> dict[str, str]:
        """What the person's browser brings back after agreeing at the address."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def token_of(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "person-1",
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.person,
            **self.claims,
        }
        said = {name: value for name, value in said.items() if value is not None}
        key_id, key = next(iter(self.keys.items()))
        if self.algorithm == "none":
            return jwt.encode(said, None, algorithm="none", headers={"kid": key_id})
        return jwt.encode(
            said, self.signer or key, algorithm=self.algorithm, headers={"kid": key_id}
        )

    def redeem(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(form.get("code", ""), None)
        name, _, secret = (
            base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        )
        is_client = (name, secret) == (CLIENT_ID, "not%20%26%20so%20%2F%20secret")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or not is_client
            or challenge != asked["code_challenge"]
            or form.get("redirect_uri") != asked["redirect_uri"]
            or form.get("grant_type") != "authorization_code"
        ):
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "access", "id_token": self.token_of(asked)}

    def describe(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/logout",
        } | self.description

    def key_set(self) -> dict[str, Any]:
        public = [
            {
                **json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())),
                "kid": key_id,
                "use": "sig",
            }
            for key_id, key in self.keys.items()
        ]
        return {"keys": public}

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        self.asked.append(path)
        if self.is_away:
            return 500, {}
        if path == "/token":
            return self.redeem(form, authorization)
        known = {
            "/.well-known/openid-configuration": self.describe,
            "/keys": self.key_set,
            "/userinfo": lambda: self.userinfo,
        }
        return (200, known[path]()) if path in known else (404, {})


class _Handler(BaseHTTPRequestHandler):
    service: Service

    def _answer(self, form: dict[str, str]) -> None:
        path = urlsplit(self.path).path
        status, body = self.service.answer(path, form, self.headers.get("Authorization", ""))
        sent = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self._answer({name: values[0] for name, values in parse_qs(body).items()})

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def running() -> Iterator[Service]:
    """A service that answers on this machine."""
    service = Service()
    service.new_key()
    handler = type("Handler", (_Handler,), {"service": service})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    service.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()


def query(answer: dict[str, str]) -> str:
    return urlencode(answer)
