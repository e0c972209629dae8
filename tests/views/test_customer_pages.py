"""The customer list, the plain customer page, its edit form, and the order page (S1.16, S4.1)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from bson import ObjectId

from models import Customer, Order, TrashedRecord
from models.base import stored_date
from rules.scope import Actor
from services import care, customers, recompute
from services.care import CareEntry
from services.customers import search_fields
from tests.factories import NOW, TODAY, make_area, make_customer, make_order, make_product
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("desk")
ROW = re.compile(r'<tr id="row-([0-9a-f]{24})"')


def add(name: str, **values: Any) -> ObjectId:
    """A customer that can be searched."""
    values = {"code": f"KH-{ObjectId()}", "name": name, "phones": []} | values
    return make_customer(**values | search_fields(values))


def rows(page: str) -> list[ObjectId]:
    return [ObjectId(found) for found in ROW.findall(page)]


def listed(desk: Browser, query: str = "") -> list[ObjectId]:
    response = desk.get(f"/customers?{query}")
    assert response.status_code == 200
    return rows(response.text)


def field(page: str, name: str) -> str:
    found = re.search(rf'<input[^>]*name="{name}"[^>]*?value="([^"]*)"', page)
    assert found, name
    return unescape(found.group(1))


def test_it_lists_everybody_by_name_prospects_too(desk: Browser) -> None:
    """S1.16."""
    people = [add("Bùi Ánh"), add("Đặng An"), add("Ánh")]
    assert set(listed(desk)) == set(people)
    assert listed(desk, "sort=-name") == listed(desk)[::-1]


def test_it_lists_the_newest_first_when_asked(desk: Browser) -> None:
    old, new = (
        add(name, created_at=NOW - timedelta(days=days)) for name, days in (("A", 9), ("B", 1))
    )
    assert {tuple(listed(desk, f"sort={key}")) for key in ("created", "-created")} == {
        (old, new),
        (new, old),
    }


def test_it_shows_the_local_day_of_the_addition(desk: Browser) -> None:
    add("An", created_at=datetime(2026, 11, 19, 20, tzinfo=UTC))  # the 20th there
    page = desk.get("/customers").text
    assert "20/11/2026" in page
    assert "19/11/2026" not in page


@pytest.mark.parametrize(
    "typed",
    ["Đặng", "dang", "hoà d", "HOA", "0912 440 785", "+84912440785", "0912440", "kh-hoa", "hoa@"],
)
def test_it_finds_a_customer_however_it_is_typed(desk: Browser, typed: str) -> None:
    """B.3, B.4."""
    wanted = add("Đặng Hoà", code="KH-HOA", phones=["0912 440 785"], emails=["hoa@congty.vn"])
    add("Trần Văn Bình", phones=["0987 180 606"])
    response = desk.get("/customers", query_string={"q": typed})
    assert rows(response.text) == [wanted]
    assert f"khớp với “{typed}”" in unescape(response.text)


def test_it_filters_by_area_and_relationship(desk: Browser) -> None:
    area = make_area()
    here = add("A", area_id=area, relationship="hot")
    add("B", area_id=area)
    add("C", relationship="hot")
    assert listed(desk, f"area={area}&relationship=hot") == [here]
    assert len(listed(desk, "relationship=hot")) == 2


def test_no_match_says_what_to_do(desk: Browser) -> None:
    assert "Hãy kiểm tra chính tả" in desk.get("/customers?q=zzz").text


def test_the_page_shows_everything_that_is_known(desk: Browser, agent: Actor) -> None:
    customer = add(
        "Lê Hoà",
        code="KH-7",
        phones=["0912 440 785", "028 3823 4567"],
        emails=["hoa@congty.vn"],
        area_id=make_area("Cầu Giấy, Hà Nội"),
        address="1 Lê Lợi",
        tax_code="0301234567",
        national_id="079123456789",
        birthday=stored_date(TODAY.replace(year=1980)),
        gender="female",
        owner_id=agent.staff_id,
        relationship="hot",
        groups=["vip"],
        tags=["thân thiết"],
        source="zalo",
        channel="shop",
        preferred_contact="sms",
        note="Gọi sau 17 giờ",
    )
    page = unescape(desk.get(f"/customers/{customer}").text)
    for shown in (
        *("Lê Hoà", "KH-7", "0912 440 785", "028 3823 4567", "hoa@congty.vn", "Cầu Giấy, Hà Nội"),
        *("1 Lê Lợi", "0301234567", "079123456789", "21/11/1980", agent.name, "Nóng", "VIP"),
        *("thân thiết", "Zalo", "Cửa hàng", "SMS", "Gọi sau 17 giờ"),
    ):
        assert shown in page, shown
    assert 'href="tel:0912440785"' in page
    assert 'href="mailto:hoa@congty.vn"' in page


def test_a_customer_with_nothing_but_a_name_is_shown(desk: Browser) -> None:
    only = Customer.collection().insert_one({"code": "X", "name": "Chỉ tên"}).inserted_id
    for address in (
        f"/customers/{only}",
        f"/customers/{only}?tab=orders",
        f"/customers/{only}/edit",
    ):
        assert desk.get(address).status_code == 200
    assert only in listed(desk)
    assert desk.get(f"/care/customers/{only}").status_code == 200


def test_the_page_shows_history_and_orders(desk: Browser, colleague: Actor) -> None:
    customer = add("Lê Hoà")
    code = make_product(interval=5, name="Trà")
    order = make_order(customer, {code: 1}, code="DH-7", placed_on=TODAY)
    recompute.recompute_orders([order])
    entry = CareEntry("Khách hỏi giá", "satisfied", TODAY + timedelta(days=3))
    care.log_customer_care(
        customer, entry, by=colleague, at=NOW, today=TODAY, entry_key="k", expected_count=0
    )
    page = unescape(desk.get(f"/customers/{customer}").text)
    assert "Khách hỏi giá" in page
    assert "Trần Văn Bình" in page
    assert "Hài lòng" in page
    page = unescape(desk.get(f"/customers/{customer}?tab=orders").text)
    assert "DH-7" in page
    assert "26/11 = 21/11 + 5 ngày × 1 · Trà" in page
    assert f'href="/care/orders/{order}"' in page


@pytest.fixture
def customer() -> ObjectId:
    return add("Lê Hoà", note="cũ", phones=["0912 440 785"])


def save(desk: Browser, customer: ObjectId, **typed: str) -> Any:
    return desk.send(f"/customers/{customer}/edit", {"version": "1", "name": "Lê Hoà"} | typed)


def test_the_edit_form_saves(desk: Browser, customer: ObjectId) -> None:
    """S4.3."""
    page = desk.get(f"/customers/{customer}/edit").text
    assert field(page, "name") == "Lê Hoà"
    assert field(page, "version") == "1"
    response = save(desk, customer, name="Lê Thị Hoà", birthday="1/2/1980", gender="female")
    assert (response.status_code, response.location) == (303, f"/customers/{customer}")
    page = desk.get(response.location).text
    assert "Đã ghi." in page
    assert "Lê Thị Hoà" in page
    assert "01/02/1980" in page
    assert "0912 440 785" in page


def test_opening_and_saving_the_form_changes_nothing(desk: Browser, customer: ObjectId) -> None:
    before = Customer.collection().find_one({"_id": customer})
    page = desk.get(f"/customers/{customer}/edit").text
    form = {
        name: field(page, name)
        for name in ("version", "name", "phones", "emails", "address", "birthday", "tax_code")
    }
    note = re.search(r'<textarea[^>]*name="note"[^>]*>([^<]*)<', page)
    assert note
    assert (
        desk.send(f"/customers/{customer}/edit", form | {"note": note.group(1)}).status_code == 303
    )
    assert Customer.collection().find_one({"_id": customer}) == before


def test_mistakes_are_named_beside_their_fields(desk: Browser, customer: ObjectId) -> None:
    response = save(desk, customer, name="", phones="12, abc", birthday="x", note="mới <b>")
    assert response.status_code == 422
    page = unescape(response.text)
    assert page.count('class="field-error"') == 3
    assert "Hãy điền mục này" in page
    assert "“12”" in page
    assert field(response.text, "phones") == "12, abc"
    assert "mới &lt;b&gt;" in response.text


def test_a_conflict_shows_both_values_and_saving_again_decides(
    desk: Browser, colleague: Actor, customer: ObjectId
) -> None:
    customers.update(customer, {"note": "của đồng nghiệp"}, version=1, by=colleague, at=NOW)
    response = save(desk, customer, note="của tôi")
    assert response.status_code == 409
    page = unescape(response.text)
    assert "Có người đã sửa bản ghi này" in page
    assert "của tôi" in page
    assert "Đang lưu: <b>của đồng nghiệp</b>" in page
    assert field(response.text, "version") == "2"
    assert save(desk, customer, note="của tôi", version="2").status_code == 303
    stored = Customer.collection().find_one({"_id": customer})
    assert stored
    assert stored["note"] == "của tôi"


WAS = re.compile(r'name="(was\.[a-z_]+)" value="([^"]*)"')


def opened(page: str) -> dict[str, str]:
    """What a browser sends of a form in which nothing was touched."""
    was = {name: unescape(text) for name, text in WAS.findall(page)}
    return was | {name.removeprefix("was."): text for name, text in was.items()}


def test_a_colleagues_change_of_another_field_stays(
    desk: Browser, colleague: Actor, customer: ObjectId
) -> None:
    form = opened(desk.get(f"/customers/{customer}/edit").text)
    customers.update(customer, {"address": "1 Lê Lợi"}, version=1, by=colleague, at=NOW)
    response = save(desk, customer, **form | {"note": "của tôi"})
    assert response.status_code == 303
    stored = Customer.collection().find_one({"_id": customer})
    assert stored
    assert (stored["note"], stored["address"]) == ("của tôi", "1 Lê Lợi")
    page = desk.get(response.location).text
    assert f'data-draft-saved="customers-{customer}"' in page
    assert "data-draft-saved" not in desk.get(response.location).text


def test_a_conflict_shows_the_new_state_of_what_was_left_alone(
    desk: Browser, colleague: Actor, customer: ObjectId
) -> None:
    form = opened(desk.get(f"/customers/{customer}/edit").text)
    theirs = {"address": "1 Lê Lợi", "note": "của đồng nghiệp"}
    customers.update(customer, theirs, version=1, by=colleague, at=NOW)
    response = save(desk, customer, **form | {"note": "của tôi"})
    assert response.status_code == 409
    assert field(response.text, "address") == "1 Lê Lợi"
    assert unescape(response.text).count("Đang lưu:") == 1
    again = opened(response.text)
    assert again["was.note"] == "của đồng nghiệp"
    assert save(desk, customer, **again | {"note": "của tôi"}).status_code == 303
    stored = Customer.collection().find_one({"_id": customer})
    assert stored
    assert (stored["note"], stored["address"]) == ("của tôi", "1 Lê Lợi")


def test_a_phone_with_a_remark_can_be_called(desk: Browser) -> None:
    page = desk.get(f"/customers/{add('Hoà', phones=['0912 440 785 (Anh Ba)'])}").text
    assert 'href="tel:0912440785"' in page
    assert "(Anh Ba)" in page


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 300])
def test_a_form_without_a_right_version_is_a_conflict(
    desk: Browser, customer: ObjectId, version: str
) -> None:
    assert save(desk, customer, version=version).status_code == 409


def test_the_text_about_a_deleted_customer_can_be_copied(desk: Browser, customer: ObjectId) -> None:
    Customer.collection().delete_one({"_id": customer})
    response = save(desk, customer, note="viết cả buổi")
    assert response.status_code == 404
    assert "viết cả buổi" in response.text


def make_full_order(customer: ObjectId | None) -> ObjectId:
    code = make_product("SP1", interval=5, name="Trà")
    order = make_order(
        customer,
        {code: 2},
        code="DH-7",
        placed_on=TODAY,
        marketplace="shopee",
        status="shipping",
        note="Giao giờ hành chính",
        shipping="GHTK",
    )
    recompute.recompute_orders([order])
    return order


def test_the_order_page_shows_lines_value_and_reason(desk: Browser, customer: ObjectId) -> None:
    order = make_full_order(customer)
    page = unescape(desk.get(f"/orders/{order}").text)
    for shown in ("DH-7", "Lê Hoà", "SP1", "2.000", "Shopee", "Đang giao", "GHTK", "Giao giờ"):
        assert shown in page, shown
    assert "01/12 = 21/11 + 5 ngày × 2 · Trà" in page


@pytest.mark.parametrize("kind", ["sale", "return", "purchase"])
def test_an_order_without_care_says_why(desk: Browser, customer: ObjectId, kind: str) -> None:
    for owner in (customer, None):
        order = make_order(owner, kind=kind)
        assert desk.get(f"/orders/{order}").status_code == 200
    stored = Order.collection().find_one({"customer_id": customer})
    assert stored
    Order.collection().update_one({"_id": stored["_id"]}, {"$set": {"care.state": "ended"}})
    assert "Không chăm sóc nữa" in desk.get(f"/orders/{stored['_id']}").text


def test_a_manager_deletes_an_order_and_brings_it_back(
    manager: Actor, browser_of: Callable[[Actor], Browser], customer: ObjectId
) -> None:
    order = make_full_order(customer)
    boss = browser_of(manager)
    assert f'action="/orders/{order}/delete"' in boss.get(f"/orders/{order}").text
    for _ in range(2):  # a reload of the answer deletes nothing else
        response = boss.send(f"/orders/{order}/delete")
        assert response.status_code == 303
    assert f'action="/orders/{order}/restore"' in boss.get(response.location).text
    assert boss.get(f"/orders/{order}").status_code == 404
    assert "DH-7" not in boss.get(f"/customers/{customer}?tab=orders").text
    told = False
    for _ in range(2):
        response = boss.send(f"/orders/{order}/restore")
        assert (response.status_code, response.location) == (303, f"/orders/{order}")
        page = boss.get(f"/orders/{order}").text
        told = told or "Đã khôi phục DH-7." in page
    assert told
    assert TrashedRecord.collection().count_documents({}) == 0


def test_a_taken_number_is_explained(
    manager: Actor, browser_of: Callable[[Actor], Browser], customer: ObjectId
) -> None:
    order = make_full_order(customer)
    boss = browser_of(manager)
    boss.send(f"/orders/{order}/delete")
    make_order(customer, code="DH-7")
    response = boss.send(f"/orders/{order}/restore")
    assert response.status_code == 303
    assert 'value="DH-7-2"' in boss.get(response.location).text


def test_the_lookup_finds_people_areas_and_customers(desk: Browser, agent: Actor) -> None:
    area = make_area("Cầu Giấy, Hà Nội")
    customer = add("Đặng Hoà", code="KH-HOA")
    for kind, typed, wanted in (
        ("area", "cau gi", area),
        ("staff", "thị an", agent.staff_id),
        ("customer", "dang", customer),
        ("customer", "kh-h", customer),
    ):
        found = desk.get(f"/lookup/{kind}", query_string={"q": typed}).text
        assert f'name="{kind}" value="{wanted}"' in found
    assert (
        "Không có kết quả" in desk.get("/lookup/area?q=zzz").text
        or desk.get("/lookup/area?q=zzz").text.count("<button") == 0
    )
