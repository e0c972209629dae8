"""Saved views in the pages: tabs, the address, what is not saved yet, pins, and the way back."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from bson import ObjectId

from models import ConfigurationItem, SavedView, Site, Staff
from rules.saved_views import FOR_EVERYONE
from rules.scope import Actor
from services import saved_view_pins, saved_views
from services.customers import search_fields
from services.saved_views import Content
from tests.factories import NOW, make_customer
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("desk")
HOT = {"where": "relationship.in(hot)", "sort": "-name"}


def add(name: str, **values: Any) -> ObjectId:
    values = {"code": f"KH-{ObjectId()}", "name": name, "phones": []} | values
    return make_customer(**values | search_fields(values))


def save(
    by: Actor, name: str = "Nóng", arguments: dict[str, str] | None = None, **more: Any
) -> Any:
    content = Content(HOT if arguments is None else arguments, more.pop("columns", ()))
    return saved_views.create("customers", name, content, by=by, at=NOW, **more)


def page(browser: Browser, **query: Any) -> str:
    response = browser.get("/customers/", query_string=query)
    assert response.status_code == 200
    return unescape(response.text)


def names(text: str) -> list[str]:
    return re.findall(r'class="row-title"[^>]*>([^<]*)<', text)


def place(response: Any) -> tuple[str, dict[str, str]]:
    parts = urlsplit(response.headers["Location"])
    return parts.path, {name: one[0] for name, one in parse_qs(parts.query, True).items()}


@pytest.fixture
def people(desk: Browser) -> None:
    add("An", relationship="hot")
    add("Bình", relationship="hot", area_id=None)
    add("Chi")


@pytest.mark.usefixtures("people")
def test_a_view_shows_its_rows_order_and_columns(desk: Browser, agent: Actor) -> None:
    view = save(agent, columns=[{"key": "name", "width": 300}, {"key": "gone"}])
    shown = page(desk, view=view.id)
    assert names(shown) == ["Bình", "An"]
    assert re.findall(r'data-column="([^"]*)"', shown) == ["name"]
    assert "Mối quan hệ là một trong: Nóng" in shown
    assert 'aria-current="page"><span>Nóng</span>' in shown
    assert "Có thay đổi chưa lưu" not in shown


@pytest.mark.usefixtures("people")
def test_arguments_beside_the_view_win(desk: Browser, agent: Actor) -> None:
    view = save(agent)
    assert names(page(desk, view=view.id, sort="name")) == ["An", "Bình"]
    assert len(names(page(desk, view=view.id, where=""))) == 3
    assert names(page(desk, view=view.id, q="an")) == ["An"]
    for beside in ({"sort": "name"}, {"where": ""}, {"q": "an"}):
        assert "Có thay đổi chưa lưu" in page(desk, view=view.id, **beside)


@pytest.mark.usefixtures("people")
def test_links_say_only_what_differs_from_the_view(desk: Browser, agent: Actor) -> None:
    view = save(agent, arguments={"relationship": "hot", "q": "an"})
    shown = page(desk, view=view.id)
    chips = dict(re.findall(r'<a class="chip[^"]*" href="([^"]*)"[^>]*>([^<]*)<', shown))
    by_name = {text.strip(): urlsplit(url).query for url, text in chips.items()}
    assert by_name["Nóng"] == f"view={view.id}"
    assert by_name["Tất cả"] == f"view={view.id}&relationship=all"
    form = shown[shown.index('class="search-form"') :].partition("</form>")[0]
    hidden = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form))
    assert hidden == {"view": str(view.id)}


@pytest.mark.usefixtures("people")
def test_the_count_and_the_file_follow_the_view(desk: Browser, agent: Actor) -> None:
    view = save(agent)
    address = re.search(r'hx-get="(/customers/count[^"]*)"', page(desk, view=view.id))
    assert address
    assert re.search(r'id="count-total"[^>]*>2<', desk.get(address.group(1)).text)


@pytest.mark.usefixtures("people")
def test_what_is_seen_is_saved_under_a_name(desk: Browser, agent: Actor) -> None:
    response = desk.send(
        "/customers/views?where=relationship.in(hot)&sort=-name&after=x&q=an",
        {"do": "create", "name": " Nóng  nhất ", "pin": "1"},
    )
    path, query = place(response)
    stored = SavedView.collection().find_one({})
    assert stored is not None
    assert (path, query) == ("/customers/", {"view": str(stored["_id"])})
    assert stored["arguments"] == {"where": "relationship.in(hot)", "sort": "-name", "q": "an"}
    assert stored["name"] == "Nóng nhất"
    assert [one["key"] for one in stored["columns"]][:2] == ["code", "name"]
    shown = page(desk, view=stored["_id"])
    assert "Chế độ xem đã ghim" in shown


def test_changes_are_saved_or_taken_back(desk: Browser, agent: Actor) -> None:
    view = save(agent)
    desk.send(f"/customers/columns?view={view.id}", {"columns": ["name", "code"], "quiet": "1"})
    shown = page(desk, view=view.id)
    assert re.findall(r'data-column="([^"]*)"', shown + '<i data-column="name">')[0] == "name"
    assert "Có thay đổi chưa lưu" in shown
    assert "columns" not in (Staff.objects.get(pk=agent.staff_id).lists or {}).get("customers", {})
    desk.send(f"/customers/views?view={view.id}&q=x", {"do": "discard"})
    assert "Có thay đổi chưa lưu" not in page(desk, view=view.id)
    desk.send(f"/customers/columns?view={view.id}", {"columns": ["name", "code"], "quiet": "1"})
    desk.send(f"/customers/views?view={view.id}&q=an", {"do": "update", "version": "1"})
    assert "Có thay đổi chưa lưu" not in page(desk, view=view.id)
    stored = SavedView.objects.get(pk=view.id)
    assert stored.arguments == HOT | {"q": "an"}
    assert [one["key"] for one in stored.columns] == ["name", "code"]


def test_a_stale_save_is_refused_and_loses_nothing(desk: Browser, agent: Actor) -> None:
    view = save(agent)
    saved_views.update(view.id, Content({"q": "x"}), version=1, by=agent, at=NOW)
    response = desk.send(f"/customers/views?view={view.id}&q=an", {"do": "update", "version": "1"})
    query = place(response)[1]
    assert (query["view"], query["q"]) == (str(view.id), "an")
    assert "Có người đã sửa chế độ xem này" in desk.get(response.headers["Location"]).text


def test_a_shared_view_is_saved_as_ones_own_without_the_ability(
    desk: Browser, manager: Actor
) -> None:
    view = save(manager, audience=FOR_EVERYONE)
    shown = page(desk, view=view.id, q="an")
    assert 'value="update"' not in shown
    assert "Lưu thành…" in shown
    assert 'value="everyone"' not in shown, "sharing is not offered"
    desk.send(f"/customers/views?view={view.id}&q=an", {"do": "update", "version": "1"})
    assert SavedView.objects.get(pk=view.id).arguments == HOT
    desk.send(
        f"/customers/views?view={view.id}",
        {"do": "create", "name": "x", "audience": "everyone"},
    )
    assert SavedView.objects.count() == 1


@pytest.mark.parametrize("view", ["nonsense", "0" * 24, "a" * 500])
def test_a_view_that_is_not_there_shows_all_and_says_so(desk: Browser, view: str) -> None:
    add("An")
    shown = page(desk, view=view)
    assert names(shown) == ["An"]
    assert "Chế độ xem này không còn nữa" in shown


def test_another_persons_view_is_not_there(desk: Browser, colleague: Actor) -> None:
    view = save(colleague, "Bí mật")
    assert "Chế độ xem này không còn nữa" in page(desk, view=view.id)
    for action in ("pin", "describe", "delete"):
        desk.send(f"/views/{view.id}", {"do": action, "name": "x", "version": "1"})
    assert SavedView.objects.get(pk=view.id).name == "Bí mật"
    assert not SavedView.objects.get(pk=view.id).is_deleted
    assert "Bí mật" not in page(desk)


def test_a_list_opens_with_the_chosen_view(desk: Browser, agent: Actor) -> None:
    view = save(agent)
    desk.send(f"/views/{view.id}", {"do": "open", "screen": "customers", "back": "/customers/"})
    response = desk.get("/customers/")
    assert place(response) == ("/customers/", {"view": str(view.id)})
    assert desk.get("/customers/?q=an").status_code == 200
    assert "view=none" in page(desk, view=view.id)
    assert desk.get("/customers/?view=none").status_code == 200
    desk.send(f"/views/{view.id}", {"do": "plain", "screen": "customers"})
    assert desk.get("/customers/").status_code == 200


def test_a_deleted_view_comes_back_by_the_toast(desk: Browser, agent: Actor) -> None:
    view = save(agent)
    response = desk.send(f"/views/{view.id}", {"do": "delete"})
    shown = desk.get(response.headers["Location"]).text
    assert f"/views/{view.id}/restore" in shown
    back = desk.send(f"/views/{view.id}/restore")
    assert place(back) == ("/customers/", {"view": str(view.id)})
    assert "Nóng" in page(desk, view=view.id)


def retire(kind: str, key: str) -> None:
    ConfigurationItem.collection().insert_one(
        {
            "section": "fields",
            "key": f"{kind}.{key}",
            "content": {"type": "text", "label_vi": "Mật", "is_retired": True},
            "version": 1,
        }
    )
    Site.collection().update_one({"key": "site"}, {"$inc": {"config_rev": 1}}, upsert=True)


def test_a_view_that_names_a_hidden_field_says_so_to_those_who_may_know(
    desk: Browser,
    administrator: Actor,
    browser_of: Callable[[Actor], Browser],
    manager: Actor,
) -> None:
    add("An", relationship="hot")
    retire("customers", "secret")
    view = save(
        manager,
        arguments={"where": "and(relationship.in(hot),secret.is(x))"},
        audience=FOR_EVERYONE,
        columns=[{"key": "name"}, {"key": "secret"}],
    )
    shown = page(desk, view=view.id)
    assert names(shown) == ["An"]
    assert "secret" not in shown
    assert "dùng một trường bạn không xem được" in shown
    plain = save(manager, "Tất cả khách nóng", audience=FOR_EVERYONE)
    assert "dùng một trường bạn không xem được" not in page(desk, view=plain.id)
    assert "Có thay đổi chưa lưu" not in shown
    assert "Không có trường “secret”" in page(browser_of(administrator), view=view.id)
    leader = browser_of(manager)
    leader.send(f"/customers/views?view={view.id}&q=an", {"do": "update", "version": "1"})
    assert SavedView.objects.get(pk=view.id).arguments == {
        **{"q": "an", "where": "and(relationship.in(hot),secret.is(x))"}
    }, "who lacks the field does not take it from others"


def test_a_name_is_text_and_nothing_else(desk: Browser, agent: Actor) -> None:
    view = save(agent, "<script>alert(1)</script>")
    saved_view_pins.pin(view.id, by=agent)
    raw = desk.get(f"/customers/?view={view.id}").text
    assert "<script>alert" not in raw
    assert "&lt;script&gt;alert(1)" in raw


def test_wrong_buttons_do_nothing(desk: Browser, agent: Actor) -> None:
    view = save(agent)
    assert desk.send(f"/views/{view.id}", {"do": "explode"}).status_code == 404
    assert desk.send("/views/nonsense", {"do": "pin"}).status_code == 404
    sent = {"do": "open", "screen": "$where.x"}
    assert desk.send(f"/views/{view.id}", sent).status_code == 404
    moved = desk.send(f"/views/{view.id}", {"do": "pin", "back": "//evil.example"})
    assert moved.headers["Location"] == "/"
    assert desk.send("/customers/views", {"do": "create", "name": " "}).status_code == 303
    assert SavedView.objects.count() == 1


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    "arguments",
    [
        {"group": "relationship"},
        {"group": "relationship", "mode": "kanban"},
        {"group": "birthday", "mode": "calendar"},
        {"sort": "-created", "relationship": "hot"},
    ],
)
def test_grouping_and_layout_are_part_of_a_view(desk: Browser, arguments: dict[str, str]) -> None:
    made = desk.send(
        "/customers/views?" + "&".join(f"{name}={text}" for name, text in arguments.items()),
        {"do": "create", "name": "x"},
    )
    path, query = place(made)
    assert SavedView.objects.get(pk=query["view"]).arguments == arguments
    by_view, by_arguments = page(desk, **query), page(desk, **arguments)
    assert "Có thay đổi chưa lưu" not in by_view
    for text in ('class="kanban', 'class="calendar', 'class="group'):
        assert (text in by_view) == (text in by_arguments)
    assert path == "/customers/"
    assert "Có thay đổi chưa lưu" in page(desk, **query, group="", mode="", sort="name")


def test_a_range_of_days_keeps_the_view_and_the_filter(desk: Browser) -> None:
    asked = {"range_from": "1/11/2026", "view": "none", "where": "staff.in(me)", "_anchor": "x"}
    moved = place(desk.get("/care/history/range/at", query_string=asked))
    assert moved[1] == {"at": "2026-11-01..", "view": "none", "where": "staff.in(me)"}
