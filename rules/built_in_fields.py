"""The fields that every installation has, per built-in kind.

A site renames, describes, orders and hides them (as far as the program can do without them); their
types and places in the record are the program's own.
"""

from collections.abc import Mapping
from typing import Any

from rules.errors import N_
from rules.fields import BUILT_IN, Field, Kind, Option

PERSON_OR_COMPANY = (Option("person", N_("Individual")), Option("company", N_("Company")))
GENDERS = (
    Option("female", N_("Female")),
    Option("male", N_("Male")),
    Option("other", N_("Other")),
)
CARE_STATES = (
    Option("none", N_("Nothing due"), "gray"),
    Option("suggested", N_("Not cared for yet"), "orange"),
    Option("appointed", N_("Cared for"), "teal"),
    Option("ended", N_("No more care"), "gray"),
)
ORDER_KINDS = (
    Option("sale", N_("Sale"), "green"),
    Option("return", N_("Return"), "orange"),
    Option("purchase", N_("Purchase"), "blue"),
)


def _fields(*found: Field) -> Mapping[str, Field]:
    return {one.key: one for one in found}


def _field(key: str, type_: str, name: str, path: str = "", **more: Any) -> Field:
    return Field(key, type_, path or key, name=name, source=BUILT_IN, **more)


_CUSTOMER_FIELDS = _fields(
    _field(
        "code", "text", N_("Customer no."), is_derived=True, max_length=80, search_path="search"
    ),
    _field(
        "name",
        "text",
        N_("Name"),
        is_required=True,
        is_sorted=True,
        max_length=200,
        search_path="search",
    ),
    _field(
        "kind",
        "choice",
        N_("Person or company"),
        choices=PERSON_OR_COMPANY,
        default="person",
        is_required=True,
    ),
    _field("phones", "phones", N_("Phone"), is_personal=True, search_path="phone_keys"),
    _field("emails", "emails", N_("E-mail"), is_personal=True),
    _field("relationship", "choice", N_("Relationship"), pick_list="relationship"),
    _field("groups", "choices", N_("Customer groups"), pick_list="group"),
    _field("tags", "tags", N_("Tags"), is_derived=True),
    _field("owner", "staff", N_("Person responsible"), "owner_id", default="me"),
    _field("area", "area", N_("Area"), "area_id"),
    _field("address", "text", N_("Address")),
    _field("birthday", "date", N_("Birthday"), maximum="today"),
    _field("gender", "choice", N_("Gender"), choices=GENDERS),
    _field("tax_code", "text", N_("Tax code"), max_length=40),
    _field("national_id", "text", N_("National id"), max_length=40, is_personal=True),
    _field("channel", "choice", N_("Channel"), pick_list="channel"),
    _field("source", "choice", N_("Source"), pick_list="source"),
    _field("preferred_contact", "choice", N_("Preferred contact"), pick_list="preferred_contact"),
    _field("referrer", "customer", N_("Referred by"), "referrer_id"),
    _field("note", "long_text", N_("Note"), max_length=4000),
    _field("due", "date", N_("Care date"), "care.due_on", is_derived=True),
    _field(
        "care_state",
        "choice",
        N_("Care status"),
        "care.state",
        choices=CARE_STATES,
        is_derived=True,
    ),
    _field("last_contact", "date_time", N_("Last contact"), "last_contact_at", is_derived=True),
    _field("order_count", "integer", N_("Number of orders"), "facts.order_count", is_derived=True),
    _field("revenue", "money", N_("Revenue"), "facts.revenue", is_derived=True),
    _field(
        "first_purchase", "date", N_("First purchase"), "facts.first_purchase_on", is_derived=True
    ),
    _field("last_purchase", "date", N_("Last purchase"), "facts.last_purchase_on", is_derived=True),
    _field(
        "last_feedback",
        "choice",
        N_("Last feedback"),
        "facts.last_feedback",
        pick_list="feedback",
        is_derived=True,
    ),
    _field("said", "long_text", N_("Latest entries"), "history.content", is_derived=True),
    _field("carers", "staff_list", N_("Carers"), is_derived=True),
    _field("viewers", "staff_list", N_("Viewers"), "viewers.staff_id", is_derived=True),
    _field("created", "date_time", N_("Added on"), "created_at", is_derived=True, is_sorted=True),
    _field("updated", "date_time", N_("Changed on"), "updated_at", is_derived=True),
)

_ORDER_FIELDS = _fields(
    _field("code", "text", N_("Order no."), is_derived=True, max_length=80),
    _field("kind", "choice", N_("Kind of order"), choices=ORDER_KINDS, is_derived=True),
    _field("customer", "customer", N_("Customer"), "customer_id", is_derived=True),
    _field("area", "area", N_("Area"), "area_id", is_derived=True),
    _field("placed", "date", N_("Ordered on"), "placed_on", is_derived=True),
    _field("status", "choice", N_("Order status"), pick_list="order_status"),
    _field("marketplace", "choice", N_("Marketplace"), pick_list="marketplace"),
    _field("total", "money", N_("Total"), is_derived=True),
    _field("shipping", "text", N_("Shipping")),
    _field("note", "long_text", N_("Note"), max_length=4000),
    _field("due", "date", N_("Care date"), "care.due_on", is_derived=True, is_sorted=True),
    _field(
        "care_state",
        "choice",
        N_("Care status"),
        "care.state",
        choices=CARE_STATES,
        is_derived=True,
    ),
    _field("care_count", "integer", N_("Care entries"), "care.count", is_derived=True),
    _field(
        "care_feedback",
        "choice",
        N_("Last feedback"),
        "care.last_feedback",
        pick_list="feedback",
        is_derived=True,
    ),
    _field("product", "text", N_("Product no."), "lines.product_code", is_derived=True),
    _field("product_name", "text", N_("Product"), "lines.product_name", is_derived=True),
    _field("created", "date_time", N_("Added on"), "created_at", is_derived=True),
)

_PRODUCT_FIELDS = _fields(
    _field("code", "text", N_("Product no."), is_derived=True, max_length=80, search_path="search"),
    _field("name", "text", N_("Product"), is_required=True, is_sorted=True, search_path="search"),
    _field("group", "product_group", N_("Product group"), "group_id", is_derived=True),
    _field(
        "interval",
        "integer",
        N_("Care interval (days)"),
        "care_interval_days",
        minimum="0",
        maximum="36500",
    ),
    _field("care_min", "integer", N_("Fewest contacts"), minimum="0", maximum="1000"),
    _field("care_max", "integer", N_("Most contacts"), minimum="0", maximum="1000"),
    _field("carers", "staff_list", N_("Carers"), is_derived=True),
)

_ENTRY_FIELDS = _fields(
    _field("at", "date_time", N_("Time"), is_derived=True, is_sorted=True),
    _field("staff", "staff", N_("Staff"), "staff_id", is_derived=True),
    _field("customer", "customer", N_("Customer"), "customer_id", is_derived=True),
    _field("order", "order", N_("Order"), "order_id", is_derived=True),
    _field("record", "text", N_("Document no."), "record_code", is_derived=True),
    _field("content", "long_text", N_("Content"), is_derived=True),
    _field("feedback", "choice", N_("Feedback type"), pick_list="feedback", is_derived=True),
    _field("tags", "tags", N_("Tags"), is_derived=True),
    _field("next", "date", N_("Next date"), "next_on", is_derived=True),
    _field("ended", "yes_no", N_("No more care"), is_derived=True),
)

# What every record of a kind that a site defined has (B.14).
RECORD_FIELDS = _fields(
    _field(
        "code", "text", N_("Document no."), is_derived=True, max_length=80, search_path="search"
    ),
    _field(
        "title",
        "text",
        N_("Title"),
        is_required=True,
        is_sorted=True,
        max_length=200,
        search_path="search",
    ),
    _field("customer", "customer", N_("Customer"), "customer_id"),
    _field("owner", "staff", N_("Person responsible"), "owner_id", default="me"),
    _field("due", "date", N_("Care date"), "care.due_on", is_derived=True, is_sorted=True),
    _field(
        "care_state",
        "choice",
        N_("Care status"),
        "care.state",
        choices=CARE_STATES,
        is_derived=True,
    ),
    _field("created", "date_time", N_("Added on"), "created_at", is_derived=True, is_sorted=True),
    _field("updated", "date_time", N_("Changed on"), "updated_at", is_derived=True),
)

BUILT_IN_KINDS: Mapping[str, Kind] = {
    one.key: one
    for one in (
        Kind(
            "customers",
            "customers",
            _CUSTOMER_FIELDS,
            N_("Customers"),
            N_("Customer"),
            icon="users",
            source=BUILT_IN,
            has_care=True,
        ),
        Kind(
            "orders",
            "orders",
            _ORDER_FIELDS,
            N_("Orders"),
            N_("Order"),
            icon="receipt",
            source=BUILT_IN,
            title="code",
            customer_path="customer_id",
            has_care=True,
        ),
        Kind(
            "products",
            "products",
            _PRODUCT_FIELDS,
            N_("Products"),
            N_("Product"),
            icon="package",
            source=BUILT_IN,
        ),
        Kind(
            "entries",
            "interactions",
            _ENTRY_FIELDS,
            N_("Care history"),
            N_("Care entry"),
            icon="history",
            source=BUILT_IN,
            base={"kind": "care"},
            title="content",
            code="at",
            customer_path="customer_id",
        ),
    )
}
