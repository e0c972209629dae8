"""A kind of documents made at run time: warranty tickets, used like the built-in kinds (B.14)."""

from collections.abc import Iterator
from typing import Any

import pytest
from bson import ObjectId

from rules.text import fold
from tests.browser.administration import (
    a_customer,
    new_choice,
    new_kind,
    retire_kind,
    save_field,
    save_kind,
)
from tests.browser.conftest import Desk, SitDown, Site

pytestmark = pytest.mark.browser
KIND, ONE = "Phiếu bảo hành", "Phiếu bảo hành"
FAULT, FAULTS = "Hỏng hóc", ("Không lên nguồn", "Vỡ màn hình")
TICKET = "Máy đo huyết áp không lên nguồn"
SAID = "Đã nhận máy, hẹn trả sau một tuần #baohanh"
PHOTO = "Ảnh mặt sau.txt"


@pytest.fixture
def kind(sit_down: SitDown) -> Iterator[str]:
    """The key of the kind that an administrator makes, with a field; it is retired in the end."""
    desk = sit_down("admin")
    page = desk.page
    slug = f"ticket_{str(ObjectId())[-6:]}"
    new_kind(desk, slug, KIND)
    page.fill("#label_en", "Warranty tickets")
    page.check("[name=has_care]")
    assert desk.axe() == []
    save_kind(desk, slug).get_by_text("Trường").click()
    page.wait_for_url(f"**/settings/fields/{slug}")
    new_choice(desk, slug, "fault", FAULT, FAULTS)
    page.check("[name=is_required]")
    save_field(desk, "fault")
    yield slug
    retire_kind(desk, slug)


def choose_customer(page: Any, words: str, name: str) -> None:
    """By the search of the reference: typed, then taken from what was found, by keyboard."""
    search = page.locator("[data-field=customer] [data-reference-search]")
    search.press_sequentially(words)
    page.locator("[data-field=customer] [role=option]", has_text=name).first.wait_for()
    options = page.locator("[data-field=customer] [role=option]").all_inner_texts()
    at = next(number for number, text in enumerate(options) if name in text)
    for _ in range(at + 1):
        search.press("ArrowDown")
    search.press("Enter")
    assert search.input_value().startswith(name)


def new_ticket(desk: Desk, kind: str, name: str, code: str) -> str:
    """A ticket of this customer, from the list in the menu; its address."""
    page = desk.page
    desk.go("/")
    page.locator(".sidebar a", has_text=KIND).last.click()
    page.wait_for_url(f"**/e/{kind}/**")
    page.keyboard.press("n")
    page.wait_for_url("**/new**")
    page.fill("#title", TICKET)
    choose_customer(page, code, name)
    # What has to be filled in and is not: said, and nothing that was typed is lost.
    desk.expected = {422}
    page.keyboard.press("Control+Enter")
    page.locator("#fault-error").wait_for()
    desk.expected = set()
    assert page.input_value("#title") == TICKET
    assert desk.axe() == []
    page.locator("#fault").select_option(label=FAULTS[0])
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda address: "/new" not in address)
    return str(page.url)


def test_a_warranty_ticket_is_kept_like_any_other_record(
    sit_down: SitDown, site: Site, kind: str
) -> None:
    customer = a_customer(site, relationship="won")
    stored = site.db.customers.find_one({"_id": customer})
    assert stored
    desk = sit_down("huong")
    page = desk.page
    ticket = new_ticket(desk, kind, stored["name"], stored["code"])
    record = site.db.records.find_one({"kind": kind})
    assert record
    assert record["customer_id"] == customer
    main = page.locator("main").inner_text()
    assert TICKET in main
    assert FAULTS[0] in main
    # A care entry with a file and the next date.
    page.keyboard.press("c")
    page.locator("#care-form").wait_for()
    page.fill("#care-content", SAID)
    page.locator("#care-form .choice").first.click()
    page.locator("#care-form .choice-button").nth(1).click()
    page.set_input_files(
        "#care-form .files-input",
        [{"name": PHOTO, "mimeType": "text/plain", "buffer": b"serial 12345"}],
    )
    page.locator("#care-form [data-files-list] li", has_text=PHOTO).wait_for()
    assert desk.axe() == []
    page.keyboard.press("Control+Enter")
    page.locator(".record-care", has_text="Chăm sóc tiếp").wait_for()
    # A file of the ticket itself.
    desk.go(f"{ticket.removeprefix(site.address)}?tab=files")
    page.set_input_files(
        ".record-tabs .files-input",
        [{"name": "Hoá đơn.txt", "mimeType": "text/plain", "buffer": b"invoice"}],
    )
    page.locator("[data-files-list] li", has_text="Hoá đơn.txt").wait_for()
    assert desk.axe() == []
    desk.go(f"{ticket.removeprefix(site.address)}?tab=history")
    page.locator(".said", has_text="hẹn trả sau một tuần").locator("a", has_text=PHOTO).wait_for()
    # On the customer: a tab with the ticket, what was said in the history, the files.
    desk.go(f"/customers/{customer}")
    page.locator(".said", has_text="hẹn trả sau một tuần").wait_for()
    page.locator(".tabs a", has_text=KIND).last.click()
    page.locator("table a.row-title", has_text=TICKET).wait_for()
    assert desk.axe() == []
    desk.go(f"/customers/{customer}?tab=files")
    assert page.locator("[data-files-list] li", has_text=PHOTO).count() == 1
    # The list: found by the customer's name without accents, filtered by the field.
    desk.go(f"/e/{kind}/?where=fault.in(vo_man_hinh)")
    assert page.locator("[data-rows] tbody tr", has_text=TICKET).count() == 0
    desk.go(f"/e/{kind}/?where=fault.in(khong_len_nguon)")
    row = page.locator("[data-rows] tbody tr", has_text=TICKET)
    assert row.count() == 1
    assert stored["name"] in row.inner_text()
    assert page.locator(".list-problem").count() == 0
    assert desk.axe() == []
    desk.go("/")
    page.keyboard.press("Control+k")
    page.keyboard.type(fold(TICKET))
    page.locator("[data-hit]", has_text=TICKET).first.wait_for()


def test_a_ticket_is_added_on_the_page_of_its_customer(
    sit_down: SitDown, site: Site, kind: str
) -> None:
    customer = a_customer(site, relationship="won")
    desk = sit_down("admin")
    page = desk.page
    desk.go(f"/customers/{customer}?tab={kind}")
    assert desk.axe() == []
    page.locator(f"main a[href*='/e/{kind}/new']").click()
    page.fill("#title", TICKET)
    page.locator("#fault").select_option(label=FAULTS[1])
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda address: "/new" not in address)
    assert site.db.records.count_documents({"kind": kind, "customer_id": customer}) == 1
    page.locator(".record-summary a", has_text="Mở khách hàng").click()
    page.wait_for_url(f"**/customers/{customer}")
