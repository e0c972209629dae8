"""Addresses in templates are those of Flask, built once."""

from typing import Any

import pytest
from bson import ObjectId
from flask import Flask, url_for

from views import addresses
from views.addresses import url_to

SOMEBODY = ObjectId("0123456789abcdef01234567")


@pytest.mark.parametrize(
    ("endpoint", "values"),
    [
        ("customers.index_view", {}),
        ("customers.index_view", {"q": "Ngô & con", "sort": None}),
        ("customers.record_view", {"record_id": SOMEBODY}),
        ("customers.menu_view", {"name": "row", "q": "x" * 500}),
        ("customers.index_view", {"page": 1}),
        ("customers.index_view", {"page": True}),
        ("customers.index_view", {"_anchor": "x"}),
        (".index_view", {}),
    ],
)
def test_it_is_the_address_that_flask_builds(
    app: Flask, endpoint: str, values: dict[str, Any]
) -> None:
    with app.test_request_context("/customers/"):
        expected = url_for(endpoint, **values)
        assert [url_to(endpoint, **values) for _ in range(2)] == [expected, expected]


def test_an_application_below_a_path_has_addresses_of_its_own(app: Flask) -> None:
    with app.test_request_context("/customers/"):
        assert url_to("customers.index_view") == "/customers/"
    with app.test_request_context("/customers/", base_url="http://localhost/crm/"):
        assert url_to("customers.index_view") == "/crm/customers/"


def test_what_people_type_at_length_is_not_remembered(app: Flask) -> None:
    with app.test_request_context("/customers/"):
        before = addresses._built.cache_info().currsize
        url_to("customers.index_view", q="x" * (addresses.LONGEST_KEPT + 1))
        assert addresses._built.cache_info().currsize == before
