"""A manager's interval reaches the orders; two people edit one customer; pages without scripts."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.conftest import Desk, SitDown, Site, log_in

pytestmark = pytest.mark.browser
JOB_SECONDS = 30


def wait_for_job(site: Site, code: str) -> dict[str, Any]:
    """The newest job about the product, when a worker has ended it."""
    wanted = {"arguments.product_codes": code}
    for _ in range(JOB_SECONDS * 10):
        run = site.db.job_runs.find_one(wanted, sort=[("created_at", -1)])
        if run and run["state"] not in ("queued", "running"):
            return run
        time.sleep(0.1)
    raise AssertionError(f"the job of {code} did not end: {run}")


def open_interval(desk: Desk, code: str) -> str:
    desk.go(f"/products?q={code}")
    row = desk.page.locator("tbody tr").first
    row_id = row.get_attribute("data-row")
    row.locator("[data-care]").click()
    desk.page.wait_for_selector("#panel #care_interval_days")
    return str(row_id)


def test_a_new_interval_reaches_the_orders(sit_down: SitDown, site: Site) -> None:
    """S1.4 to S1.6, through the real worker."""
    uncared = {"care.state": "suggested", "care.count": 0}
    order = site.db.orders.find_one(uncared | {"care_items": {"$size": 1}})
    assert order
    item = order["care_items"][0]
    cared = site.db.orders.find_one({"care.state": "appointed", "care_items.code": item["code"]})
    desk = sit_down("quanly1")
    desk.go("/products")
    desk.page.evaluate("window.sameDocument = true")
    row_id = open_interval(desk, item["code"])
    desk.page.evaluate("window.sameDocument = true")
    assert desk.axe() == []
    interval = item["interval_days"] + 11
    desk.page.fill("#care_interval_days", str(interval))
    desk.page.keyboard.press("Control+Enter")
    assert "Đang tính lại ngày" in desk.toast()
    row = desk.page.locator(f"#row-{row_id}")
    row.get_by_text(f"{interval} ngày").wait_for()
    assert desk.page.evaluate("window.sameDocument") is True
    assert desk.page.locator("#panel .care").count() == 0
    assert row.evaluate("row => row.parentElement.parentElement.tagName") == "TABLE"
    run = wait_for_job(site, item["code"])
    assert run["state"] == "done", run
    after = site.db.orders.find_one({"_id": order["_id"]})
    assert after
    days = timedelta(days=interval * item["quantity"])
    assert after["care"]["due_on"] == after["placed_on"] + days
    if cared:
        same = site.db.orders.find_one({"_id": cared["_id"]})
        assert same
        assert same["care"] == cared["care"]
    desk.go("/jobs")
    assert item["code"] in desk.page.locator("tbody tr").first.inner_text()
    # A second change of the same row, which was put in place by the first.
    open_interval(desk, item["code"])
    desk.page.fill("#care_interval_days", "x")
    desk.expected = {422}
    desk.page.keyboard.press("Control+Enter")
    desk.page.wait_for_selector("#panel .field-error")
    assert desk.page.locator("#care_interval_days").input_value() == "x"


def test_two_saves_of_the_same_row_without_a_reload(sit_down: SitDown, site: Site) -> None:
    product = site.db.products.find_one({}, sort=[("code", -1)])
    assert product
    desk = sit_down("quanly1")
    row_id = open_interval(desk, product["code"])
    for contacts in ("3", "4"):
        desk.page.fill("#care_max", contacts)
        desk.page.locator("#panel .care-foot .btn-primary[type=submit]").click()
        row = desk.page.locator(f"#row-{row_id}")
        row.get_by_text(f"–{contacts}").wait_for()
        desk.page.wait_for_selector("#panel .care", state="detached")
        row.locator("[data-care]").click()
        desk.page.wait_for_selector("#panel #care_max")
    assert desk.page.locator("tbody tr[id]").count() == 1


def test_two_people_edit_one_customer(sit_down: SitDown, site: Site) -> None:
    customer = site.db.customers.find_one({}, sort=[("code", 1)])
    assert customer
    address = f"/customers/{customer['_id']}/edit"
    mine, theirs = sit_down("linh"), sit_down("huong")
    mine.go(address)
    theirs.go(address)
    mine.page.fill("#note", "Ghi chú của Linh")
    theirs.page.fill("#note", "Ghi chú của Hường")
    theirs.page.fill("#address", "1 Lê Lợi")
    theirs.page.keyboard.press("Control+Enter")
    theirs.page.wait_for_url(f"**/customers/{customer['_id']}")
    mine.expected = {409}
    mine.page.keyboard.press("Control+Enter")
    mine.page.wait_for_selector(".notice")
    shown = mine.page.locator("form.edit-form").inner_text()
    assert "Ghi chú của Hường" in shown
    assert mine.page.locator("#address").input_value() == "1 Lê Lợi"  # left alone, so theirs
    assert mine.page.locator("#note").input_value() == "Ghi chú của Linh"
    assert mine.axe() == []
    mine.page.locator("form.edit-form button[type=submit]").click()
    mine.page.wait_for_url(f"**/customers/{customer['_id']}")
    stored = site.db.customers.find_one({"_id": customer["_id"]})
    assert stored
    assert (stored["note"], stored["address"]) == ("Ghi chú của Linh", "1 Lê Lợi")


def test_a_draft_of_a_customer_survives_a_reload_and_goes_with_the_save(
    sit_down: SitDown, site: Site
) -> None:
    """B.12."""
    customer = site.db.customers.find_one({}, sort=[("code", -1)])
    assert customer
    address = f"/customers/{customer['_id']}/edit"
    desk = sit_down("linh")
    desk.go(address)
    page = desk.page
    assert not page.locator("[data-draft-note]").is_visible()
    page.fill("#note", "Viết dở")
    page.select_option("#gender", "other")
    desk.go(address)
    assert page.locator("#note").input_value() == "Viết dở"
    assert page.locator("#gender").input_value() == "other"
    assert page.locator("[data-draft-note]").is_visible()
    assert desk.axe() == []
    page.locator("[data-draft-drop]").click()
    assert page.locator("#note").input_value() == (customer.get("note") or "")
    assert not page.locator("[data-draft-note]").is_visible()
    page.fill("#note", "Viết xong")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**/customers/{customer['_id']}")
    desk.go(address)
    assert page.locator("#note").input_value() == "Viết xong"
    assert (
        page.evaluate(
            "Object.keys(localStorage).filter(key => key.startsWith('carebook:customers-')).length"
        )
        == 0
    )
    # A draft that is older than a colleague's change still meets it as a conflict.
    page.fill("#note", "Viết từ hôm qua")
    site.db.customers.update_one(
        {"_id": customer["_id"]}, {"$set": {"note": "Đồng nghiệp sửa"}, "$inc": {"version": 1}}
    )
    desk.go(address)
    desk.expected = {409}
    page.locator("form.edit-form button[type=submit]").click()
    page.wait_for_selector(".notice")
    assert "Đồng nghiệp sửa" in page.locator("form.edit-form").inner_text()
    assert page.locator("#note").input_value() == "Viết từ hôm qua"


def test_a_manager_deletes_an_order_and_takes_it_back(sit_down: SitDown, site: Site) -> None:
    order = site.db.orders.find_one({"care.state": "ended"})
    assert order
    desk = sit_down("quanly2")
    desk.go(f"/orders/{order['_id']}")
    desk.page.locator(".record-delete button").dblclick()
    undo = desk.page.locator(".toast-undo")
    undo.wait_for()
    assert desk.axe() == []
    assert site.db.orders.find_one({"_id": order["_id"]}) is None
    undo.click()
    desk.page.wait_for_url(f"**/orders/{order['_id']}")
    assert site.db.orders.find_one({"_id": order["_id"]})


def follow(page: Page, link: Locator) -> None:
    """Clicks and waits for the page that comes; a click alone returns when the request leaves."""
    with page.expect_navigation():
        link.click()


def test_care_without_scripts(sit_down: SitDown, site: Site) -> None:
    desk = sit_down(None, scripts=False)
    page = desk.page
    log_in(page, site, "nam")
    page.goto(f"{site.address}/orders/due")
    follow(page, page.locator("tbody .care-square").first)
    page.fill("#care-content", "Không có JavaScript")
    follow(page, page.locator("[data-save]"))
    assert "Hãy chọn ngày CS kế tiếp" in page.locator("main").inner_text()
    assert page.locator("#care-content").input_value() == "Không có JavaScript"
    desk.problems.clear()  # the refusal was wanted
    page.locator(".choice", has_text="Hài lòng").first.click()
    page.locator(".form-check", has_text="Không chăm sóc nữa").click()
    follow(page, page.locator("[data-save]"))
    assert "/customers/" in page.url
    assert "Không có JavaScript" in page.locator("main").inner_text()
    assert "Đã ghi." in page.locator("#toasts").inner_text()
    assert site.db.interactions.count_documents({"content": "Không có JavaScript"}) == 1


def test_a_file_that_is_too_large_costs_nothing_that_was_typed_without_scripts(
    sit_down: SitDown, site: Site, tmp_path: Path
) -> None:
    desk = sit_down("nam", scripts=False)
    desk.expected = {413, 422}
    page = desk.page
    page.goto(f"{site.address}/orders/due")
    follow(page, page.locator("tbody .care-square").first)
    page.fill("#care-content", "Khách gửi đoạn phim")
    films = [tmp_path / f"{megabytes}.mp4" for megabytes in (60, 300)]
    for film in films:
        with film.open("wb") as file:
            file.truncate(int(film.stem) * 1024 * 1024)
    page.set_input_files("#care-form .files-input", films[1])
    follow(page, page.locator("[data-save]"))
    assert "Hãy quay lại và chọn ít hơn" in page.locator("main").inner_text()
    page.go_back()
    assert page.locator("#care-content").input_value() == "Khách gửi đoạn phim"
    page.set_input_files("#care-form .files-input", films[0])
    follow(page, page.locator("[data-save]"))
    assert "“60.mp4” lớn hơn 20 MB" in page.locator("main").inner_text()
    assert page.locator("#care-content").input_value() == "Khách gửi đoạn phim"


def test_lists_and_queue_without_scripts(sit_down: SitDown, site: Site) -> None:
    desk = sit_down("vy", scripts=False)
    page = desk.page
    page.goto(f"{site.address}/orders/due?due=all")
    first = page.locator("tbody tr").first.get_attribute("data-row")
    follow(page, page.locator("a[rel=next]"))
    assert page.locator("tbody tr").first.get_attribute("data-row") != first
    follow(page, page.locator("a[rel=prev]"))
    assert page.locator("tbody tr").first.get_attribute("data-row") == first
    follow(page, page.locator("a.chip", has_text="Chưa chăm sóc"))
    assert "state=new" in page.url
    page.locator("summary").filter(has=page.locator("use[href$='calendar']")).click()
    page.fill("input[name=range_from]", "1/1/2026")
    page.fill("input[name=range_to]", "31/12/2027")
    follow(page, page.locator("details[open] button[type=submit]"))
    assert "due=2026-01-01..2027-12-31" in page.url
    page.goto(f"{site.address}/queue")
    page.fill("#care-content", "Hàng đợi không script")
    page.locator(".choice", has_text="Hài lòng").first.click()
    page.locator(".form-check", has_text="Không chăm sóc nữa").click()
    follow(page, page.locator("[data-save]"))
    assert page.url.endswith("/queue")
    assert site.db.interactions.count_documents({"content": "Hàng đợi không script"}) == 1
