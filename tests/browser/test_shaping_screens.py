"""An administrator shapes screens while the system runs, and a care agent sees it at once."""

from collections.abc import Iterator

import pytest
from bson import ObjectId

from tests.browser.administration import (
    REASON,
    REASONS,
    a_customer,
    apply,
    compare,
    export,
    give,
    new_reason,
    new_tab,
    retire,
    save_field,
    save_layout,
    save_view,
    usual_layout,
)
from tests.browser.conftest import Desk, SitDown, Site

pytestmark = pytest.mark.browser
RENAMED = "Vì sao khách rời đi"
TAB, VIEW = "Giữ chân khách", "Mất vì chuyển nhà"


@pytest.fixture
def field(site: Site, sit_down: SitDown) -> Iterator[str]:
    """The key of a field that an administrator adds on the screens; it is retired in the end."""
    desk = sit_down("admin")
    key = f"reason_{ObjectId()}"
    new_reason(desk, key)
    assert "relationship.in(lost)" in desk.page.input_value("#visible_when")
    desk.page.locator(".field-check", has_text="Mất").wait_for()
    assert desk.axe() == []
    save_field(desk, key)
    yield key
    retire(desk, key)


def filter_by_reason(desk: Desk, field: str) -> None:
    """Customers that were lost because they moved, chosen in the filter builder."""
    page = desk.page
    desk.go("/customers/")
    page.keyboard.press("f")
    page.locator(".filter-field").select_option(field)
    page.locator(".filter-choice", has_text=REASONS[1]).click()
    page.keyboard.press("Control+Enter")
    page.locator(".list-says", has_text=REASON).wait_for()
    desk.settle()


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
    filter_by_reason(desk, field)
    rows = page.locator("[data-rows] tbody tr")
    assert [rows.nth(n).get_attribute("data-row") for n in range(rows.count())] == [str(customer)]
    # Gone from the customer with the condition; the server decides, not the page.
    desk.go(f"/customers/{customer}/edit")
    page.select_option("select[name=relationship]", "hot")
    control.wait_for(state="hidden")


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


@pytest.fixture
def tab(sit_down: SitDown, field: str) -> Iterator[str]:
    """A tab with the field alone, for everybody; the usual layout holds again in the end."""
    desk = sit_down("admin")
    new_tab(desk, TAB, field)
    desk.page.locator(".preview-tab", has_text=TAB).wait_for()
    desk.page.locator(".preview-section", has_text=TAB).wait_for()
    assert desk.axe() == []
    save_layout(desk)
    yield TAB
    usual_layout(desk)


def test_a_field_in_a_tab_of_its_own_is_for_one_role(
    sit_down: SitDown, site: Site, field: str, tab: str
) -> None:
    """Care agents fill it in and list by it; for managers there is no such thing anywhere."""
    customer = a_customer(site, relationship="hot")
    admin, agent, manager = sit_down("admin"), sit_down("huong"), sit_down("quanly2")
    give(admin, field, "hidden", role="manager")
    filter_by_reason(admin, field)
    save_view(admin.page, VIEW)
    # The agent, by the tab: the field is there once it applies.
    agent.go(f"/customers/{customer}")
    agent.page.locator(".tabs a", has_text=tab).click()
    agent.page.locator(".card-empty").wait_for()
    agent.go(f"/customers/{customer}/edit")
    agent.page.select_option("select[name=relationship]", "lost")
    agent.page.locator(f"select[name={field}]").select_option(label=REASONS[1])
    agent.page.keyboard.press("Control+Enter")
    agent.page.wait_for_url(f"**/customers/{customer}")
    agent.page.locator(".tabs a", has_text=tab).click()
    agent.page.locator(f"#fact-{field}", has_text=REASONS[1]).wait_for()
    assert agent.axe() == []
    # Changed where it stands.
    agent.page.locator(f"#fact-{field} .fact-edit").click()
    agent.page.locator(f"#fact-{field} select").select_option(label=REASONS[2])
    agent.page.keyboard.press("Control+Enter")
    agent.page.locator(f"#fact-{field}:not(.is-open)", has_text=REASONS[2]).wait_for()
    agent.page.locator(f"#fact-{field} .fact-edit").click()
    agent.page.locator(f"#fact-{field} select").select_option(label=REASONS[1])
    agent.page.keyboard.press("Control+Enter")
    agent.page.locator(f"#fact-{field}:not(.is-open)", has_text=REASONS[1]).wait_for()
    # The view of the administrator.
    agent.go("/customers/")
    agent.page.locator(".view-tab", has_text=VIEW).click()
    agent.page.locator(".list-says", has_text=REASONS[1]).wait_for()
    assert agent.page.locator(f"[data-rows] tbody tr[data-row='{customer}']").count() == 1
    assert agent.page.locator("[data-rows] tbody tr").count() == 1
    # The manager.
    manager.go(f"/customers/{customer}")
    assert manager.page.locator(".tabs a", has_text=tab).count() == 0
    manager.go(f"/customers/{customer}/edit")
    assert manager.page.locator(f"[name={field}]").count() == 0
    manager.go("/customers/")
    manager.page.keyboard.press("f")
    manager.page.locator(".filter-field").wait_for()
    assert manager.page.locator(f".filter-field option[value={field}]").count() == 0
    manager.page.keyboard.press("Escape")
    manager.page.locator(".view-tab", has_text=VIEW).click()
    manager.page.locator(".list-problem").wait_for()
    read = manager.page.locator("main").inner_text()
    assert REASON not in read
    assert REASONS[1] not in read
    assert manager.axe() == []
    # As it was.
    give(admin, field, "", role="manager")
    manager.go(f"/customers/{customer}?tab=history")
    assert manager.page.locator(".tabs a", has_text=tab).count() == 1
    admin.go("/customers/")
    admin.page.locator(".view-tab", has_text=VIEW).click()
    admin.page.locator(".view-more").click()
    admin.page.locator(".view-menu [value=delete]").click()
    admin.page.wait_for_selector(".toast-undo")


def test_the_configuration_leaves_as_a_file_and_comes_back_changed(
    sit_down: SitDown, site: Site, field: str
) -> None:
    """B.13."""
    customer = a_customer(site, relationship="lost")
    desk, agent = sit_down("admin"), sit_down("huong")
    page = desk.page
    text = export(desk)
    assert text.count(REASON) >= 1
    compare(desk, text.replace(REASON, RENAMED))
    assert RENAMED in page.locator("main").inner_text()
    assert desk.axe() == []
    agent.go(f"/customers/{customer}/edit")
    assert REASON in agent.page.locator("main").inner_text()  # only looked at so far
    apply(desk)
    agent.go(f"/customers/{customer}/edit")
    assert RENAMED in agent.page.locator("main").inner_text()
    # Back to how it was before the file.
    desk.go("/settings/configuration/")
    page.locator(".revision").nth(1).locator("summary").click()
    page.locator(".revision").nth(1).locator("a").click()
    apply(desk)
    agent.go(f"/customers/{customer}/edit")
    assert RENAMED not in agent.page.locator("main").inner_text()


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
