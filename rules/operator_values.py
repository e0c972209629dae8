"""What an operator says of a value in Python, the same as the store finds by its criteria."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from rules import letters
from rules.errors import InvalidInput
from rules.fields import Field
from rules.operands import below, day_range, operands_of, phone_digits, tag_key, whole_number
from rules.operators import DAYS, DENIED, ME, NUMBER, NUMBERS, PHONE, TAKES, TEXT, VALUES, Context
from rules.phones import phone_key


def is_met(
    key: str, value: Any, values: tuple[str, ...], context: Context, field: Field | None = None
) -> bool:
    """Whether a Python value meets what is asked; False for values that `checked` refuses.

    Args:
        value: None, a str, int, Decimal, bool, date, aware datetime or id, or a list of them.
        field: whose value it is, for values that stand in a tree.
    """
    takes = TAKES.get(key)
    if takes is None:
        return False
    found = [one for one in (value if isinstance(value, list | tuple) else [value]) if _is_one(one)]
    try:
        if key != "between":
            operands = operands_of(key, takes, values, context)
        else:
            days = any(isinstance(one, date) for one in found)
            operands = operands_of(key, DAYS if days else NUMBERS, values, context)
    except InvalidInput:
        return False
    positive = DENIED.get(key, key)
    if takes == VALUES:
        branches = [(one, *below(field, one, context)) for one in operands]
        is_so = _chosen(positive, found, branches, context)
    else:
        is_so = _any_met(positive, takes, found, operands, context)
    return is_so != (key in DENIED)


def _chosen(key: str, found: list[Any], branches: list[tuple[str, ...]], context: Context) -> bool:
    met = (_is_chosen(found, branch, context) for branch in branches)
    return all(met) if key == "all" else any(met)


def _is_one(value: Any) -> bool:
    return value is not None and value != ""


def _any_met(
    key: str, takes: str, found: list[Any], operands: tuple[Any, ...], context: Context
) -> bool:
    if key == "filled":
        return bool(found)
    return any(_meets(key, takes, one, operands, context) for one in found)


def _is_chosen(found: list[Any], wanted: tuple[str, ...], context: Context) -> bool:
    for one in found:
        if isinstance(one, str):
            if one in [tag_key(value) for value in wanted]:
                return True
        elif str(one) in wanted or (ME in wanted and one == context.me):
            return True
    return False


def _meets(key: str, takes: str, one: Any, operands: tuple[Any, ...], context: Context) -> bool:
    if key == "yes":
        return one is True
    if isinstance(one, bool):
        return False
    if isinstance(one, str):
        return takes in (TEXT, PHONE) and _text_meets(key, one, operands[0])
    if isinstance(one, date):
        return takes not in (TEXT, PHONE, NUMBER) and _day_meets(key, one, operands, context)
    if isinstance(one, int | float | Decimal):
        return takes in (NUMBER, NUMBERS, DAYS) and _number_meets(key, one, operands)
    return False


def _text_meets(key: str, one: str, text: str) -> bool:
    if key == "is":
        return one == text
    if key == "phone":
        number = whole_number(text)
        if number:
            return phone_key(one) == number
        return re.search(letters.digits_in_a_row(phone_digits(text)), one) is not None
    pattern = letters.beginning(text) if key == "starts" else letters.containing(text)
    return re.search(pattern, one) is not None


def _day_meets(key: str, one: date, operands: tuple[Any, ...], context: Context) -> bool:
    day = one.astimezone(context.zone).date() if isinstance(one, datetime) else one
    first, last = day_range(key, operands)
    return (first is None or day >= first) and (last is None or day <= last)


def _number_meets(key: str, one: int | float | Decimal, operands: tuple[Any, ...]) -> bool:
    number = one if isinstance(one, int | Decimal) else Decimal(repr(one))
    if key == "between":
        return bool(operands[0] <= number <= operands[1])
    wanted = operands[0]
    return bool(
        {
            "eq": number == wanted,
            "lt": number < wanted,
            "le": number <= wanted,
            "gt": number > wanted,
            "ge": number >= wanted,
        }[key]
    )
