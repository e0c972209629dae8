"""What a role says about a field or kind holds again when that comes back from retirement."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from models import Staff
from rules.scope import SYSTEM, Actor
from services import configuration, configuration_changes, field_settings
from services.configuration_changes import Change
from tests.factories import NOW, make_customer
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")

SECRET = {"type": "text", "label_vi": "Bí mật"}
TICKET = {"label_vi": "Phiếu bảo hành"}
READER = {
    "label_vi": "Người đọc",
    "kinds": {
        "customers": {"actions": ["see"], "reach": "all", "fields": {"secret": "hidden"}},
        "ticket": {"actions": [], "reach": "own"},
    },
    "other_kinds": {"actions": ["see"], "reach": "all"},
    "abilities": [],
}
# What the form sends while the field and the kind are retired.
FORM = {
    "label_vi": "Người đọc",
    "version": "1",
    "actions.customers": ["see"],
    "reach.customers": "all",
    "level.customers.phones": "masked",
    "reach.orders": "own",
    "reach.products": "own",
    "reach.entries": "own",
    "actions.other": ["see"],
    "reach.other": "all",
}


def apply(*changes: Change) -> None:
    configuration_changes.apply(changes, says="x", by=SYSTEM, at=NOW)


@pytest.fixture
def boss(administrator: Actor, browser_of: Callable[[Actor], Browser]) -> Browser:
    return browser_of(administrator)


@pytest.fixture(autouse=True)
def role(db: Any, shipped: None) -> None:
    apply(
        Change("fields", "customers.secret", SECRET),
        Change("kinds", "ticket", TICKET),
        Change("roles", "reader", READER),
    )


def retire(is_retired: bool, *, by: Actor = SYSTEM) -> None:
    field_settings.retire("customers", "secret", is_retired=is_retired, by=by, at=NOW)
    apply(Change("kinds", "ticket", TICKET | ({"is_retired": True} if is_retired else {})))


def test_what_a_role_may_not_see_stays_hidden_after_retiring_saving_and_bringing_back(
    boss: Browser, agent: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    Staff.collection().update_one({"_id": agent.staff_id}, {"$set": {"roles": ["reader"]}})
    customer = make_customer(custom={"secret": "Nợ xấu"})
    retire(True)
    assert boss.send("/settings/roles/reader", FORM).status_code == 303
    retire(False)
    desk = browser_of(agent)
    assert "Nợ xấu" not in desk.get(f"/customers/{customer}?tab=details").text
    assert desk.get("/e/ticket/").status_code == 403
    role = configuration.snapshot().roles["reader"]
    assert dict(role.kinds["customers"].fields) == {"secret": "hidden", "phones": "masked"}


def test_a_form_that_was_open_meanwhile_takes_no_restriction_away(boss: Browser) -> None:
    assert boss.send("/settings/roles/reader", FORM).status_code == 303
    role = configuration.snapshot().roles["reader"]
    assert role.kinds["customers"].fields["secret"] == "hidden"
    assert role.kinds["ticket"].actions == frozenset()


def test_a_copy_has_the_restrictions_too(boss: Browser) -> None:
    retire(True)
    form: Mapping[str, Any] = FORM | {"label_vi": "Bản sao", "version": "0"}
    assert boss.send("/settings/roles/new?copy=reader", form).status_code == 303
    role = configuration.snapshot().roles["ban_sao"]
    assert role.kinds["customers"].fields["secret"] == "hidden"
    assert "ticket" in role.kinds


def test_what_the_form_sends_is_what_holds(boss: Browser) -> None:
    form = FORM | {"level.customers.secret": "", "reach.ticket": "all", "actions.ticket": ["see"]}
    assert boss.send("/settings/roles/reader", form).status_code == 303
    role = configuration.snapshot().roles["reader"]
    assert dict(role.kinds["customers"].fields) == {"phones": "masked"}
    assert role.kinds["ticket"].reach == "all"
