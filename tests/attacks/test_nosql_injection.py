"""Operators of the store in forms, JSON, addresses, cookies and filters never reach a query.

Defended by: forms and arguments are read as text by name; criteria are built from known fields
(rules/filters.py, rules/conditions.py); ids are parsed before they are used.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from flask import Flask
from pymongo import monitoring
from pymongo.errors import OperationFailure

from config import Settings
from models import Customer
from rules.scope import Actor
from stores import mongo
from tests.attacks.routes import domain, office, routes
from tests.views.conftest import Browser

EVIL = "$planted"
WHERE = "$where: sleep(5000)"


class Watch(monitoring.CommandListener):
    """Notes every command in which the attacker's word is a key and not a value."""

    def __init__(self) -> None:
        self.reached: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if _has_key(event.command):
            self.reached.append(str(event.command)[:400])

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


def _has_key(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(EVIL in str(key) or _has_key(one) for key, one in value.items())
    if isinstance(value, list | tuple):
        return any(_has_key(one) for one in value)
    return False


@pytest.fixture
def reached(settings: Settings, monkeypatch: pytest.MonkeyPatch, db: Any) -> Iterator[list[str]]:
    watch = Watch()
    mongo.disconnect()
    monkeypatch.setitem(mongo.OPTIONS, "event_listeners", [watch])
    mongo.connect(settings)
    yield watch.reached
    mongo.disconnect()


@pytest.fixture
def boss(
    reached: list[str],
    morning: None,
    shipped: None,
    valkey: Any,
    administrator: Actor,
    browser_of: Callable[[Actor], Browser],
) -> Browser:
    return browser_of(administrator)


def test_the_watch_sees_what_it_is_for(reached: list[str]) -> None:
    with pytest.raises(OperationFailure):
        Customer.collection().find_one({"code": {EVIL: 1}})
    assert reached


NAMES = ("q", "email", "password", "name", "code", "version", "count", "staff", "file", "order",
         "customer", "owner_id", "kind", "state", "due", "sort", "after", "field", "entry", "where",
         "confirm", "next", "ids", "content", "entry_key")  # fmt: skip
FORM = {f"{name}[{EVIL}]": "1" for name in NAMES} | dict.fromkeys(
    ("version", "staff", "file", "entry", "ids", "where"), f'{{"{EVIL}": 1}}'
)


def test_no_operator_in_an_address_reaches_the_store(
    app: Flask, boss: Browser, reached: list[str]
) -> None:
    values = office()
    for _, method, address in routes(app, values, frozenset({"GET"})):
        for query in (
            "&".join(f"{name}[{EVIL}]=1" for name in NAMES),
            "&".join(f'{name}={{"{EVIL}":1}}' for name in NAMES),
        ):
            response = boss.open(f"{address}?{query}", method=method)
            assert response.status_code < 500, address
    assert reached == []


def test_no_operator_in_a_form_or_in_json_reaches_the_store(
    app: Flask, boss: Browser, reached: list[str]
) -> None:
    values = office()
    token = {"X-CSRFToken": boss.token()}
    kept = domain()
    for endpoint, method, address in routes(app, values, frozenset({"POST", "PUT", "PATCH"})):
        if endpoint == "login.logout" or endpoint.endswith(("delete_record_view", "purge_view")):
            continue  # they take nothing but the address
        for sent in ({"data": FORM}, {"json": {name: {EVIL: 1} for name in NAMES}}):
            response = boss.open(address, method=method, headers=token, **sent)
            assert response.status_code < 500, (address, response.text[:300])
    assert reached == []
    assert {name: len(rows) for name, rows in domain().items()} == {
        name: len(rows) for name, rows in kept.items()
    }


@pytest.mark.parametrize(
    "address",
    [f"/customers/{EVIL}", '/customers/{"$planted":""}', "/orders/[object]", f"/lookup/{WHERE}",
     f"/files/{EVIL}", f"/trash/{EVIL}", f"/changes/{EVIL}/{'0' * 24}", "/customers/rows/$gt"],
)  # fmt: skip
def test_an_operator_instead_of_an_id_is_not_found(
    boss: Browser, reached: list[str], address: str
) -> None:
    assert boss.get(address).status_code == 404
    assert reached == []


@pytest.mark.parametrize("body", [{"email": {"$gt": ""}, "password": {"$gt": ""}}, [], "x", None])
def test_nobody_logs_in_with_an_operator(stranger: Browser, manager: Actor, body: Any) -> None:
    token = {"X-CSRFToken": stranger.token()}
    stranger.post("/login", json=body, headers=token)
    stranger.post("/login", data={"email[$gt]": "", "password[$gt]": ""}, headers=token)
    assert stranger.get("/account").status_code == 303


def test_a_cookie_carries_nothing_into_a_query(
    boss: Browser, stranger: Browser, reached: list[str]
) -> None:
    for value in (f'{{"_user_id": {{"{EVIL}": 1}}}}', EVIL, "x" * 3000):
        stranger.set_cookie("carebook", value)
        assert stranger.get("/account").status_code == 303
    with boss.session_transaction() as session:
        session["_user_id"] = {EVIL: 1}
    assert boss.get("/account").status_code == 303
    assert reached == []
