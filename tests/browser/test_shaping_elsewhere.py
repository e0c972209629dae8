"""The configuration of one system, taken into an empty one: the same screens appear there (B.13)."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

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
    new_kind,
    new_reason,
    new_tab,
    retire,
    retire_kind,
    save_field,
    save_kind,
    save_layout,
    usual_layout,
)
from tests.browser.conftest import LAPTOP, Desk, SitDown, Site, opened_desk, served

pytestmark = pytest.mark.browser
KIND, KIND_CHANGED = "Hợp đồng lắp đặt", "Hợp đồng lắp đặt tại nhà"
TAB, TAB_CHANGED = "Giữ chân khách", "Giữ khách quay lại"
PASSWORD = "mot cau dai de nho"
ADDRESS = "quanly@example.com"
# Screens that show the configuration and nothing of the records or people of a system.
SETTINGS = (
    "/settings/fields/customers",
    "/settings/fields/orders",
    "/settings/fields/{kind}",
    "/settings/kinds/{kind}",
    "/settings/lists/relationship",
    "/settings/screens/customers",
    "/settings/screens/records_{kind}",
    "/settings/relationships",
    "/settings/menu/all",
)
FORMS = ("/customers/new", "/e/{kind}/new")
LISTS = ("/customers", "/customers/due", "/orders/due", "/products", "/care/history", "/e/{kind}")


@pytest.fixture
def shaped(site: Site, sit_down: SitDown) -> Iterator[tuple[str, str]]:
    """(field, kind): a field with a condition in a tab of its own and a column, hidden from
    managers, and a kind with a tab; all gone in the end.
    """
    desk = sit_down("admin")
    key, kind = f"reason_{ObjectId()}", f"contract_{str(ObjectId())[-6:]}"
    new_reason(desk, key)
    save_field(desk, key)
    new_kind(desk, kind, KIND)
    save_kind(desk, kind)
    new_tab(desk, TAB, key)
    save_layout(desk)
    new_column(desk, key)
    give(desk, key, "hidden", role="manager")
    yield key, kind
    give(desk, key, "", role="manager")
    usual_layout(desk)
    desk.go("/settings/screens/customers")
    desk.page.locator("button[value=reset]").click()
    desk.toast()
    retire(desk, key)
    retire_kind(desk, kind)


def choose_password(desk: Desk, link: str) -> None:
    """By a one-time link: the person is in."""
    desk.go(link)
    desk.page.fill("input[name=password]", PASSWORD)
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_url(f"{desk.site.address}/")


@pytest.fixture
def elsewhere(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The first administrator of an empty system, who has just chosen a password."""
    with served(tmp_path_factory.mktemp("elsewhere"), demo=False) as (second, said):
        desk = opened_desk(chromium, second, viewport={"width": LAPTOP[0], "height": LAPTOP[1]})
        found = re.search(r"/link/\S+", said)
        assert found
        choose_password(desk, found.group())
        yield desk
        desk.page.context.close()
    assert desk.problems == []


def new_column(desk: Desk, key: str) -> None:
    """The list of customers begins with the field for everybody."""
    desk.go("/settings/screens/customers")
    desk.page.check(f"input[name=columns][value={key}]")
    desk.page.keyboard.press("Control+Enter")
    desk.toast()


# What a page says, without what is no configuration: records and how many, areas, people.
SAID = """
(page) => {
  const main = page.querySelector("main") || page.body, said = [];
  for (const one of main.querySelectorAll("[name=area] option, [name=owner] option"))
    if (one.value) one.remove();
  main.querySelector("#list-preview")?.remove();
  const texts = page.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) said.push(texts.currentNode.data.trim());
  const unlike = ["csrf_token", "version", "record_id"];
  for (const one of main.querySelectorAll("input, select, textarea")) {
    const value = ["checkbox", "radio"].includes(one.type) ? `${one.value}:${one.checked}` : one.value;
    if (!unlike.includes(one.name)) said.push(`${one.name}=${value}`);
  }
  return said.filter((one) => one && !/^[\\d.+]+$/.test(one));
}
"""


def read(desk: Desk, path: str) -> list[str]:
    """What stands on the screen, in words and in its controls with all that they offer."""
    desk.go(path)
    return list(desk.page.evaluate(f"({SAID})(document)"))


def sent(desk: Desk, paths: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """{path: what the page says, the headings of its list, and the screens in the sidebar}, as they
    are sent: many pages at once, without drawing them. What each person pinned is left out.
    """
    return dict(
        desk.page.evaluate(
            f"""async (paths) => {{
              const said = {SAID};
              const words = (page, which) =>
                [...page.querySelectorAll(which)].map((one) => one.textContent.trim());
              const read = async (path) => {{
                const answer = await fetch(path);
                const page = new DOMParser().parseFromString(await answer.text(), "text/html");
                return [path, {{
                  says: said(page),
                  columns: words(page, "th[data-column]"),
                  menu: words(page, ".sidebar .nav-entry[data-screen]"),
                }}];
              }};
              return Object.fromEntries(await Promise.all(paths.map(read)));
            }}""",
            paths,
        )
    )


def anatomy(desk: Desk, path: str) -> list[str]:
    """A customer's page: its tabs, and the fields in the tab that was added."""
    page = desk.page
    page.set_viewport_size({"width": 1920, "height": LAPTOP[1]})  # all tabs have room
    desk.go(path)
    page.locator(".tabs-more").wait_for(state="hidden")
    if (added := page.locator(".tabs a", has_text=TAB_CHANGED)).count():
        added.click()
        page.wait_for_url(lambda address: "tab=" in address)
    tabs = page.locator(".tabs-line .tabs a").all_inner_texts()
    fields = page.locator(".fact-sections dt").all_inner_texts()
    page.set_viewport_size({"width": LAPTOP[0], "height": LAPTOP[1]})
    return [re.sub(r"[\s\d.+]+$", "", str(one)) for one in tabs] + [str(one) for one in fields]


def second_person(desk: Desk, chromium: Any) -> Desk:
    """A manager whom the administrator invites, and who has just chosen a password."""
    page = desk.page
    desk.go("/staff/new")
    page.fill("#name", "Lê Thị Quản Lý")
    page.fill("#email", ADDRESS)
    page.check("[name=roles][value=manager]")
    page.locator("main button[type=submit]").click()
    link = page.locator("#shown-once").input_value()
    made = opened_desk(chromium, desk.site, viewport={"width": LAPTOP[0], "height": LAPTOP[1]})
    choose_password(made, link.removeprefix(desk.site.address))
    return made


def give_reason(desk: Desk, field: str, form: str) -> None:
    """In the form of a customer who was lost: why, and saved."""
    desk.page.locator(f"select[name={field}]").select_option(label=REASONS[0])
    desk.page.keyboard.press("Control+Enter")
    desk.page.wait_for_url(lambda address: form not in address)


def test_the_same_screens_appear_in_an_empty_system(
    sit_down: SitDown, site: Site, shaped: tuple[str, str], elsewhere: Desk, chromium: Any
) -> None:
    field, kind = shaped
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
    stored = site.db.configuration.find_one({"section": "fields", "key": f"customers.{field}"})
    assert stored
    screens = (*SETTINGS, f"/settings/lists/{stored['content']['pick_list']}")
    settings = [path.format(kind=kind) for path in screens]
    mine, theirs = sent(here, settings), sent(elsewhere, settings)
    for path in settings:
        assert mine[path]["says"] == theirs[path]["says"], path
    # What people of two roles see: forms, lists, the menu, a customer's page.
    there = second_person(elsewhere, chromium)
    lost = f"/customers/{a_customer(site, relationship='lost')}"
    here.go(f"{lost}/edit")
    give_reason(here, field, "/edit")
    elsewhere.go("/customers/new")
    elsewhere.page.fill("#name", "Trần Thị Khởi Đầu")
    elsewhere.page.fill("#phones", "0912 345 678")
    elsewhere.page.select_option("select[name=relationship]", "lost")
    give_reason(elsewhere, field, "/new")
    pages = (lost, elsewhere.page.url.removeprefix(elsewhere.site.address))
    # An empty list has no headings: what it would show is said by the menu of its columns.
    lists = [path.format(kind=kind) + "/menu/columns" for path in LISTS]
    for role, one, other in (
        ("administrator", here, elsewhere),
        ("manager", sit_down("quanly2"), there),
    ):
        sees_all = role == "administrator"
        for path in FORMS:
            place = path.format(kind=kind)
            assert (form := read(one, place)) == read(other, place), (role, place)
            assert (REASON in form) == (sees_all and path.startswith("/customers"))
        mine, theirs = (sent(desk, [*lists, "/customers/"]) for desk in (one, other))
        for path in lists:
            assert mine[path]["says"] == theirs[path]["says"], (role, path)
            assert [line for line in mine[path]["says"] if line.endswith(":true")]
        customers = mine["/customers/"]
        for part in ("columns", "menu"):
            assert customers[part] == theirs["/customers/"][part], (role, part)
        assert (REASON in customers["columns"]) == sees_all
        assert KIND_CHANGED in customers["menu"]
        assert ("Vai trò" in customers["menu"]) == sees_all
        parts = anatomy(one, pages[0])
        assert parts == anatomy(other, pages[1]), role
        assert (TAB_CHANGED in parts) == (REASON in parts) == sees_all
        assert KIND_CHANGED in parts
    there.page.context.close()
    assert there.problems == []
