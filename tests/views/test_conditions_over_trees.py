"""A value stands for what is below it in its tree: conditions of fields, and quick filters."""

import json
import re
from html import unescape
from typing import Any

import pytest
from bson import ObjectId

from models import Area, ConfigurationItem, Customer, Site
from services.customers import search_fields
from tests.factories import change_pick_list, make_area, make_customer
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("desk")
ROW = re.compile(r'<tr id="row-([0-9a-f]{24})"')


@pytest.fixture(autouse=True)
def trees(desk: Browser) -> None:
    """Won customers may be regular ones; groups are a tree of two levels."""
    regular = {"key": "regular", "label_vi": "Khách quen", "label_en": "Regular", "parent": "won"}
    change_pick_list("relationship", push={"values": regular})
    groups = [
        {"key": "firm", "label_vi": "Doanh nghiệp", "label_en": "Firms"},
        {"key": "small", "label_vi": "Nhỏ", "label_en": "Small", "parent": "firm"},
    ]
    change_pick_list("group", set={"values": groups})
    Site.collection().update_one({"key": "site"}, {"$inc": {"config_rev": 1}})


def define(key: str, **content: Any) -> None:
    ConfigurationItem.collection().insert_one(
        {
            "section": "fields",
            "key": f"customers.{key}",
            "content": {"label_vi": f"Nhãn {key}", "type": "text", **content},
            "version": 1,
        }
    )
    Site.collection().update_one({"key": "site"}, {"$inc": {"config_rev": 1}})


def condition(page: str, key: str) -> Any:
    found = re.search(rf'data-field="{key}"[^>]*data-when="([^"]*)"', page)
    assert found
    return json.loads(unescape(found[1]))


def is_hidden(page: str, key: str) -> bool:
    found = re.search(rf'<div[^>]*data-field="{key}"[^>]*>', page)
    assert found
    return found[0].endswith(" hidden>")


def custom(customer_id: ObjectId) -> Any:
    return (Customer.collection().find_one({"_id": customer_id}) or {}).get("custom", {})


def test_a_field_that_is_shown_for_a_value_is_shown_below_it(desk: Browser) -> None:
    define("gift", visible_when="relationship.in(won)")
    regular, hot = make_customer(relationship="regular"), make_customer(relationship="hot")
    page = desk.get(f"/customers/{regular}/edit").text
    assert not is_hidden(page, "gift")
    assert is_hidden(desk.get(f"/customers/{hot}/edit").text, "gift")
    assert condition(page, "gift") == {
        "and": [{"field": "relationship", "operator": "in", "values": [["won", "regular"]]}]
    }
    sent = {"was.gift": "", "gift": "Lịch bàn"}
    assert desk.send(f"/customers/{regular}/edit", sent).status_code == 303
    assert desk.send(f"/customers/{hot}/edit", sent).status_code == 422
    assert custom(regular) == {"gift": "Lịch bàn"}
    facts = [desk.get(f"/record/customers/{one}/gift?show") for one in (regular, hot)]
    assert [one.status_code for one in facts] == [200, 404]


def test_a_field_that_is_not_for_a_value_is_not_for_those_below(desk: Browser) -> None:
    define("offer", visible_when="relationship.none(won)")
    customer = make_customer(relationship="regular")
    assert is_hidden(desk.get(f"/customers/{customer}/edit").text, "offer")


def test_a_required_field_is_asked_for_below_the_value_too(desk: Browser) -> None:
    define("gift", visible_when="groups.in(firm)", is_required=True)
    customer = make_customer()
    sent = {"was.groups": "", "groups": ["", "small"], "was.gift": "", "gift": ""}
    assert desk.send(f"/customers/{customer}/edit", sent).status_code == 422
    assert desk.send(f"/customers/{customer}/edit", sent | {"gift": "x"}).status_code == 303


def test_areas_are_trees_for_conditions_as_well(desk: Browser) -> None:
    city, ward = make_area("Huế"), make_area("Thuận Hoà")
    Area.collection().update_one({"_id": ward}, {"$set": {"parent_id": city}})
    define("route", visible_when=f"area.in({city})")
    customer = make_customer(area_id=ward)
    page = desk.get(f"/customers/{customer}/edit").text
    assert not is_hidden(page, "route")
    assert condition(page, "route")["and"][0]["values"] == [[str(city), str(ward)]]


def test_the_quick_filter_of_relationship_finds_those_below_and_says_so(desk: Browser) -> None:
    made = {}
    for name, relationship in (("An", "won"), ("Bình", "regular"), ("Chi", "hot")):
        values = {"code": f"KH-{name}", "name": name, "phones": []}
        made[name] = make_customer(**values, **search_fields(values), relationship=relationship)
    page = desk.get("/customers/?relationship=won").text
    assert ROW.findall(page) == [str(made["An"]), str(made["Bình"])]
    assert "Chốt và cấp dưới" in unescape(page)
    assert ROW.findall(desk.get("/customers/?relationship=regular").text) == [str(made["Bình"])]
    assert "<b>Khách quen</b>" in desk.get("/customers/?relationship=regular").text
