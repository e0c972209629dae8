"""Who may open and do what, from the first day."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId
from flask import Flask

from models import Interaction, Order, Product, Staff
from rules.scope import Actor
from tests.factories import TODAY, make_customer, make_order, make_product
from tests.views.conftest import Browser
from tests.views.declared_addresses import PUBLIC
from tests.views.test_security import addresses

pytestmark = pytest.mark.usefixtures("morning", "shipped")


@pytest.fixture
def order(db: Any) -> ObjectId:
    return make_order(make_customer(), {make_product("SP1"): 1}, due_on=TODAY)


def product() -> dict[str, Any]:
    found = Product.collection().find_one({"code": "SP1"})
    assert found
    return found


def test_a_care_agent_may_care_but_not_configure_nor_delete(
    agent: Actor, browser_of: Callable[[Actor], Browser], order: ObjectId
) -> None:
    desk = browser_of(agent)
    interval = f"/products/{product()['_id']}/care"
    assert desk.get(interval).status_code == 403
    assert desk.send(interval, {"version": "1", "care_interval_days": "1"}).status_code == 403
    assert desk.send(f"/orders/{order}/delete").status_code == 403
    assert desk.send(f"/orders/{order}/restore").status_code == 403
    assert "/delete" not in desk.get(f"/orders/{order}").text
    assert product()["care_interval_days"] == 7
    assert Order.collection().find_one({"_id": order})
    for address in ("/", "/orders/due", "/customers/due", "/customers", "/care/history"):
        assert desk.get(address).status_code == 200, address


@pytest.mark.parametrize("who", ["manager", "administrator"])
def test_a_manager_may_configure_and_delete(
    who: str,
    request: pytest.FixtureRequest,
    browser_of: Callable[[Actor], Browser],
    order: ObjectId,
    valkey: Any,
) -> None:
    boss = browser_of(request.getfixturevalue(who))
    interval = f"/products/{product()['_id']}/care"
    response = boss.send(interval, {"version": "1", "care_interval_days": "1"})
    assert response.status_code == 303
    assert boss.get("/jobs").status_code == 200
    assert boss.send(f"/orders/{order}/delete").status_code == 303


def test_somebody_without_a_role_may_nothing(
    outsider: Actor, browser_of: Callable[[Actor], Browser], app: Flask, order: ObjectId
) -> None:
    browser = browser_of(outsider)
    token = browser.token()
    # Who looks as a role that may nothing must be able to stop it.
    open_to_all = {*PUBLIC, "login.logout", "login.language", "preview.leave_view"}
    for endpoint, method, address in addresses(app):
        if endpoint in open_to_all:
            continue
        response = browser.open(address, method=method, headers={"X-CSRFToken": token})
        assert response.status_code == 403, (method, address)
    assert browser.send(f"/care/orders/{order}", {"content": "x"}).status_code == 403
    assert Interaction.collection().count_documents({}) == 0


def test_a_deactivated_person_may_nothing_more(
    agent: Actor, browser_of: Callable[[Actor], Browser], order: ObjectId
) -> None:
    desk = browser_of(agent)
    token = desk.token()
    Staff.objects(pk=agent.staff_id).update_one(set__active=False)
    assert desk.get("/orders/due").status_code == 303
    form = {
        "csrf_token": token,
        "content": "x",
        "feedback": "satisfied",
        "next_on": f"{TODAY + timedelta(days=1):%d/%m/%Y}",
        "count": "0",
    }
    assert desk.post(f"/care/orders/{order}", data=form).status_code in (303, 409)
    assert Interaction.collection().count_documents({}) == 0


def test_every_address_needs_a_login(app: Flask, stranger: Browser, order: ObjectId) -> None:
    real = {
        "record_id": str(order),
        "order_id": str(order),
        "product_id": str(product()["_id"]),
        "row_id": str(order),
    }
    token = stranger.token()
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if rule.endpoint in PUBLIC:
                continue
            values = {name: real.get(name, "0" * 24) for name in rule.arguments}
            address = app.url_for(rule.endpoint, **values)
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                response = stranger.open(address, method=method, headers={"X-CSRFToken": token})
                assert response.status_code == 303, (method, address)
                assert "DH-" not in response.text


def test_every_post_needs_a_token(
    app: Flask, manager: Actor, browser_of: Callable[[Actor], Browser], order: ObjectId
) -> None:
    boss = browser_of(manager)
    for address in (
        f"/care/orders/{order}",
        f"/care/orders/{order}/postpone",
        f"/orders/{order}/delete",
        f"/products/{product()['_id']}/care",
    ):
        for headers in ({}, {"HX-Request": "true"}, {"X-CSRFToken": "wrong"}):
            response = boss.post(address, data={"content": "x"}, headers=headers)
            assert response.status_code == 409, address
    assert Order.collection().find_one({"_id": order})
    assert Interaction.collection().count_documents({}) == 0
