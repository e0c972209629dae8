"""Searching customers by what the person may see of them (B.4)."""

from functools import partial

from rules.errors import N_
from rules.filters import SearchFilter
from rules.permissions import HIDDEN
from rules.phones import phone_key
from services.numbers import codes_meant
from views.context import current_actor

WORDS = ("phones", "emails", "tax_code")  # beside name and code, what is found by its beginning


def customer_search() -> SearchFilter:
    """By the words of name, code, phones, e-mails and tax code.

    Who does not see one of these as it is searches by name and code alone. A phone that is masked
    is found by its whole number: whoever knows that learns nothing by finding it.
    """
    access = current_actor().access
    is_open = all(access.sees("customers", field) for field in WORDS)
    is_known = access.level("customers", "phones") != HIDDEN
    return SearchFilter(
        "q",
        N_("Name, phone, code…") if is_known else N_("Name, code…"),
        "search_words" if is_open else "name_words",
        phone_key if is_known else None,
        partial(codes_meant, "customers"),
    )
