"""Every screen, small and large, light and dark, in both languages: clean, fitting, translated."""

import re
from typing import Any

import pytest

from tests.browser.conftest import LAPTOP, PHONE, Desk, SitDown, Site

pytestmark = pytest.mark.browser
# English words that would stand on a Vietnamese page if a text were not translated.
ENGLISH = (
    *("Customer", "Customers", "Order", "Orders", "Product", "Products", "Care", "Save", "Search"),
    *("Next", "Previous", "All", "Any", "Filter", "Clear", "Today", "Status", "Name", "Phone"),
    *("Edit", "Cancel", "Delete", "Content", "Feedback", "Record", "days", "late", "Staff", "Area"),
    *("Group", "Groups", "History", "Jobs", "Account", "Log", "Apply", "From", "none", "Password"),
    *("Interval", "Contacts", "Appointment", "waiting", "running", "done", "Nothing", "Nobody"),
)
WORDS = re.compile(rf"\b({'|'.join(ENGLISH)})\b")

SCREENS = {
    "first page": "/",
    "queue": "/queue",
    "orders due": "/orders/due",
    "orders due, all, filtered": "/orders/due?due=all&state=cared&area={area}&sort=-due",
    "orders due, problems": "/orders/due?state=odd&nonsense=1&due=31/2/2026..",
    "by group": "/orders/due/by-group?group={group}",
    "by area": "/orders/due/by-area?due=all",
    "customers due": "/customers/due",
    "customers": "/customers?q=nguyen",
    "no customer": "/customers?q=zzzzzz",
    "customer": "/customers/{customer}",
    "customer's orders": "/customers/{customer}?tab=orders",
    "customer form": "/customers/{customer}/edit",
    "order": "/orders/{order}",
    "care of an order": "/care/orders/{order}",
    "care of a customer": "/care/customers/{customer}?for=customer",
    "history": "/care/history",
    "products": "/products",
    "product form": "/products/{product}/care",
    "jobs": "/jobs",
    "assign products": "/assignments/products",
    "assign customers": "/assignments/customers",
    "care mode": "/settings/care-mode",
    "viewers": "/viewers/{customer}",
    "schedules": "/settings/schedules",
    "relationship rules": "/settings/relationships",
    "staff": "/staff",
    "audit": "/audit",
    "access": "/settings/access",
    "account": "/account",
    "nothing": "/nowhere",
}


@pytest.fixture(scope="module")
def ids(site: Site) -> dict[str, Any]:
    """Records with something on every part of their pages."""
    order = site.db.orders.find_one({"care.count": {"$gt": 1}, "care.state": "appointed"})
    group = site.db.product_groups.find_one({"parent_id": {"$ne": None}})
    product = site.db.products.find_one({"care_interval_days": {"$gt": 0}})
    assert order
    assert group
    assert product
    return {
        "order": order["_id"],
        "customer": order["customer_id"],
        "area": order["area_id"],
        "group": group["_id"],
        "product": product["_id"],
    }


def opened(desk: Desk, name: str, ids: dict[str, Any]) -> None:
    desk.expected = {404} if name == "nothing" else set()
    desk.go(SCREENS[name].format(**ids))


ADMINISTRATORS_ONLY = {"schedules", "relationship rules", "staff", "audit", "access"}


def look(desk: Desk, *, schemes: tuple[str, ...]) -> list[str]:
    """What is wrong with the page, at both sizes."""
    found = []
    for size in (LAPTOP, PHONE):
        desk.page.set_viewport_size({"width": size[0], "height": size[1]})
        if desk.too_wide() > 0:
            found.append(f"{desk.too_wide()} px too wide at {size[0]} px")
        for number, scheme in enumerate(schemes):
            desk.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            # Only the colours depend on the scheme.
            rules = ("color-contrast",) if number else ()
            found += [f"{size[0]} px, {scheme}: {finding}" for finding in desk.axe(*rules)]
    return found


def untranslated(desk: Desk) -> set[str]:
    """English words that people can read or hear on the page."""
    text = desk.page.evaluate(
        """() => {
          const parts = [document.title, document.body.innerText];
          for (const one of document.querySelectorAll("[aria-label], [title], [placeholder]"))
            for (const name of ["aria-label", "title", "placeholder"])
              if (one.hasAttribute(name)) parts.push(one.getAttribute(name));
          return parts.join("\\n");
        }"""
    )
    return set(WORDS.findall(text))


@pytest.mark.parametrize("name", list(SCREENS))
def test_a_screen_in_vietnamese(sit_down: SitDown, ids: dict[str, Any], name: str) -> None:
    desk = sit_down("admin")
    opened(desk, name, ids)
    assert untranslated(desk) == set()
    assert look(desk, schemes=("light", "dark")) == []


def test_the_screens_in_english(sit_down: SitDown, ids: dict[str, Any]) -> None:
    desk = sit_down("quanly2", locale="en")
    found = {}
    for name in SCREENS.keys() - ADMINISTRATORS_ONLY:
        opened(desk, name, ids)
        assert desk.page.get_attribute("html", "lang") == "en"
        desk.page.set_viewport_size({"width": LAPTOP[0], "height": LAPTOP[1]})
        found[name] = desk.axe()
        for size in (LAPTOP, PHONE):
            desk.page.set_viewport_size({"width": size[0], "height": size[1]})
            if desk.too_wide() > 0:
                found[name].append(f"{desk.too_wide()} px too wide at {size[0]} px")
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_the_login_page(sit_down: SitDown) -> None:
    desk = sit_down(None)
    desk.go("/login")
    assert untranslated(desk) == set()
    assert look(desk, schemes=("light", "dark")) == []


def test_the_panel_on_a_phone(sit_down: SitDown) -> None:
    desk = sit_down(size=PHONE, scheme="dark")
    desk.go("/orders/due")
    desk.page.locator("tbody [data-care]").first.click()
    desk.page.wait_for_selector("#panel .care")
    assert untranslated(desk) == set()
    assert look(desk, schemes=("light", "dark")) == []
    desk.page.locator("[data-panel-close]").click()
    assert desk.page.locator("#panel .care").count() == 0


def test_the_menu_on_a_phone(sit_down: SitDown) -> None:
    desk = sit_down(size=PHONE)
    desk.go("/")
    desk.page.locator(".drawer-button").click()
    desk.page.locator("#sidebar .nav-entry", has_text="Danh sách khách hàng").click()
    desk.page.wait_for_url("**/customers/")
    assert desk.too_wide() <= 0


def test_menus_that_are_open(sit_down: SitDown) -> None:
    desk = sit_down("quanly1")
    desk.go("/orders/due")
    desk.page.locator(".person-button").click()
    assert desk.axe() == []
    desk.page.keyboard.press("Escape")
    desk.page.locator("summary", has_text="Khu vực").click()
    desk.page.wait_for_selector(".pop-option")
    assert desk.axe() == []
    assert desk.too_wide() <= 0


def test_tabs_without_room_stand_in_a_menu(sit_down: SitDown, ids: dict[str, Any]) -> None:
    desk = sit_down("quanly1", size=PHONE)
    opened(desk, "customer", ids)
    strip, behind = (desk.page.locator(f".{name} a") for name in ("tabs", "tabs-more"))
    more = desk.page.locator(".tabs-more summary")
    more.wait_for()
    more.click()
    last = behind.last.inner_text()
    assert desk.axe() == []
    behind.last.click()
    desk.page.locator(".tabs a[aria-current]", has_text=last).wait_for()
    assert desk.too_wide() <= 0
    desk.page.set_viewport_size({"width": 1920, "height": 900})
    more.wait_for(state="hidden")
    assert strip.last.inner_text() == last


def test_the_theme_that_was_chosen_wins_over_the_systems(sit_down: SitDown) -> None:
    desk = sit_down("vy")
    desk.go("/orders/due")
    desk.page.locator(".person-button").click()
    desk.page.locator("[data-theme-choice][value=dark]").click()
    desk.settle()
    assert desk.page.get_attribute("html", "data-bs-theme") == "dark"
    assert desk.axe() == []
    desk.page.reload()
    assert desk.page.get_attribute("html", "data-bs-theme") == "dark"
    desk.page.locator(".person-button").click()
    desk.page.locator("[data-theme-choice][value='']").click()
    desk.settle()


def test_names_without_end_break_no_page(sit_down: SitDown, site: Site) -> None:
    order = site.db.orders.find_one({"care.state": "suggested"}, sort=[("care.due_on", 1)])
    assert order
    known = site.db.customers.find_one({"_id": order["customer_id"]})
    assert known
    long = {"name": "Nguyễn" * 60, "address": "Phường " * 50, "note": "x" * 900}
    site.db.customers.update_one({"_id": known["_id"]}, {"$set": long})
    desk = sit_down("quanly1")
    try:
        for path in (
            "/orders/due",
            "/customers?sort=-name",
            f"/customers/{known['_id']}",
            f"/customers/{known['_id']}/edit",
            f"/orders/{order['_id']}",
            f"/care/orders/{order['_id']}",
        ):
            desk.go(path)
            for size in (LAPTOP, PHONE):
                desk.page.set_viewport_size({"width": size[0], "height": size[1]})
                assert desk.too_wide() <= 0, (path, size)
    finally:
        site.db.customers.replace_one({"_id": known["_id"]}, known)
