"""The page of a record as its layout says: tabs, facts, the pencil, the gear, the editor (S4.2)."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from bson import ObjectId

from models import ConfigurationItem, Customer, Product, Staff
from rules.scope import Actor
from services import configuration, configuration_changes, layouts
from services.configuration_changes import Change, apply
from tests.factories import NOW, make_customer, make_order, make_product
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("desk")
BAD = "<script>alert(1)</script>"


@pytest.fixture
def admin(administrator: Actor, browser_of: Callable[[Actor], Browser]) -> Browser:
    return browser_of(administrator)


def define(by: Actor, **fields: dict[str, Any]) -> None:
    changes = [
        Change("fields", f"customers.{key}", {"label_vi": f"Nhãn {key}"} | content)
        for key, content in fields.items()
    ]
    apply(changes, says="x", by=by, at=NOW)


def tabs(page: str) -> list[str]:
    found = re.search(r'<nav class="tabs".*?</nav>', page, re.S)
    assert found
    return re.findall(r"tab=(\w+)", found.group(0))


def editor(admin: Browser, kind: str = "customers", role: str = "") -> dict[str, list[str]]:
    """The editor's form as a browser sends it."""
    page = admin.get(f"/settings/layouts/{kind}?role={role}").text
    form = page[
        page.index('id="layout-form"') : page.index("</form>", page.index('id="layout-form"'))
    ]
    sent: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input[^>]*? name="([\w.]+)" value="([^"]*)"', form):
        if not name.endswith(".is_on"):
            sent.setdefault(name, []).append(unescape(value))
    for name in re.findall(r'name="(tab\.\w+\.is_on)" value="1" checked', form):
        sent[name] = ["1"]
    return sent


def test_the_page_shows_values_of_every_own_field(desk: Browser, administrator: Actor) -> None:
    define(
        administrator,
        level={"type": "integer"},
        kinds={"type": "choices", "pick_list": "source"},
        site={"type": "link"},
        total={"type": "computed", "expression": "level * 2"},
        note2={"type": "long_text", "label_vi": BAD},
    )
    values = {"level": 1250, "kinds": ["zalo"], "site": "https://congty.vn", "note2": BAD}
    customer = make_customer(custom=values)
    page = desk.get(f"/customers/{customer}?tab=details").text
    assert BAD not in page
    text = unescape(page)
    for shown in ("1.250", "Zalo", 'href="https://congty.vn"', "2.500", BAD):
        assert shown in text, shown


def test_a_field_under_a_condition_is_shown_with_it(desk: Browser, administrator: Actor) -> None:
    define(administrator, reason={"type": "text", "visible_when": "relationship.in(lost)"})
    for relationship, is_shown in (("lost", True), ("new", False)):
        customer = make_customer(relationship=relationship)
        page = desk.get(f"/customers/{customer}?tab=details").text
        assert ("Nhãn reason" in page) is is_shown


def test_a_person_switches_tabs_off_and_on_by_the_gear(desk: Browser, agent: Actor) -> None:
    customer = make_customer()
    page = desk.get(f"/customers/{customer}").text
    assert tabs(page) == ["history", "orders", "files", "details"]
    sent = {"tabs": ["history", "changes"], "back": f"/customers/{customer}"}
    response = desk.send("/record/tabs/customers", sent)
    assert response.location == f"/customers/{customer}"
    assert tabs(desk.get(f"/customers/{customer}").text) == ["history", "changes"]
    assert desk.get(f"/customers/{customer}?tab=orders").status_code == 200  # the first that is on
    stored = Staff.objects.get(pk=agent.staff_id)
    assert stored.tabs["customers"]["orders"] is False
    desk.send("/record/tabs/customers", {"tabs": ["history", "orders", "files", "details"]})
    assert "customers" not in (Staff.objects.get(pk=agent.staff_id).tabs or {})
    assert desk.send("/record/tabs/gone").status_code == 404


def test_a_gear_leads_nowhere_else(desk: Browser) -> None:
    response = desk.send("/record/tabs/customers", {"tabs": "history", "back": "//evil.example"})
    assert response.location == "/customers/"


def test_all_tabs_off_says_what_to_do(desk: Browser) -> None:
    desk.send("/record/tabs/customers", {})
    assert "Mọi thẻ đều tắt" in unescape(desk.get(f"/customers/{make_customer()}").text)


def test_a_field_is_changed_on_the_page_itself(desk: Browser) -> None:
    customer = make_customer(address="1 Lê Lợi")
    address = f"/record/customers/{customer}/address"
    page = desk.get(f"/customers/{customer}").text
    assert address in page
    form = desk.get(address, headers={"HX-Request": "true"}).text
    assert 'value="1 Lê Lợi"' in unescape(form)
    sent = {"was.address": "1 Lê Lợi", "address": "2 Hai Bà Trưng"}
    part = desk.send(address, sent, headers={"HX-Request": "true"}).text
    assert "2 Hai Bà Trưng" in unescape(part)
    assert part.strip().startswith("<dd") or 'id="fact-address"' in part
    # Somebody else's change of the same field meanwhile is a conflict, with both values.
    response = desk.send(address, sent | {"address": "3"}, headers={"HX-Request": "true"})
    assert response.status_code == 409
    assert "2 Hai Bà Trưng" in unescape(response.text)
    wrong = {"was.birthday": "", "birthday": "hôm qua"}
    response = desk.send(
        f"/record/customers/{customer}/birthday", wrong, headers={"HX-Request": "true"}
    )
    assert response.status_code == 422
    assert "hôm qua" in unescape(response.text)
    assert "3</dd>" not in desk.get(f"{address}?show", headers={"HX-Request": "true"}).text


@pytest.mark.parametrize("key", ["code", "revenue", "gone"])
def test_what_is_not_ones_own_to_change_is_refused(desk: Browser, key: str) -> None:
    customer = make_customer()
    assert desk.get(f"/record/customers/{customer}/{key}").status_code == 403
    assert desk.send(f"/record/customers/{customer}/{key}", {key: "1"}).status_code == 403
    assert desk.get(f"/record/customers/{ObjectId()}/address").status_code == 404
    assert desk.get(f"/record/gone/{customer}/address").status_code == 404
    response = desk.send(f"/record/customers/{customer}/address", {"note": "x"})
    assert response.status_code == 400


def test_products_have_a_page(
    desk: Browser, manager: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    product = (Product.collection().find_one({"code": make_product("SP1", name="Trà")}) or {})[
        "_id"
    ]
    assert "Trà" in desk.get(f"/products/{product}").text
    assert f"/products/{product}/edit" not in desk.get(f"/products/{product}").text
    assert f"/products/{product}/edit" in browser_of(manager).get(f"/products/{product}").text
    assert desk.get(f"/products/{ObjectId()}").status_code == 404


def test_an_order_has_its_lines_history_and_files_as_tabs(desk: Browser) -> None:
    order = make_order(make_customer(), {make_product("SP1"): 2})
    page = desk.get(f"/orders/{order}").text
    assert tabs(page) == ["lines", "history", "files", "details"]
    assert desk.get(f"/orders/{order}?tab=changes").status_code == 200


# The editor


def test_a_field_is_put_into_a_new_tab_of_one_role(
    admin: Browser,
    administrator: Actor,
    desk: Browser,
    manager: Actor,
    browser_of: Callable[[Actor], Browser],
) -> None:
    define(administrator, level={"type": "integer"})
    customer = make_customer(custom={"level": 7})
    sent = editor(admin, role="care_agent")
    assert sent["role"] == ["care_agent"]
    items = [one for one in sent["item"] if one != "field:level"]
    place = items.index("tab:history")
    sent["item"] = [*items[:place], "tab:deal", "section:90", "field:level", *items[place:]]
    texts = {"tab.deal.label_vi": BAD, "tab.deal.is_on": "1", "section.90.label_vi": "Tiền"}
    assert (
        admin.send("/settings/layouts/customers", sent | texts | {"do": "save"}).status_code == 303
    )
    page = desk.get(f"/customers/{customer}").text
    assert tabs(page)[0] == "deal"
    assert "Nhãn level" in page
    assert "Tiền" in page
    assert BAD not in page
    assert tabs(browser_of(manager).get(f"/customers/{customer}").text)[0] == "history"
    assert (
        admin.send("/settings/layouts/customers/reset", {"role": "care_agent"}).status_code == 303
    )
    assert tabs(desk.get(f"/customers/{customer}").text)[0] == "history"


def test_buttons_of_the_editor_change_nothing_that_is_stored(admin: Browser) -> None:
    sent = editor(admin)
    for do in (
        "down:tab:history",
        "tab:t1",
        "section:details",
        "drop:tab:details",
        "up:field:emails",
    ):
        response = admin.send(
            "/settings/layouts/customers", sent | {"do": do}, headers={"HX-Request": "true"}
        )
        assert response.status_code == 200
        assert "<html" not in response.text
    page = admin.send("/settings/layouts/customers", sent | {"do": "tab:t1"}).text
    assert 'value="tab:t1"' in page
    assert configuration_changes.item(layouts.SECTION, "customers") == (None, 0)


def test_two_administrators_at_one_layout(admin: Browser) -> None:
    sent = editor(admin)
    for status in (303, 409):
        changed = sent | {"tab.history.label_vi": [f"Trao đổi {status}"], "do": ["save"]}
        assert admin.send("/settings/layouts/customers", changed).status_code == status


def test_the_preview_shows_the_newest_record_and_writes_nothing(admin: Browser) -> None:
    make_customer(name="Lê <b>Hoà</b>")
    page = admin.send("/settings/layouts/customers/preview", editor(admin)).text
    assert "Lê &lt;b&gt;Hoà" in page
    assert configuration_changes.item(layouts.SECTION, "customers") == (None, 0)


def test_the_preview_for_a_role_leaves_out_what_it_does_not_see(
    admin: Browser, administrator: Actor
) -> None:
    fields = {"address": "hidden", "phones": "masked"}
    kinds = {"customers": {"actions": ["see"], "reach": "all", "fields": fields}}
    change = Change("roles", "trainee", {"label_vi": "Thực tập", "kinds": kinds})
    configuration_changes.apply([change], says="t", by=administrator, at=NOW)
    make_customer(name="Lan", address="1 Lê Lợi", phones=["0912345678"])
    sent = editor(admin)
    for role, is_seen in (("", True), ("trainee", False)):
        page = admin.send("/settings/layouts/customers/preview", sent | {"role": role}).text
        assert "Lan" in page
        assert ("1 Lê Lợi" in page) is is_seen
        assert ("0912345678" in page.replace(" ", "")) is is_seen
        assert ("Đơn hàng" in page) is is_seen


def test_a_layout_that_names_what_is_gone_breaks_no_page(admin: Browser, desk: Browser) -> None:
    content = {
        "summary": ["gone", "phones"],
        "tabs": [{"key": "x", "panel": "weather"}, "nonsense"],
    }
    ConfigurationItem.collection().insert_one(
        {"section": "layouts", "key": "customers", "content": content, "version": 1}
    )
    configuration.forget()
    customer = make_customer()
    page = unescape(desk.get(f"/customers/{customer}").text)
    assert "0987 180 606" in page
    assert "gone" not in page
    assert "“gone”" in unescape(admin.get(f"/customers/{customer}").text)
    assert "“gone”" in unescape(admin.get("/settings/layouts/customers").text)
    assert Customer.collection().count_documents({}) == 1


def test_the_form_follows_the_layout(desk: Browser, admin: Browser) -> None:
    sent = editor(admin)
    items = [one for one in sent["item"] if one != "field:note"]
    sent["item"] = [*items[:1], "field:note", *items[1:]]
    admin.send("/settings/layouts/customers", sent | {"do": "save"})
    page = desk.get(f"/customers/{make_customer()}/edit").text
    keys = re.findall(r'data-field="(\w+)"', page)
    assert keys.index("name") < keys.index("note") < keys.index("phones")


@pytest.mark.parametrize("address", ["/settings/layouts/customers", "/settings/layouts/"])
def test_only_who_may_configure_opens_the_editor(desk: Browser, address: str) -> None:
    assert desk.get(address).status_code == 403
