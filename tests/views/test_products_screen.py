"""Products, and their care interval and contacts in the side panel (S1.4, S1.8)."""

import json
import re
from html import unescape
from typing import Any

import pytest
from bson import ObjectId

from models import JobRun, Product, ProductGroup
from rules.scope import Actor
from rules.text import search_text
from tests.factories import make_product
from tests.views.conftest import Browser

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://localhost/products"}
ROW = re.compile(r'<tr id="row-([0-9a-f]{24})"')


@pytest.fixture
def boss(morning: None, shipped: None, valkey: Any, manager: Actor, browser_of: Any) -> Browser:
    browser: Browser = browser_of(manager)
    return browser


def add(code: str, name: str, interval: int = 7, **values: Any) -> ObjectId:
    text = search_text(name, code)
    make_product(code, interval, name=name, search=text, search_words=text.split(), **values)
    return stored(code)["_id"]


def stored(code: str) -> dict[str, Any]:
    found = Product.collection().find_one({"code": code})
    assert found
    return found


def listed(browser: Browser, query: str = "") -> list[ObjectId]:
    response = browser.get(f"/products?{query}")
    assert response.status_code == 200
    return [ObjectId(found) for found in ROW.findall(response.text)]


def test_it_shows_interval_and_contacts(boss: Browser) -> None:
    add("SP1", "Trà", 1250, care_min=1, care_max=3)
    add("SP2", "Ấm", 0, care_max=2)
    page = boss.get("/products").text
    for shown in ("SP1", "Trà", "1.250 ngày", "1–3", "không chăm sóc", "…–2"):
        assert shown in page, shown


def test_it_filters(boss: Browser) -> None:
    group = {"_id": ObjectId(), "name": "Trà", "path": ["Đồ uống", "Trà"], "ancestor_ids": []}
    ProductGroup.collection().insert_one(group)
    tea = add("SP1", "Trà Thái Nguyên", 5, group_id=group["_id"], group_ids=[group["_id"]])
    pot = add("SP2", "Ấm sứ", 0)
    assert set(listed(boss)) == {tea, pot}
    assert listed(boss, "q=thai") == [tea]
    assert listed(boss, "q=sp2") == [pot]
    assert listed(boss, "care=yes") == [tea]
    assert listed(boss, "care=no") == [pot]
    page = boss.get(f"/products?group={group['_id']}").text
    assert "Đồ uống / Trà" in page
    assert listed(boss, f"group={group['_id']}") == [tea]


def test_the_panel_shows_what_is_stored(boss: Browser) -> None:
    product = add("SP1", "Trà", 5, care_min=1)
    panel = boss.get(f"/products/{product}/care", headers=HTMX).text
    assert "<html" not in panel
    assert re.search(r'name="care_interval_days" value="5"', panel)
    assert re.search(r'name="care_min" value="1"', panel)
    assert re.search(r'name="care_max" value=""', panel)
    assert "<html" in boss.get(f"/products/{product}/care").text


def save(boss: Browser, product: ObjectId, *, htmx: bool = True, **typed: str) -> Any:
    form = {"version": "1", "care_interval_days": "10", "care_min": "1", "care_max": "3"} | typed
    return boss.send(f"/products/{product}/care", form, headers=HTMX if htmx else {})


def test_saving_shows_the_new_row_and_starts_the_job(boss: Browser) -> None:
    product = add("SP1", "Trà", 5)
    response = save(boss, product)
    assert response.status_code == 200
    assert f"row-{product}" in response.text
    assert "10 ngày" in response.text
    shown = json.loads(response.headers["HX-Trigger"])
    assert "Đang tính lại ngày" in shown["carebook:toast"]["text"]
    run = JobRun.collection().find_one()
    assert run
    assert run["arguments"] == {"product_codes": ["SP1"]}
    assert "SP1" in boss.get("/jobs").text


def test_saving_without_scripts_leads_back_with_a_word(boss: Browser) -> None:
    product = add("SP1", "Trà", 5)
    response = save(boss, product, htmx=False)
    assert response.status_code == 303
    page = boss.get(response.location).text
    assert "Đang tính lại ngày" in page
    assert "10 ngày" in page


@pytest.mark.parametrize("htmx", [True, False])
def test_a_mistake_keeps_what_was_typed(boss: Browser, htmx: bool) -> None:
    product = add("SP1", "Trà", 5)
    response = save(boss, product, htmx=htmx, care_interval_days="mười", care_min="5")
    assert response.status_code == 422
    page = unescape(response.text)
    assert 'name="care_interval_days" value="mười"' in page
    assert "“mười”" in page
    assert stored("SP1")["care_interval_days"] == 5


def test_a_colleague_who_was_faster_is_told(boss: Browser) -> None:
    product = add("SP1", "Trà", 5)
    save(boss, product)
    response = save(boss, product, care_interval_days="20")
    assert response.status_code == 409
    assert 'name="care_interval_days" value="20"' in response.text
    assert 'name="version" value="2"' in response.text
    assert save(boss, product, care_interval_days="20", version="2").status_code == 200


def test_a_form_without_a_version_is_a_conflict(boss: Browser) -> None:
    product = add("SP1", "Trà", 5)
    response = boss.send(f"/products/{product}/care", {"care_interval_days": "9"})
    assert response.status_code == 409


def test_a_care_agent_sees_but_may_not_change(desk: Browser) -> None:
    product = add("SP1", "Trà", 5)
    page = desk.get("/products").text
    assert "5 ngày" in page
    assert f"/products/{product}/care" not in page
    assert desk.get(f"/products/{product}/care").status_code == 403
    assert save(desk, product).status_code == 403
    assert stored("SP1")["care_interval_days"] == 5


def test_a_product_with_nothing_but_a_code_is_shown(boss: Browser) -> None:
    only = Product.collection().insert_one({"code": "X", "name": "X"}).inserted_id
    assert listed(boss) == [only]
    assert boss.get(f"/products/{only}/care").status_code == 200
