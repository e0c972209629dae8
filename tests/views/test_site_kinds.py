"""Kinds of documents that a site defines while it runs: list, form, page, tab, files, trash (B.14)."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from bson import ObjectId

from models import AuditEntry, Customer, Record, Site
from rules.scope import Actor
from services import configuration_changes, trash
from services.configuration_changes import Change
from services.scope import recompute_scope
from tests.factories import NOW, make_customer
from tests.views.conftest import Browser

TICKET = {"label_vi": "Phiếu bảo hành", "label_en": "Warranty tickets", "one_vi": "phiếu"}
FIELDS = [
    Change("fields", "warranty_ticket.serial", {"type": "text", "label_vi": "Số máy"}),
    Change("fields", "warranty_ticket.cost", {"type": "money", "label_vi": "Chi phí"}),
]


@pytest.fixture
def ticket(shipped: None, administrator: Actor) -> None:
    configuration_changes.apply(
        [Change("kinds", "warranty_ticket", TICKET), *FIELDS],
        says="t",
        by=administrator,
        at=NOW,
    )


def add(desk: Browser, **typed: str) -> ObjectId:
    answer = desk.send("/e/warranty_ticket/new", {"title": "Máy không lên", **typed})
    assert answer.status_code == 303, answer.text
    return ObjectId(answer.location.rsplit("/", 1)[1])


def limited(mode: str = "by_customer") -> None:
    Site.collection().update_one(
        {"key": "site"}, {"$set": {"care_mode": mode}, "$inc": {"config_rev": 1}}
    )


def test_an_administrator_defines_a_kind_in_the_browser(
    morning: None, shipped: None, administrator: Actor, browser_of: Callable[..., Any]
) -> None:
    office = browser_of(administrator)
    typed = {"label_vi": "Phiếu bảo hành", "has_customer": "1", "icon": "ticket"}
    assert office.send("/settings/kinds/new", typed).status_code == 303
    page = office.get("/e/phieu_bao_hanh/")
    assert page.status_code == 200
    assert "Phiếu bảo hành" in page.text
    assert "/e/phieu_bao_hanh/" in office.get("/customers/").text  # the sidebar
    again = office.send("/settings/kinds/new", typed)
    assert again.status_code == 422
    assert 'value="Phiếu bảo hành"' in again.text


@pytest.mark.parametrize("key", ["customers", "records", "A B", "1abc", "$where", "x" * 41])
def test_keys_that_would_confuse_are_refused(
    morning: None, shipped: None, administrator: Actor, browser_of: Callable[..., Any], key: str
) -> None:
    answer = browser_of(administrator).send(
        "/settings/kinds/new", {"label_vi": "Phiếu", "key": key}
    )
    assert answer.status_code == 422


def test_only_those_who_configure_define_kinds(desk: Browser) -> None:
    assert desk.get("/settings/kinds/").status_code == 403
    assert desk.send("/settings/kinds/new", {"label_vi": "Phiếu"}).status_code == 403


def test_a_record_is_added_listed_found_changed_and_audited(ticket: None, desk: Browser) -> None:
    record = add(desk, serial="SN-77", cost="1.250.000")
    stored = Record.collection().find_one({"_id": record})
    assert stored
    assert stored["custom"] == {"serial": "SN-77", "cost": 1250000}
    assert stored["code"].startswith("WAR-")
    assert "Máy không lên" in desk.get("/e/warranty_ticket/?q=may+khong").text
    assert "1.250.000" in desk.get(f"/e/warranty_ticket/{record}").text
    changed = {"serial": "SN-78", "was.serial": "SN-77", "version": "1"}
    assert desk.send(f"/e/warranty_ticket/{record}/edit", changed).status_code == 303
    entry = AuditEntry.collection().find_one({"kind": "warranty_ticket", "action": "update"})
    assert entry
    assert entry["changes"] == [{"field": "custom.serial", "old": "SN-77", "new": "SN-78"}]
    assert "SN-78" in desk.get(f"/changes/warranty_ticket/{record}").text


def test_its_fields_are_filtered_and_exported(
    ticket: None, desk: Browser, manager: Actor, browser_of: Callable[..., Any]
) -> None:
    add(desk, title="Rẻ", cost="100")
    add(desk, title="Đắt", cost="9000")
    page = desk.get("/e/warranty_ticket/?where=and(cost.ge(1000))").text
    assert "Đắt" in page
    assert "Rẻ" not in page
    office = browser_of(manager)
    office.send("/e/warranty_ticket/columns", {"columns": ["title", "cost"]})
    text = office.get("/e/warranty_ticket/export/csv").data.decode("utf-8-sig")
    assert "Đắt,9000" in text


def test_a_customer_has_a_tab_of_them_and_its_page_adds_one(ticket: None, desk: Browser) -> None:
    customer = make_customer()
    record = add(desk, customer=str(customer))
    page = desk.get(f"/customers/{customer}?tab=warranty_ticket").text
    assert f"/e/warranty_ticket/{record}" in page
    form = desk.get(f"/e/warranty_ticket/new?customer={customer}").text
    assert str(customer) in form


def test_who_does_not_see_the_customer_does_not_see_its_records(
    ticket: None, desk: Browser, agent: Actor, colleague: Actor, browser_of: Callable[..., Any]
) -> None:
    customer = make_customer(carers=[agent.staff_id], seen_by=[agent.staff_id])
    record = add(desk, title="Bí mật", customer=str(customer))
    other = browser_of(colleague)
    limited()
    assert other.get(f"/e/warranty_ticket/{record}").status_code == 404
    assert "Bí mật" not in other.get("/e/warranty_ticket/").text
    assert other.send(f"/e/warranty_ticket/{record}/edit", {"title": "x"}).status_code == 404
    Customer.collection().update_one({"_id": customer}, {"$set": {"carers": [colleague.staff_id]}})
    recompute_scope([customer])
    assert other.get(f"/e/warranty_ticket/{record}").status_code == 200


def test_a_customer_out_of_sight_cannot_be_named(ticket: None, desk: Browser) -> None:
    foreign = make_customer()
    limited()
    answer = desk.send("/e/warranty_ticket/new", {"title": "x", "customer": str(foreign)})
    assert answer.status_code == 422
    assert Record.collection().count_documents({}) == 0


def test_a_customer_in_the_trash_takes_its_records_along(
    ticket: None, desk: Browser, manager: Actor, browser_of: Callable[..., Any]
) -> None:
    customer = make_customer()
    record = add(desk, customer=str(customer))
    trash.delete("customers", customer, by=manager, at=NOW)
    assert desk.get(f"/e/warranty_ticket/{record}").status_code == 404
    browser_of(manager).send(f"/customers/{customer}/restore")
    assert desk.get(f"/e/warranty_ticket/{record}").status_code == 200


def test_a_record_is_deleted_and_brought_back(
    ticket: None, desk: Browser, manager: Actor, browser_of: Callable[..., Any]
) -> None:
    record = add(desk)
    office = browser_of(manager)
    assert desk.send(f"/e/warranty_ticket/{record}/delete").status_code == 403
    assert office.send(f"/e/warranty_ticket/{record}/delete").status_code == 303
    assert office.get(f"/e/warranty_ticket/{record}").status_code == 404
    office.send(f"/e/warranty_ticket/{record}/restore")
    assert office.get(f"/e/warranty_ticket/{record}").status_code == 200


def test_files_are_kept_with_it(ticket: None, desk: Browser) -> None:
    record = add(desk)
    sent = {"files": (io.BytesIO(b"Bien ban"), "bien-ban.txt")}
    answer = desk.send(f"/files/to/records/{record}", sent, content_type="multipart/form-data")
    assert answer.status_code == 303
    assert "bien-ban.txt" in desk.get(f"/e/warranty_ticket/{record}?tab=files").text


def test_unknown_and_retired_kinds_are_not_there(
    ticket: None, desk: Browser, administrator: Actor
) -> None:
    record = add(desk)
    assert desk.get("/e/nothing/").status_code == 404
    assert desk.get("/e/customers/").status_code == 404
    configuration_changes.apply(
        [Change("kinds", "warranty_ticket", TICKET | {"is_retired": True})],
        says="t",
        by=administrator,
        at=NOW,
    )
    assert desk.get("/e/warranty_ticket/").status_code == 404
    assert desk.get(f"/e/warranty_ticket/{record}").status_code == 404
    assert "warranty_ticket" not in desk.get("/customers/").text
    assert Record.collection().count_documents({}) == 1


def test_a_record_of_one_kind_is_not_shown_as_another(
    ticket: None, desk: Browser, administrator: Actor
) -> None:
    configuration_changes.apply(
        [Change("kinds", "contract", {"label_vi": "Hợp đồng"})], says="t", by=administrator, at=NOW
    )
    record = add(desk)
    assert desk.get(f"/e/contract/{record}").status_code == 404
