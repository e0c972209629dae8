"""Records of the site's own kinds are cared for like orders: form, date, history, scope, trash (B.14)."""

import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId
from werkzeug.test import TestResponse

from models import Attachment, AuditEntry, Customer, Interaction, Record, Site, Staff
from models.base import stored_date
from rules.scope import SYSTEM, Actor
from services import configuration_changes, trash
from services.configuration_changes import Change
from services.orphans import references
from services.progress import NoProgress
from services.scope import recompute_scope
from tests.factories import NOW, TODAY, make_customer
from tests.views.conftest import Browser

KIND = {"label_vi": "Phiếu bảo hành", "label_en": "Warranty tickets", "one_vi": "Phiếu"}
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://localhost/e/ticket"}
IN_A_WEEK = TODAY + timedelta(days=7)
TYPED = {
    "content": "Đã hẹn thợ #sua",
    "feedback": "satisfied",
    "next_on": f"{IN_A_WEEK:%d/%m/%Y}",
    "entry_key": "the-key-of-this-form",
    "count": "0",
}


def configure(**content: Any) -> None:
    change = Change("kinds", "ticket", KIND | content)
    configuration_changes.apply([change], says="t", by=SYSTEM, at=NOW)


@pytest.fixture
def ticket(shipped: None) -> None:
    configure()


def add(desk: Browser, title: str = "Máy không lên", **typed: str) -> ObjectId:
    answer = desk.send("/e/ticket/new", {"title": title, **typed})
    assert answer.status_code == 303, answer.text
    return ObjectId(answer.location.rsplit("/", 1)[1])


def save(desk: Browser, record: ObjectId, **form: Any) -> TestResponse:
    return desk.send(f"/care/records/{record}", TYPED | form, headers=HTMX)


def care_of(record: ObjectId) -> dict[str, Any]:
    found = Record.collection().find_one({"_id": record})
    assert found
    return dict(found["care"])


def entries() -> list[dict[str, Any]]:
    return list(Interaction.collection().find({"event": None}))


def limited() -> None:
    Site.collection().update_one(
        {"key": "site"}, {"$set": {"care_mode": "by_customer"}, "$inc": {"config_rev": 1}}
    )


def test_an_entry_sets_the_date_and_is_the_history(
    ticket: None, desk: Browser, agent: Actor
) -> None:
    customer = make_customer(name="Lê Hoà")
    record = add(desk, customer=str(customer))
    form = desk.get(f"/care/records/{record}", headers=HTMX).text
    assert "Lê Hoà" in form
    assert f'action="/care/records/{record}"' in form
    answer = save(desk, record)
    detail = json.loads(answer.headers["HX-Trigger"])["care-saved"]
    assert detail["record"] == str(record)
    assert detail["url"] == f"/e/ticket/{record}"
    assert care_of(record) == {
        "state": "appointed",
        "due_on": stored_date(IN_A_WEEK),
        "basis": {
            "kind": "appointment",
            "staff_id": agent.staff_id,
            "staff_name": agent.name,
            "set_on": stored_date(TODAY),
        },
        "count": 1,
        "last_at": care_of(record)["last_at"],
        "last_feedback": "satisfied",
        "staff_id": agent.staff_id,
    }
    [entry] = entries()
    code = (Record.collection().find_one({"_id": record}) or {})["code"]
    assert entry["customer_id"] == customer
    assert (entry["record_id"], entry["record_kind"], entry["record_code"]) == (
        *(record, "ticket", code),
    )
    assert entry["tags"] == ["sua"]
    for address in (f"/e/ticket/{record}?tab=history", f"/customers/{customer}"):
        assert "Đã hẹn thợ" in desk.get(address).text
    assert f"/e/ticket/{record}" in desk.get(f"/customers/{customer}").text
    assert "Đã hẹn thợ" in desk.get(f"/care/customers/{customer}", headers=HTMX).text
    assert "Đã hẹn thợ" in desk.get("/care/history/").text
    audited = AuditEntry.collection().find_one({"action": "care"}) or {}
    assert (audited["kind"], audited["record_id"]) == ("ticket", record)


def test_it_is_a_contact_of_the_customer_and_leaves_the_customers_own_date(
    ticket: None, desk: Browser
) -> None:
    customer = make_customer(care={"state": "none"})
    record = add(desk, customer=str(customer))
    save(desk, record)
    stored = Customer.collection().find_one({"_id": customer}) or {}
    assert stored["last_contact_at"] == entries()[0]["at"]
    assert stored["facts"]["last_feedback"] == "satisfied"
    assert stored["care"]["state"] == "none"
    assert [one for one in stored.get("history", []) if one["kind"] == "care"] == []


def test_a_record_without_a_customer_is_cared_for_too(ticket: None, desk: Browser) -> None:
    record = add(desk)
    assert desk.get(f"/care/records/{record}").status_code == 200
    assert save(desk, record).status_code == 200
    assert entries()[0]["customer_id"] is None
    assert care_of(record)["count"] == 1
    for address in (f"/e/ticket/{record}?tab=history", "/care/history/", "/"):
        assert "Đã hẹn thợ" in desk.get(address).text


def test_no_more_care_ends_it_and_the_next_entry_opens_it_again(
    ticket: None, desk: Browser
) -> None:
    record = add(desk)
    save(desk, record, next_on="", ended="1")
    assert care_of(record)["state"] == "ended"
    assert "due_on" not in care_of(record)
    assert "Không chăm sóc nữa" in desk.get(f"/e/ticket/{record}?tab=history").text
    save(desk, record, count="1", entry_key="k2")
    assert care_of(record)["state"] == "appointed"


def test_a_double_click_stores_once(ticket: None, desk: Browser) -> None:
    record = add(desk)
    answers = [save(desk, record) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200]
    assert len(entries()) == 1
    assert care_of(record)["count"] == 1


def test_the_slower_colleague_keeps_the_text_and_reads_who_was_faster(
    ticket: None, desk: Browser, colleague: Actor, browser_of: Callable[..., Any]
) -> None:
    record = add(desk)
    save(browser_of(colleague), record, entry_key="theirs", content="Tôi gọi rồi")
    answer = save(desk, record)
    assert answer.status_code == 409
    assert colleague.name in answer.text
    assert "Đã hẹn thợ #sua" in answer.text
    assert "Tôi gọi rồi" in answer.text
    assert 'name="count" value="1"' in answer.text
    assert len(entries()) == 1


def test_what_is_wrong_is_said_and_what_was_typed_stays(ticket: None, desk: Browser) -> None:
    record = add(desk)
    answer = save(desk, record, next_on="", feedback="")
    assert answer.status_code == 422
    assert "Đã hẹn thợ #sua" in answer.text
    assert entries() == []


def test_files_go_with_the_entry_and_follow_the_record(
    ticket: None,
    desk: Browser,
    agent: Actor,
    colleague: Actor,
    browser_of: Callable[..., Any],
) -> None:
    customer = make_customer(carers=[agent.staff_id], seen_by=[agent.staff_id])
    record = add(desk, customer=str(customer))
    answer = desk.send(
        f"/care/records/{record}",
        TYPED | {"files": (io.BytesIO(b"Bien ban"), "bien-ban.txt")},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 303, answer.text
    page = desk.get(f"/e/ticket/{record}?tab=history").text
    assert "bien-ban.txt" in page
    file = Attachment.objects.get()
    assert desk.get(f"/files/{file.pk}").status_code == 200
    other = browser_of(colleague)
    limited()
    assert other.get(f"/files/{file.pk}").status_code == 404


def test_the_form_follows_the_scope_of_the_record(
    ticket: None, desk: Browser, agent: Actor, colleague: Actor, browser_of: Callable[..., Any]
) -> None:
    customer = make_customer(carers=[agent.staff_id], seen_by=[agent.staff_id])
    record = add(desk, customer=str(customer))
    other = browser_of(colleague)
    limited()
    assert other.get(f"/care/records/{record}").status_code == 404
    assert save(other, record).status_code == 404
    assert entries() == []
    Customer.collection().update_one({"_id": customer}, {"$set": {"carers": [colleague.staff_id]}})
    recompute_scope([customer])
    assert save(other, record).status_code == 200


def test_who_may_not_see_the_kind_reads_no_entry_about_it(
    ticket: None, desk: Browser, administrator: Actor, browser_of: Callable[..., Any]
) -> None:
    customer = make_customer()
    save(desk, add(desk, customer=str(customer)))
    role = {
        "label_vi": "Hẹp",
        "kinds": {
            kind: {"actions": ["see", "create"], "reach": "all"}
            for kind in ("customers", "entries")
        },
    }
    configuration_changes.apply([Change("roles", "narrow", role)], says="t", by=SYSTEM, at=NOW)
    Staff.collection().update_one({"_id": administrator.staff_id}, {"$set": {"roles": ["narrow"]}})
    narrow = browser_of(administrator)
    for address in (f"/customers/{customer}", "/care/history/", f"/care/customers/{customer}"):
        answer = narrow.get(address)
        assert answer.status_code == 200
        assert "Đã hẹn thợ" not in answer.text


def test_the_list_has_the_square_and_filters_and_sorts_by_care(ticket: None, desk: Browser) -> None:
    late, soon, never = add(desk, "Muộn"), add(desk, "Sớm"), add(desk, "Chưa")
    save(desk, late, entry_key="a", next_on=f"{TODAY + timedelta(days=9):%d/%m/%Y}")
    save(desk, soon, entry_key="b")
    page = desk.get("/e/ticket/?sort=due").text
    assert f'href="/care/records/{late}"' in page
    shown = re.findall(r'data-row="([0-9a-f]{24})"', page)
    assert shown.index(str(soon)) < shown.index(str(late))
    page = desk.get("/e/ticket/?where=and(care_state.in(appointed))").text
    assert set(re.findall(r'data-row="([0-9a-f]{24})"', page)) == {str(late), str(soon)}
    page = desk.get("/e/ticket/?where=and(due.on(%2B7d))").text
    assert re.findall(r'data-row="([0-9a-f]{24})"', page) == [str(soon)]
    assert str(never) in desk.get(f"/e/ticket/rows/{never}", headers=HTMX).text


def test_a_kind_that_is_not_cared_for_shows_nothing_of_it(ticket: None, desk: Browser) -> None:
    record = add(desk)
    save(desk, record)
    configure(has_care=False)
    assert desk.get(f"/care/records/{record}").status_code == 404
    assert save(desk, record, entry_key="k2").status_code == 404
    for address in ("/e/ticket/", f"/e/ticket/{record}"):
        page = desk.get(address).text
        assert f"/care/records/{record}" not in page
        assert "Ngày chăm sóc" not in page
    configure(has_care=True)
    assert care_of(record)["count"] == 1
    assert "Đã hẹn thợ" in desk.get(f"/e/ticket/{record}?tab=history").text


def test_the_settings_say_whether_a_kind_is_cared_for(
    ticket: None, morning: None, administrator: Actor, browser_of: Callable[..., Any]
) -> None:
    office = browser_of(administrator)
    page = office.get("/settings/kinds/ticket").text
    assert re.search(r'name="has_care" value="1" checked', page)
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version
    typed = {"label_vi": "Phiếu", "version": version[1], "has_customer": "1"}
    assert office.send("/settings/kinds/ticket", typed).status_code == 303
    assert 'name="has_care" value="1" checked' not in office.get("/settings/kinds/ticket").text


def test_trash_takes_the_entries_along_and_brings_them_back(
    ticket: None, desk: Browser, manager: Actor
) -> None:
    customer = make_customer()
    record = add(desk, customer=str(customer))
    save(desk, record)
    trash.delete("records", record, by=manager, at=NOW)
    assert entries() == []
    stored = Customer.collection().find_one({"_id": customer}) or {}
    assert stored.get("last_contact_at") is None
    assert "Đã hẹn thợ" not in desk.get(f"/customers/{customer}").text
    trash.restore_record("records", record, by=manager, at=NOW)
    assert len(entries()) == 1
    assert "Đã hẹn thợ" in desk.get(f"/e/ticket/{record}?tab=history").text
    assert (Customer.collection().find_one({"_id": customer}) or {})["last_contact_at"]


def test_a_reference_to_a_record_that_is_gone_is_taken_out(ticket: None, desk: Browser) -> None:
    record = add(desk)
    save(desk, record)
    Record.collection().delete_one({"_id": record})
    [missing] = references.find(NoProgress())
    assert missing.reference.path == "record_id"
    assert references.remove(missing, NOW) == 1
    assert "record_id" not in entries()[0]
