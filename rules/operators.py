"""What a condition can ask of a field, per family of values, and what it means.

Each operator means the same on the server (`criteria`) and in Python (`is_met`): what is empty is
never greater, equal or contained, and what is denied (`not`, `ne`, `none`, `no`) holds for it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from rules import fields as families
from rules import letters, relative_days
from rules.errors import N_, InvalidInput
from rules.fields import Field
from rules.phones import phone_key
from rules.sentences import Sentence
from rules.text import fold, nfc

Criteria = dict[str, Any]
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
        value_label: (field, value) -> what people call the choice or record, for sentences.
        locale: the reader's language, for the labels of fields.
    """

    today: date
    zone: tzinfo
    me: Any = None
    store_day: Callable[[date], Any] = _same
    store_number: Callable[[Decimal], Any] = _same
    read_id: Callable[[str], Any] = _same
    known_values: Callable[[str], Iterable[str]] | None = None
    value_label: Callable[[Field, str], str] | None = None
    locale: str = "vi"


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
_TAKES = {one.key: one.takes for offered in _OFFERED.values() for one in offered}
_TAKES["phone"] = PHONE
_DENIED = {"not": "is", "ne": "eq", "none": "in", "no": "yes", "empty": "filled"}


def operators(field: Field) -> tuple[Operator, ...]:
    """The operators of a field in the order in which a list offers them."""
    if field.type in ("phone", "phones"):
        return _PHONE_OPERATORS
    return _OFFERED[field.family]


def operator(field: Field, key: str) -> Operator | None:
    return next((one for one in operators(field) if one.key == key), None)


def checked(field: Field, chosen: Operator, values: tuple[str, ...], context: Context) -> None:
    """Raises InvalidInput for values that the operator cannot use on this field."""
    _operands(chosen.key, chosen.takes, values, context)
    if chosen.takes != VALUES:
        return
    if field.refers_to:
        for value in values:
            _identified(field, value, context)
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


def _identified(field: Field, value: str, context: Context) -> Any:
    if value == ME and field.refers_to == "staff":
        return context.me
    try:
        return context.read_id(value)
    except Exception as error:
        raise InvalidInput(
            N_("“%(value)s” names no record. Choose one by its name."), value=value[:60]
        ) from error


def criteria(field: Field, key: str, values: tuple[str, ...], context: Context) -> Criteria:
    """The query of the store. Raises InvalidInput where `checked` does."""
    chosen = operator(field, key)
    if chosen is None:
        raise InvalidInput(N_("This field cannot be asked that. Choose another operator."))
    checked(field, chosen, values, context)
    if key == "empty":
        return _without_value(field)
    if key in _DENIED:
        return _not(field.path, _asked(field, _DENIED[key], chosen.takes, values, context))
    found = _at(field.path, _asked(field, key, chosen.takes, values, context))
    return _indexed(field, key, values, found)


def _indexed(field: Field, key: str, values: tuple[str, ...], found: Criteria) -> Criteria:
    """The same with the indexed text of the record, where the field has one."""
    if not field.search_path:
        return found
    if key == "phone":
        number = _whole_number(values[0])
        return {field.search_path: number} if number else found
    if key in ("contains", "starts"):
        folded = re.escape(fold(values[0])[: letters.LONGEST])
        return {field.search_path: {"$regex": folded}} | found
    return found


def _whole_number(text: str) -> str | None:
    """The key of a complete phone number; None for a part of one."""
    key = phone_key(text)
    return key if key and key.startswith("+") else None


def _asked(
    field: Field, key: str, takes: str, values: tuple[str, ...], context: Context
) -> dict[str, Any]:
    """What stands at the field's path, by the operators of the query language."""
    if key == "filled":
        return _FILLED_TESTS.get(field.family, {"$gt": ""})
    if key == "yes":
        return {"$eq": True}
    if takes == VALUES:
        wanted = [_stored_value(field, value, context) for value in values]
        return {"$all": wanted} if key == "all" else {"$in": wanted}
    operands = _operands(key, takes, values, context)
    if takes == PHONE:
        return {"$regex": letters.digits_in_a_row(_digits(operands[0]))}
    if takes == TEXT:
        return _text_test(key, operands[0])
    if takes in (NUMBER, NUMBERS):
        return _number_test(key, [context.store_number(one) for one in operands])
    first, last = _day_range(key, operands)
    return _day_test(field, first, last, context)


_FILLED_TESTS: Mapping[str, dict[str, Any]] = {
    families.NUMBER: {"$type": "number"},
    families.DAY: {"$type": "date"},
    families.INSTANT: {"$type": "date"},
    families.FLAG: {"$type": "bool"},
    families.REFERENCE: {"$type": "objectId"},
    families.REFERENCES: {"$type": "objectId"},
    families.FILES: {"$nin": [None, "", []]},
}
# Documents in which a path leads to one value; every other dot may lead into a list.
_SINGLE = ("custom.", "care.", "facts.", "own_care.")


def _without_value(field: Field) -> Criteria:
    may_be_many = field.is_list or ("." in field.path and not field.path.startswith(_SINGLE))
    if may_be_many:
        return _not(field.path, _FILLED_TESTS.get(field.family, {"$gt": ""}))
    # An index serves these; it does not serve the denial of a type.
    return {field.path: {"$in": [None, ""]}}


def _at(path: str, test: dict[str, Any]) -> Criteria:
    root, _, rest = path.partition(".")
    if len(test) > 1 and rest and not path.startswith(_SINGLE):
        # One entry has to be within both bounds, not one above the first and one below the last.
        return {root: {"$elemMatch": {rest: test}}}
    return {path: test}


def _not(path: str, test: dict[str, Any]) -> Criteria:
    return {path: {"$not": test}}


def _stored_value(field: Field, value: str, context: Context) -> Any:
    if field.refers_to:
        return _identified(field, value, context)
    return _tag(value)


def _tag(value: str) -> str:
    """A hashtag as it is stored, typed with its sign."""
    return value.lstrip("#").lower() if value.startswith("#") else value


def _text_test(key: str, text: str) -> dict[str, Any]:
    if key == "is":
        return {"$eq": text}
    pattern = letters.beginning(text) if key == "starts" else letters.containing(text)
    return {"$regex": pattern}


def _digits(text: str) -> str:
    """The digits that every way to write the number has in common."""
    found = "".join(letter for letter in text if letter in "0123456789")
    if text.strip().startswith("+84"):
        return found[2:]
    return found[1:] if found.startswith("0") and len(found) > 1 else found


_COMPARED = {"eq": "$eq", "lt": "$lt", "le": "$lte", "gt": "$gt", "ge": "$gte"}


def _number_test(key: str, numbers: list[Any]) -> dict[str, Any]:
    if key == "between":
        return {"$gte": numbers[0], "$lte": numbers[1]}
    return {_COMPARED[key]: numbers[0]}


def _day_range(key: str, operands: tuple[Any, ...]) -> tuple[date | None, date | None]:
    """The first and the last day that are meant, None without end."""
    if key == "before":
        return None, operands[0] - timedelta(days=1)
    if key == "after":
        return operands[0] + timedelta(days=1), None
    first, last = operands
    return first, last


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


def _operands(key: str, takes: str, values: tuple[str, ...], context: Context) -> tuple[Any, ...]:
    """What the typed values mean: texts, Decimals, or days (first and last for ranges)."""
    _counted(takes, values)
    if takes in (TEXT, PHONE):
        return (_text(takes, values[0]),)
    if takes in (NUMBER, NUMBERS):
        return _ordered(tuple(_number(value) for value in values))
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
    if takes == PHONE and not _digits(text):
        raise InvalidInput(
            N_("“%(value)s” is not a phone number. Write its digits."), value=value[:30]
        )
    if not text:
        raise InvalidInput(N_("A value is missing. Fill it in, or remove the condition."))
    return text


def _number(value: str) -> Decimal:
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or abs(number) >= Decimal(10) ** 30 or len(value) > 40:
        raise InvalidInput(
            N_("“%(value)s” is not a number. Write digits, for example 1250000."), value=value[:30]
        )
    return number


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


def is_met(key: str, value: Any, values: tuple[str, ...], context: Context) -> bool:
    """Whether a Python value meets what is asked; False for values that `checked` refuses.

    Args:
        value: None, a str, int, Decimal, bool, date, aware datetime or id, or a list of them.
    """
    takes = _TAKES.get(key)
    if takes is None:
        return False
    found = [one for one in (value if isinstance(value, list | tuple) else [value]) if _is_one(one)]
    try:
        if key != "between":
            operands = _operands(key, takes, values, context)
        else:
            days = any(isinstance(one, date) for one in found)
            operands = _operands(key, DAYS if days else NUMBERS, values, context)
    except InvalidInput:
        return False
    if key in _DENIED:
        return not _any_met(_DENIED[key], takes, found, operands, context)
    return _any_met(key, takes, found, operands, context)


def _is_one(value: Any) -> bool:
    return value is not None and value != ""


def _any_met(
    key: str, takes: str, found: list[Any], operands: tuple[Any, ...], context: Context
) -> bool:
    if key == "filled":
        return bool(found)
    if key == "all":
        return all(_is_chosen(found, (one,), context) for one in operands)
    if key == "in":
        return _is_chosen(found, operands, context)
    return any(_meets(key, takes, one, operands, context) for one in found)


def _is_chosen(found: list[Any], wanted: tuple[str, ...], context: Context) -> bool:
    for one in found:
        if isinstance(one, str):
            if one in [_tag(value) for value in wanted]:
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
        number = _whole_number(text)
        if number:
            return phone_key(one) == number
        return re.search(letters.digits_in_a_row(_digits(text)), one) is not None
    pattern = letters.beginning(text) if key == "starts" else letters.containing(text)
    return re.search(pattern, one) is not None


def _day_meets(key: str, one: date, operands: tuple[Any, ...], context: Context) -> bool:
    day = one.astimezone(context.zone).date() if isinstance(one, datetime) else one
    first, last = _day_range(key, operands)
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
        return context.value_label(field, value) if context.value_label else value
    if chosen.takes in (NUMBER, NUMBERS):
        return _number(value)
    if chosen.takes in (DAY, DAYS) and value in relative_days.PERIODS:
        return relative_days.says_period(value)
    if chosen.takes in (DAY, DAYS):
        return relative_days.says_day(value, context.today)
    return relative_days.says_period(value) if chosen.takes == PERIOD else value
