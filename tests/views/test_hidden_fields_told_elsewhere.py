"""What a role may not see of a field is not told by sentences, computed fields, views or programs."""

from collections.abc import Callable

import pytest

from models import Customer, Interaction, SavedView, Staff
from rules.saved_views import FOR_EVERYONE
from rules.scope import SYSTEM, Actor
from services import configuration_changes, relationship_entries, saved_views
from services.configuration_changes import Change
from services.saved_views import Content
from services.scope import recompute_all_scope
from tests.factories import NOW, TODAY, make_customer, make_order, make_product
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")

Give = Callable[..., Browser]


@pytest.fixture
def give(agent: Actor, browser_of: Callable[[Actor], Browser]) -> Give:
    """A browser of somebody whose role shows fields so: `give(customers={"due": "hidden"})`."""

    def make(*abilities: str, **levels: dict[str, str]) -> Browser:
        kinds = {
            kind: {
                "actions": ["see", "edit", "create", "export"],
                "reach": "all",
                "fields": levels.get(kind, {}),
            }
            for kind in ("customers", "orders", "products", "entries", "phieu")
        }
        content = {"label_vi": "Tổng đài", "kinds": kinds, "abilities": list(abilities)}
        changes = [Change("roles", "operator", content)]
        configuration_changes.apply(changes, says="x", by=SYSTEM, at=NOW)
        Staff.collection().update_one({"_id": agent.staff_id}, {"$set": {"roles": ["operator"]}})
        return browser_of(agent)

    return make


def test_why_a_status_is_what_it_is_leaves_out_hidden_fields(give: Give) -> None:
    one = make_customer(relationship="new", facts={"order_count": 4711})
    found = {"fact": "order_count", "operator": "at_least", "value": 1, "actual": 4711}
    set_by = {"by": "rule", "rule": "r", "label_vi": "Khách quen", "because": [found]}
    Customer.collection().update_one({"_id": one}, {"$set": {"relationship_set": set_by}})
    pages = (f"/customers/{one}", f"/customers/{one}/edit")
    open_to = give()
    assert all("4.711" in open_to.get(page).text for page in pages)
    closed_to = give(customers={"order_count": "hidden"})
    for page in pages:
        html = closed_to.get(page).text
        assert "Khách quen" in html
        assert "4.711" not in html


def test_the_history_leaves_out_hidden_fields_and_changes_of_a_hidden_status(give: Give) -> None:
    one = make_customer(relationship="new")
    found = {"fact": "order_count", "operator": "at_least", "value": 1, "actual": 4711}
    set_by = {"by": "rule", "rule": "r", "label_vi": "Khách quen", "because": [found]}
    customer = Customer.collection().find_one({"_id": one}) or {}
    entry = relationship_entries.event(
        customer | {"relationship": "approached"}, "new", set_by, at=NOW
    )
    Interaction.collection().insert_one(entry)
    page = f"/customers/{one}?tab=history"
    assert "4.711" in give().get(page).text
    told = give(customers={"order_count": "hidden"}).get(page).text
    assert "Mối quan hệ: Tiếp cận" in told
    assert "Khách quen" in told
    assert "4.711" not in told
    assert "Mối quan hệ: Tiếp cận" not in give(customers={"relationship": "hidden"}).get(page).text


@pytest.mark.parametrize("level", ["hidden", "masked"])
def test_nothing_is_said_of_a_care_date_that_is_not_seen(give: Give, level: str) -> None:
    one = make_customer(care={"state": "appointed", "due_on": None})
    order = make_order(one, {make_product("SP1"): 1}, due_on=TODAY)
    recompute_all_scope(at=NOW)
    customer, of_order = f"/customers/{one}", f"/orders/{order}"
    office = give()
    assert "Chưa có ngày chăm sóc" in office.get(customer).text
    unseen = give(customers={"due": level}, orders={"due": level})
    for page in (customer, of_order):
        html = unseen.get(page).text
        assert "Chưa có ngày chăm sóc" not in html
        assert "Không cần chăm sóc" not in html
        assert "data-care" in html


COMPUTED = {
    "price": {"type": "money", "label_vi": "Giá"},
    "worth": {"type": "computed", "label_vi": "Trị giá", "expression": "price * 2"},
    "dear": {"type": "computed", "label_vi": "Quý giá", "expression": "worth + 1"},
}


@pytest.fixture
def computed(db: object) -> None:
    changes = [Change("fields", f"customers.{key}", one) for key, one in COMPUTED.items()]
    colour = {"where": "and(dear.ge(1000))", "colour": "purple"}
    changes.append(Change("lists", "customers", {"row_colours": [colour]}))
    configuration_changes.apply(changes, says="t", by=SYSTEM, at=NOW)


@pytest.mark.parametrize("level", ["hidden", "masked"])
def test_a_computed_field_is_not_there_for_who_does_not_see_what_it_is_worked_out_from(
    computed: None, give: Give, level: str
) -> None:
    one = make_customer(name="Ân", custom={"price": 4711})
    make_customer(name="Bình", custom={"price": 1})
    addresses = (
        "/customers/",
        "/customers/?where=and(dear.ge(1000))",
        "/customers/?group=dear",
        "/customers/?sort=dear",
        "/customers/export/csv?where=and(dear.ge(1000))",
        f"/customers/{one}",
    )
    columns = {"columns": ["name", "worth", "dear"]}
    office = give()
    office.send("/customers/columns", columns)
    assert "9.423" in office.get("/customers/").text
    assert "Bình" not in office.get(addresses[1]).text
    assert "9423" in office.get(addresses[4]).text
    assert "row-purple" in office.get("/customers/").text
    desk = give(customers={"price": level})
    desk.send("/customers/columns", columns)
    for address in addresses:
        text = desk.get(address).text
        assert "Ân" in text
        told = [word for word in ("9.423", "9423", "Quý giá", "Trị giá") if word in text]
        assert told == []
    assert "row-purple" not in desk.get("/customers/").text
    for address in addresses[1:3]:
        assert "Bình" in desk.get(address).text


SECRET = {"type": "date", "label_vi": "Ngày Kín", "is_filtered_often": True}


@pytest.mark.parametrize(
    "arguments",
    [
        {"sort": "-secret"},
        {"group": "secret", "mode": "calendar"},
        {"f.secret": "yes"},
        {"group": "area", "sort": "secret"},
        {"area": "6531f1f1f1f1f1f1f1f1f1f1", "where": "secret.filled()"},
    ],
)
def test_a_shared_view_names_no_hidden_field_and_keeps_it_for_others(
    give: Give, manager: Actor, arguments: dict[str, str]
) -> None:
    change = Change("fields", "customers.secret", SECRET)
    configuration_changes.apply([change], says="t", by=SYSTEM, at=NOW)
    make_customer(name="Ân")
    columns = [{"key": "name", "width": None}, {"key": "secret", "width": None}]
    content = Content({"relationship": "new", **arguments}, columns)
    view = saved_views.create(
        "customers", "Chung", content, by=manager, at=NOW, audience=FOR_EVERYONE
    )
    desk = give("share_views", customers={"secret": "hidden", "area": "hidden"})
    addresses = [
        f"/customers/?view={view.id}",
        *(f"/customers/menu/{name}?view={view.id}" for name in ("columns", "layout", "save")),
    ]
    shown = [desk.get(address).text for address in addresses]
    assert "Ân" in shown[0]
    assert "nhóm theo một trường bạn không xem được" in shown[0]
    assert "Có thay đổi chưa lưu" not in shown[0]
    for text in shown:
        for word in ("secret", "6531f1f1", "group=area"):
            assert word not in text
    desk.send(f"/customers/views?view={view.id}&q=an", {"do": "update", "version": "1"})
    kept = SavedView.objects.get(pk=view.id)
    assert kept.arguments == {"q": "an", "relationship": "new", **arguments}
    assert [one["key"] for one in kept.columns] == ["name", "secret"]


def test_a_shared_view_that_names_what_is_seen_says_nothing(give: Give, manager: Actor) -> None:
    content = Content({"sort": "-name", "group": "area"})
    view = saved_views.create(
        "customers", "Chung", content, by=manager, at=NOW, audience=FOR_EVERYONE
    )
    text = give().get(f"/customers/?view={view.id}").text
    assert "nhóm theo một trường bạn không xem được" not in text
    assert "Có thay đổi chưa lưu" not in text
