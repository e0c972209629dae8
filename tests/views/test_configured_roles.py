"""Roles as the site configures them are in force with the next request, everywhere."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from models import Customer, Staff
from rules.errors import InvalidInput, NotAllowed
from rules.permissions import ACCOUNTS
from rules.scope import SYSTEM, Actor
from services import (
    accounts,
    actors,
    assignments,
    configuration,
    configuration_changes,
    leaving,
    staff,
)
from services.configuration_changes import Change
from services.progress import NoProgress
from tests.factories import NOW, make_customer
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("morning", "shipped")

READER = {
    "label_vi": "Người đọc",
    "label_en": "Reader",
    "kinds": {"customers": {"actions": ["see"], "reach": "all"}},
    "abilities": [],
}


def configure(key: str, content: dict[str, Any] | None) -> None:
    configuration_changes.apply([Change("roles", key, content)], says=key, by=SYSTEM, at=NOW)


def give(actor: Actor, *roles: str) -> None:
    Staff.collection().update_one({"_id": actor.staff_id}, {"$set": {"roles": list(roles)}})


def test_a_role_of_the_site_opens_what_it_allows_and_nothing_else(
    agent: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    customer = make_customer()
    configure("reader", READER)
    give(agent, "reader")
    desk = browser_of(agent)
    assert desk.get("/customers").status_code == 200
    assert desk.get(f"/customers/{customer}").status_code == 200
    for address in (
        "/orders/due",
        "/care/history",
        "/products",
        "/staff",
        f"/care/customers/{customer}",
    ):
        assert desk.get(address).status_code == 403, address
    page = desk.get("/customers").text
    assert "Người đọc" in page
    assert 'data-screen="orders_due"' not in page
    form = {"name": "Khác", "version": "1"}
    assert desk.send(f"/customers/{customer}/edit", form).status_code == 403
    assert (Customer.collection().find_one({"_id": customer}) or {})["name"] != "Khác"


def test_a_change_is_in_force_with_the_next_request(
    agent: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    configure("reader", READER)
    give(agent, "reader")
    desk = browser_of(agent)
    assert desk.get("/customers").status_code == 200
    configure("reader", READER | {"kinds": {}})
    assert desk.get("/customers").status_code == 403
    configure("reader", None)
    assert desk.get("/account").status_code == 403


def test_a_broken_role_locks_no_administrator_out(
    administrator: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    configure("administrator", {"kinds": {}, "abilities": []})
    configure("manager", {"kinds": 7})
    desk = browser_of(administrator)
    assert desk.get("/staff").status_code == 200
    assert desk.get("/settings/access").status_code == 200


def test_a_job_asks_for_the_roles_of_its_moment(manager: Actor, colleague: Actor) -> None:
    make_customer()
    give(manager, "care_agent")
    with pytest.raises(NotAllowed):
        assignments.run_assigning_customers(
            NoProgress(),
            criteria="{}",
            staff_ids=[str(colleague.staff_id)],
            way=assignments.ADD,
            by={"staff_id": str(manager.staff_id)},
            at=NOW,
        )
    assert Customer.collection().count_documents({"carers": colleague.staff_id}) == 0


@pytest.fixture
def clerk(agent: Actor) -> Actor:
    """Looks after accounts without being an administrator."""
    configure("clerk", READER | {"abilities": [ACCOUNTS]})
    give(agent, "clerk")
    return replace(agent, granted=configuration.snapshot().access(["clerk"]))


def test_nobody_gives_more_than_they_have(clerk: Actor) -> None:
    for role in ("administrator", "manager", "care_agent"):
        with pytest.raises(InvalidInput):
            accounts.create_staff("new@example.com", "Mới", [role], clerk)
    configure("reader", READER)
    assert accounts.create_staff("new@example.com", "Mới", ["reader"], clerk)


def test_nobody_takes_over_an_account_that_may_do_more(clerk: Actor, manager: Actor) -> None:
    with pytest.raises(NotAllowed):
        staff.end_sessions(manager.staff_id, name=None, by=clerk, at=NOW)
    with pytest.raises(NotAllowed):
        leaving.deactivate_staff(manager.staff_id, clerk, datetime.now(UTC))
    assert actors.as_now(manager.staff_id, at=NOW, screen="x").name == manager.name
