"""A day of a care agent, in the browser: list, panel, drafts, double clicks, the queue."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from bson import ObjectId

from tests.browser.conftest import Desk, SitDown, Site, log_in

pytestmark = pytest.mark.browser


def open_first(desk: Desk, address: str = "/orders/due") -> ObjectId:
    """Opens the care form of the first row; returns the order."""
    desk.go(address)
    row = desk.page.locator("tbody tr").first
    record_id = ObjectId(row.get_attribute("data-row"))
    row.locator("[data-care]").click()
    desk.page.wait_for_selector("#panel .care")
    return record_id


def type_entry(desk: Desk, content: str, *, days: int = 7) -> None:
    page = desk.page
    page.fill("#care-content", content)
    page.locator(".choice", has_text="Hài lòng").first.click()
    page.locator("[data-set-date]", has_text=f"+{days} ngày").click()


def entries(site: Site, content: str) -> list[dict[str, Any]]:
    return list(site.db.interactions.find({"content": content}))


def due_on(site: Site, order: ObjectId) -> date:
    found = site.db.orders.find_one({"_id": order})
    assert found
    day: date = found["care"]["due_on"].date()
    return day


def shown_today(desk: Desk) -> date:
    """The local date of the browser, which is the site's."""
    day, month, year = desk.page.evaluate(
        "(() => { const d = new Date(); return [d.getDate(), d.getMonth() + 1, d.getFullYear()]; })()"
    )
    return date(year, month, day)


def test_from_the_login_to_the_saved_entry(sit_down: SitDown, site: Site) -> None:
    desk = sit_down(None)
    page = desk.page
    log_in(page, site, "nam")
    page.locator(".nav-entry", has_text="Đơn hàng cần chăm sóc").first.click()
    page.wait_for_url("**/orders/due/")
    desk.settle()
    assert page.locator("#count-total").inner_text().strip() not in ("", "0")
    page.evaluate("window.sameDocument = true")
    row = page.locator("tbody tr").first
    order = ObjectId(row.get_attribute("data-row"))
    before = row.inner_text()
    row.locator(".care-square").click()
    page.wait_for_selector("#panel .care-form")
    assert page.evaluate("document.activeElement.id") == "care-content"
    type_entry(desk, "Khách dùng tốt, hẹn tuần sau #tuvan")
    page.keyboard.press("Control+Enter")
    assert "Đã ghi." in desk.toast()
    changed = page.locator(f"#row-{order}.is-changed")
    changed.wait_for()
    assert changed.inner_text() != before
    in_a_week = shown_today(desk) + timedelta(days=7)
    assert f"{in_a_week:%d/%m/%Y}" in changed.inner_text()
    assert "Hẹn bởi Phạm Văn Nam" in changed.inner_text()
    assert page.locator("#panel .care").count() == 0
    assert page.evaluate("window.sameDocument") is True
    [entry] = entries(site, "Khách dùng tốt, hẹn tuần sau #tuvan")
    assert entry["tags"] == ["tuvan"]
    assert entry["feedback"] == "satisfied"
    assert due_on(site, order) == in_a_week


def test_the_panel_is_clean(sit_down: SitDown) -> None:
    desk = sit_down()
    open_first(desk)
    assert desk.axe() == []
    desk.page.keyboard.press("Escape")
    desk.page.wait_for_selector("#panel .care", state="detached")
    assert desk.page.evaluate("document.activeElement.matches('[data-care]')")


@pytest.mark.parametrize("way", ["save", "postpone"])
def test_a_double_click_saves_once(sit_down: SitDown, site: Site, way: str) -> None:
    desk = sit_down()
    order = open_first(desk)
    about_it = {"order_id": order, "event": None}
    before = site.db.interactions.count_documents(about_it)
    if way == "save":
        type_entry(desk, "Bấm hai lần")
    button = "[data-save]" if way == "save" else ".postpone button"
    desk.page.locator(button).dblclick()
    desk.toast()
    desk.settle()
    assert site.db.interactions.count_documents(about_it) == before + 1


def test_one_form_sent_twice_by_two_tabs_saves_once(sit_down: SitDown, site: Site) -> None:
    desk = sit_down()
    order = open_first(desk)
    type_entry(desk, "Hai lần một lúc")
    statuses = desk.page.evaluate(
        """async () => {
          const form = document.getElementById("care-form");
          const send = () => fetch(form.action, {
            method: "POST", headers: {"HX-Request": "true"},
            body: new URLSearchParams(new FormData(form))});
          return (await Promise.all([send(), send(), send()])).map((one) => one.status);
        }"""
    )
    assert statuses == [200, 200, 200]
    assert len(entries(site, "Hai lần một lúc")) == 1
    assert due_on(site, order) == shown_today(desk) + timedelta(days=7)


def test_a_colleague_was_faster_and_the_text_stays(sit_down: SitDown, site: Site) -> None:
    mine, theirs = sit_down("linh"), sit_down("huong")
    order = open_first(mine)
    type_entry(mine, "Tôi viết chậm")
    theirs.go(f"/care/orders/{order}")
    type_entry(theirs, "Tôi viết nhanh")
    theirs.page.locator("[data-save]").click()
    theirs.page.wait_for_url("**/customers/*")
    mine.expected = {409}
    mine.page.keyboard.press("Control+Enter")
    mine.page.wait_for_selector("#panel .notice")
    panel = mine.page.locator("#panel")
    assert panel.locator(".notice").inner_text().strip()
    assert "Tôi viết nhanh" in panel.inner_text()
    assert panel.locator("#care-content").input_value() == "Tôi viết chậm"
    mine.page.locator("[data-save]").click()
    mine.toast()
    mine.settle()
    assert len(entries(site, "Tôi viết chậm")) == 1


def test_a_mistake_is_shown_beside_the_field(sit_down: SitDown, site: Site) -> None:
    desk = sit_down()
    open_first(desk)
    desk.expected = {422}
    desk.page.fill("#care-content", "Thiếu ngày hẹn")
    desk.page.keyboard.press("Control+Enter")
    desk.page.wait_for_selector("#panel .field-error")
    assert "Hãy chọn ngày CS kế tiếp" in desk.page.locator("#panel").inner_text()
    assert desk.page.locator("#care-content").input_value() == "Thiếu ngày hẹn"
    assert desk.axe() == []
    assert entries(site, "Thiếu ngày hẹn") == []


def test_an_order_deleted_meanwhile_leaves_the_text(sit_down: SitDown, site: Site) -> None:
    desk = sit_down()
    order = open_first(desk)
    type_entry(desk, "Đơn hàng biến mất")
    deleted = site.db.orders.find_one_and_delete({"_id": order})
    assert deleted
    desk.expected = {404}
    desk.page.keyboard.press("Control+Enter")
    assert "Đơn hàng này vừa bị xóa" in desk.toast()
    assert desk.page.locator("#care-content").input_value() == "Đơn hàng biến mất"
    site.db.orders.insert_one(deleted)


def test_a_draft_survives_a_reload_and_goes_with_the_save(sit_down: SitDown, site: Site) -> None:
    """B.12."""
    desk = sit_down()
    page = desk.page
    order = open_first(desk)
    type_entry(desk, "Viết dở thì mất mạng")
    desk.go("/orders/due")
    page.locator(f"#row-{order} [data-care]").click()
    page.wait_for_selector("#panel .care")
    assert page.locator("#care-content").input_value() == "Viết dở thì mất mạng"
    assert page.locator("[data-draft-note]").is_visible()
    assert page.locator("input[name=feedback]:checked").get_attribute("value") == "satisfied"
    in_a_week = shown_today(desk) + timedelta(days=7)
    assert page.locator("#care-next-on").input_value() == f"{in_a_week:%d/%m/%Y}"
    page.keyboard.press("Control+Enter")
    desk.toast()
    page.locator(f"#row-{order} [data-care]").click()
    page.wait_for_selector("#panel .care")
    assert page.locator("#care-content").input_value() == ""
    assert len(entries(site, "Viết dở thì mất mạng")) == 1


def test_postponing_keeps_what_was_typed(sit_down: SitDown) -> None:
    desk = sit_down()
    order = open_first(desk)
    desk.page.fill("#care-content", "Chưa gọi được, viết sẵn")
    desk.page.locator(".postpone button").click()
    assert "Đã hoãn đến mai." in desk.toast()
    desk.settle()
    desk.page.locator(f"#row-{order} [data-care]").click()
    desk.page.wait_for_selector("#panel .care")
    assert desk.page.locator("#care-content").input_value() == "Chưa gọi được, viết sẵn"


def test_a_draft_can_be_discarded(sit_down: SitDown) -> None:
    desk = sit_down()
    order = open_first(desk)
    desk.page.fill("#care-content", "Bỏ đi")
    desk.page.locator("[data-draft-drop]").click()
    assert desk.page.locator("#care-content").input_value() == ""
    desk.go("/orders/due")
    desk.page.locator(f"#row-{order} [data-care]").click()
    desk.page.wait_for_selector("#panel .care")
    assert desk.page.locator("#care-content").input_value() == ""


def test_no_more_care_and_a_date_exclude_each_other(sit_down: SitDown, site: Site) -> None:
    desk = sit_down()
    page = desk.page
    order = open_first(desk)
    type_entry(desk, "Khách không cần nữa")
    page.locator(".form-check", has_text="Không chăm sóc nữa").click()
    assert page.locator("#care-next-on").input_value() == ""
    page.locator("[data-set-date]").first.click()
    assert not page.locator("[data-ended]").is_checked()
    page.locator(".form-check", has_text="Không chăm sóc nữa").click()
    page.keyboard.press("Control+Enter")
    desk.toast()
    desk.settle()
    found = site.db.orders.find_one({"_id": order})
    assert found
    assert found["care"]["state"] == "ended"


def test_record_and_next_opens_the_next_row(sit_down: SitDown, site: Site) -> None:
    desk = sit_down()
    order = open_first(desk)
    following = desk.page.locator("tbody tr").nth(1).get_attribute("data-row")
    type_entry(desk, "Ghi rồi sang dòng sau")
    desk.page.locator("[data-save-next]").click()
    desk.page.wait_for_selector(f"#panel .care[data-subject='{following}']")
    assert str(order) != following
    assert len(entries(site, "Ghi rồi sang dòng sau")) == 1


def test_the_list_by_keyboard_only(sit_down: SitDown, site: Site) -> None:
    desk = sit_down()
    desk.go("/customers/due")
    keys = desk.page.keyboard
    for key in ("j", "j", "k", "j"):
        keys.press(key)
    chosen = desk.page.locator("tr.is-selected").get_attribute("data-row")
    assert chosen == desk.page.locator("tbody tr").nth(1).get_attribute("data-row")
    keys.press("c")
    desk.page.wait_for_selector(f"#panel .care[data-customer='{chosen}']")
    keys.press("Escape")
    desk.page.wait_for_selector("#panel .care", state="detached")
    keys.press("q")
    desk.page.wait_for_url("**/queue")


def tab_to(desk: Desk, selector: str) -> None:
    """Presses Tab until the element has the focus."""
    for _ in range(40):
        if desk.page.evaluate(f"document.activeElement.matches({selector!r})"):
            return
        desk.page.keyboard.press("Tab")
    raise AssertionError(f"no way to {selector} by Tab")


def test_the_queue_by_keyboard_only(sit_down: SitDown, site: Site) -> None:
    """B.2: three customers in turn, the fourth left for later."""
    desk = sit_down("tuan")
    keys = desk.page.keyboard
    desk.go("/")
    keys.press("q")
    desk.page.wait_for_url("**/queue")
    seen = []
    for number in range(3):
        care = desk.page.locator(".queue-form .care")
        seen.append((care.get_attribute("data-customer"), care.get_attribute("data-subject")))
        assert desk.page.evaluate("document.activeElement.id") == "care-content"
        keys.type(f"Hàng đợi {number}")
        tab_to(desk, "input[name=feedback]")
        keys.press("Space")
        tab_to(desk, "[data-set-date]")
        keys.press("Enter")
        with desk.page.expect_navigation():
            keys.press("Control+Enter")
        desk.settle()
    assert len(set(seen)) == 3
    for number in range(3):
        [entry] = entries(site, f"Hàng đợi {number}")
        assert entry["feedback"] == "satisfied"
    assert desk.axe() == []
    current = desk.page.locator(".queue-form .care").get_attribute("data-customer")
    desk.page.locator("#content").focus()
    with desk.page.expect_navigation():
        keys.press("n")
    desk.settle()
    after = desk.page.locator(".queue-form .care").get_attribute("data-customer")
    assert after != current
    desk.page.reload()
    assert desk.page.locator(".queue-form .care").get_attribute("data-customer") == after


def test_two_agents_in_the_queue_meet_different_customers(sit_down: SitDown) -> None:
    seen = []
    for who in ("linh", "huong", "vy"):
        desk = sit_down(who)
        desk.go("/queue")
        seen.append(desk.page.locator(".queue-form .care").get_attribute("data-customer"))
    assert len(set(seen)) == 3


def test_a_date_is_picked_from_the_calendar(sit_down: SitDown, site: Site) -> None:
    desk = sit_down()
    open_first(desk)
    desk.page.fill("#care-content", "Chọn trong lịch")
    desk.page.locator(".choice", has_text="Hẹn lại").click()
    desk.page.locator("#care-next-on").click()
    desk.page.wait_for_selector(".flatpickr-calendar.open")
    desk.page.locator(".flatpickr-next-month").last.click()
    desk.page.locator(
        ".flatpickr-day:not(.prevMonthDay)", has_text=re.compile("^15$")
    ).first.click()
    desk.page.locator("[data-save]").click()
    desk.toast()
    desk.settle()
    [entry] = entries(site, "Chọn trong lịch")
    assert entry["next_on"].day == 15


def test_filters_are_found_by_typing(sit_down: SitDown) -> None:
    desk = sit_down()
    page = desk.page
    desk.go("/orders/due")
    page.locator("summary", has_text="Khu vực").click()
    page.locator(".pop-body input:focus").wait_for()
    page.keyboard.type("ha noi")
    option = page.locator(".pop-option", has_text="Hà Nội").first
    option.wait_for()
    page.locator(".pop-option", has_text="Đồng Nai").first.wait_for(state="detached")
    name = option.inner_text()
    option.click()
    page.wait_for_url("**area=*")
    desk.settle()
    assert name in page.locator(".list-says").inner_text()
    page.locator("summary").filter(has=page.locator("use[href$='calendar']")).click()
    assert desk.axe() == []


def test_the_language_switches_at_once(sit_down: SitDown) -> None:
    desk = sit_down("vy")
    desk.go("/orders/due?state=new")
    desk.page.locator("button[value=en]").click()
    desk.page.wait_for_selector("html[lang=en]")
    assert desk.page.locator("h1").inner_text().startswith("Orders due for care")
    assert "state=new" in desk.page.url
    desk.page.locator("button[value=vi]").click()
    desk.page.wait_for_selector("html[lang=vi]")
