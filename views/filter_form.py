"""The form of the filter builder: a draft of the tree, as unfinished as people leave it.

The form names its parts in order: `part` is `and:1`, `or:1` (a group opens), `3` (a condition) or
`)`; the condition 3 has `field.3`, `operator.3`, `value.3`. Numbers are counted anew each time it
is drawn, so that parts are added and removed without scripts.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from rules import numbers, operands, relative_days
from rules.conditions import AND, DEEPEST, MOST_CONDITIONS, OR, Condition, Context, Group
from rules.errors import CareError, InvalidInput
from rules.fields import Field
from rules.operands import checked
from rules.operators import (
    COUNT,
    DAY,
    DAYS,
    NUMBER,
    NUMBERS,
    PERIOD,
    PHONE,
    TEXT,
    VALUES,
    Operator,
    operator,
    operators,
)
from rules.text import nfc

Form = MultiDict[str, str]
# How a day is given: its name here, and its text in the tree.
EXACT, FROM_NOW, AGO = "exact", "from_now", "ago"
DAY_WORDS = ("today", "yesterday", "tomorrow")
DAY_MODES = (EXACT, *DAY_WORDS, FROM_NOW, AGO)
MOST_PARTS = 200


@dataclass(slots=True)
class DraftCondition:
    """A condition as it is typed; `days` says how each day is given, `typed` are the values."""

    field: str = ""
    operator: str = ""
    typed: list[str] = dataclasses.field(default_factory=list)
    days: list[str] = dataclasses.field(default_factory=list)
    was: str = ""  # the field and what its operator took when the form was drawn
    problem: CareError | None = None
    number: int = 0
    is_new: bool = False

    def value(self, place: int) -> str:
        return self.typed[place] if place < len(self.typed) else ""

    def day(self, place: int) -> str:
        return self.days[place] if place < len(self.days) else EXACT


@dataclass(slots=True)
class DraftGroup:
    """A group of the draft; `level` counts from 1, the outermost."""

    joiner: str = AND
    parts: "list[DraftCondition | DraftGroup]" = dataclasses.field(default_factory=list)
    number: int = 0
    level: int = 1

    @property
    def may_nest(self) -> bool:
        return self.level < DEEPEST


def draft_of(tree: Group | None, fields: Mapping[str, Field], locale: str = "vi") -> DraftGroup:
    """The draft of a tree; conditions on fields that are not there are left out.

    Numbers are grouped as readers of the language do.
    """
    root = _draft(tree, fields, locale) if tree else DraftGroup()
    return numbered(root)


def _draft(group: Group, fields: Mapping[str, Field], locale: str) -> DraftGroup:
    found = DraftGroup(group.joiner)
    for part in group.parts:
        if isinstance(part, Group):
            found.parts.append(_draft(part, fields, locale))
        elif part.field in fields:
            found.parts.append(_typed(part, fields[part.field], locale))
    return found


def _typed(one: Condition, known: Field, locale: str) -> DraftCondition:
    chosen = operator(known, one.operator)
    takes = chosen.takes if chosen else ""
    found = DraftCondition(one.field, one.operator)
    for value in one.values:
        mode, text = _typed_day(value) if takes in (DAY, DAYS) else (EXACT, value)
        found.days.append(mode)
        found.typed.append(_typed_number(text, locale) if takes in (NUMBER, NUMBERS) else text)
    return found


def _typed_day(value: str) -> tuple[str, str]:
    if value in DAY_WORDS:
        return value, ""
    if value[:1] in "+-" and value.endswith("d"):
        return (FROM_NOW if value.startswith("+") else AGO), value[1:-1]
    year, _, rest = value.partition("-")
    month, _, day = rest.partition("-")
    return EXACT, f"{day}/{month}/{year}" if day else value


def _typed_number(value: str, locale: str) -> str:
    try:
        number = operands.number(value)
    except InvalidInput:
        return value
    if number == number.to_integral_value():
        return numbers.typed_money(int(number), locale)
    return numbers.typed_decimal(number, locale)


def read_form(form: Form, as_here: Callable[[str], str] = str) -> DraftGroup:
    """The draft that the form shows; what makes no sense in it is left out.

    `as_here` makes the reader's way of writing of a number as the form had it.
    """
    root = DraftGroup(AND)
    open_groups = [root]
    for part in form.getlist("part")[:MOST_PARTS]:
        word, _, number = part.partition(":")
        if part == ")":
            if len(open_groups) > 1:
                open_groups.pop()
        elif word in (AND, OR):
            joiner = form.get(f"joiner.{number}", word)
            if number == "1":
                root.joiner = joiner if joiner in (AND, OR) else AND
            elif len(open_groups) < DEEPEST:
                group = DraftGroup(joiner if joiner in (AND, OR) else AND)
                open_groups[-1].parts.append(group)
                open_groups.append(group)
        elif part.isdecimal():
            open_groups[-1].parts.append(_read_condition(form, part, as_here))
    return numbered(root)


def _read_condition(form: Form, number: str, as_here: Callable[[str], str]) -> DraftCondition:
    was = form.get(f"was.{number}", "")[:80]
    typed = form.getlist(f"value.{number}")[:300]
    if was.partition(":")[2] in (NUMBER, NUMBERS):
        typed = list(map(as_here, typed))
    return DraftCondition(
        form.get(f"field.{number}", "")[:40],
        form.get(f"operator.{number}", "")[:20],
        typed,
        form.getlist(f"day.{number}")[:2],
        was,
    )


def numbered(root: DraftGroup) -> DraftGroup:
    """The draft with its parts counted in order."""
    for number, part in enumerate(_every(root), 1):
        part.number = number
        if isinstance(part, DraftGroup):
            for inner in part.parts:
                if isinstance(inner, DraftGroup):
                    inner.level = part.level + 1
    return root


def _every(group: DraftGroup) -> Iterator[DraftCondition | DraftGroup]:
    yield group
    for part in group.parts:
        if isinstance(part, DraftGroup):
            yield from _every(part)
        else:
            yield part


def change(root: DraftGroup, action: str, fields: Mapping[str, Field]) -> DraftGroup:
    """The draft after a button was pressed.

    Actions are `add:G`, `group:G`, `remove:N`, `pick:N:VALUE` and `drop:N:VALUE`; any other one
    changes nothing.
    """
    name, _, rest = action.partition(":")
    number, _, value = rest.partition(":")
    for part in list(_every(root)):
        if str(part.number) != number:
            continue
        if name == "remove":
            _remove(root, part)
        elif isinstance(part, DraftCondition):
            _pick(part, name, value)
        elif name == "add" and _size(root) < MOST_CONDITIONS:
            part.parts.append(DraftCondition(is_new=True))
        elif name == "group" and part.may_nest and _size(root) < MOST_CONDITIONS:
            joiner = OR if part.joiner == AND else AND
            part.parts.append(DraftGroup(joiner, [DraftCondition(is_new=True)]))
    return settle(numbered(root), fields)


def _size(root: DraftGroup) -> int:
    return sum(isinstance(part, DraftCondition) for part in _every(root))


def _remove(root: DraftGroup, part: DraftCondition | DraftGroup) -> None:
    for group in _every(root):
        if isinstance(group, DraftGroup):
            group.parts = [one for one in group.parts if one is not part]


def _pick(one: DraftCondition, action: str, value: str) -> None:
    if action == "pick" and value and value not in one.typed:
        one.typed.append(value)
    elif action == "drop":
        one.typed = [typed for typed in one.typed if typed != value]


def settle(root: DraftGroup, fields: Mapping[str, Field]) -> DraftGroup:
    """The draft with an operator for every field that was just chosen.

    Values stay while the new operator takes the same kind of value, so that changing one's mind
    between "is any of" and "is none of" costs nothing.
    """
    for part in _every(root):
        if isinstance(part, DraftCondition):
            known = fields.get(part.field)
            if known is None:
                part.field = part.operator = ""
                continue
            chosen = operator(known, part.operator) or operators(known)[0]
            part.operator = chosen.key
            was_field, _, was_taken = part.was.partition(":")
            is_other = was_field not in ("", part.field) and chosen.takes == VALUES
            if is_other or (was_taken and _LIKE.get(was_taken) != _LIKE.get(chosen.takes)):
                part.typed, part.days = [], []
    return root


# Values that may stay when one operator takes the place of another.
_LIKE = {
    **{TEXT: TEXT, PHONE: TEXT, NUMBER: NUMBER, NUMBERS: NUMBER, DAY: DAY, DAYS: DAY},
    **{PERIOD: PERIOD, COUNT: COUNT, VALUES: VALUES},
}


def tree_from(
    root: DraftGroup, fields: Mapping[str, Field], context: Context
) -> tuple[Group | None, bool]:
    """The tree of the draft, and whether all of it could be used.

    Conditions without a field are left out; what is wrong with another one is written to it.
    """
    problems = 0

    def built(group: DraftGroup) -> Group | None:
        nonlocal problems
        parts: list[Condition | Group] = []
        for part in group.parts:
            if isinstance(part, DraftGroup):
                inner = built(part)
                parts += [inner] if inner else []
            elif part.field in fields:
                made = _condition(part, fields[part.field], context)
                problems += made is None
                parts += [made] if made else []
        return Group(group.joiner, tuple(parts)) if parts else None

    found = built(root)
    return found, problems == 0


def _condition(one: DraftCondition, known: Field, context: Context) -> Condition | None:
    chosen = operator(known, one.operator) or operators(known)[0]
    try:
        values = tuple(_values(one, known, chosen, context))
        checked(known, chosen, values, context)
    except CareError as error:
        one.problem = error
        return None
    return Condition(known.key, chosen.key, values)


def _values(one: DraftCondition, known: Field, chosen: Operator, context: Context) -> Iterable[str]:
    typed = list(map(nfc, one.typed))
    if chosen.takes in (DAY, DAYS):
        size = 2 if chosen.takes == DAYS else 1
        return [_day(one.day(place), one.value(place)) for place in range(size)]
    filled = [text for text in typed if text]
    if chosen.takes in (NUMBER, NUMBERS):
        read = numbers.whole if known.type in ("integer", "money") else numbers.decimal
        return [str(read(text, context.locale)) for text in filled]
    if known.type == "tags" and chosen.takes == VALUES:
        return [
            tag.lstrip("#").lower() for text in filled for tag in text.replace(",", " ").split()
        ]
    return filled if chosen.takes == VALUES else filled[:1] if chosen.takes != "nothing" else []


def _day(mode: str, text: str) -> str:
    if mode in DAY_WORDS:
        return mode
    if mode in (FROM_NOW, AGO):
        return f"{'+' if mode == FROM_NOW else '-'}{relative_days.day_count(text.strip())}d"
    return relative_days.canonical_day(text.strip())
