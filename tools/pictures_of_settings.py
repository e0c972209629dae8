"""Pictures of roles, teams, menus, rows of lists and of why somebody sees a record; see pictures.py."""

from collections.abc import Callable
from typing import Any

from pictures_of_shaping import ADMINISTRATOR, MANAGERS, _opened
from playwright.sync_api import Page

# Conditions of row colours, with their colours; the same in both languages.
COLOURS = (
    ("relationship.in(hot)", "orange"),
    ("relationship.in(potential)", "purple"),
    ("relationship.in(lost,do_not_forget)", "gray"),
)
TEAM = {"vi": ("Nhóm miền Bắc", "Northern team"), "en": ("Nhóm miền Nam", "Southern team")}


def take_row_menu(stage: Any, language: str) -> Page:
    page = _opened(stage.page(MANAGERS[language], language), "/customers/")
    page.locator("[data-rows] tbody tr:nth-child(3) td:has(.pill)").first.click(button="right")
    page.wait_for_selector("#row-menu:popover-open")
    return page


def take_list_settings(stage: Any, language: str) -> Page:
    """Filters, row colours and the menu of a row; the colours are saved."""
    page = _opened(stage.page(ADMINISTRATOR, language), "/settings/screens/customers")
    if not page.input_value("#where-0"):
        for place, (where, colour) in enumerate(COLOURS):
            if place:
                page.click("[data-colour-add]")
            row = page.locator(".colour-row").nth(place)
            row.locator("[name=where]").fill(where)
            row.locator(f"input[type=radio][value={colour}]").check(force=True)
        page.keyboard.press("Control+Enter")
        page.wait_for_selector(".toast-note")
        _opened(page, page.url)
    page.wait_for_timeout(1200)
    page.locator("#part-order").evaluate("(one) => scrollTo(0, one.offsetTop - 10)")
    return page


def take_row_colours(stage: Any, language: str) -> Page:
    page = _opened(stage.page(MANAGERS[language], language), "/customers/")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")  # down to the legend
    return page


def take_menu(stage: Any, language: str) -> Page:
    page = _opened(stage.page(ADMINISTRATOR, language), "/settings/menu/all")
    page.locator(".menu-section summary").nth(1).click()
    return page


def take_roles(stage: Any, language: str) -> Page:
    return _opened(stage.page(ADMINISTRATOR, language), "/settings/roles/")


def take_team(stage: Any, language: str) -> Page:
    page = _opened(stage.page(ADMINISTRATOR, language), "/settings/teams/new")
    label_vi, label_en = TEAM[language]
    page.fill("#label_vi", label_vi)
    page.fill("#label_en", label_en)
    for number in (1, 2, 4):
        page.locator("input[name=members]").nth(number).check()
    page.locator("input[name=leads]").nth(2).check()
    return page


def take_preview(stage: Any, language: str) -> Page:
    """The site as a care agent sees it, for the administrator."""
    page = _opened(stage.page(ADMINISTRATOR, language), "/settings/roles/care_agent")
    page.select_option(".preview-form select[name=staff]", index=3)
    page.click(".preview-form button[type=submit]")
    page.wait_for_selector(".preview-bar")
    return _opened(page, "/customers/due")


def take_why(stage: Any, language: str) -> Page:
    page = _opened(stage.page(MANAGERS[language], language), "/customers/due?state=cared&due=week")
    address = page.locator("[data-rows] tbody tr:nth-child(3) .row-code").get_attribute("href")
    customer = str(address).split("?")[0].rsplit("/", 1)[-1]
    _opened(page, f"/why/customers/{customer}")
    page.select_option("select[name=staff]", index=2)
    page.click(".why-who button")
    page.wait_for_load_state("networkidle")
    return page


SETTINGS: dict[str, Callable[[Any, str], Page]] = {
    "row-menu": take_row_menu,
    "menu": take_menu,
    "roles": take_roles,
    "team": take_team,
    "preview": take_preview,
    "why": take_why,
    # These write.
    "list-settings": take_list_settings,
    "row-colours": take_row_colours,
}
