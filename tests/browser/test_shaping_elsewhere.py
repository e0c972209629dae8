"""The configuration of one system, taken into an empty one: the same screens appear there (B.13)."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from bson import ObjectId

from tests.browser.administration import (
    REASON,
    apply,
    choose_condition,
    compare,
    export,
    give,
    new_field,
    new_tab,
    retire,
)
from tests.browser.conftest import LAPTOP, Desk, SitDown, Site, opened_desk, served

pytestmark = pytest.mark.browser
KIND, KIND_CHANGED = "Hợp đồng lắp đặt", "Hợp đồng lắp đặt tại nhà"
TAB, TAB_CHANGED = "Giữ chân khách", "Giữ khách quay lại"
PASSWORD = "mot cau dai de nho"
# Screens that show the configuration and nothing of the records or people of a system.
SAME = (
    "/settings/fields/customers",
    "/settings/fields/orders",
    "/settings/fields/{kind}",
    "/settings/kinds/{kind}",
    "/settings/lists/relationship",
    "/settings/screens/customers",
    "/settings/screens/records_{kind}",
    "/settings/relationships",
)


@pytest.fixture
def shaped(site: Site, sit_down: SitDown) -> Iterator[tuple[str, str]]:
    """(field, kind): a field with a condition in a tab of its own, hidden from managers, and a
    kind with a tab; all gone in the end.
    """
    desk = sit_down("admin")
    page = desk.page
    key, kind = f"reason_{ObjectId()}", f"contract_{str(ObjectId())[-6:]}"
    new_field(desk, key)
    choose_condition(page, "relationship", "Mất")
    page.keyboard.press("Control+Enter")
    page.locator(f"#{key}").wait_for()
    desk.go("/settings/kinds/new")
    page.fill("#label_vi", KIND)
    page.fill("#key", kind)
    page.check("[name=has_customer]")
    page.keyboard.press("Control+Enter")
    page.locator("tbody tr", has_text=f"/e/{kind}").wait_for()
    new_tab(desk, TAB, key)
    page.keyboard.press("Control+Enter")
    desk.toast()
    give(desk, key, "hidden", role="manager")
    yield key, kind
    give(desk, key, "", role="manager")
    desk.go("/settings/layouts/customers")
    page.locator("button[form=layout-reset]").click()
    desk.toast()
    retire(desk, key)
    desk.go(f"/settings/kinds/{kind}")
    page.check("[name=is_retired]")
    page.keyboard.press("Control+Enter")
    page.locator("tbody tr", has_text=f"/e/{kind}").filter(has_text="ngưng dùng").wait_for()


@pytest.fixture
def elsewhere(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The first administrator of an empty system, who has just chosen a password."""
    with served(tmp_path_factory.mktemp("elsewhere"), demo=False) as (second, said):
        desk = opened_desk(chromium, second, viewport={"width": LAPTOP[0], "height": LAPTOP[1]})
        found = re.search(r"/link/\S+", said)
        assert found
        desk.go(found.group())
        desk.page.fill("input[name=password]", PASSWORD)
        desk.page.keyboard.press("Enter")
        desk.page.wait_for_url(f"{second.address}/")
        yield desk
        desk.page.context.close()
    assert desk.problems == []


def read(desk: Desk, path: str) -> str:
    """What stands on the screen, in words and in its controls; without numbers of records."""
    desk.go(path)
    found = str(
        desk.page.locator("main").evaluate(
            """(main) => [main.innerText, ...[...main.querySelectorAll("input, select, textarea")]
                 .filter((one) => !["csrf_token", "version", "record_id"].includes(one.name))
                 .map((one) => `${one.name}=${one.type === "checkbox" || one.type === "radio"
                   ? `${one.value}:${one.checked}` : one.value}`)].join("\\n")"""
        )
    )
    return re.sub(r"(?m)^[\d.+]+$", "", found)


def test_the_same_screens_appear_in_an_empty_system(
    sit_down: SitDown, site: Site, shaped: tuple[str, str], elsewhere: Desk
) -> None:
    _, kind = shaped
    here = sit_down("admin")
    text = export(here)
    assert KIND in text
    assert TAB in text
    # Nothing of it is there yet.
    elsewhere.go("/settings/kinds/")
    assert KIND not in elsewhere.page.locator("main").inner_text()
    # Changed on the way, looked at, taken in.
    changed = text.replace(KIND, KIND_CHANGED).replace(TAB, TAB_CHANGED)
    compare(elsewhere, changed)
    told = elsewhere.page.locator("main").inner_text()
    for part in (KIND_CHANGED, REASON, "Cấu hình"):
        assert part in told
    assert elsewhere.page.locator(".notice-error").count() == 0
    assert elsewhere.axe() == []
    assert elsewhere.site.db.configuration.count_documents({"section": "kinds"}) == 0
    apply(elsewhere)
    # The same file there leads to the same screens here: only the changed names differ.
    compare(here, changed)
    apply(here)
    for path in SAME:
        place = path.format(kind=kind)
        assert read(elsewhere, place) == read(here, place), place
