"""Pictures of the screens by which people and administrators shape Carebook; see pictures.py."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parent.parent
MANAGERS = {"vi": "quanly1", "en": "quanly2"}
ADMINISTRATOR = "admin"
WHERE = "and(order_count.ge(2),or(relationship.in(hot,new),revenue.ge(2000000)))"
VIEW = {"vi": "Khách đáng gọi trước", "en": "Worth a call first"}
# What an administrator types into the forms, by language of the picture.
FIELD = {
    "vi": ("Lý do mất khách", "Reason of the loss", "Đổi sang hãng khác\nGiá cao\nChuyển nhà"),
    "en": ("Lý do mất khách", "Reason of the loss", "Went to a competitor\nPrice\nMoved away"),
}
CHANGES = (
    ("care_mode: unlimited", "care_mode: by_product"),
    ("trash_days: 30", "trash_days: 60"),
    ("label_vi: Không nghe máy", "label_vi: Máy bận hoặc không nghe"),
    ("label_en: No answer", "label_en: Busy or no answer"),
)


def _opened(page: Page, path: str) -> Page:
    page.goto(path)
    page.wait_for_load_state("networkidle")
    return page


def _customers(stage: Any, language: str, query: str = "") -> Page:
    page: Page = stage.page(MANAGERS[language], language)
    return _opened(page, f"/customers/{query}")


def take_columns(stage: Any, language: str) -> Page:
    page = _customers(stage, language)
    page.locator("summary", has=page.locator("use[href$='#columns-3']")).click()
    page.wait_for_selector(".columns-list")
    page.check(".columns-list input[value=owner]")
    return page


def take_filter(stage: Any, language: str) -> Page:
    page = _customers(stage, language, f"?where={WHERE}")
    page.keyboard.press("f")
    page.wait_for_selector("[data-filter-form]")
    return page


def take_views(stage: Any, language: str) -> Page:
    page = _customers(stage, language, f"?where={WHERE}&sort=-created")
    page.click(".view-bar details:has(.view-save) summary")
    page.fill(".view-form [name=name]", VIEW[language])
    page.check(".view-form [name=pin]")
    page.click(".view-form button[type=submit]")
    page.click(".view-more")
    page.wait_for_selector(".view-menu [value=delete]")
    return page


def take_groups(stage: Any, language: str) -> Page:
    page: Page = stage.page(MANAGERS[language], language)
    return _opened(page, "/orders/due/?due=all&group=area")


def take_board(stage: Any, language: str) -> Page:
    page = _customers(stage, language, "?group=relationship&mode=kanban")
    page.locator("[data-board]").evaluate(
        "one => one.scrollTo(one.children[2].offsetLeft - one.children[0].offsetLeft, 0)"
    )
    return page


def take_calendar(stage: Any, language: str) -> Page:
    return _customers(stage, language, "?group=due&mode=calendar")


def take_cell(stage: Any, language: str) -> Page:
    page = _customers(stage, language)
    page.locator("[data-rows] tbody tr:nth-child(3) td:has(.pill)").first.dblclick()
    page.wait_for_selector("#cell-editor form")
    return page


def take_bulk(stage: Any, language: str) -> Page:
    page = _customers(stage, language)
    for box in page.locator("[data-rows] tbody input[name=ids]").all()[:10]:
        box.check()
    page.click(".bulk-bar button[type=submit]")
    page.select_option("#bulk-field", "relationship")
    page.wait_for_selector(".bulk-value select")
    page.select_option(".bulk-value select", "potential")
    page.click("button[value=preview]")
    page.wait_for_selector(".bulk-preview")
    return page


def take_search(stage: Any, language: str) -> Page:
    page = _opened(stage.page(MANAGERS[language], language), "/")
    page.keyboard.press("Control+k")
    page.keyboard.type("nguyen thi")
    page.wait_for_selector("[data-hit] >> nth=3")
    return page


def take_files(stage: Any, language: str) -> Page:
    page = _customers(stage, language)
    page.locator("[data-rows] tbody tr .row-title").nth(4 if language == "vi" else 5).click()
    page.wait_for_load_state("networkidle")
    page.goto(page.url.split("?")[0] + "?tab=files")
    names = {
        "vi": ("Ảnh chụp màn hình lịch hẹn.png", "Báo giá tháng 11.csv"),
        "en": ("Appointments.png", "Quote November.csv"),
    }[language]
    shot = (ROOT / "docs" / "pictures" / f"today.{language}.png").read_bytes()
    quote = "Mặt hàng;Số lượng;Giá\nSữa tăng cường canxi;4;385000\n".encode()
    page.set_input_files(
        ".files-input",
        [
            {"name": names[0], "mimeType": "image/png", "buffer": shot},
            {"name": names[1], "mimeType": "text/csv", "buffer": quote},
        ],
    )
    page.wait_for_selector("[data-files-list] li:nth-child(2)")
    return _opened(page, page.url)


def take_trash(stage: Any, language: str) -> Page:
    page = stage.page(MANAGERS[language], language)
    for number in (7, 9):
        _opened(page, "/customers/?sort=-created")
        page.locator("[data-rows] tbody tr .row-title").nth(number).click()
        page.click(".record-delete button")
        page.wait_for_selector(".toast-undo")
    return _opened(page, "/trash")


def take_handover(stage: Any, language: str) -> Page:
    page = _opened(stage.page(MANAGERS[language], language), "/handover")
    if not page.locator(".away-list form").count():
        page.select_option("#staff", index=2)
        page.select_option("#to", index=3)
        page.fill("#from_on", _day(1))
        page.fill("#until_on", _day(5))
        page.keyboard.press("Control+Enter")
        page.wait_for_selector(".away-list form")
        _opened(page, "/handover")
    return page


def take_fields(stage: Any, language: str) -> Page:
    return _opened(stage.page(ADMINISTRATOR, language), "/settings/fields/customers")


def take_field(stage: Any, language: str) -> Page:
    page = _opened(stage.page(ADMINISTRATOR, language), "/settings/fields/customers/new")
    name_vi, name_en, choices = FIELD[language]
    page.fill("#label_vi", name_vi)
    page.fill("#label_en", name_en)
    page.select_option("#type", "choice")
    page.select_option("#pick_list", index=1)
    page.fill("#new_list", name_vi if language == "vi" else name_en)
    page.fill("#new_values", choices)
    page.fill("#visible_when", "relationship.in(lost)")
    page.wait_for_timeout(1200)
    page.locator("#new_list").scroll_into_view_if_needed()
    page.locator(".edit-foot").scroll_into_view_if_needed()
    return page


def take_pick_list(stage: Any, language: str) -> Page:
    return _opened(stage.page(ADMINISTRATOR, language), "/settings/lists/relationship")


def take_kind(stage: Any, language: str) -> Page:
    page = _opened(stage.page(ADMINISTRATOR, language), "/settings/kinds/new")
    page.fill("#label_vi", "Phiếu bảo hành")
    page.fill("#label_en", "Warranty tickets")
    page.fill("#one_vi", "Phiếu bảo hành")
    page.fill("#one_en", "Warranty ticket")
    page.check("[name=has_customer]")
    return page


def take_layout(stage: Any, language: str) -> Page:
    return _opened(stage.page(ADMINISTRATOR, language), "/settings/layouts/customers")


def take_gear(stage: Any, language: str) -> Page:
    page = _customers(stage, language)
    page.locator("[data-rows] tbody tr .row-title").nth(4).click()
    page.click(".tab-gear summary")
    return page


def take_role(stage: Any, language: str) -> Page:
    return _opened(stage.page(ADMINISTRATOR, language), "/settings/roles/care_agent")


def take_configuration(stage: Any, language: str) -> Page:
    """A changed file, before it is applied."""
    page = _opened(stage.page(ADMINISTRATOR, language), "/settings/configuration/")
    with page.expect_download() as download:
        page.click("a[download]")
    text = download.value.path().read_text("utf-8")
    page.click(".config-text summary")
    for now, then in CHANGES:
        text = text.replace(now, then)
    page.fill("#text", text)
    page.click(".config-take button[type=submit]")
    page.wait_for_selector(".config-apply")
    return page


def _day(number: int) -> str:
    return f"{date.today() + timedelta(days=number):%d/%m/%Y}"  # noqa: DTZ011 - any day near today


SHAPING: dict[str, Callable[[Any, str], Page]] = {
    "columns": take_columns,
    "filter": take_filter,
    "groups": take_groups,
    "board": take_board,
    "calendar": take_calendar,
    "cell": take_cell,
    "bulk": take_bulk,
    "search": take_search,
    "fields": take_fields,
    "field": take_field,
    "pick-list": take_pick_list,
    "kind": take_kind,
    "layout": take_layout,
    "gear": take_gear,
    "role": take_role,
    "configuration": take_configuration,
    # These write.
    "views": take_views,
    "files": take_files,
    "trash": take_trash,
    "handover": take_handover,
}
