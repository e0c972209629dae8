"""The filter of a list: in its address by name, in words, and the form that builds it."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from bson import ObjectId

from models import Area, ConfigurationItem, Site, Staff
from rules.conditions import MOST_CONDITIONS
from rules.scope import SYSTEM, Actor
from services import configuration_changes
from services.configuration_changes import Change
from services.customers import search_fields
from tests.factories import NOW, change_pick_list, make_area, make_customer, make_order
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("desk")
ROW = re.compile(r'<tr id="row-([0-9a-f]{24})"')


def add(name: str, **values: Any) -> ObjectId:
    values = {"code": f"KH-{ObjectId()}", "name": name, "phones": []} | values
    return make_customer(**values | search_fields(values))


def page(desk: Browser, where: str, **rest: str) -> str:
    response = desk.get("/customers/", query_string={"where": where, **rest})
    assert response.status_code == 200
    return unescape(response.text)


def listed(desk: Browser, where: str, **rest: str) -> list[ObjectId]:
    return [ObjectId(found) for found in ROW.findall(page(desk, where, **rest))]


def configure(section: str, key: str, content: dict[str, Any]) -> None:
    ConfigurationItem.collection().insert_one(
        {"section": section, "key": key, "content": content, "version": 1}
    )
    Site.collection().update_one({"key": "site"}, {"$inc": {"config_rev": 1}}, upsert=True)


def test_a_filter_in_the_address_narrows_the_list_and_is_said(desk: Browser) -> None:
    hue = make_area("Huế")
    wanted = add("An", area_id=hue, relationship="hot")
    add("Bình", area_id=hue)
    add("Chi", relationship="hot")
    where = f"and(area.in({hue}),relationship.in(hot))"
    assert listed(desk, where) == [wanted]
    assert "Khu vực là một trong: Huế và Mối quan hệ là một trong: Nóng" in page(desk, where)


def test_quick_filters_sorts_pages_and_counts_keep_the_filter(desk: Browser) -> None:
    add("An", relationship="hot")
    add("Bình")
    where = "relationship.in(hot)"
    shown = page(desk, where, q="an")
    for link in re.findall(r'(?:href|hx-get)="(/customers/(?:count)?\?[^"]*)"', shown):
        if "where=" not in link:
            assert "q=" not in link, link  # only "clear the filters" forgets it
    assert "<span" in desk.get("/customers/count", query_string={"where": where}).text
    count = desk.get("/customers/count", query_string={"where": where}).text
    assert re.search(r'id="count-total"[^>]*>1<', count)


def test_what_cannot_be_asked_is_said_and_the_rest_applies(desk: Browser) -> None:
    wanted = add("An")
    add("Bình")
    shown = page(desk, "and(name.is(An),secret.is(x),revenue.ge(y))")
    assert ROW.findall(shown) == [str(wanted)]
    assert "Không có trường “secret” để lọc" in shown
    assert "Điều kiện về “Doanh thu” đã được bỏ qua. “y” không phải là số." in shown
    assert "Không đọc được bộ lọc tại" in page(desk, "and((")


def test_a_hidden_field_is_not_offered_not_asked_and_not_named(
    desk: Browser, administrator: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    add("An", custom={"secret": "blue"})
    configure("fields", "customers.secret", {"type": "text", "label_vi": "Mật", "is_retired": True})
    where = "secret.is(blue)"
    shown = page(desk, where)
    assert "Không có trường “secret” để lọc" in shown
    assert "Mật" not in shown
    assert "Mật" not in desk.get(f"/filters/customers?where={where}").text
    form = {"part": ["and:1", "2", ")"], "field.2": "secret", "operator.2": "is", "value.2": "blue"}
    response = desk.send("/filters/customers", {**form, "do": "apply", "back": "/customers/"})
    assert response.headers["Location"] == "/customers/"


def test_a_field_of_the_site_is_filtered_like_a_built_in_one(desk: Browser) -> None:
    wanted = add("An", custom={"level": 7})
    add("Bình", custom={"level": 3})
    configure("fields", "customers.level", {"type": "integer", "label_vi": "<b>Hạng</b>"})
    assert listed(desk, "level.gt(5)") == [wanted]
    raw = desk.get("/customers/?where=level.gt(5)").text
    assert "&lt;b&gt;Hạng&lt;/b&gt; &gt; 5" in raw
    assert "<b>Hạng</b>" not in raw
    assert "<b>Hạng</b>" not in desk.get("/filters/customers?where=level.gt(5)").text


def test_a_computed_field_is_filtered(desk: Browser) -> None:
    wanted = add("An", custom={"level": 7})
    add("Bình", custom={"level": 3})
    configure("fields", "customers.level", {"type": "integer", "label_vi": "Hạng"})
    configure(
        "fields",
        "customers.twice",
        {"type": "computed", "label_vi": "Gấp đôi", "expression": "level * 2"},
    )
    assert listed(desk, "twice.eq(14)") == [wanted]


def test_me_is_whoever_asks(desk: Browser, agent: Actor, colleague: Actor) -> None:
    mine = add("An", owner_id=agent.staff_id)
    add("Bình", owner_id=colleague.staff_id)
    assert listed(desk, "owner.in(me)") == [mine]
    assert "Người phụ trách là một trong: tôi" in page(desk, "owner.in(me)")


def test_the_filter_is_within_the_scope(desk: Browser, agent: Actor, colleague: Actor) -> None:
    Site.collection().update_one({"key": "site"}, {"$set": {"care_mode": "by_customer"}})
    theirs = add("Bình", owner_id=colleague.staff_id, seen_by=[colleague.staff_id])
    mine = add("An", seen_by=[agent.staff_id], referrer_id=theirs)
    assert listed(desk, "or(name.is(An),name.is(B%C3%ACnh))") == [mine]
    shown = page(desk, f"referrer.in({theirs})")
    assert ROW.findall(shown) == [str(mine)]
    assert f"một trong: {theirs}" in shown, "its name is not said"
    assert "Bình" not in desk.get("/lookup/condition/customers/2?q=binh").text


def form(*parts: str, **values: Any) -> dict[str, Any]:
    named = {name.replace("_", "."): value for name, value in values.items() if "_" in name}
    rest = {name: value for name, value in values.items() if "_" not in name}
    return {"part": list(parts), "back": "/customers/", **named, **rest}


def where_of(response: Any) -> str:
    assert response.status_code == 303, response.text
    return parse_qs(urlsplit(response.headers["Location"]).query).get("where", [""])[0]


def apply(desk: Browser, *parts: str, **values: Any) -> str:
    return where_of(desk.send("/filters/customers", form(*parts, do="apply", **values)))


def test_the_form_becomes_the_address(desk: Browser) -> None:
    area = make_area("Huế")
    where = apply(
        desk,
        *("and:1", "2", "or:3", "4", "5", ")", ")"),
        **{
            **{"field_2": "area", "operator_2": "in", "value_2": str(area)},
            **{"field_4": "revenue", "operator_4": "ge", "value_4": "1.250.000 ₫"},
            **{"field_5": "due", "operator_5": "between", "day_5": ["ago", "exact"]},
            "value_5": ["7", "28/11/2026"],
            "rest": "q=an&after=x&sort=-name",
        },
    )
    assert where == f"and(area.in({area}),or(revenue.ge(1250000),due.between(-7d,2026-11-28)))"
    again = desk.get("/filters/customers", query_string={"where": where}).text
    for shown in ("1.250.000", "28/11/2026", "Huế", 'value="7"'):
        assert shown in again
    same = re.findall(r'name="part" value="([^"]+)"', again)
    assert same == ["and:1", "2", "or:3", "4", "5", ")", ")"]


def test_the_rest_of_the_address_stays_but_not_the_page(desk: Browser) -> None:
    sent = form("and:1", "2", ")", do="apply", field_2="name", operator_2="is", value_2="An")
    response = desk.send(
        "/filters/customers", {**sent, "rest": "q=a%26b&after=x&where=old&sort=-name"}
    )
    assert response.headers[
        "Location"
    ] == "/customers/?q=a%26b&sort=-name&where=name.is%28An%29" or (
        "where=and%28name.is%28An%29%29" in response.headers["Location"]
        and response.headers["Location"].startswith("/customers/?q=a%26b&sort=-name&")
    )


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_it_leads_nowhere_else(desk: Browser, back: str) -> None:
    sent = form("and:1", "2", ")", do="apply") | {"back": back}
    assert desk.send("/filters/customers", sent).headers["Location"] == "/"


def test_a_wrong_value_keeps_what_was_typed(desk: Browser) -> None:
    sent = form(
        "and:1", "2", ")", do="apply", field_2="revenue", operator_2="ge", value_2="nhiều lắm"
    )
    response = desk.send("/filters/customers", sent)
    assert response.status_code == 422
    assert "“nhiều lắm” không phải" in unescape(response.text)
    assert 'value="nhiều lắm"' in response.text


@pytest.mark.parametrize(
    ("action", "parts"),
    [
        ("add:1", ["and:1", "2", "or:3", "4", ")", "5", ")"]),
        ("add:3", ["and:1", "2", "or:3", "4", "5", ")", ")"]),
        ("group:3", ["and:1", "2", "or:3", "4", "and:5", "6", ")", ")", ")"]),
        ("remove:2", ["and:1", "or:2", "3", ")", ")"]),
        ("remove:3", ["and:1", "2", ")"]),
        ("remove:99", ["and:1", "2", "or:3", "4", ")", ")"]),
        ("nonsense", ["and:1", "2", "or:3", "4", ")", ")"]),
    ],
)
def test_buttons_change_the_form(desk: Browser, action: str, parts: list[str]) -> None:
    sent = form(
        *("and:1", "2", "or:3", "4", ")", ")"),
        **{"do": action, "field_2": "name", "value_2": "An", "field_4": "area"},
    )
    response = desk.send("/filters/customers", sent)
    assert response.status_code == 200
    assert re.findall(r'name="part" value="([^"]+)"', response.text) == parts


def test_a_record_is_picked_and_dropped(desk: Browser) -> None:
    area = make_area("Huế")
    assert f'value="pick:2:{area}"' in desk.get("/lookup/condition/areas/2?q=hue").text
    sent = form("and:1", "2", ")", field_2="area", operator_2="in")
    picked = desk.send("/filters/customers", {**sent, "do": f"pick:2:{area}"}).text
    assert f'name="value.2" value="{area}"' in picked
    assert "Huế" in picked
    sent["value.2"] = str(area)
    assert "Huế" not in desk.send("/filters/customers", {**sent, "do": f"drop:2:{area}"}).text


def test_another_field_forgets_values_that_do_not_fit(desk: Browser) -> None:
    sent = form("and:1", "2", ")", do="refresh", field_2="revenue", operator_2="in", value_2="hot")
    response = desk.send("/filters/customers", {**sent, "was.2": "relationship:values"})
    assert 'value="hot"' not in response.text
    sent = form("and:1", "2", ")", do="refresh", field_2="revenue", operator_2="le", value_2="5")
    response = desk.send("/filters/customers", {**sent, "was.2": "revenue:number"})
    assert 'value="5"' in response.text


def test_an_unfinished_condition_is_no_filter(desk: Browser) -> None:
    assert apply(desk, "and:1", "2", ")") == ""
    assert apply(desk, ")", ")", "x", "and:1", "or:2") == ""


def test_far_too_much_is_cut(desk: Browser) -> None:
    parts = ["and:1", *(str(number) for number in range(2, 400)), ")"]
    response = desk.send("/filters/customers", form(*parts, do="add:1"))
    assert response.status_code == 200
    assert MOST_CONDITIONS < 200


def test_htmx_gets_the_form_alone_and_is_led_to_the_list(desk: Browser) -> None:
    headers = {"HX-Request": "true"}
    assert "<html" not in desk.get("/filters/customers", headers=headers).text
    sent = form("and:1", "2", ")", do="apply", field_2="name", operator_2="filled")
    response = desk.send("/filters/customers", sent, headers=headers)
    assert response.status_code == 204
    assert "name.filled" in response.headers["HX-Redirect"]


def test_what_nobody_may_see_is_not_there(
    desk: Browser, outsider: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    assert desk.get("/filters/nothing").status_code == 404
    assert desk.get("/lookup/condition/nothing/2").status_code == 404
    assert browser_of(outsider).get("/filters/customers").status_code in (403, 404)


@pytest.mark.parametrize(
    ("kind", "typed"), [("staff", "an"), ("orders", "dh"), ("products", ""), ("product_groups", "")]
)
def test_every_reference_is_searched(desk: Browser, kind: str, typed: str) -> None:
    make_order(add("An"), code="DH-77")
    found = desk.get(f"/lookup/condition/{kind}/2?q={quote(typed)}")
    assert found.status_code == 200
    if typed:
        assert {"staff": "Nguyễn Thị An", "orders": "DH-77"}[kind] in found.text


def test_the_list_asks_little_of_the_database(desk: Browser, queries: list[str]) -> None:
    add("An", relationship="hot")
    hue = make_area("Huế")
    desk.get("/customers/")
    queries.clear()
    desk.get("/customers/")
    plain = len(queries)
    queries.clear()
    page(desk, f"and(relationship.in(hot),area.in({hue},{make_area('Vinh')}),owner.in(me))")
    # Two for making the second area, one for its name and one for what stands below areas.
    assert len(queries) <= plain + 4, queries
    assert Staff.objects.count() >= 1


def test_a_filter_too_long_for_an_address_is_refused_in_words(desk: Browser) -> None:
    sent = form("and:1", "2", ")", do="apply", field_2="area", operator_2="in")
    sent["value.2"] = [str(ObjectId()) for _ in range(200)]
    response = desk.send("/filters/customers", sent)
    assert response.status_code == 422
    assert "Bộ lọc quá dài" in response.text


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("/orders/due", "and(total.ge(1),area.empty(),product.contains(x))"),
        ("/orders/due/by-group", "due.within(this_week)"),
        ("/orders/due/by-area", "customer.filled()"),
        ("/customers/due", "said.contains(goi)"),
        ("/care/history", "and(at.last_days(7),staff.in(me),next.empty())"),
        ("/products", "interval.between(1,90)"),
    ],
)
def test_every_list_has_the_filter(desk: Browser, address: str, where: str) -> None:
    response = desk.get(f"{address}/", query_string={"where": where})
    assert response.status_code == 200
    assert "data-filter" in response.text
    assert 'role="alert"' not in response.text
    assert desk.get(f"{address}/count", query_string={"where": where}).status_code == 200


def test_a_kind_of_the_site_is_filtered_and_its_views_are_saved(
    desk: Browser, administrator: Actor
) -> None:
    configuration_changes.apply(
        [
            Change("kinds", "ticket", {"label_vi": "Phiếu", "one_vi": "phiếu"}),
            Change("fields", "ticket.cost", {"type": "money", "label_vi": "Chi phí"}),
        ],
        says="t",
        by=administrator,
        at=NOW,
    )
    for title, cost in (("Rẻ", "1000"), ("Đắt", "9000000")):
        desk.send("/e/ticket/new", {"title": title, "cost": cost})
    where = "cost.ge(1000000)"
    shown = desk.get("/e/ticket/", query_string={"where": where}).text
    assert "Đắt" in shown
    assert "Rẻ" not in shown
    sent = form("and:1", "2", ")", do="apply", field_2="cost", operator_2="ge", value_2="5.000")
    moved = desk.send("/filters/ticket", sent | {"back": "/e/ticket/"}).headers["Location"]
    assert moved == "/e/ticket/?where=and%28cost.ge%285000%29%29"
    made = desk.send(f"/e/ticket/views?where={where}", {"do": "create", "name": "Đắt", "pin": "1"})
    assert made.headers["Location"].startswith("/e/ticket/?view=")
    view = made.headers["Location"].partition("view=")[2]
    assert made.headers["Location"] in unescape(desk.get("/customers/").text), "it is pinned"
    desk.send(f"/views/{view}", {"do": "open", "screen": "records_ticket"})
    assert desk.get("/e/ticket/").headers["Location"] == made.headers["Location"]
    assert (
        desk.send(f"/views/{view}", {"do": "delete"}).headers["Location"] == "/e/ticket/?view=none"
    )


def test_a_masked_field_cannot_be_asked(desk: Browser, agent: Actor) -> None:
    add("An", phones=["0987 654 321"])
    kinds = {"customers": {"actions": ["see"], "reach": "all", "fields": {"phones": "masked"}}}
    configuration_changes.apply(
        [Change("roles", "operator", {"label_vi": "x", "kinds": kinds, "abilities": []})],
        says="x",
        by=SYSTEM,
        at=NOW,
    )
    Staff.collection().update_one({"_id": agent.staff_id}, {"$set": {"roles": ["operator"]}})
    shown = page(desk, "phones.phone(0987654321)")
    assert "Không có trường “phones” để lọc" in shown
    assert 'value="phones"' not in desk.get("/filters/customers").text
    assert 'value="name"' in desk.get("/filters/customers").text


def trees() -> tuple[ObjectId, ObjectId, ObjectId]:
    """An area with a district that has a ward; a tree of customer groups."""
    city = make_area("Huế")
    district, ward = make_area("Phú Xuân"), make_area("Thuận Hoà")
    Area.collection().update_one({"_id": district}, {"$set": {"parent_id": city}})
    Area.collection().update_one({"_id": ward}, {"$set": {"parent_id": district}})
    change_pick_list(
        "group",
        set={
            "values": [
                {"key": "firm", "label_vi": "Doanh nghiệp", "label_en": "Firms"},
                {"key": "small", "label_vi": "Nhỏ", "label_en": "Small", "parent": "firm"},
                {"key": "tiny", "label_vi": "Siêu nhỏ", "label_en": "Tiny", "parent": "small"},
                {"key": "vip", "label_vi": "VIP", "label_en": "VIP"},
            ]
        },
    )
    Site.collection().update_one({"key": "site"}, {"$inc": {"config_rev": 1}})
    return city, district, ward


def test_a_value_of_a_tree_stands_for_what_is_below_it(desk: Browser) -> None:
    city, district, ward = trees()
    first = add("An", area_id=city, groups=["firm"])
    second = add("Bình", area_id=ward, groups=["tiny", "vip"])
    third = add("Chi", groups=["vip"])
    assert listed(desk, f"area.in({city})") == [first, second]
    assert listed(desk, f"area.in({district})") == [second]
    assert listed(desk, f"area.none({city})") == [third]
    assert listed(desk, "groups.in(firm)") == [first, second]
    assert listed(desk, "groups.all(firm,vip)") == [second]
    assert listed(desk, "groups.none(small)") == [first, third]
    assert "là một trong: Huế và cấp dưới" in page(desk, f"area.in({city})")
    assert "Doanh nghiệp và cấp dưới" in page(desk, "groups.in(firm)")
    assert "VIP và cấp dưới" not in page(desk, "groups.in(vip)")


def test_a_quick_filter_by_area_finds_what_is_below_it(desk: Browser) -> None:
    city, _, ward = trees()
    below = add("Bình", area_id=ward)
    add("Chi")
    assert listed(desk, "", area=str(city)) == [below]
    assert "khu vực Huế và cấp dưới" in page(desk, "", area=str(city))
    order = make_order(below, area_id=ward, due_on=NOW.date())
    shown = unescape(desk.get(f"/orders/due/by-area?area={city}&due=all").text)
    assert str(order) in shown


def test_a_group_of_a_list_has_the_rows_of_its_value_alone(desk: Browser) -> None:
    city, _, ward = trees()
    add("An", area_id=city)
    add("Bình", area_id=ward)
    shown = page(desk, "", group="area")
    links = [
        one for one in re.findall(r'href="([^"]+)"', shown) if f"area.in({city})" in unquote(one)
    ]
    assert links
    assert ROW.findall(desk.get(links[0]).text) != []
    assert len(ROW.findall(desk.get(links[0]).text)) == 1


@pytest.mark.parametrize(
    ("language", "shown", "typed"),
    [("vi", "1.250.000", "2.500"), ("en", "1,250,000", "2,500")],
)
def test_numbers_are_grouped_as_the_reader_does(
    desk: Browser, language: str, shown: str, typed: str
) -> None:
    configure("fields", "customers.rate", {"type": "decimal", "label_vi": "Tỷ lệ"})
    Staff.collection().update_many({}, {"$set": {"locale": language}})
    where = "and(revenue.ge(1250000),rate.ge(12.5))"
    drawn = unescape(desk.get("/filters/customers", query_string={"where": where}).text)
    assert f'value="{shown}"' in drawn
    assert ('value="12,5"' if language == "vi" else 'value="12.5"') in drawn
    fields = {"field_2": "rate", "operator_2": "ge", "value_2": typed}
    assert "rate.ge(2500)" in apply(desk, "and:1", "2", ")", **fields)
