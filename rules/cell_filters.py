"""The condition that finds the records with the same value in a field."""

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import Any

from rules import fields as families
from rules.conditions import Condition, values_of
from rules.fields import Field
from rules.operators import LONGEST_VALUE, MOST_VALUES

LONGEST_BEGINNING = 200  # letters of a text too long, or of too many lines, to be typed as a whole


def asking_for(field: Field, record: Mapping[str, Any], zone: tzinfo) -> Condition:
    """The condition that `record` meets by the value that it has in `field`, also by having none.

    A time asks for its day; a list of choices or records asks for all of them, a list of texts
    (phones) for the first.
    """
    value = values_of(record, {field.key: field})[field.key]
    values = [
        one for one in (value if isinstance(value, list) else [value]) if one not in (None, "")
    ]
    if field.family == families.FLAG:
        return Condition(field.key, "yes" if True in values else "no")
    if not values:
        return Condition(field.key, "empty")
    if field.family in (families.CHOICE, families.REFERENCE):
        return Condition(field.key, "in", tuple(map(str, values[:MOST_VALUES])))
    if field.family in (families.CHOICES, families.REFERENCES):
        return Condition(field.key, "all", tuple(map(str, values[:MOST_VALUES])))
    return _single(field, values[0], zone)


def _single(field: Field, value: Any, zone: tzinfo) -> Condition:
    if field.type in ("phone", "phones"):
        return Condition(field.key, "phone", (str(value),))
    if field.family in (families.DAY, families.INSTANT):
        return Condition(field.key, "on", (_day(value, zone).isoformat(),))
    if field.family == families.NUMBER:
        return Condition(
            field.key, "eq", (f"{value:f}" if not isinstance(value, int) else str(value),)
        )
    text = str(value)
    line = next(iter(text.strip().splitlines()), "")
    if line != text.strip() or len(text) > LONGEST_VALUE:
        return Condition(field.key, "starts", (line[:LONGEST_BEGINNING],))
    return Condition(field.key, "is", (text,))


def _day(value: Any, zone: tzinfo) -> date:
    if isinstance(value, datetime):
        return value.astimezone(zone).date()
    return date.fromisoformat(str(value))
