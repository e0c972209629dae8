"""What a condition can ask of a field, per family of values.

Each operator means the same on the server (rules/operator_criteria.py) and in Python
(rules/operator_values.py): what is empty is never greater, equal or contained, and what is denied
(`not`, `ne`, `none`, `no`) holds for it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, tzinfo
from decimal import Decimal
from typing import Any

from rules import fields as families
from rules.errors import N_
from rules.fields import Field

ME = "me"
MOST_VALUES = 200
LONGEST_VALUE = 400

# What the control beside an operator takes.
NOTHING, TEXT, PHONE, NUMBER, NUMBERS, DAY, DAYS, PERIOD, COUNT, VALUES = (
    *("nothing", "text", "phone", "number", "numbers", "day", "days", "period", "count", "values"),
)


@dataclass(frozen=True, slots=True)
class Operator:
    """`label` stands in the list of operators, `says` in the sentence; both are gettext ids."""

    key: str
    label: str
    says: str
    takes: str


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Context:
    """What conditions need to know beside the record.

    Attributes:
        today: the local day; zone: of the site, whose days instants fall on.
        me: the id of whoever asks; None: nobody in particular, whom no record names.
        store_day, store_number: a local date and a Decimal as the store keeps them.
        read_id: the id behind a text; raises any Exception for what is none.
        known_values: pick list -> keys that conditions may name; None: any key.
        below: (field, value) -> the values below it in its tree, which it stands for as well; None:
            each value stands for itself.
        value_label: (field, value) -> what people call the choice or record, for sentences.
        locale: the reader's language, for the labels of fields.
        fields: every field of the kind, which computed ones may name though the reader lacks them.
    """

    today: date
    zone: tzinfo
    me: Any = None
    store_day: Callable[[date], Any] = _same
    store_number: Callable[[Decimal], Any] = _same
    read_id: Callable[[str], Any] = _same
    known_values: Callable[[str], Iterable[str]] | None = None
    below: Callable[[Field, str], tuple[str, ...]] | None = None
    value_label: Callable[[Field, str], str] | None = None
    locale: str = "vi"
    fields: Mapping[str, Field] | None = None


_EMPTY = Operator("empty", N_("is empty"), N_("%(field)s is empty"), NOTHING)
_FILLED = Operator("filled", N_("is filled"), N_("%(field)s is filled"), NOTHING)
_TEXT_OPERATORS = (
    Operator("contains", N_("contains"), N_("%(field)s contains “%(value)s”"), TEXT),
    Operator("is", N_("is exactly"), N_("%(field)s is “%(value)s”"), TEXT),
    Operator("not", N_("is not"), N_("%(field)s is not “%(value)s”"), TEXT),
    Operator("starts", N_("starts with"), N_("%(field)s starts with “%(value)s”"), TEXT),
    _EMPTY,
    _FILLED,
)
_PHONE_OPERATORS = (
    Operator("phone", N_("contains"), N_("%(field)s contains “%(value)s”"), PHONE),
    _EMPTY,
    _FILLED,
)
_NUMBER_OPERATORS = (
    Operator("eq", "=", N_("%(field)s = %(value)s"), NUMBER),
    Operator("ne", "≠", N_("%(field)s ≠ %(value)s"), NUMBER),
    Operator("lt", "<", N_("%(field)s < %(value)s"), NUMBER),
    Operator("le", "≤", N_("%(field)s ≤ %(value)s"), NUMBER),
    Operator("gt", ">", N_("%(field)s > %(value)s"), NUMBER),
    Operator("ge", "≥", N_("%(field)s ≥ %(value)s"), NUMBER),
    Operator("between", N_("between"), N_("%(field)s between %(first)s and %(second)s"), NUMBERS),
    _EMPTY,
    _FILLED,
)
_DAY_OPERATORS = (
    Operator("on", N_("on"), N_("%(field)s on %(value)s"), DAY),
    Operator("before", N_("before"), N_("%(field)s before %(value)s"), DAY),
    Operator("after", N_("after"), N_("%(field)s after %(value)s"), DAY),
    Operator("between", N_("between"), N_("%(field)s from %(first)s to %(second)s"), DAYS),
    Operator("within", N_("within"), N_("%(field)s: %(value)s"), PERIOD),
    Operator(
        "next_days", N_("in the next … days"), N_("%(field)s in the next %(value)s days"), COUNT
    ),
    Operator(
        "last_days", N_("in the last … days"), N_("%(field)s in the last %(value)s days"), COUNT
    ),
    Operator(
        "days_ago",
        N_("more than … days ago"),
        N_("%(field)s more than %(value)s days ago"),
        COUNT,
    ),
    _EMPTY,
    _FILLED,
)
_FLAG_OPERATORS = (
    Operator("yes", N_("is yes"), N_("%(field)s: yes"), NOTHING),
    Operator("no", N_("is not yes"), N_("%(field)s: not yes"), NOTHING),
    _EMPTY,
    _FILLED,
)
_ANY = Operator("in", N_("is any of"), N_("%(field)s is any of: %(value)s"), VALUES)
_ALL = Operator("all", N_("has all of"), N_("%(field)s has all of: %(value)s"), VALUES)
_NONE = Operator("none", N_("is none of"), N_("%(field)s is none of: %(value)s"), VALUES)

_OFFERED: Mapping[str, tuple[Operator, ...]] = {
    families.TEXT: _TEXT_OPERATORS,
    families.NUMBER: _NUMBER_OPERATORS,
    families.DAY: _DAY_OPERATORS,
    families.INSTANT: _DAY_OPERATORS,
    families.FLAG: _FLAG_OPERATORS,
    families.CHOICE: (_ANY, _NONE, _EMPTY, _FILLED),
    families.CHOICES: (_ANY, _ALL, _NONE, _EMPTY, _FILLED),
    families.REFERENCE: (_ANY, _NONE, _EMPTY, _FILLED),
    families.REFERENCES: (_ANY, _ALL, _NONE, _EMPTY, _FILLED),
    families.FILES: (_EMPTY, _FILLED),
}
TAKES = {one.key: one.takes for offered in _OFFERED.values() for one in offered}
TAKES["phone"] = PHONE
DENIED = {"not": "is", "ne": "eq", "none": "in", "no": "yes", "empty": "filled"}


def operators(field: Field) -> tuple[Operator, ...]:
    """The operators of a field in the order in which a list offers them."""
    if field.type in ("phone", "phones"):
        return _PHONE_OPERATORS
    return _OFFERED[field.family]


def operator(field: Field, key: str) -> Operator | None:
    return next((one for one in operators(field) if one.key == key), None)
