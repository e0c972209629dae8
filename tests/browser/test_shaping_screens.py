"""An administrator shapes screens while the system runs, and a care agent sees it at once."""

from collections.abc import Iterator
from typing import Any

import pytest
from bson import ObjectId

from tests.browser.conftest import Desk, SitDown, Site

pytestmark = pytest.mark.browser
REASON, REASONS = "Lý do mất khách hàng", ("Giá cao", "Chuyển nhà", "Chọn hãng khác")
RENAMED = "Vì sao khách rời đi"
SEEN = "level.customers"
TICKET = "Phiếu bảo hành"


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


@pytest.fixture
def field(site: Site, sit_down: SitDown) -> Iterator[str]:
    """The key of a field that an administrator adds on the screens; it is retired in the end."""
    desk = sit_down("admin")
    key = f"reason_{ObjectId()}"
    new_field(desk, key)
    choose_condition(desk.page, "relationship", "Mất")
    assert "relationship.in(lost)" in desk.page.input_value("#visible_when")
    desk.page.locator(".field-check", has_text="Mất").wait_for()
    assert desk.axe() == []
    desk.page.keyboard.press("Control+Enter")
    desk.page.locator(f"#{key}").wait_for()
    yield key
    desk.go(f"/settings/fields/customers/{key}")
    desk.page.locator(".settings-retire button").click()
    desk.page.locator(".settings-retired", has_text=REASON).wait_for()


def a_customer(site: Site, **wanted: Any) -> ObjectId:
    found = site.db.customers.find_one(wanted, sort=[("code", 1)])
    assert found
    return ObjectId(found["_id"])


def test_a_field_with_a_condition_reaches_the_care_agent(
    sit_down: SitDown, site: Site, field: str
) -> None:
    customer = a_customer(site, relationship="hot")
    desk = sit_down("huong")
    page = desk.page
    desk.go(f"/customers/{customer}/edit")
    control = page.locator(f"select[name={field}]")
    assert control.count() == 1
    assert not control.is_visible()
    page.select_option("select[name=relationship]", "lost")
    control.wait_for()
    control.select_option(label=REASONS[1])
    assert desk.axe() == []
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**/customers/{customer}")
    # A list is filtered by it, as by any other field.
    desk.go("/customers/")
    page.keyboard.press("f")
    page.locator(".filter-field").select_option(field)
    page.locator(".filter-choice", has_text=REASONS[1]).click()
    page.locator(".filter-actions button[value=apply]").click()
    page.locator(".list-says", has_text=REASON).wait_for()
    rows = page.locator("[data-rows] tbody tr")
    assert [rows.nth(n).get_attribute("data-row") for n in range(rows.count())] == [str(customer)]
    # Gone from the customer with the condition; the server decides, not the page.
    desk.go(f"/customers/{customer}/edit")
    page.select_option("select[name=relationship]", "hot")
    control.wait_for(state="hidden")


def give(desk: Desk, field: str, level: str) -> None:
    """On the screen of roles: what care agents may do with the field; "" is what they usually may."""
    desk.go("/settings/roles/care_agent")
    lines = desk.page.locator(
        "details.role-kind", has=desk.page.locator(f"[name='{SEEN}.{field}']")
    )
    if not lines.evaluate("one => one.open"):
        lines.locator("summary").click()
    desk.page.select_option(f"[name='{SEEN}.{field}']", level)
    desk.page.keyboard.press("Control+Enter")
    desk.toast()


def test_a_field_is_given_to_a_role(sit_down: SitDown, site: Site, field: str) -> None:
    customer = a_customer(site, relationship="lost")
    admin, agent, manager = sit_down("admin"), sit_down("huong"), sit_down("quanly2")
    give(admin, field, "hidden")
    agent.go(f"/customers/{customer}/edit")
    assert agent.page.locator(f"[name={field}]").count() == 0
    agent.go(f"/customers/?where={field}.in(gia_cao)")
    assert REASON not in agent.page.locator("main").inner_text()
    assert agent.page.locator(".list-problem").count() == 1
    manager.go(f"/customers/{customer}/edit")
    manager.page.locator(f"select[name={field}]").wait_for()
    give(admin, field, "")
    agent.go(f"/customers/{customer}/edit")
    agent.page.locator(f"select[name={field}]").wait_for()
    admin.go("/settings/roles/care_agent")
    assert admin.axe() == []


def test_the_configuration_leaves_as_a_file_and_comes_back_changed(
    sit_down: SitDown, site: Site, field: str
) -> None:
    """B.13."""
    customer = a_customer(site, relationship="lost")
    desk, agent = sit_down("admin"), sit_down("huong")
    page = desk.page
    desk.go("/settings/configuration/")
    with page.expect_download() as download:
        page.locator("a[download]").click()
    text = download.value.path().read_text("utf-8")
    assert text.count(REASON) >= 1
    page.locator(".config-text summary").click()
    page.fill("#text", text.replace(REASON, RENAMED))
    page.locator(".config-take button[type=submit]").click()
    page.locator(".diff-group").first.wait_for()
    assert RENAMED in page.locator("main").inner_text()
    assert desk.axe() == []
    agent.go(f"/customers/{customer}/edit")
    assert REASON in agent.page.locator("main").inner_text()  # only looked at so far
    page.locator(".config-apply .btn-primary").click()
    page.wait_for_url("**/settings/configuration/")
    agent.go(f"/customers/{customer}/edit")
    assert RENAMED in agent.page.locator("main").inner_text()
    # Back to how it was before the file.
    desk.go("/settings/configuration/")
    page.locator(".revision").nth(1).locator("summary").click()
    page.locator(".revision").nth(1).locator("a").click()
    page.locator(".config-apply .btn-primary").click()
    page.wait_for_url("**/settings/configuration/")
    agent.go(f"/customers/{customer}/edit")
    assert RENAMED not in agent.page.locator("main").inner_text()


def test_a_kind_of_documents_is_made_and_used(sit_down: SitDown, site: Site) -> None:
    """B.14."""
    desk = sit_down("admin")
    page = desk.page
    desk.go("/settings/kinds/new")
    slug = f"ticket_{str(ObjectId())[-6:]}"
    page.fill("#label_vi", TICKET)
    page.fill("#key", slug)
    page.fill("#label_en", "Warranty tickets")
    page.check("[name=has_customer]")
    assert desk.axe() == []
    page.keyboard.press("Control+Enter")
    page.locator("tbody tr", has_text=f"/e/{slug}").wait_for()
    customer = a_customer(site, relationship="won")
    desk.go(f"/customers/{customer}?tab={slug}")
    assert desk.axe() == []
    page.locator(f"main a[href*='/e/{slug}/new']").click()
    page.fill("#title", "Máy đo huyết áp không lên nguồn")
    assert desk.axe() == []
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda address: "/new" not in address)
    assert "Máy đo huyết áp" in page.locator("main").inner_text()
    assert site.db.records.count_documents({"kind": slug, "customer_id": customer}) == 1
    desk.go(f"/e/{slug}/")
    assert page.locator("[data-rows] tbody tr", has_text="Máy đo huyết áp").count() == 1
    assert desk.axe() == []
    desk.go(f"/settings/kinds/{slug}")
    page.check("[name=is_retired]")
    page.keyboard.press("Control+Enter")
    page.locator("tbody tr", has_text=f"/e/{slug}").filter(has_text="ngưng dùng").wait_for()


def test_a_tab_is_switched_off_by_the_gear(sit_down: SitDown, site: Site) -> None:
    """S4.2: for oneself only."""
    customer = a_customer(site, relationship="won")
    desk, colleague = sit_down("huong"), sit_down("quanly2")
    page = desk.page
    tab = page.locator(".tabs a", has_text="Tài liệu")
    for is_on in (True, False):
        desk.go(f"/customers/{customer}")
        assert tab.count() == int(is_on)
        page.locator(".tab-gear summary").click()
        page.locator(".tab-gear label", has_text="Tài liệu").locator("input").click()
        assert desk.axe() == []
        page.locator(".tab-gear button[type=submit]").first.click()
        tab.wait_for(state="detached" if is_on else "attached")
        colleague.go(f"/customers/{customer}")
        assert colleague.page.locator(".tabs a", has_text="Tài liệu").count() == 1
