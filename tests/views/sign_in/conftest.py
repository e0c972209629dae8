"""Sites whose staff sign in through a service of the company, and that service."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from pydantic import SecretStr

from config import Settings
from models import Staff
from rules.scope import CARE_AGENT, SYSTEM
from services import accounts, sign_in
from tests.sign_in_service import CLIENT_ID, CLIENT_SECRET, Service, running
from tests.views.conftest import Browser, make_app
from tests.views.sign_in.steps import HOME, Make


@pytest.fixture(scope="package")
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


@pytest.fixture(scope="package")
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
