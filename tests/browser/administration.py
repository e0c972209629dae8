"""What administrators do on the screens of [Thiết lập], step by step."""

from typing import Any

from bson import ObjectId

from tests.browser.conftest import Desk, Site

REASON, REASONS = "Lý do mất khách hàng", ("Giá cao", "Chuyển nhà", "Chọn hãng khác")


def new_field(desk: Desk, key: str) -> None:
    """A choice with a list of its own, filled in but not saved."""
    page = desk.page
    desk.go("/settings/fields/customers")
    page.keyboard.press("n")
    page.wait_for_url("**/new")
    page.fill("#label_vi", REASON)
    page.fill("#key", key)
    page.select_option("#type", "choice")
    page.select_option("#pick_list", label="+ danh sách mới")
    page.fill("#new_list", f"{REASON} {key[-6:]}")
    page.fill("#new_values", "\n".join(REASONS))


def choose_condition(page: Any, field: str, value: str) -> None:
    """In the dialog of conditions: the field is one of the value."""
    page.locator("[data-condition-open]").click()
    dialog = page.locator("[data-condition-dialog]")
    dialog.locator(".filter-field").select_option(field)
    dialog.locator(".filter-choice", has_text=value).click()
    dialog.locator(".filter-actions button[value=apply]").click()
    dialog.wait_for(state="hidden")


def a_customer(site: Site, **wanted: Any) -> ObjectId:
    """The first customer with these values."""
    found = site.db.customers.find_one(wanted, sort=[("code", 1)])
    assert found
    return ObjectId(found["_id"])


def give(desk: Desk, field: str, level: str, role: str = "care_agent") -> None:
    """What a role may do with a field of customers; "" is what it usually may."""
    desk.go(f"/settings/roles/{role}")
    chosen = f"[name='level.customers.{field}']"
    lines = desk.page.locator("details.role-kind", has=desk.page.locator(chosen))
    if not lines.evaluate("one => one.open"):
        lines.locator("summary").click()
    desk.page.select_option(chosen, level)
    desk.page.keyboard.press("Control+Enter")
    desk.toast()


def retire(desk: Desk, field: str) -> None:
    """The field of customers leaves every screen."""
    desk.go(f"/settings/fields/customers/{field}")
    desk.page.locator(".settings-retire button").click()
    desk.page.locator(f".settings-retired a[href$='/{field}']").wait_for()


def drag(page: Any, grip: Any, target: Any) -> None:
    """With the mouse, slowly enough for what follows the pointer; both are on the screen."""
    middle = "(one) => { const box = one.getBoundingClientRect(); return box.y + box.height / 2; }"
    page.evaluate(
        "(by) => scrollBy(0, by - innerHeight / 2)",
        (grip.evaluate(middle) + target.evaluate(middle)) / 2,
    )
    start, end = grip.bounding_box(), target.bounding_box()
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=12)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2 + 2, steps=3)
    page.mouse.up()


def new_tab(desk: Desk, name: str, field: str) -> None:
    """In the layout of customers' pages: a tab of one's own, and the field dragged into it."""
    page = desk.page
    desk.go("/settings/layouts/customers")
    page.locator("[name=do][value^='tab:']").click()
    tab = page.locator(".layout-tab").last
    tab.locator("input[name$='.label_vi']").first.wait_for()
    tab.locator("input[name$='.label_vi']").first.fill(name)
    line = page.locator(f".layout-field:has(input[value='field:{field}'])")
    drag(page, line.locator("[data-arrange-grip]"), tab.locator("[data-layout-fields]"))
    tab.locator(f"input[value='field:{field}']").wait_for(state="attached")


def export(desk: Desk) -> str:
    """The text of the file of the configuration."""
    desk.go("/settings/configuration/")
    with desk.page.expect_download() as download:
        desk.page.locator("a[download]").click()
    return str(download.value.path().read_text("utf-8"))


def compare(desk: Desk, text: str) -> None:
    """Sends a file of the configuration; what would change stands on the page."""
    page = desk.page
    desk.go("/settings/configuration/")
    page.set_input_files(
        "#file", {"name": "site.yaml", "mimeType": "text/yaml", "buffer": text.encode()}
    )
    page.locator(".config-take button[type=submit]").click()
    page.locator(".config-apply").wait_for()


def apply(desk: Desk) -> None:
    """What was compared is in force."""
    desk.page.locator(".config-apply .btn-primary").click()
    desk.page.wait_for_url("**/settings/configuration/")


def save_view(page: Any, name: str) -> None:
    """What the list shows now becomes a view for everybody, pinned to the menu."""
    page.locator("summary", has_text="Lưu thành chế độ xem").click()
    page.fill(".view-form input[name=name]", name)
    page.locator(".view-form label", has_text="Mọi người").click()
    page.locator(".view-form label", has_text="Ghim").click()
    page.locator(".view-form button", has_text="Lưu").click()
    page.wait_for_selector(f".view-tab[aria-current=page]:has-text('{name}')")
