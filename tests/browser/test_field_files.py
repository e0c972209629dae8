"""A field of files and one of pictures, filled in by somebody at a desk."""

from collections.abc import Iterator
from typing import Any

import pytest
from bson import ObjectId

from tests.browser.administration import new_field, retire, save_field
from tests.browser.conftest import Desk, SitDown, Site
from tests.pictures import pdf, picture

pytestmark = pytest.mark.browser


@pytest.fixture
def fields(sit_down: SitDown) -> Iterator[dict[str, str]]:
    """{type: key} of the two fields, which are retired in the end."""
    desk = sit_down("admin")
    keys = {kind: f"{kind}_{ObjectId()}" for kind in ("file", "picture")}
    for kind, key in keys.items():
        new_field(desk, "customers", key, kind, f"Trường {kind}")
        save_field(desk, key)
    yield keys
    for key in keys.values():
        retire(desk, key)


def choose(place: Any, *files: tuple[str, bytes]) -> None:
    sent = [
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        for name, content in files
    ]
    place.locator("input[type=file]").set_input_files(sent)


def names(place: Any) -> list[str]:
    found: list[str] = place.locator(
        ".file-keep-box:checked ~ .file-main .file-name"
    ).all_inner_texts()
    return found


def save(desk: Desk) -> None:
    with desk.page.expect_navigation():
        desk.page.keyboard.press("Control+Enter")


def test_files_and_pictures_are_filled_in_kept_and_taken_out(
    sit_down: SitDown, site: Site, fields: dict[str, str]
) -> None:
    customer = (site.db.customers.find_one({}, sort=[("code", -1)]) or {})["_id"]
    desk = sit_down("huong")
    desk.expected = {422}
    page = desk.page
    desk.go(f"/customers/{customer}/edit")
    contract = page.locator(f"[data-field={fields['file']}]")
    photos = page.locator(f"[data-field={fields['picture']}]")
    choose(contract, ("hợp đồng.pdf", pdf()), ("phụ lục.pdf", pdf()))
    contract.locator(".file-keep-box").nth(1).wait_for(state="attached")
    choose(photos, ("không phải ảnh.png", pdf()), ("mặt tiền.png", picture()))
    photos.locator(".field-error", has_text="không phải là ảnh").wait_for()
    photos.locator(".file-keep-box").wait_for(state="attached")
    assert desk.axe() == []
    assert desk.too_wide() == 0
    # What was sent survives a page that is loaded again, as a draft does, and a refused form.
    page.reload()
    contract.locator(".file-keep-box").nth(1).wait_for(state="attached")
    assert sorted(names(contract)) == ["hợp đồng.pdf", "phụ lục.pdf"]
    photos.locator(".file-keep-box").wait_for(state="attached")
    name = page.input_value("#name")
    page.fill("#name", "")
    save(desk)
    assert sorted(names(contract)) == ["hợp đồng.pdf", "phụ lục.pdf"]
    contract.locator(".file", has_text="phụ lục").locator(".file-keep").click()
    assert names(contract) == ["hợp đồng.pdf"]
    page.fill("#name", name)
    save(desk)
    stored = (site.db.customers.find_one({"_id": customer}) or {})["custom"]
    assert [len(stored[fields[one]]) for one in ("file", "picture")] == [1, 1]
    # On the page itself, by the pencil.
    desk.go(f"/customers/{customer}?tab=details")
    fact = page.locator(f"#fact-{fields['picture']}")
    assert fact.locator("img").get_attribute("alt") == "mặt tiền.png"
    fact.hover()
    fact.locator(".fact-edit").click()
    fact.locator(".file-keep").click()
    choose(fact, ("kho.png", picture()))
    fact.locator("a.file-name", has_text="kho.png").wait_for()
    fact.locator("button[type=submit]").click()
    page.locator(f"#fact-{fields['picture']} img[alt='kho.png']").wait_for()
    assert page.locator(f"#fact-{fields['picture']} img").count() == 1


def test_the_number_of_documents_follows_without_a_reload(sit_down: SitDown, site: Site) -> None:
    customer = (site.db.customers.find_one({}, sort=[("code", 1)]) or {})["_id"]
    desk = sit_down("huong")
    desk.go(f"/customers/{customer}?tab=files")
    before = int(desk.page.locator("[data-tab-count=files]").inner_text())

    def is_now(number: int) -> None:
        exact = desk.page.locator(f"[data-tab-count=files]:text-is('{number}')")
        exact.wait_for()

    choose(desk.page.locator(".files"), ("a.txt", b"a"), ("b.txt", b"b"))
    is_now(before + 2)
    desk.page.locator(".file", has_text="a.txt").locator("form button").click()
    is_now(before + 1)
