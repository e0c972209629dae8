"""The screens of fields and pick lists."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from bson import ObjectId

from models import ConfigurationItem, Customer, JobRun
from rules.scope import Actor
from services import configuration, pick_lists
from tests.factories import make_customer
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")
BAD = "<script>alert(1)</script>"


@pytest.fixture
def admin(administrator: Actor, browser_of: Callable[[Actor], Browser]) -> Browser:
    return browser_of(administrator)


def field(key: str) -> object:
    return configuration.snapshot().kinds["customers"].fields.get(key)


def add(admin: Browser, **typed: str) -> str:
    response = admin.send(
        "/settings/fields/customers/new", {"label_vi": "Hạng", "type": "text"} | typed
    )
    assert response.status_code == 303, response.text
    return response.location.partition("#")[2]


def version_of(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found
    return found.group(1)


@pytest.mark.parametrize(
    "address",
    [
        "/settings/fields/",
        "/settings/fields/customers",
        "/settings/lists/",
        "/settings/lists/group",
    ],
)
def test_only_who_may_configure_opens_the_screens(
    admin: Browser, agent: Actor, browser_of: Callable[[Actor], Browser], address: str
) -> None:
    assert browser_of(agent).get(address).status_code == 403
    assert admin.get(address, follow_redirects=True).status_code == 200


def test_a_field_is_added_and_is_in_the_form_at_once(
    admin: Browser, agent: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    assert add(admin, label_vi="Số hợp đồng", label_en="Contract") == "so_hop_dong"
    assert "Số hợp đồng" in admin.get("/settings/fields/customers").text
    page = browser_of(agent).get(f"/customers/{make_customer()}/edit").text
    assert "Số hợp đồng" in page


def test_mistakes_are_shown_at_their_place_and_keep_what_was_typed(admin: Browser) -> None:
    sent = {"label_vi": BAD, "type": "integer", "minimum": "abc", "help_vi": BAD}
    response = admin.send("/settings/fields/customers/new", sent)
    assert response.status_code == 422
    assert 'id="minimum-error"' in response.text
    assert BAD not in response.text
    assert response.text.count("&lt;script&gt;") >= 2


def test_a_label_of_500_characters_and_markup_look_like_text(admin: Browser) -> None:
    key = add(admin, label_vi=BAD + "x" * 400, help_vi=BAD)
    for address in ("/settings/fields/customers", f"/settings/fields/customers/{key}"):
        assert BAD not in admin.get(address).text


def test_the_order_is_saved_by_drag_and_by_button(admin: Browser) -> None:
    page = admin.get("/settings/fields/customers").text
    keys = re.findall(r'name="keys" value="(\w+)"', page)
    address = "/settings/fields/customers/order"
    assert (
        admin.send(
            address, {"keys": [*keys[1:], keys[0]]}, headers={"HX-Request": "true"}
        ).status_code
        == 204
    )
    order = list(configuration.snapshot().kinds["customers"].fields)
    assert (order[0], order[-1]) == (keys[1], keys[0])
    assert admin.send(address, {"keys": order, "do": f"down:{order[0]}"}).status_code == 303
    assert list(configuration.snapshot().kinds["customers"].fields)[1] == order[0]


def test_a_change_of_type_asks_with_the_loss_before_ones_eyes(admin: Browser) -> None:
    key = add(admin)
    customer = make_customer(code="KH-7", custom={key: BAD})
    address = f"/settings/fields/customers/{key}"
    sent = {"version": version_of(admin.get(address).text), "label_vi": "Hạng", "type": "integer"}
    response = admin.send(address, sent)
    assert response.status_code == 422
    page = unescape(response.text)
    assert "không còn phù hợp và thành trống" in page
    assert "KH-7" in page
    assert BAD not in response.text
    response = admin.send(address, sent | {"do": "convert"})
    run = JobRun.collection().find_one({"name": "convert_field"})
    assert run
    assert response.location == f"/jobs/{run['_id']}"
    assert Customer.collection().find_one({"_id": customer})


def test_a_stale_form_is_a_conflict(admin: Browser) -> None:
    key = add(admin)
    sent = {"version": "1", "label_vi": "A", "type": "text"}
    assert admin.send(f"/settings/fields/customers/{key}", sent).status_code == 303
    response = admin.send(f"/settings/fields/customers/{key}", sent | {"label_vi": "B"})
    assert response.status_code == 409
    assert 'value="B"' in response.text
    assert version_of(response.text) == "2"


def test_a_field_is_retired_and_brought_back(admin: Browser) -> None:
    key = add(admin)
    for do, is_retired in (("retire", True), ("bring_back", False)):
        admin.send(f"/settings/fields/customers/{key}/retire", {"do": do})
        assert field(key).is_retired is is_retired  # type: ignore[attr-defined]
    response = admin.send("/settings/fields/customers/name/retire")
    assert response.status_code == 422


def test_a_broken_definition_is_shown_to_administrators_and_to_nobody_else(
    admin: Browser, agent: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    ConfigurationItem.collection().insert_one(
        {
            "section": "fields",
            "key": "customers.odd",
            "content": {"type": "teleport", "label_vi": "Lạ"},
        }
    )
    configuration.forget()
    page = unescape(admin.get("/settings/fields/customers").text)
    assert "“teleport”" in page
    assert unescape(admin.get("/settings/fields/customers/odd").text).count("“teleport”") == 1
    assert "Lạ" not in browser_of(agent).get(f"/customers/{make_customer()}/edit").text


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"visible_when": "relationship.in(hot)"}, "Nóng"),
        ({"visible_when": "and("}, "field-error"),
        ({"visible_when": "gone.in(a)"}, "field-error"),
        ({"expression": "order_count + 1"}, "KH-5"),
        ({"expression": "order_count +"}, "field-error"),
        ({"expression": BAD}, "field-error"),
    ],
)
def test_conditions_and_expressions_are_checked_while_they_are_typed(
    admin: Browser, query: dict[str, str], says: str
) -> None:
    make_customer(code="KH-5", facts={"order_count": 2})
    page = unescape(admin.get("/settings/fields/customers/check", query_string=query).text)
    assert says in page
    assert BAD not in page or says == "field-error"


@pytest.mark.parametrize(
    "address",
    [
        "/settings/fields/gone",
        "/settings/fields/customers/gone",
        "/settings/lists/gone",
        "/settings/fields/gone/new",
    ],
)
def test_what_is_not_there_is_not_found(admin: Browser, address: str) -> None:
    assert admin.get(address).status_code == 404


# Pick lists


def sent_list(page: str) -> dict[str, list[str]]:
    """The form as a browser sends it."""
    sent: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input[^>]*name="([a-z_]+)" value="([^"]*)"', page):
        sent.setdefault(name, []).append(unescape(value))
    for place, colour in re.findall(r'name="(colour\.\d+)" value="(\w+)"[^>]*checked', page):
        sent[place] = [colour]
    sent.pop("retired", None)
    return sent


def without_first(sent: dict[str, list[str]]) -> dict[str, list[str]]:
    """The form without its first row."""
    return sent | {
        name: sent[name][1:] for name in ("key", "label_vi", "label_en", "parent", "place")
    }


def test_a_list_is_edited_as_one_form(admin: Browser) -> None:
    sent = sent_list(admin.get("/settings/lists/channel").text)
    sent["label_vi"][0] = "Cửa hàng chính"
    sent["label_vi"][-1] = BAD
    sent["retired"] = ["1"]
    assert admin.send("/settings/lists/channel", sent).status_code == 303
    values = configuration.snapshot().pick_lists["channel"]
    assert values["shop"].label_vi == "Cửa hàng chính"
    assert values["online"].retired
    assert list(values) == ["shop", "online", "agent", "script_alert_1_script"]
    assert BAD not in admin.get("/settings/lists/channel").text
    assert BAD not in admin.get("/settings/lists/").text


def test_a_row_moves_without_scripts(admin: Browser) -> None:
    sent = sent_list(admin.get("/settings/lists/channel").text) | {"do": ["down:0"]}
    assert admin.send("/settings/lists/channel", sent).status_code == 303
    assert list(configuration.snapshot().pick_lists["channel"])[:2] == ["online", "shop"]


def test_a_value_in_use_is_refused_and_the_form_is_kept(admin: Browser) -> None:
    make_customer(channel="shop")
    sent = without_first(sent_list(admin.get("/settings/lists/channel").text))
    response = admin.send("/settings/lists/channel", sent)
    assert response.status_code == 422
    assert "đang có trong 1 bản ghi" in unescape(response.text)
    assert sent_list(response.text)["key"].count("shop") == 1
    assert ">1<" in admin.get("/settings/lists/channel/counts").text


def test_a_stale_form_keeps_what_a_colleague_added(admin: Browser) -> None:
    mine, theirs = (sent_list(admin.get("/settings/lists/channel").text) for _ in range(2))
    theirs["label_vi"][-1] = "Hội chợ"
    assert admin.send("/settings/lists/channel", theirs).status_code == 303
    stale = admin.send("/settings/lists/channel", without_first(mine))
    assert stale.status_code == 409
    keys = sent_list(stale.text)["key"]
    assert "hoi_cho" in keys
    assert "shop" not in keys
    assert admin.send("/settings/lists/channel", sent_list(stale.text)).status_code == 303
    assert 'value="hoi_cho"' in admin.get("/settings/lists/channel").text


def test_two_values_are_merged_after_a_look(admin: Browser) -> None:
    make_customer(channel="shop")
    page = unescape(admin.get("/settings/lists/channel/merge?old=shop&new=online").text)
    assert "<b>1</b> Khách hàng: Kênh" in page
    sent = {"old": "shop", "new": "online", "version": version_of(page)}
    response = admin.send("/settings/lists/channel/merge", sent)
    assert response.location.startswith("/jobs/")
    page = unescape(admin.get("/settings/lists/channel").text)
    assert "Hoàn tác việc gộp" in page
    response = admin.send("/settings/lists/channel/unmerge", {"old": "shop"})
    assert response.status_code == 303
    assert not configuration.snapshot().pick_lists["channel"]["shop"].retired
    assert admin.get("/settings/lists/channel/merge?old=shop&new=shop").status_code == 422


def test_a_list_is_added_and_taken_away(admin: Browser) -> None:
    response = admin.send("/settings/lists/", {"label_vi": "Hạng thẻ", "label_en": ""})
    assert response.location == "/settings/lists/hang_the"
    assert admin.send("/settings/lists/", {"label_vi": " "}).status_code == 422
    assert admin.send("/settings/lists/hang_the/remove").status_code == 303
    assert admin.send("/settings/lists/channel/remove").status_code == 422
    assert pick_lists.stored("channel")[1] == 1
    assert admin.get(f"/settings/lists/{ObjectId()}").status_code == 404
