"""Two versions of a record side by side, and an earlier one restored (audit)."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from bson import ObjectId

from models import AuditEntry, ConfigurationItem, Customer, Order, Site
from models.base import stored_date
from rules.scope import Actor
from services import audit_versions, customers, orders
from services.audit_versions import FIRST
from services.audit_versions import NOW as AS_IT_IS
from tests.factories import NOW, TODAY, make_area, make_customer, make_order
from tests.views.conftest import Browser

BrowserOf = Callable[[Actor], Browser]


@pytest.fixture
def desk(morning: None, shipped: None, agent: Actor, browser_of: BrowserOf) -> Browser:
    return browser_of(agent)


def stored(customer: ObjectId) -> dict[str, Any]:
    return Customer.collection().find_one({"_id": customer}) or {}


def change(customer: ObjectId, by: Actor, minutes: int, **typed: str) -> str:
    """The key of the version after this change."""
    at, version = NOW - timedelta(minutes=9 - minutes), stored(customer)["version"]
    customers.update(customer, typed, version=version, by=by, at=at)
    newest = AuditEntry.collection().find_one({}, sort=[("_id", -1)]) or {}
    return str(newest["_id"])


@pytest.fixture
def told(shipped: None, agent: Actor, colleague: Actor) -> tuple[ObjectId, list[str]]:
    """A customer with three changes: (id, keys of its versions)."""
    customer = make_customer(name="Trần Văn Tám", note="một", relationship="new")
    area = str(make_area("Ba Đình, Hà Nội"))
    return customer, [
        change(customer, agent, 0, note="hai", name="Trần Văn Chín"),
        change(customer, colleague, 1, area=area, birthday="02/12/1984"),
        change(customer, agent, 2, note="ba"),
    ]


def test_each_version_is_what_the_record_was_then(
    told: tuple[ObjectId, list[str]], agent: Actor
) -> None:
    customer, keys = told
    found = audit_versions.read("customers", stored(customer), [FIRST, *keys, AS_IT_IS], by=agent)
    notes = [found[key].values["note"] for key in (FIRST, *keys, AS_IT_IS)]
    assert notes == ["một", "hai", "hai", "ba", "ba"]
    names = [found[key].values["name"] for key in (FIRST, keys[0])]
    assert names == ["Trần Văn Tám", "Trần Văn Chín"]
    assert found[keys[0]].values["birthday"] is None
    assert found[keys[1]].values["birthday"] == stored_date(TODAY.replace(1984, 12, 2))


def test_two_versions_stand_side_by_side_with_readable_values(
    desk: Browser, told: tuple[ObjectId, list[str]], colleague: Actor
) -> None:
    customer, keys = told
    page = unescape(
        desk.get(f"/changes/customers/{customer}/compare?left={keys[0]}&right={keys[1]}").text
    )
    assert "Ba Đình, Hà Nội" in page
    assert "02/12/1984" in page
    assert f"Sau lần sửa của {colleague.name}" in page
    assert page.count('class="is-differing"') == 2
    assert "Trần Văn Chín" not in page.split("<tbody", 1)[1], "what is the same is left out"
    everything = unescape(
        desk.get(f"/changes/customers/{customer}/compare?left={keys[0]}&right={keys[1]}&all=1").text
    )
    assert "Trần Văn Chín" in everything.split("<tbody", 1)[1]


def test_the_older_one_is_on_the_left_however_they_are_chosen(
    desk: Browser, told: tuple[ObjectId, list[str]]
) -> None:
    customer, keys = told
    for one, other in ((keys[2], FIRST), (FIRST, keys[2]), ("", "")):
        page = unescape(
            desk.get(f"/changes/customers/{customer}/compare?left={one}&right={other}").text
        )
        assert page.index("Trước lần thay đổi đầu tiên") < page.index("<tbody")
        body = page.split("<tbody", 1)[1]
        assert body.index(">một<") < body.index(">ba<")


def test_what_changed_within_a_long_text_is_marked(
    desk: Browser, agent: Actor, shipped: None
) -> None:
    customer = make_customer(note=f"{'Khách dặn rất kỹ. ' * 5}Gọi buổi sáng.")
    change(customer, agent, 0, note=f"{'Khách dặn rất kỹ. ' * 5}Gọi buổi <b>chiều.")
    page = desk.get(f"/changes/customers/{customer}/compare").text
    assert "<del>sáng</del>" in page
    assert "<ins>&lt;b&gt;chiều</ins>" in page
    assert "<b>chiều" not in page


def send(desk: Browser, customer: ObjectId, key: str, *fields: str, **form: str) -> Any:
    sent = {"key": key, "field": list(fields), "version": str(stored(customer)["version"])}
    return desk.send(f"/changes/customers/{customer}/restore-version", sent | form)


def test_one_field_is_restored_and_the_others_stay(
    desk: Browser, told: tuple[ObjectId, list[str]]
) -> None:
    customer, _ = told
    assert send(desk, customer, FIRST, "note").status_code == 303
    now = stored(customer)
    assert (now["note"], now["name"]) == ("một", "Trần Văn Chín")


def test_a_whole_version_is_restored_as_one_new_change(
    desk: Browser, told: tuple[ObjectId, list[str]]
) -> None:
    customer, keys = told
    entries = AuditEntry.collection().count_documents({})
    send(desk, customer, FIRST)
    now = stored(customer)
    assert (now["name"], now["note"], now["area_id"], now["birthday"]) == (
        "Trần Văn Tám",
        "một",
        None,
        None,
    )
    assert AuditEntry.collection().count_documents({}) == entries + 1
    assert "tran van tam" in now["search"]
    send(desk, customer, keys[2])
    assert stored(customer)["name"] == "Trần Văn Chín", "and back again"


def test_restoring_what_is_like_this_already_says_so(
    desk: Browser, told: tuple[ObjectId, list[str]]
) -> None:
    customer, keys = told
    before = stored(customer)
    send(desk, customer, keys[2])
    assert stored(customer) == before
    assert "hiện đã như vậy" in unescape(desk.get(f"/changes/customers/{customer}").text)


@pytest.mark.parametrize(
    "field", ["version", "search", "seen_by", "history", "$set", "care.due_on"]
)
def test_only_what_people_fill_in_is_restored(
    desk: Browser, told: tuple[ObjectId, list[str]], field: str
) -> None:
    customer, _ = told
    before = stored(customer)
    send(desk, customer, FIRST, field)
    assert stored(customer) == before


def test_a_stale_page_restores_nothing(desk: Browser, told: tuple[ObjectId, list[str]]) -> None:
    customer, _ = told
    before = stored(customer)
    send(desk, customer, FIRST, "note", version="1")
    assert stored(customer) == before


def test_versions_of_another_record_are_not_there(
    desk: Browser, told: tuple[ObjectId, list[str]]
) -> None:
    keys = told[1]
    other = make_customer(note="của khách khác")
    address = f"/changes/customers/{other}/compare?left="
    for key in (keys[0], "x", "0" * 24):
        assert desk.get(f"{address}{key}").status_code == 404
        assert send(desk, other, key).status_code == 404


def test_what_one_may_not_see_has_no_versions(
    told: tuple[ObjectId, list[str]], outsider: Actor, colleague: Actor, browser_of: BrowserOf
) -> None:
    customer, _ = told
    Site.collection().update_one(
        {"key": "site"}, {"$set": {"care_mode": "by_customer"}, "$inc": {"config_rev": 1}}
    )
    for who in (outsider, colleague):
        browser = browser_of(who)
        assert browser.get(f"/changes/customers/{customer}/compare").status_code in (403, 404)
        before = stored(customer)
        assert send(browser, customer, FIRST).status_code in (403, 404)
        assert stored(customer) == before


def test_an_order_has_versions_too(
    shipped: None, manager: Actor, browser_of: BrowserOf, morning: None
) -> None:
    order = make_order(make_customer(), note="cũ")
    orders.update(order, {"note": "mới"}, version=1, by=manager, at=NOW)
    boss = browser_of(manager)
    page = boss.get(f"/changes/orders/{order}/compare").text
    assert ">cũ<" in page
    form = {"key": FIRST, "field": "note", "version": "2"}
    assert boss.send(f"/changes/orders/{order}/restore-version", form).status_code == 303
    assert (Order.collection().find_one({"_id": order}) or {})["note"] == "cũ"


def test_a_field_that_a_role_hides_is_hidden_in_the_history_as_well(
    told: tuple[ObjectId, list[str]], agent: Actor, browser_of: BrowserOf, morning: None
) -> None:
    """Also as an old value, and in what can be restored."""
    customer, _ = told
    hide("care_agent", "customers", "note")
    desk = browser_of(agent)
    for address in ("", "/compare?all=1"):
        page = unescape(desk.get(f"/changes/customers/{customer}{address}").text)
        assert "Trần Văn Tám" in page
        for note in ("một", "hai", "ba"):
            assert f">{note}<" not in page, (address, note)
    before = stored(customer)
    send(desk, customer, FIRST, "note")
    assert stored(customer) == before


def hide(role: str, kind: str, field: str) -> None:
    """The role sees everything of the kind but this field."""
    content = {
        "label_vi": "Nhân viên",
        "kinds": {
            kind: {
                "actions": ["see", "edit", "create"],
                "reach": "all",
                "fields": {field: "hidden"},
            }
        },
        "abilities": [],
    }
    ConfigurationItem.collection().update_one(
        {"section": "roles", "key": role},
        {"$set": {"content": content, "version": 1}},
        upsert=True,
    )
    Site.collection().update_one({"key": "site"}, {"$inc": {"config_rev": 1}})
