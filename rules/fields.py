"""A field of a document kind: what an administrator defines, and how typed text becomes its value.

Built-in fields (rules/built_in_fields.py) and those that a site adds are the same thing here; every
list, form, filter and export reads them from the snapshot of the configuration.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo
from typing import Any

from rules.errors import N_
from rules.sentences import Sentence

KEY_PATTERN = r"^[a-z][a-z0-9_]{0,39}$"
# Names that forms send beside the fields.
RESERVED = frozenset({"version", "csrf_token", "record_id", "relationship_reason", "do"})
BUILT_IN, SITE = "built_in", "site"

# Families decide how values compare, and so which operators a filter offers
# (rules/conditions.py) and how a cell looks (views/field_cells.py).
TEXT, NUMBER, DAY, INSTANT, FLAG = "text", "number", "day", "instant", "flag"
CHOICE, CHOICES, REFERENCE, REFERENCES, FILES = (
    "choice",
    "choices",
    "reference",
    "references",
    "files",
)
LIST_FAMILIES = (CHOICES, REFERENCES, FILES)
# Embedded documents in which a path leads to one value; every other dot may lead into a list.
SINGLE = ("custom.", "care.", "facts.", "own_care.")


@dataclass(frozen=True, slots=True)
class FieldType:
    """A type of field. `refers_to` is the kind of record that its value names by id.

    `is_offered` is false for types of built-in fields that administrators cannot add more of.
    """

    key: str
    label: str
    family: str
    refers_to: str | None = None
    is_offered: bool = True


TYPES: Mapping[str, FieldType] = {
    one.key: one
    for one in (
        FieldType("text", N_("Text"), TEXT),
        FieldType("long_text", N_("Long text"), TEXT),
        FieldType("integer", N_("Whole number"), NUMBER),
        FieldType("decimal", N_("Decimal number"), NUMBER),
        FieldType("money", N_("Money"), NUMBER),
        FieldType("percent", N_("Percent"), NUMBER),
        FieldType("date", N_("Date"), DAY),
        FieldType("date_time", N_("Date and time"), INSTANT),
        FieldType("yes_no", N_("Yes or no"), FLAG),
        FieldType("choice", N_("Choice"), CHOICE),
        FieldType("choices", N_("Multiple choice"), CHOICES),
        FieldType("phone", N_("Phone"), TEXT),
        FieldType("email", N_("E-mail"), TEXT),
        FieldType("link", N_("Link"), TEXT),
        FieldType("staff", N_("Staff member"), REFERENCE, "staff"),
        FieldType("customer", N_("Customer"), REFERENCE, "customers"),
        FieldType("product", N_("Product"), REFERENCE, "products"),
        FieldType("file", N_("Files"), FILES, "files"),
        FieldType("picture", N_("Pictures"), FILES, "files"),
        FieldType("computed", N_("Computed"), NUMBER),
        FieldType("area", N_("Area"), REFERENCE, "areas", is_offered=False),
        FieldType("product_group", N_("Product group"), REFERENCE, "product_groups", False),
        FieldType("order", N_("Order"), REFERENCE, "orders", is_offered=False),
        FieldType("staff_list", N_("Staff members"), REFERENCES, "staff", is_offered=False),
        FieldType("tags", N_("Tags"), CHOICES, is_offered=False),
        FieldType("phones", N_("Phones"), TEXT, is_offered=False),
        FieldType("emails", N_("E-mails"), TEXT, is_offered=False),
    )
}


@dataclass(frozen=True, slots=True)
class Option:
    """A fixed choice of a built-in field; `label` is a gettext id."""

    key: str
    label: str
    colour: str = "gray"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a kind.

    Attributes:
        path: where the value stands in the stored record: `name`, `care.due_on`, `custom.vip_level`.
        name: the gettext id of a built-in field's label, "" for a field of the site.
        label_vi, label_en: what a site calls it; they win over `name`.
        type: a key of TYPES.
        choices: the fixed choices of a built-in field; others name a `pick_list`.
        is_derived: shown and filtered, never typed.
        is_sorted: an index serves sorting and filtering by it.
        visible_when: the text of a condition (rules/conditions.py) over other fields, or "".
        default, minimum, maximum: as they are typed.
        search_path: where the indexed search text of the record holds this value, or "".
        result: the family of what a computed field gives; "": a number.
        problem: what is wrong with the definition; administrators read it, others lack the field.
    """

    key: str
    type: str
    path: str
    name: str = ""
    label_vi: str = ""
    label_en: str = ""
    help_vi: str = ""
    help_en: str = ""
    source: str = SITE
    position: int = 0
    pick_list: str = ""
    choices: tuple[Option, ...] = ()
    expression: str = ""
    visible_when: str = ""
    default: str = ""
    minimum: str = ""
    maximum: str = ""
    pattern: str = ""
    max_length: int = 400
    is_required: bool = False
    is_unique: bool = False
    is_derived: bool = False
    is_sorted: bool = False
    is_filtered_often: bool = False
    is_retired: bool = False
    is_personal: bool = False  # masked by default for roles that see it masked: phones, e-mails
    search_path: str = ""
    result: str = ""
    problem: Sentence | None = None

    @property
    def kind_of_value(self) -> FieldType:
        return TYPES[self.type]

    @property
    def family(self) -> str:
        return self.result or TYPES[self.type].family

    @property
    def refers_to(self) -> str | None:
        return TYPES[self.type].refers_to

    @property
    def is_list(self) -> bool:
        return self.family in LIST_FAMILIES or self.type in ("phones", "emails")

    @property
    def is_many(self) -> bool:
        """Whether a record may hold several values: a list, or within an embedded list."""
        inside = "." in self.path and not self.path.startswith(SINGLE)
        return self.is_list or inside

    @property
    def is_usable(self) -> bool:
        """Whether people other than administrators meet the field at all."""
        return not self.is_retired and self.problem is None

    def own_label(self, locale: str) -> str:
        """What the site calls the field in this language; "" leaves it to `name`."""
        if locale == "en":
            return self.label_en or ("" if self.name else self.label_vi)
        return self.label_vi or ("" if self.name else self.label_en)

    def help(self, locale: str) -> str:
        return (self.help_en if locale == "en" else self.help_vi) or self.help_vi or self.help_en


@dataclass(frozen=True, slots=True)
class Typing:
    """What reading typed text needs to know.

    `known_values` maps a pick list to the keys that may be chosen; `refer` turns the text of a
    reference of this type (an id, or "me") into an id, or raises InvalidInput. `labels` maps a pick
    list to {folded label: key}; `below` a field and a value to what stands below it (rules/operators.py).
    """

    today: date
    zone: tzinfo
    known_values: Callable[[str], frozenset[str]]
    refer: Callable[[str, str], Any]
    me: Any = None
    labels: Callable[[str], Mapping[str, str]] | None = None
    below: Callable[[Field, str], tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document: customers, orders, ..., or one that a site defined at run time (B.14).

    `base` are the criteria that tell its records in a shared collection; `title` and `code` are
    the keys of the fields that name a record; `customer_path` refers to the customer, if it does.
    """

    key: str
    collection: str
    fields: Mapping[str, Field]
    name: str = ""
    name_one: str = ""
    label_vi: str = ""
    label_en: str = ""
    one_vi: str = ""
    one_en: str = ""
    icon: str = "list-details"
    source: str = SITE
    base: Mapping[str, Any] = field(default_factory=dict)
    title: str = "name"
    code: str = "code"
    customer_path: str | None = None
    has_care: bool = False
    is_retired: bool = False
    problem: Sentence | None = None

    @property
    def custom_fields(self) -> list[Field]:
        return [one for one in self.fields.values() if one.source == SITE]
