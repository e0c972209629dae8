"""What a role may not see of a field is not told by sentences, computed fields, views or programs."""

from collections.abc import Callable

import pytest

from models import Customer, Interaction, Staff
from rules.scope import SYSTEM, Actor
from services import configuration_changes, relationship_entries
from services.configuration_changes import Change
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
