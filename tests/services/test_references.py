"""What records are called that others refer to, within the scope of whoever asks."""

from dataclasses import replace

from bson import ObjectId

from rules.scope import BY_CUSTOMER, Actor
from services import references
from tests.factories import make_area, make_customer, make_product


def test_records_of_several_kinds_are_named_at_once(db, shipped, manager: Actor) -> None:
    area, customer = make_area("Huế"), make_customer(name="An")
    product = make_product("A")
    wanted = {"areas": [area, None], "customers": [customer, ObjectId()], "staff": []}
    assert references.names_of_kinds({**wanted, "products": [product]}, by=manager) == {
        "areas": {area: "Huế"},
        "customers": {customer: "An"},
        "staff": {},
        "products": references.names("products", [product], by=manager),
    }


def test_each_kind_has_its_own_scope(db, shipped, agent: Actor, colleague: Actor) -> None:
    """A colleague's customer is not named; its area is."""
    by = replace(agent, care_mode=BY_CUSTOMER)
    area = make_area("Huế")
    lists = {"carers": [colleague.staff_id], "seen_by": [colleague.staff_id]}
    foreign = make_customer(name="Khách người khác", **lists)
    found = references.names_of_kinds({"areas": [area], "customers": [foreign]}, by=by)
    assert found == {"areas": {area: "Huế"}, "customers": {}}


def test_an_unknown_kind_has_no_names(db, manager: Actor) -> None:
    assert references.names("nothing", [ObjectId()], by=manager) == {}
    assert references.names_of_kinds({}, by=manager) == {}
