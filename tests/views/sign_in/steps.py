"""What somebody does who signs in through the service."""

from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from tests.sign_in_service import Service, query
from tests.views.conftest import Browser

HOME = "http://care.example"
BACK = "/login/sso/callback"
Make = Callable[..., Browser]


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
