"""What administrators do on the screens of [Thiết lập], step by step."""

from typing import Any

from bson import ObjectId

from tests.browser.conftest import Desk, Site

REASON, REASONS = "Lý do mất khách hàng", ("Giá cao", "Chuyển nhà", "Chọn hãng khác")


def new_field(desk: Desk, kind: str, key: str, type_name: str, label: str) -> None:
    """A field of a kind, filled in but not saved."""
    page = desk.page
    desk.go(f"/settings/fields/{kind}")
    page.keyboard.press("n")
    page.wait_for_url("**/new")
    page.fill("#label_vi", label)
    page.fill("#key", key)
    page.select_option("#type", type_name)


def new_choice(desk: Desk, kind: str, key: str, label: str, values: tuple[str, ...]) -> None:
    """A field that chooses from a list of its own, filled in but not saved."""
    page = desk.page
    new_field(desk, kind, key, "choice", label)
    page.select_option("#pick_list", label="+ danh sách mới")
    page.fill("#new_list", f"{label} {str(ObjectId())[-6:]}")
    page.fill("#new_values", "\n".join(values))


def save_field(desk: Desk, key: str) -> None:
    """What was filled in is a field, and stands in the list of its kind's."""
    desk.page.keyboard.press("Control+Enter")
    desk.page.locator(f"#{key}").wait_for()


def new_reason(desk: Desk, key: str) -> None:
    """Of customers: why they were lost, filled in but not saved; asked for of lost ones alone."""
    new_choice(desk, "customers", key, REASON, REASONS)
    choose_condition(desk.page, "relationship", "Mất")


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


def new_kind(desk: Desk, key: str, name: str) -> None:
    """A kind of documents about customers, filled in but not saved."""
    page = desk.page
    desk.go("/settings/kinds/")
    page.keyboard.press("n")
    page.fill("#label_vi", name)
    page.fill("#key", key)
    page.check("[name=has_customer]")


def save_kind(desk: Desk, key: str) -> Any:
    """What was filled in is a kind; its line among the others."""
    desk.page.keyboard.press("Control+Enter")
    line = desk.page.locator("tbody tr", has_text=f"/e/{key}")
    line.wait_for()
    return line


def retire_kind(desk: Desk, key: str) -> None:
    """The kind leaves every screen."""
    desk.go(f"/settings/kinds/{key}")
    desk.page.check("[name=is_retired]")
    save_kind(desk, key).filter(has_text="ngưng dùng").wait_for()


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


def save_layout(desk: Desk) -> None:
    desk.page.keyboard.press("Control+Enter")
    desk.toast()


def usual_layout(desk: Desk) -> None:
    """Customers' pages are laid out as they were shipped."""
    desk.go("/settings/layouts/customers")
    desk.page.locator("button[form=layout-reset]").click()
    desk.toast()


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
