"""The screens of roles and teams, and looking at everything as a role."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from models import AuditEntry, ConfigurationRevision, Customer, Staff
from rules.scope import BY_CUSTOMER, SYSTEM, Actor
from services import assignments, configuration, configuration_changes
from services.configuration_changes import Change
from services.scope import recompute_all_scope
from tests.factories import NOW, make_customer
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")

FORM = {
    "label_vi": "Tổng đài",
    "version": "0",
    "actions.customers": ["see", "edit"],
    "reach.customers": "own",
    "where.customers": "relationship.in(hot)",
    "level.customers.phones": "masked",
    "level.customers.name": "hidden",
    "actions.orders": ["export"],
    "reach.orders": "team",
    "reach.products": "all",
    "reach.entries": "own",
    "reach.other": "own",
    "abilities": ["reveal", "nonsense"],
}


@pytest.fixture
def boss(administrator: Actor, browser_of: Callable[[Actor], Browser]) -> Browser:
    return browser_of(administrator)


def stored(section: str, key: str) -> dict[str, Any]:
    content, _ = configuration_changes.item(section, key)
    return dict(content or {})


def test_a_role_is_added_with_all_that_it_allows(boss: Browser) -> None:
    answer = boss.send("/settings/roles/new", FORM)
    assert answer.status_code == 303
    assert answer.location.endswith("/settings/roles/tong_dai")
    content = stored("roles", "tong_dai")
    customers = content["kinds"]["customers"]
    assert customers["actions"] == ["see", "edit"]
    assert (customers["reach"], customers["where"]) == ("own", "relationship.in(hot)")
    assert customers["fields"] == {"phones": "masked"}, "what it is called by cannot be hidden"
    assert content["kinds"]["orders"]["actions"] == ["see", "export"], "who takes out also sees"
    assert content["abilities"] == ["reveal"]
    page = boss.get("/settings/roles/tong_dai").text
    assert "Nóng" in page, "the rule in words"
    listed = boss.get("/settings/roles").text
    assert "Tổng đài" in listed
    assert ConfigurationRevision.collection().count_documents({}) == 1
    assert AuditEntry.collection().find_one({"kind": "configuration"})


def test_what_is_wrong_is_said_beside_it_and_nothing_typed_is_lost(boss: Browser) -> None:
    wrong = FORM | {"label_vi": "", "where.customers": "((", "reach.orders": "galaxy"}
    answer = boss.send("/settings/roles/new", wrong)
    assert answer.status_code == 422
    assert answer.text.count("field-error") >= 3
    assert 'value="(("' in answer.text
    assert ConfigurationRevision.collection().count_documents({}) == 0
    assert boss.send("/settings/roles/new", FORM | {"key": "manager"}).status_code == 422


def test_two_who_edit_a_role_at_once_do_not_overwrite_each_other(boss: Browser) -> None:
    boss.send("/settings/roles/new", FORM)
    form = FORM | {"version": "1"}
    assert boss.send("/settings/roles/tong_dai", form | {"label_vi": "A"}).status_code == 303
    answer = boss.send("/settings/roles/tong_dai", form | {"label_vi": "B"})
    assert answer.status_code == 409
    assert 'value="B"' in answer.text
    assert stored("roles", "tong_dai")["label_vi"] == "A"


def test_the_administrators_role_can_only_be_renamed(boss: Browser) -> None:
    answer = boss.send("/settings/roles/administrator", FORM | {"label_vi": "Sếp"})
    assert answer.status_code == 303
    assert stored("roles", "administrator") == {"label_vi": "Sếp", "label_en": ""}
    assert boss.get("/staff").status_code == 200
    assert boss.send("/settings/roles/administrator/retire").status_code == 303
    assert not configuration.snapshot().roles["administrator"].is_retired


def test_a_role_that_people_have_is_retired_by_giving_them_another_one(
    boss: Browser, agent: Actor
) -> None:
    boss.send("/settings/roles/care_agent/retire")
    assert not configuration.snapshot().roles["care_agent"].is_retired
    boss.send("/settings/roles/care_agent/retire", {"instead": "manager"})
    assert configuration.snapshot().roles["care_agent"].is_retired
    assert (Staff.collection().find_one({"_id": agent.staff_id}) or {})["roles"] == ["manager"]
    entry = AuditEntry.collection().find_one({"kind": "staff", "record_id": agent.staff_id}) or {}
    assert entry["changes"][0]["field"] == "roles"
    assert 'value="care_agent"' not in boss.get("/staff/new").text
    boss.send("/settings/roles/care_agent/restore")
    assert not configuration.snapshot().roles["care_agent"].is_retired


def test_a_copy_begins_with_what_the_other_role_allows(boss: Browser) -> None:
    page = boss.get("/settings/roles/new?copy=care_agent").text
    assert "Bản sao của" in page
    assert 'name="actions.customers" value="edit"' in page


@pytest.mark.parametrize("address", ["/settings/roles", "/settings/teams", "/settings/roles/new"])
def test_only_who_looks_after_accounts_opens_them(
    manager: Actor, browser_of: Callable[[Actor], Browser], address: str
) -> None:
    assert browser_of(manager).get(address).status_code == 403


def test_nobody_makes_a_role_that_allows_more_than_they_have(
    agent: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    clerk = {"label_vi": "x", "kinds": {}, "abilities": ["accounts", "configure"]}
    change = Change("roles", "clerk", clerk)
    configuration_changes.apply([change], says="x", by=SYSTEM, at=NOW)
    Staff.collection().update_one({"_id": agent.staff_id}, {"$set": {"roles": ["clerk"]}})
    desk = browser_of(agent)
    assert desk.send("/settings/roles/new", FORM).status_code == 403
    manager = FORM | {"label_vi": "Quản lý"}
    assert desk.send("/settings/roles/manager", manager).status_code == 403
    assert desk.send("/preview/begin", {"role": "manager"}).status_code == 403
    assert stored("roles", "tong_dai") == {}


def test_a_team_is_made_changed_and_removed(boss: Browser, agent: Actor, colleague: Actor) -> None:
    form = {
        "label_vi": "Miền Bắc",
        "members": str(agent.staff_id),
        "leads": str(colleague.staff_id),
    }
    assert boss.send("/settings/teams/new", form).status_code == 303
    team = configuration.snapshot().teams["mien_bac"]
    assert (team.members, team.leads) == ({agent.staff_id}, {colleague.staff_id})
    assert "Trần Văn Bình" in boss.get("/settings/teams").text
    assert boss.send("/settings/teams/mien_bac", form | {"version": "0"}).status_code == 409
    assert boss.send("/settings/teams/new", {"label_vi": ""}).status_code == 422
    assert boss.send("/settings/teams/new", form | {"members": "x"}).status_code == 422
    boss.send("/settings/teams/mien_bac/remove")
    assert configuration.snapshot().teams == {}


@pytest.fixture
def shop(boss: Browser, agent: Actor, manager: Actor) -> None:
    assignments.set_care_mode(BY_CUSTOMER, by=manager, at=NOW)
    make_customer(name="Khách của An", code="KH-AN", carers=[agent.staff_id])
    make_customer(name="Khách khác", code="KH-KHAC")
    recompute_all_scope(at=NOW)


def test_an_administrator_sees_everything_as_a_role_until_leaving(
    shop: None, boss: Browser, agent: Actor, administrator: Actor
) -> None:
    form = {"role": "care_agent", "staff": str(agent.staff_id)}
    assert boss.send("/preview/begin", form).status_code == 303
    page = boss.get("/customers").text
    assert "Khách của An" in page
    assert "Khách khác" not in page
    assert "preview-bar" in page
    assert 'data-screen="staff"' not in page
    assert boss.get("/staff").status_code == 403
    assert boss.get("/settings/roles").status_code == 403
    entry = AuditEntry.collection().find_one({"action": "preview"}) or {}
    assert (entry["staff_id"], entry["record_label"]) == (administrator.staff_id, "care_agent")
    assert boss.send("/preview/leave").status_code == 303
    page = boss.get("/customers").text
    assert "Khách khác" in page
    assert "preview-bar" not in page
    assert AuditEntry.collection().count_documents({"action": "preview ended"}) == 1


def test_nothing_is_changed_while_somebody_looks_as_a_role(
    shop: None, boss: Browser, agent: Actor
) -> None:
    boss.send("/preview/begin", {"role": "manager", "staff": str(agent.staff_id)})
    customer = (Customer.collection().find_one({"code": "KH-AN"}) or {})["_id"]
    before = Customer.collection().find_one({"_id": customer})
    for address in (
        f"/customers/{customer}/edit",
        f"/customers/{customer}/delete",
        f"/care/customers/{customer}",
        "/account/theme",
        "/settings/roles/new",
        "/preview/begin",
    ):
        assert boss.send(address, FORM).status_code == 403, address
    assert boss.get("/queue").status_code == 403
    assert boss.get("/customers/export/csv").status_code == 403
    assert Customer.collection().find_one({"_id": customer}) == before


def test_with_the_scope_of_nobody_there_is_nothing_of_anybody(shop: None, boss: Browser) -> None:
    boss.send("/preview/begin", {"role": "care_agent"})
    page = boss.get("/customers")
    assert page.status_code == 200
    assert "Khách" not in page.text.replace("Khách hàng", "").replace("khách hàng", "")


def test_a_look_ends_by_itself_and_with_the_right_to_it(
    shop: None, boss: Browser, administrator: Actor
) -> None:
    boss.send("/preview/begin", {"role": "care_agent"})
    with time_machine.travel(NOW + timedelta(minutes=31), tick=True):
        assert "preview-bar" not in boss.get("/customers").text
    boss.send("/preview/leave")
    boss.send("/preview/begin", {"role": "manager"})
    Staff.collection().update_one(
        {"_id": administrator.staff_id}, {"$set": {"roles": ["care_agent"]}}
    )
    page = boss.get("/customers").text
    assert "preview-bar" not in page
    assert "Khách khác" not in page, "what the person is now, and no more"


def test_who_may_not_look_after_accounts_cannot_look_as_a_role(
    manager: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    assert browser_of(manager).send("/preview/begin", {"role": "care_agent"}).status_code == 403
