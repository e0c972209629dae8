"""Documents by themselves: what they refuse, what they start with, and that their indexes are named.

An imitation of the store is enough here and takes no time; whatever depends on the server is
tested on the real one.
"""

from datetime import date
from typing import Any

import mongomock
import pytest
from mongoengine import ValidationError

from models import DOCUMENTS, ConfigurationItem, Customer, Order, Product
from models.base import local_date, stored_date
from tests.factories import NOW


@pytest.fixture
def stored() -> Any:
    """Stores a document in an imitation of MongoDB; returns it as it is read again."""
    collection = mongomock.MongoClient(tz_aware=True)["imitation"]["records"]

    def store(document: Any) -> Any:
        document.validate()
        collection.insert_one(document.to_mongo().to_dict())
        return type(document)._from_son(collection.find_one({}))

    return store


@pytest.mark.parametrize(
    "document",
    [
        Customer(code="KH-1"),  # no name
        Customer(code="KH-1", name="Mai", kind="robot"),
        Customer(code="KH-1", name="x" * 201),
        Product(code="P1", name="Trà", care_interval_days=-1),
        Product(code="P1", name="Trà", care_interval_days=36_501),
        Order(code="DH-1", placed_at=NOW, placed_on=NOW.date(), kind="gift"),
        ConfigurationItem(key="k"),
    ],
    ids=lambda document: type(document).__name__,
)
def test_it_refuses_what_no_record_may_hold(document: Any) -> None:
    with pytest.raises(ValidationError):
        document.validate()


def test_a_new_customer_has_no_care_and_no_history(stored: Any) -> None:
    customer = stored(Customer(code="KH-1", name="Nguyễn Thị Bích Ngọc"))

    assert (customer.care.state, customer.own_care.count) == ("none", 0)
    assert (customer.relationship, customer.history, customer.version) == ("new", [], 1)


@pytest.mark.parametrize("day", [date(2024, 2, 29), date(1900, 1, 1), date(9999, 12, 31)])
def test_a_local_date_survives_the_store(stored: Any, day: date) -> None:
    order = stored(Order(code="DH-1", placed_at=NOW, placed_on=day))

    assert order.placed_on == day
    assert local_date(stored_date(day)) == day


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.__name__)
def test_every_index_has_a_name_of_its_own(document: Any) -> None:
    names = [index["name"] for index in document._meta["indexes"]]

    assert len(names) == len(set(names))
    assert all(names)
