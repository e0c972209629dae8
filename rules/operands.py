"""The values of a condition: what the typed texts mean, and what is wrong with them."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from rules import relative_days
from rules.errors import N_, InvalidInput
from rules.fields import Field
from rules.operators import (
    COUNT,
    DAY,
    DAYS,
    LONGEST_VALUE,
    ME,
    MOST_VALUES,
    NOTHING,
    NUMBER,
    NUMBERS,
    PERIOD,
    PHONE,
    TEXT,
    VALUES,
    Context,
    Operator,
)
from rules.phones import phone_key
from rules.text import nfc


def checked(field: Field, chosen: Operator, values: tuple[str, ...], context: Context) -> None:
    """Raises InvalidInput for values that the operator cannot use on this field."""
    operands_of(chosen.key, chosen.takes, values, context)
    if chosen.takes != VALUES:
        return
    if field.refers_to:
        for value in values:
            identified(field, value, context)
    elif field.type != "tags":
        _known(field, values, context)


def _known(field: Field, values: tuple[str, ...], context: Context) -> None:
    keys: Iterable[str] | None = {one.key for one in field.choices} or None
    if field.pick_list and context.known_values is not None:
        keys = context.known_values(field.pick_list)
    if keys is None:
        return
    for value in values:
        if value not in keys:
            raise InvalidInput(
                N_("“%(value)s” is not a choice of this field (any more). Choose another one."),
                value=value[:60],
            )


def below(field: Field | None, value: str, context: Context) -> tuple[str, ...]:
    """The values below a chosen one, which it stands for as well; () outside of trees."""
    return context.below(field, value) if field and context.below else ()


def identified(field: Field, value: str, context: Context) -> Any:
    if value == ME and field.refers_to == "staff":
        return context.me
    try:
        return context.read_id(value)
    except Exception as error:
        raise InvalidInput(
            N_("“%(value)s” names no record. Choose one by its name."), value=value[:60]
        ) from error


def operands_of(key: str, takes: str, values: tuple[str, ...], context: Context) -> tuple[Any, ...]:
    """What the typed values mean: texts, Decimals, or days (first and last for ranges)."""
    _counted(takes, values)
    if takes in (TEXT, PHONE):
        return (_text(takes, values[0]),)
    if takes in (NUMBER, NUMBERS):
        return _ordered(tuple(number(value) for value in values))
    if takes == DAYS:
        return _ordered(tuple(relative_days.day(value, context.today) for value in values))
    if takes in (PERIOD, COUNT) or key == "on":
        return _period(key, values[0], context.today)
    if takes == DAY:
        return (relative_days.day(values[0], context.today),)
    return values


_NEEDED = {NOTHING: 0, NUMBERS: 2, DAYS: 2}


def _counted(takes: str, values: tuple[str, ...]) -> None:
    if any(len(value) > LONGEST_VALUE for value in values):
        raise InvalidInput(
            N_("A value of the filter is too long. Shorten it to %(most)s characters."),
            most=LONGEST_VALUE,
        )
    if takes == VALUES:
        if not 0 < len(values) <= MOST_VALUES:
            raise InvalidInput(N_("Choose between 1 and %(most)s values."), most=MOST_VALUES)
    elif len(values) != _NEEDED.get(takes, 1):
        raise InvalidInput(N_("A value is missing. Fill it in, or remove the condition."))


def _text(takes: str, value: str) -> str:
    text = nfc(value)
    if takes == PHONE and not phone_digits(text):
        raise InvalidInput(
            N_("“%(value)s” is not a phone number. Write its digits."), value=value[:30]
        )
    if not text:
        raise InvalidInput(N_("A value is missing. Fill it in, or remove the condition."))
    return text


def number(value: str) -> Decimal:
    try:
        found = Decimal(value)
    except InvalidOperation:
        found = Decimal("nan")
    if not found.is_finite() or abs(found) >= Decimal(10) ** 30 or len(value) > 40:
        raise InvalidInput(
            N_("“%(value)s” is not a number. Write digits, for example 1250000."), value=value[:30]
        )
    return found


def _ordered(pair: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(pair) == 2 and pair[0] > pair[1]:
        raise InvalidInput(
            N_("The range ends before it begins: %(start)s – %(end)s. Swap the two values."),
            start=pair[0],
            end=pair[1],
        )
    return pair


def _period(key: str, value: str, today: date) -> tuple[date | None, date | None]:
    if key == "within" or (key == "on" and value in relative_days.PERIODS):
        return relative_days.period(value, today)
    if key == "on":
        found = relative_days.day(value, today)
        return found, found
    days = timedelta(days=relative_days.day_count(value))
    if key == "next_days":
        return today, today + days
    if key == "last_days":
        return today - days, today
    return None, today - days - timedelta(days=1)


def day_range(key: str, operands: tuple[Any, ...]) -> tuple[date | None, date | None]:
    """The first and the last day that are meant, None without end."""
    if key == "before":
        return None, operands[0] - timedelta(days=1)
    if key == "after":
        return operands[0] + timedelta(days=1), None
    first, last = operands
    return first, last


def whole_number(text: str) -> str | None:
    """The key of a complete phone number; None for a part of one."""
    key = phone_key(text)
    return key if key and key.startswith("+") else None


def tag_key(value: str) -> str:
    """A hashtag as it is stored, typed with its sign."""
    return value.lstrip("#").lower() if value.startswith("#") else value


def phone_digits(text: str) -> str:
    """The digits that every way to write the number has in common."""
    found = "".join(letter for letter in text if letter in "0123456789")
    if text.strip().startswith("+84"):
        return found[2:]
    return found[1:] if found.startswith("0") and len(found) > 1 else found
