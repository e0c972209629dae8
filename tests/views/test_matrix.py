"""Who gets what at every address: the URL map of the application against declared expectations.

Every rule of the map must be declared in RULES (a screen's own routes by endpoint, the routes that
all lists have in LIST_ROUTES); one that is not fails `test_every_address_is_declared`. Each is
asked by every role with own, foreign, trashed and missing records, by GET and POST. Nothing that
belongs to others may appear in any answer.
"""

from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.views.declared_addresses import (
    FOREIGN,
    GONE,
    LOGIN,
    MAY,
    OK,
    OWN,
    ROLES,
    RULES,
    SECRETS,
    SECRETS_OF_TRASH,
    STRANGER,
    TRASHED,
    Expected,
    declared,
)
from tests.views.world import SEES_ALL, World, browser_for, cases, readable

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")


def test_every_address_is_declared(app: Flask) -> None:
    missing = sorted({one.endpoint for one in app.url_map.iter_rules() if declared(one) is None})
    assert not missing, (
        "New addresses: say in RULES of tests/views/declared_addresses.py what each needs and whose"
        " records it is about (or in LISTS, for a list), so that every role is tried on it."
    )
    known = {one.endpoint for one in app.url_map.iter_rules()}
    assert not set(RULES) - known, "declared, and not there any more"


def may(role: str, needs: Any) -> bool:
    return role != STRANGER and (needs is None or needs in MAY[role])


def is_theirs(role: str, about: str, whose: str) -> bool:
    """Whether a record of this kind, own or foreign, is within the role's reach."""
    if whose == OWN:
        return about != "batches"
    if about == "batches":
        return whose == TRASHED and role in SEES_ALL
    if whose != FOREIGN:
        return False
    if about in ("staff", "products", "audit"):
        return True
    if about == "views":
        return False  # a private one, even to an administrator
    if about in ("runs", "tokens"):
        return role == "administrator"
    return role in SEES_ALL


def wanted(expected: Expected, role: str, rule: Rule, whose: str) -> frozenset[int]:
    if role == STRANGER:
        return LOGIN if expected.strangers is None else expected.strangers
    if expected.fixed is not None:
        return expected.fixed
    if not may(role, expected.needs):
        # Of what is not theirs people need not even learn that it exists.
        return expected.refused if whose == OWN else expected.refused | GONE
    if expected.about and not is_theirs(role, expected.about, whose):
        return expected.gone | (OK if whose == TRASHED and expected.is_repeatable else frozenset())
    return OK | expected.also


@pytest.mark.parametrize("role", ROLES)
def test_every_address_answers_every_role_as_declared(role: str, app: Flask, world: World) -> None:
    client = browser_for(role, world, app)
    token = client.token() if role != STRANGER else ""
    world.keep()
    wrong = []
    for rule, expected, method, address, whose in cases(app, world):
        form = {"csrf_token": token, **expected.form}
        response = client.open(
            address, method=method, data=form if method == "POST" else None, follow_redirects=False
        )
        asked = wanted(expected, role, rule, whose)
        if response.status_code not in asked:
            wrong.append((method, address, whose, response.status_code, sorted(asked)))
        if role not in SEES_ALL:
            body = readable(response)
            leaks = [one for one in (*SECRETS, *SECRETS_OF_TRASH) if one in body]
            if leaks:
                wrong.append((method, address, whose, "leaks", leaks))
        if method == "POST" and response.status_code in OK:
            world.put_back()
    assert not wrong, "\n".join(map(str, wrong))
