"""A manager gives customers to carers: ticked, added with the arrow, across filters, saved at once."""

from typing import Any

import pytest
from bson import ObjectId

from tests.browser.conftest import SitDown, Site

pytestmark = pytest.mark.browser


def carers(site: Site, ids: list[ObjectId]) -> list[Any]:
    found = {one["_id"]: one.get("carers") for one in site.db.customers.find({"_id": {"$in": ids}})}
    return [found[one] for one in ids]


def test_customers_of_two_filters_are_given_to_two_people_at_once(
    sit_down: SitDown, site: Site
) -> None:
    """S1.10."""
    agents = list(site.db.staff.find({"roles": "care_agent"}).sort("name", 1).limit(2))
    area = site.db.customers.find_one({"area_id": {"$ne": None}})["area_id"]
    desk = sit_down("quanly1")
    page = desk.page
    desk.go("/assignments/customers")
    page.click("[data-assign-add]")
    assert "mũi tên" in desk.toast()

    rows = page.locator("[data-rows] tbody tr")
    ids = [ObjectId(rows.nth(place).get_attribute("data-row")) for place in (0, 1)]
    before = carers(site, ids)
    for place in (0, 1):
        rows.nth(place).locator("input[name=ids]").check()
    page.select_option("select[name=way]", "replace")
    page.select_option("select[name=staff]", str(agents[0]["_id"]))
    page.click("[data-assign-add]")
    lines = page.locator("[data-assign-lines] li")
    assert "2 đã chọn" in lines.first.inner_text()
    assert agents[0]["name"] in lines.first.inner_text()
    assert carers(site, ids) == before, "nothing is saved yet"
    assert desk.axe() == []

    desk.go(f"/assignments/customers?area={area}")
    assert lines.count() == 1, "what was added survives another filter"
    last = ObjectId(rows.last.get_attribute("data-row"))
    rows.last.locator("input[name=ids]").check()
    page.select_option("select[name=way]", "replace")
    page.select_option("select[name=staff]", str(agents[1]["_id"]))
    page.click("[data-assign-add]")
    assert lines.count() == 2
    page.locator("#assign button[type=submit]").click()
    assert "khách hàng" in desk.toast()
    assert lines.count() == 0
    assert carers(site, [last]) == [[agents[1]["_id"]]]
    others = [one for one in ids if one != last]
    assert carers(site, others) == [[agents[0]["_id"]]] * len(others)
    assert desk.too_wide() == 0
