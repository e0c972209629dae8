"""A condition in words."""

from typing import Any

from rules import relative_days
from rules.errors import N_, InvalidInput
from rules.fields import Field
from rules.operands import below, number
from rules.operators import (
    DAY,
    DAYS,
    ME,
    NUMBER,
    NUMBERS,
    PERIOD,
    VALUES,
    Context,
    Operator,
    operator,
)
from rules.sentences import Sentence


def says(field: Field, key: str, values: tuple[str, ...], context: Context) -> Sentence:
    """The condition in words; it must be one that `criteria` accepts."""
    chosen = operator(field, key)
    if chosen is None:
        raise InvalidInput(N_("This field cannot be asked that. Choose another operator."))
    shown = [_shown(field, chosen, value, context) for value in values]
    params: dict[str, Any] = {"field": field_label(field, context.locale)}
    if chosen.takes in (NUMBERS, DAYS):
        params |= {"first": shown[0], "second": shown[1]}
    elif chosen.takes == VALUES:
        params["value"] = shown
    elif shown:
        params["value"] = shown[0]
    return Sentence(chosen.says, params)


def field_label(field: Field, locale: str) -> str | Sentence:
    """What the field is called: a text of the site, or a Sentence of ours."""
    return field.own_label(locale) or Sentence(field.name or field.key)


def _shown(field: Field, chosen: Operator, value: str, context: Context) -> Any:
    if chosen.takes == VALUES:
        if value == ME and field.refers_to == "staff":
            return Sentence(N_("me"))
        fixed = {one.key: one.label for one in field.choices}
        if value in fixed:
            return Sentence(fixed[value])
        label = context.value_label(field, value) if context.value_label else value
        is_branch = bool(below(field, value, context))
        return Sentence(N_("%(value)s and below"), {"value": label}) if is_branch else label
    if chosen.takes in (NUMBER, NUMBERS):
        return number(value)
    if chosen.takes in (DAY, DAYS) and value in relative_days.PERIODS:
        return relative_days.says_period(value)
    if chosen.takes in (DAY, DAYS):
        return relative_days.says_day(value, context.today)
    return relative_days.says_period(value) if chosen.takes == PERIOD else value
