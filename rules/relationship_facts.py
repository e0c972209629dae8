"""What relationship rules may ask about a customer (S3.3): a registry, so that later facts plug in.

A fact is read from a stored customer, whose `facts` services keep true; an unknown one is None.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from rules import fields
from rules.errors import N_

# DAYS and NUMBER are compared with a whole number, MONEY with an amount in dong, CHOICE is one key
# of a pick list, CHOICES are several, WORDS are free words.
DAYS, NUMBER, MONEY, CHOICE, CHOICES, WORDS = (
    "days",
    "number",
    "money",
    "choice",
    "choices",
    "words",
)
NUMERIC = (DAYS, NUMBER, MONEY)
SEVERAL = (CHOICES, WORDS)

AT_LEAST, AT_MOST, ONE_OF, NONE_OF = "at_least", "at_most", "one_of", "none_of"
KNOWN, UNKNOWN = "known", "unknown"

Customer = Mapping[str, Any]
Expression = Any


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact. `read(customer, today)` gives a number, a key, a tuple of keys, or None.

    `expression(today)` gives the same on the server, from the fields of the stored customer; there
    `today` is midnight UTC, as dates are stored. `pick_list` names the list that the keys of a
    choice come from. `fields` are the customer's fields whose values it tells, where they are not
    called like the fact.
    """

    key: str
    label: str
    kind: str
    read: Callable[[Customer, date], Any]
    expression: Callable[[datetime], Expression]
    pick_list: str | None = None
    fields: tuple[str, ...] = ()

    @property
    def operators(self) -> tuple[str, ...]:
        compared = (AT_LEAST, AT_MOST) if self.kind in NUMERIC else (ONE_OF, NONE_OF)
        return (*compared, KNOWN, UNKNOWN)


FACTS: dict[str, Fact] = {}


def fields_told(key: str) -> tuple[str, ...]:
    """The keys of the customer's fields whose values the fact tells; of one that is gone as well."""
    fact = FACTS.get(key)
    return (fact.fields if fact else ()) or (key.removeprefix(CUSTOM),)


# Fields of a site by the family of their type, as facts. A date counts the days since then.
OF_FAMILY = {
    fields.NUMBER: NUMBER,
    fields.DAY: DAYS,
    fields.CHOICE: CHOICE,
    fields.CHOICES: CHOICES,
}
CUSTOM = "custom."


def of_field(one: fields.Field) -> Fact | None:
    """The fact that a field of the site is, with the key `custom.<key>`; None for other types."""
    kind = OF_FAMILY.get(fields.TYPES[one.type].family) if one.type in fields.TYPES else None
    if kind is None or not one.path.startswith(CUSTOM) or one.type == "computed":
        return None
    name = one.path.removeprefix(CUSTOM)
    read, expression = _custom(name, kind)
    label = one.label_vi or one.label_en or one.key
    return Fact(CUSTOM + one.key, label, kind, read, expression, one.pick_list or None)


def _custom(
    name: str, kind: str
) -> tuple[Callable[[Customer, date], Any], Callable[[datetime], Expression]]:
    path = f"${CUSTOM}{name}"

    def read(customer: Customer, today: date) -> Any:
        value: Any = (customer.get("custom") or {}).get(name)
        if kind == DAYS:
            return None if value is None else (today - _day(value)).days
        if kind == CHOICES:
            return tuple(value or ()) or None
        if hasattr(value, "to_decimal"):  # a Decimal128 of the store
            return value.to_decimal()
        return value

    if kind == DAYS:
        return read, lambda today: days_until(today, path)
    return read, _server_keys(f"{CUSTOM}{name}") if kind == CHOICES else _path(path)


def _day(value: Any) -> date:
    return value.date() if isinstance(value, datetime) else value


def register(fact: Fact) -> None:
    """Makes a fact known to rules and to the screen that edits them.

    Raises:
        ValueError: another fact has its key.
    """
    if fact.key in FACTS:
        raise ValueError(f"There is a fact {fact.key} already.")
    FACTS[fact.key] = fact


def days_until(today: datetime, since: Expression) -> Expression:
    """Days from a stored date until today on the server; null when there is no date."""
    return {"$dateDiff": {"startDate": since, "endDate": today, "unit": "day"}}


def _stored(name: str) -> Callable[[Customer, date], Any]:
    return lambda customer, today: (customer.get("facts") or {}).get(name)


def _days_since(name: str) -> Callable[[Customer, date], int | None]:
    """Days from a stored local date until today; None when there is no date."""

    def read(customer: Customer, today: date) -> int | None:
        day = (customer.get("facts") or {}).get(name)
        if day is None:
            return None
        return (today - (day.date() if isinstance(day, datetime) else day)).days

    return read


def _server_days_since(name: str) -> Callable[[datetime], Expression]:
    return lambda today: days_until(today, f"$facts.{name}")


def _path(path: str) -> Callable[[datetime], Expression]:
    return lambda today: path


def _amount(customer: Customer, today: date) -> Decimal | None:
    revenue: Any = (customer.get("facts") or {}).get("revenue")
    # A Decimal128 of the store, without knowing its class here.
    amount: Decimal | None = revenue.to_decimal() if hasattr(revenue, "to_decimal") else revenue
    return amount


def _days_since_purchase_after_choice(customer: Customer, today: date) -> int | None:
    """Days since the last purchase, when it came after a person had chosen the status."""
    bought = (customer.get("facts") or {}).get("last_purchase_on")
    chosen = (customer.get("relationship_chosen") or {}).get("since_on")
    if bought is None or chosen is None or bought <= chosen:
        return None
    return (today - (bought.date() if isinstance(bought, datetime) else bought)).days


def _server_days_since_purchase_after_choice(today: datetime) -> Expression:
    bought, chosen = "$facts.last_purchase_on", "$relationship_chosen.since_on"
    is_after = {"$and": [{"$gt": [chosen, None]}, {"$gt": [bought, chosen]}]}
    return {"$cond": [is_after, days_until(today, bought), None]}


def _server_keys(name: str) -> Callable[[datetime], Expression]:
    """Null instead of an empty list."""
    known: Expression = {"$ifNull": [f"${name}", []]}
    return lambda today: {"$cond": [{"$eq": [known, []]}, None, known]}


def _keys(name: str) -> Callable[[Customer, date], tuple[str, ...] | None]:
    return lambda customer, today: tuple(customer.get(name) or ()) or None


for _fact in (
    Fact(
        "days_since_contact",
        N_("days since the last contact"),
        DAYS,
        _days_since("last_contact_on"),
        _server_days_since("last_contact_on"),
        fields=("last_contact",),
    ),
    Fact(
        "days_since_first_purchase",
        N_("days since the first purchase"),
        DAYS,
        _days_since("first_purchase_on"),
        _server_days_since("first_purchase_on"),
        fields=("first_purchase",),
    ),
    Fact(
        "days_since_last_purchase",
        N_("days since the last purchase"),
        DAYS,
        _days_since("last_purchase_on"),
        _server_days_since("last_purchase_on"),
        fields=("last_purchase",),
    ),
    Fact(
        "purchase_after_choice",
        N_("days since a purchase after the status was chosen by hand"),
        DAYS,
        _days_since_purchase_after_choice,
        _server_days_since_purchase_after_choice,
        fields=("last_purchase",),
    ),
    Fact(
        "order_count",
        N_("number of orders"),
        NUMBER,
        _stored("order_count"),
        _path("$facts.order_count"),
    ),
    Fact("revenue", N_("revenue"), MONEY, _amount, _path("$facts.revenue")),
    Fact(
        "last_feedback",
        N_("last feedback"),
        CHOICE,
        _stored("last_feedback"),
        _path("$facts.last_feedback"),
        "feedback",
    ),
    Fact("tags", N_("tags"), WORDS, _keys("tags"), _server_keys("tags")),
    Fact(
        "groups", N_("customer groups"), CHOICES, _keys("groups"), _server_keys("groups"), "group"
    ),
    Fact(
        "relationship",
        N_("relationship until now"),
        CHOICE,
        lambda customer, today: customer.get("relationship"),
        _path("$$status"),
        "relationship",
    ),
):
    register(_fact)
