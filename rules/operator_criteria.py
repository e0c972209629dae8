"""What an operator asks of the store."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from rules import fields as families
from rules import letters
from rules.errors import N_, InvalidInput
from rules.fields import Field
from rules.operands import (
    below,
    checked,
    day_range,
    identified,
    operands_of,
    phone_digits,
    tag_key,
    whole_number,
)
from rules.operators import DENIED, NUMBER, NUMBERS, PHONE, TEXT, VALUES, Context, operator
from rules.text import fold

Criteria = dict[str, Any]


def criteria_of(field: Field, key: str, values: tuple[str, ...], context: Context) -> Criteria:
    """The query of the store. Raises InvalidInput where `checked` does."""
    chosen = operator(field, key)
    if chosen is None:
        raise InvalidInput(N_("This field cannot be asked that. Choose another operator."))
    checked(field, chosen, values, context)
    if key == "empty":
        return _without_value(field)
    if key in DENIED:
        return _not(field.path, asked(field, DENIED[key], chosen.takes, values, context))
    found = _at(field.path, asked(field, key, chosen.takes, values, context))
    return _indexed(field, key, values, found)


def _indexed(field: Field, key: str, values: tuple[str, ...], found: Criteria) -> Criteria:
    """The same with the indexed text of the record, where the field has one."""
    if not field.search_path:
        return found
    if key == "phone":
        number = whole_number(values[0])
        return {field.search_path: number} if number else found
    if key in ("contains", "starts"):
        folded = re.escape(fold(values[0])[: letters.LONGEST])
        return {field.search_path: {"$regex": folded}} | found
    return found


def asked(
    field: Field, key: str, takes: str, values: tuple[str, ...], context: Context
) -> dict[str, Any]:
    """What stands at the field's path, by the operators of the query language."""
    if key == "filled":
        return FILLED_TESTS.get(field.family, {"$gt": ""})
    if key == "yes":
        return {"$eq": True}
    if takes == VALUES:
        return _values_test(field, key, values, context)
    operands = operands_of(key, takes, values, context)
    if takes == PHONE:
        return {"$regex": letters.digits_in_a_row(phone_digits(operands[0]))}
    if takes == TEXT:
        return _text_test(key, operands[0])
    if takes in (NUMBER, NUMBERS):
        return _number_test(key, [context.store_number(one) for one in operands])
    first, last = day_range(key, operands)
    return _day_test(field, first, last, context)


def _values_test(
    field: Field, key: str, values: tuple[str, ...], context: Context
) -> dict[str, Any]:
    """A value of a tree stands for all that is below it as well."""
    branches = [
        [_stored_value(field, one, context) for one in (value, *below(field, value, context))]
        for value in values
    ]
    if key != "all":
        return {"$in": list(dict.fromkeys(one for branch in branches for one in branch))}
    if all(len(branch) == 1 for branch in branches):
        return {"$all": [branch[0] for branch in branches]}
    return {"$all": [{"$elemMatch": {"$in": branch}} for branch in branches]}


FILLED_TESTS: Mapping[str, dict[str, Any]] = {
    families.NUMBER: {"$type": "number"},
    families.DAY: {"$type": "date"},
    families.INSTANT: {"$type": "date"},
    families.FLAG: {"$type": "bool"},
    families.REFERENCE: {"$type": "objectId"},
    families.REFERENCES: {"$type": "objectId"},
    families.FILES: {"$nin": [None, "", []]},
}


def _without_value(field: Field) -> Criteria:
    if field.is_many:
        return _not(field.path, FILLED_TESTS.get(field.family, {"$gt": ""}))
    # An index serves these; it does not serve the denial of a type.
    return {field.path: {"$in": [None, ""]}}


def _at(path: str, test: dict[str, Any]) -> Criteria:
    root, _, rest = path.partition(".")
    if len(test) > 1 and rest and not path.startswith(families.SINGLE):
        # One entry has to be within both bounds, not one above the first and one below the last.
        return {root: {"$elemMatch": {rest: test}}}
    return {path: test}


def _not(path: str, test: dict[str, Any]) -> Criteria:
    return {path: {"$not": test}}


def _stored_value(field: Field, value: str, context: Context) -> Any:
    if field.refers_to:
        return identified(field, value, context)
    return tag_key(value)


def _text_test(key: str, text: str) -> dict[str, Any]:
    if key == "is":
        return {"$eq": text}
    pattern = letters.beginning(text) if key == "starts" else letters.containing(text)
    return {"$regex": pattern}


_COMPARED = {"eq": "$eq", "lt": "$lt", "le": "$lte", "gt": "$gt", "ge": "$gte"}


def _number_test(key: str, numbers: list[Any]) -> dict[str, Any]:
    if key == "between":
        return {"$gte": numbers[0], "$lte": numbers[1]}
    return {_COMPARED[key]: numbers[0]}


def _day_test(
    field: Field, first: date | None, last: date | None, context: Context
) -> dict[str, Any]:
    bounds: dict[str, Any] = {}
    if field.family == families.DAY:
        if first is not None:
            bounds["$gte"] = context.store_day(first)
        if last is not None:
            bounds["$lte"] = context.store_day(last)
        return bounds
    if first is not None:
        bounds["$gte"] = datetime.combine(first, time(), context.zone)
    if last is not None:
        bounds["$lt"] = datetime.combine(last + timedelta(days=1), time(), context.zone)
    return bounds
