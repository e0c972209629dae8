"""The menu of a row: who is offered what, in which order, and what its own addresses do."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from bson import ObjectId

from models import Customer, Site, TrashedRecord
from rules.scope import Actor
from services import configuration_changes
from services.configuration_changes import Change
from tests.factories import NOW, TODAY, make_customer, make_order
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("morning", "shipped")
CUSTOMERS, ORDERS = "/customers", "/orders/due"


@pytest.fixture
def configure(administrator: Actor) -> Callable[..., None]:
    def apply(*changes: Change) -> None:
        configuration_changes.apply(changes, says="t", by=administrator, at=NOW)

    return apply


def menu(desk: Browser, address: str = CUSTOMERS) -> str:
    answer = desk.get(f"{address}/menu/row")
    assert answer.status_code == 200, answer.text
    return answer.text


def actions(page: str) -> list[str]:
    return re.findall(r'data-action="(\w+)"', page)


def role(**customers: Any) -> dict[str, Any]:
    kind = {"actions": ["see"], "reach": "all"} | customers
    return {"label_vi": "Chăm sóc", "kinds": {"customers": kind}}


def test_it_offers_what_the_role_may_do_in_the_usual_order(
    desk: Browser, administrator: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    office = actions(menu(browser_of(administrator)))
    assert office == [
        *("open", "open_new", "care", "edit", "edit_cell", "copy_phone", "filter_value"),
        *("changes", "why", "viewers", "delete"),
    ]
    assert "delete" not in actions(menu(desk))


def test_its_addresses_wait_for_the_row(desk: Browser) -> None:
    page = menu(desk)
    assert 'href="/customers/_id_"' in page
    assert 'hx-get="/care/customers/_id_"' in page
    assert "/customers/value/_id_/_field_" in page


def test_a_list_of_orders_leads_to_the_customer(desk: Browser) -> None:
    customer = make_customer()
    order = make_order(customer, due_on=TODAY)
    page = menu(desk, ORDERS)
    assert "customer" in actions(page)
    assert "viewers" not in actions(page)
    answer = desk.get(f"{ORDERS}/customer-of/{order}")
    assert answer.location == f"/customers/{customer}"


def test_an_order_without_a_customer_says_so(desk: Browser) -> None:
    order = make_order(None, due_on=TODAY)
    answer = desk.get(f"{ORDERS}/customer-of/{order}", follow_redirects=True)
    assert "không có khách hàng" in answer.text


def test_who_may_only_look_is_offered_no_change(
    desk: Browser, configure: Callable[..., None]
) -> None:
    configure(Change("roles", "care_agent", role()))
    found = actions(menu(desk))
    assert not {"care", "edit", "edit_cell", "delete"} & set(found)
    assert "open" in found


def test_administrators_choose_the_actions_and_their_order_for_a_role(
    desk: Browser,
    configure: Callable[..., None],
    administrator: Actor,
    browser_of: Callable[[Actor], Browser],
) -> None:
    configure(
        Change("lists", "customers@care_agent", {"actions": ["why", "gone", "delete", "open"]})
    )
    assert actions(menu(desk)) == ["why", "open"]  # choosing an action does not allow it
    assert len(actions(menu(browser_of(administrator)))) > 5


@pytest.mark.parametrize("with_care", [True, False])
def test_a_kind_of_the_site_offers_care_where_it_has_care(
    configure: Callable[..., None],
    administrator: Actor,
    browser_of: Callable[[Actor], Browser],
    with_care: bool,
) -> None:
    configure(Change("kinds", "ticket", {"label_vi": "Phiếu", "has_care": with_care}))
    page = menu(browser_of(administrator), "/e/ticket")
    assert ("care" in actions(page)) == with_care
    assert 'href="/e/ticket/_id_/edit"' in page


def test_every_row_has_a_button_for_it(desk: Browser) -> None:
    make_customer(name="<b>Bích</b>")
    page = desk.get(f"{CUSTOMERS}/").text
    assert page.count("data-row-more") == 1
    assert "&lt;b&gt;Bích&lt;/b&gt;" in page
    assert "<b>Bích" not in page


def filtered(desk: Browser, customer: ObjectId, field: str, query: str = "") -> str:
    answer = desk.get(f"{CUSTOMERS}/value/{customer}/{field}{query}")
    assert answer.status_code == 303, answer.text
    return str(answer.location)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("relationship", {"relationship": "hot"}),
        ("name", {"name": "A (B), C"}),
        ("tags", {"tags": ["vip", "xa"]}),
        ("phones", {"phones": ["0912 345 678"], "phone_keys": ["+84912345678"]}),
        ("created", {"created_at": NOW}),
        ("rank", {"custom": {"rank": 7}}),
        ("note", {"note": "dòng một\ndòng hai"}),
        ("is_big", {"custom": {"is_big": True}}),
    ],
)
def test_filtering_by_a_value_finds_its_row_and_not_the_others(
    desk: Browser, configure: Callable[..., None], field: str, values: dict[str, Any]
) -> None:
    configure(
        Change("fields", "customers.rank", {"type": "integer", "label_vi": "Hạng"}),
        Change("fields", "customers.is_big", {"type": "yes_no", "label_vi": "Lớn"}),
    )
    one = make_customer(**values)
    usual = {"name": "Khác", "phones": ["0999"], "phone_keys": ["+84999"]}
    other = make_customer(**usual, created_at=NOW.replace(year=2020), note="")
    page = desk.get(filtered(desk, one, field)).text
    assert f'id="row-{one}"' in page
    assert f'id="row-{other}"' not in page
    assert "list-problem" not in page


def test_filtering_by_no_value_finds_those_without(desk: Browser) -> None:
    without, has = make_customer(tags=[]), make_customer(tags=["vip"])
    page = desk.get(filtered(desk, without, "tags")).text
    assert f'id="row-{without}"' in page
    assert f'id="row-{has}"' not in page


def test_a_value_is_asked_for_beside_the_filters_in_force(desk: Browser) -> None:
    customer = make_customer(relationship="hot", tags=["vip"])
    there = "?where=or(relationship.in(hot),relationship.in(new))&sort=-created"
    found = unescape(filtered(desk, customer, "tags", there))
    assert "or(relationship.in(hot),relationship.in(new))" in found.replace("%28", "(").replace(
        "%29", ")"
    ).replace("%2C", ",")
    assert "sort=-created" in found
    again = filtered(desk, customer, "tags", found[found.index("?") :])
    assert again == found  # the same condition once


@pytest.mark.parametrize("level", ["hidden", "masked"])
def test_a_field_that_may_not_be_read_is_not_filtered_by_and_no_phone_is_copied(
    desk: Browser, configure: Callable[..., None], level: str
) -> None:
    fields = {"phones": level, "note": level}
    configure(Change("roles", "care_agent", role(fields=fields)))
    customer = make_customer(note="bí mật")
    assert desk.get(f"{CUSTOMERS}/value/{customer}/note").status_code == 422
    assert "copy_phone" not in actions(menu(desk))
    assert desk.get(f"{CUSTOMERS}/phone/{customer}").text == ""
    assert "note" not in menu(desk)


def test_the_phone_is_that_of_the_customer(desk: Browser) -> None:
    customer = make_customer(phones=["0912 345 678", "0987 000 000"])
    assert desk.get(f"{CUSTOMERS}/phone/{customer}").text == "0912 345 678"
    order = make_order(customer, due_on=TODAY)
    assert desk.get(f"{ORDERS}/phone/{order}").text == "0912 345 678"
    assert desk.get(f"{CUSTOMERS}/phone/{make_customer(phones=[])}").text == ""


@pytest.mark.parametrize("view", ["phone/{}", "customer-of/{}", "value/{}/name"])
def test_nobody_asks_about_rows_out_of_their_scope(
    desk: Browser, configure: Callable[..., None], view: str
) -> None:
    configure(Change("roles", "care_agent", role(reach="own")))
    Site.collection().update_one({"key": "site"}, {"$set": {"care_mode": "by_customer"}})
    configure(Change("lists", "history", {}))
    customer = make_customer(phones=["0912 345 678"])
    answer = desk.get(f"{CUSTOMERS}/{view.format(customer)}")
    assert answer.status_code == 404
    assert "0912" not in answer.text


def test_deleting_from_the_menu_leads_back_to_the_list_with_undo(
    administrator: Actor, browser_of: Callable[[Actor], Browser], valkey: Any
) -> None:
    office = browser_of(administrator)
    customer = make_customer()
    there = "/customers/due/?due=all"
    answer = office.send(f"/customers/{customer}/delete", {"back": there})
    assert answer.location == there
    assert Customer.collection().find_one({"_id": customer}) is None
    assert TrashedRecord.collection().count_documents({}) == 1
    assert f"/customers/{customer}/restore" in office.get(there).text


def test_deleting_leads_nowhere_else(
    administrator: Actor, browser_of: Callable[[Actor], Browser], valkey: Any
) -> None:
    customer = make_customer()
    answer = browser_of(administrator).send(
        f"/customers/{customer}/delete", {"back": "//evil.example/"}
    )
    assert answer.location == "/customers/"
