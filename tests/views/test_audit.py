"""The change log of administrators, the history of one record, and taking a field back."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from models import AuditEntry, Customer, Site
from models.base import stored_date
from rules.scope import CARE_AGENT, SYSTEM, Actor
from services import (
    access_settings,
    accounts,
    assignments,
    audit,
    audit_reading,
    audit_retention,
    customers,
    export,
)
from tests.factories import NOW, ZONE, make_area, make_customer, make_order, make_product
from tests.views.conftest import Browser


@pytest.fixture
def admin(administrator: Actor, browser_of: Callable[[Actor], Browser], shipped: None) -> Browser:
    return browser_of(administrator)


@pytest.fixture
def desk_of_agent(agent: Actor, browser_of: Callable[[Actor], Browser], shipped: None) -> Browser:
    return browser_of(agent)


def change(customer_id: ObjectId, by: Actor, **typed: str) -> None:
    version = Customer.collection().find_one({"_id": customer_id})["version"]
    customers.update(customer_id, typed, version=version, by=by, at=datetime.now(UTC))


def entry_of(customer_id: ObjectId) -> dict[str, Any]:
    return audit_reading.newest_of("customers", customer_id, 1)[0]


def stored(customer_id: ObjectId) -> dict[str, Any]:
    return Customer.collection().find_one({"_id": customer_id})


def test_it_tells_who_changed_what_from_what_to_what(
    admin: Browser, agent: Actor, shipped: None
) -> None:
    area = make_area("Ba Đình, Hà Nội")
    customer_id = make_customer(name="Trần Văn Tám", relationship="new")
    change(customer_id, agent, relationship="hot", area=str(area), birthday="02/12/1984")
    page = admin.get("/audit").text
    assert agent.name in page
    assert "Mối quan hệ: Mới → Nóng" in page
    assert "Khu vực: – → Ba Đình, Hà Nội" in page
    assert "02/12/1984" in page
    address = re.search(r'href="(/audit/[0-9a-f]{24})"', page)
    assert address
    whole = admin.get(address.group(1)).text
    assert "Trần Văn Tám" in whole


def test_it_finds_by_words_person_kind_and_time(
    admin: Browser, agent: Actor, administrator: Actor, shipped: None
) -> None:
    tam, nam = make_customer(name="Trần Văn Tám"), make_customer(name="Lý Thị Năm")
    change(tam, agent, note="một")
    change(nam, administrator, note="hai")
    day = datetime.now(UTC).astimezone(ZONE).date()
    before = day - timedelta(days=3)
    for address, found, missing in (
        ("/audit?q=van+tam", "Trần Văn Tám", "Lý Thị Năm"),
        (f"/audit?staff={administrator.staff_id}", "Lý Thị Năm", "Trần Văn Tám"),
        ("/audit?kind=customers", "Trần Văn Tám", None),
        ("/audit?kind=orders", None, "Trần Văn Tám"),
        ("/audit?what=logins", None, "Trần Văn Tám"),
        (f"/audit?at={day}..{day}", "Trần Văn Tám", None),
        (f"/audit?at={before}..{before}", None, "Trần Văn Tám"),
    ):
        page = admin.get(address).text.split("<tbody", 1)[-1]
        assert found is None or found in page, address
        assert missing is None or missing not in page, address


def test_it_shows_logins_and_wrong_ones_with_where_from(
    admin: Browser, stranger: Browser, db: Any
) -> None:
    accounts.create_staff("chi@example.com", "Lê Thị Chi", [CARE_AGENT], SYSTEM, "trời hôm nay đẹp")
    form = {"email": "chi@example.com", "password": "wrong password"}
    stranger.send("/login", form, environ_overrides={"REMOTE_ADDR": "10.9.8.7"})
    stranger.send("/login", form | {"password": "trời hôm nay đẹp"})
    assert "10.9.8.7" in admin.get("/audit?what=failed").text
    assert "mật khẩu" in admin.get("/audit?what=logins").text
    assert "wrong password" not in str(list(AuditEntry.collection().find()))


def test_it_tells_who_exported_what(admin: Browser, agent: Actor) -> None:
    filters = [("care", "open")]
    rows = export.rows("orders", fields=["code"], filters=filters, zone=ZONE)
    export.note_export("orders", rows, filters, by=agent, at=datetime.now(UTC))
    page = admin.get("/audit?what=exports").text
    assert "xuất dữ liệu" in page
    assert "care=open" in page


def test_it_escapes_what_people_typed(admin: Browser, agent: Actor, shipped: None) -> None:
    customer_id = make_customer(name="<img src=x onerror=alert(1)>")
    change(customer_id, agent, note="<script>alert(2)</script>")
    for address in ("/audit", f"/audit/{entry_of(customer_id)['_id']}"):
        page = admin.get(address).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
    assert "<script>alert" not in admin.get(f"/changes/customers/{customer_id}").text


# The history of one record


def test_it_shows_a_record_its_history(desk_of_agent: Browser, agent: Actor) -> None:
    customer_id = make_customer(name="Trần Văn Tám")
    change(customer_id, agent, note="thích gọi buổi sáng")
    page = desk_of_agent.get(f"/changes/customers/{customer_id}").text
    assert "thích gọi buổi sáng" in page
    order_id = make_order(customer_id, {make_product(): 1})
    assert desk_of_agent.get(f"/changes/orders/{order_id}").status_code == 200


def test_it_names_fields_and_choices_as_the_form_does(desk_of_agent: Browser, agent: Actor) -> None:
    customer_id = make_customer(name="Trần Văn Tám")
    change(customer_id, agent, kind="company")
    page = desk_of_agent.get(f"/changes/customers/{customer_id}").text
    assert "Cá nhân hay công ty" in page
    assert "<ins>Công ty</ins>" in page


@pytest.mark.parametrize(
    "address",
    ["/changes/customers/x", f"/changes/customers/{'0' * 24}", f"/changes/staff/{'0' * 24}"],
)
def test_it_has_no_history_of_what_is_not_there(desk_of_agent: Browser, address: str) -> None:
    assert desk_of_agent.get(address).status_code == 404


def test_it_hides_the_history_of_records_that_one_may_not_see(
    agent: Actor, browser_of: Callable[[Actor], Browser], shipped: None, administrator: Actor
) -> None:
    customer_id = make_customer(name="Khách Của Người Khác", seen_by=[administrator.staff_id])
    change(customer_id, administrator, note="kín")
    Site.collection().update_one(
        {"key": "site"}, {"$set": {"care_mode": "by_customer"}, "$inc": {"config_rev": 1}}
    )
    browser = browser_of(agent)
    assert browser.get(f"/changes/customers/{customer_id}").status_code == 404
    form = {"entry": str(entry_of(customer_id)["_id"]), "field": "note", "version": "2"}
    restored = browser.send(f"/changes/customers/{customer_id}/restore", form)
    assert restored.status_code == 404
    assert stored(customer_id)["note"] == "kín"


def take_back(browser: Browser, customer_id: ObjectId, *fields: str, **form: str) -> Any:
    sent = {
        "entry": str(entry_of(customer_id)["_id"]),
        "field": list(fields),
        "version": str(stored(customer_id)["version"]),
    }
    return browser.send(f"/changes/customers/{customer_id}/restore", sent | form)


def test_it_takes_one_field_back_as_a_new_change(desk_of_agent: Browser, agent: Actor) -> None:
    customer_id = make_customer(name="Trần Văn Tám", phones=["0987 180 606"])
    change(customer_id, agent, name="Trần Văn Chín", phones="0912 345 678")
    assert take_back(desk_of_agent, customer_id, "phones").status_code == 303
    now = stored(customer_id)
    assert (now["name"], now["phones"]) == ("Trần Văn Chín", ["0987 180 606"])
    assert now["phone_keys"] == ["+84987180606"]
    newest = entry_of(customer_id)
    assert [one["field"] for one in newest["changes"]] == ["phones"]
    assert newest["screen"].startswith("changes/")


def test_it_takes_all_fields_of_an_entry_back(desk_of_agent: Browser, agent: Actor) -> None:
    area = make_area("Ba Đình, Hà Nội")
    customer_id = make_customer(
        name="Trần Văn Tám", area_id=area, birthday=stored_date(NOW.date()), gender="male"
    )
    before = stored(customer_id)
    change(customer_id, agent, name="X", area="", birthday="", gender="", emails="a@b.vn")
    fields = ("name", "area_id", "birthday", "gender", "emails")
    take_back(desk_of_agent, customer_id, *fields)
    after = stored(customer_id)
    assert {field: after[field] or [] for field in fields} == {
        field: before[field] or [] for field in fields
    }


def test_it_checks_the_old_value_as_if_it_were_typed(desk_of_agent: Browser, agent: Actor) -> None:
    customer_id = make_customer(relationship="a_status_that_is_gone")
    change(customer_id, agent, relationship="hot")
    take_back(desk_of_agent, customer_id, "relationship")
    assert stored(customer_id)["relationship"] == "hot"
    assert "Hãy chọn" in desk_of_agent.get(f"/changes/customers/{customer_id}").text


def test_it_refuses_a_stale_page(desk_of_agent: Browser, agent: Actor) -> None:
    customer_id = make_customer(note="cũ")
    change(customer_id, agent, note="mới")
    take_back(desk_of_agent, customer_id, "note", version="1")
    assert stored(customer_id)["note"] == "mới"


@pytest.mark.parametrize("field", ["version", "search", "seen_by", "owner_id", "history", "$set"])
def test_it_takes_back_only_what_the_form_has(
    desk_of_agent: Browser, agent: Actor, field: str
) -> None:
    customer_id = make_customer(note="cũ")
    change(customer_id, agent, note="mới")
    AuditEntry.collection().update_one(
        {"_id": entry_of(customer_id)["_id"]},
        {"$push": {"changes": {"field": field, "old": ["x"], "new": []}}},
    )
    before = stored(customer_id)
    take_back(desk_of_agent, customer_id, field)
    assert stored(customer_id) == before


def test_it_takes_no_entry_of_another_record(desk_of_agent: Browser, agent: Actor) -> None:
    one, other = make_customer(note="của một"), make_customer(note="của hai")
    change(one, agent, note="mới")
    change(other, agent, note="mới")
    entry = str(entry_of(other)["_id"])
    assert take_back(desk_of_agent, one, "note", entry=entry).status_code == 404
    assert stored(one)["note"] == "mới"


# Retention


def test_it_keeps_entries_for_good_unless_told(db: Any) -> None:
    write_entry(NOW - timedelta(days=4000))
    assert audit_retention.purge(NOW) == 0


def test_it_removes_what_is_too_old_and_says_so(administrator: Actor) -> None:
    keep(administrator, "30")
    for days in (10, 29, 31, 400):
        write_entry(NOW - timedelta(days=days))
    assert audit_retention.purge(NOW) == 2
    assert audit_retention.purge(NOW) == 0
    assert AuditEntry.objects(action="purge").count() == 1
    assert AuditEntry.objects(action="update").count() == 2


@pytest.mark.parametrize("typed", ["0", "-5", "29", "abc", "99999999", "3.5"])
def test_it_refuses_a_time_that_makes_no_sense(admin: Browser, typed: str) -> None:
    version = str(access_settings.read().version)
    response = admin.send("/settings/access", {"audit_days": typed, "version": version})
    assert response.status_code == 422
    assert f'value="{typed}"' in response.text


def test_it_saves_the_settings_from_the_page(admin: Browser, administrator: Actor) -> None:
    form = {"audit_days": "365", "second_factor_roles": ["manager"]}
    version = str(access_settings.read().version)
    assert admin.send("/settings/access", form | {"version": version}).status_code == 303
    assert access_settings.read().audit_days == 365
    assert access_settings.read().second_factor_roles == ("manager",)
    assert admin.send("/settings/access", form | {"version": version}).status_code == 409
    entry = AuditEntry.objects(action="configure").get()
    assert entry.staff_id == administrator.staff_id


def keep(by: Actor, days: str) -> None:
    access_settings.save([], days, version=access_settings.read().version, by=by, at=NOW)


def write_entry(at: datetime) -> None:
    audit.record(by=SYSTEM, at=at, action="update", kind="customers", record_id=None, label="Khách")


def test_it_names_settings_in_words(admin: Browser, administrator: Actor) -> None:
    keep(administrator, "365")
    assignments.set_care_mode("by_customer", by=administrator, at=NOW)
    page = admin.get("/audit?kind=settings").text
    assert "Bảo mật" in page.split("<tbody", 1)[1]
    assert "Không giới hạn → Theo khách hàng" in page
