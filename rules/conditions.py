"""Conditions over the fields of a record: a tree of AND and OR groups, and its form as text.

The text stands in addresses, saved views, roles, row colours and the visibility of fields:
`and(area.in(<id>,<id>),or(relationship.in(hot,new),revenue.ge(1000000)))`. Values are
percent-encoded. What an operator means is in rules/operators.py.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import quote, unquote

from rules import fields as families
from rules.computed_criteria import computed_criteria
from rules.errors import N_, CareError, InvalidInput
from rules.fields import Field
from rules.operands import checked
from rules.operator_criteria import Criteria, criteria_of
from rules.operator_values import is_met
from rules.operator_words import field_label, says
from rules.operators import MOST_VALUES, Context, operator
from rules.record_paths import value_at
from rules.sentences import Sentence
from rules.text import nfc

__all__ = [
    "Condition", "Context", "Group", "conditions", "criteria", "holds", "read", "sentence",
    "usable", "values_of", "without_unknown", "write",
]  # fmt: skip

AND, OR = "and", "or"
DEEPEST = 5  # groups within each other
MOST_CONDITIONS = 50
LONGEST_TEXT = 20_000
NOTHING: Criteria = {"_id": {"$in": []}}  # matches no record

Fields = Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Condition:
    """One question about one field; `values` are texts as they stand in the address."""

    field: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Parts that all hold (`and`) or of which one holds (`or`); never without a part."""

    joiner: str
    parts: "tuple[Part, ...]"


Part: TypeAlias = Condition | Group

_TOKEN = re.compile(r"[(),]|[^(),]+")
_OPENING = re.compile(r"(?P<field>[a-z][a-z0-9_]{0,39})\.(?P<operator>[a-z_]{1,20})\Z")


@lru_cache(maxsize=1024)
def read(text: str) -> Group | None:
    """The tree behind a text, None for an empty one.

    Raises InvalidInput, and nothing else, for a text that is no tree or has too much in it.
    """
    text = text.strip()
    if not text:
        return None
    if len(text) > LONGEST_TEXT:
        raise InvalidInput(N_("The filter is too long. Remove some of its conditions or values."))
    reader = _Reader(text)
    part = reader.part(1)
    reader.end()
    return part if isinstance(part, Group) or part is None else Group(AND, (part,))


class _Reader:
    """Reads one tree; every mistake names the place where it stands."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [(one.group(), one.start()) for one in _TOKEN.finditer(text)]
        self._next = 0
        self._conditions = 0

    def part(self, depth: int) -> Part | None:
        """A condition or a group; None for a group without parts."""
        word = self._take().strip()
        if word in (AND, OR):
            return self._group(word, depth)
        opening = _OPENING.match(word)
        if not opening:
            raise self._problem()
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            raise InvalidInput(
                N_("The filter has too many conditions: at most %(most)s. Remove some."),
                most=MOST_CONDITIONS,
            )
        return Condition(opening["field"], opening["operator"], self._values())

    def end(self) -> None:
        if self._next < len(self._tokens):
            self._next += 1
            raise self._problem()

    def _group(self, joiner: str, depth: int) -> Group | None:
        if depth > DEEPEST:
            raise InvalidInput(
                N_("The groups of the filter are too deep in each other: at most %(most)s."),
                most=DEEPEST,
            )
        parts = []
        self._expect("(")
        while not self._ahead(")"):
            part = self.part(depth + 1)
            if part is not None:
                parts.append(part)
            if not self._ahead(")"):
                self._expect(",")
        self._expect(")")
        return Group(joiner, tuple(parts)) if parts else None

    def _values(self) -> tuple[str, ...]:
        found = []
        self._expect("(")
        while not self._ahead(")"):
            if not self._ahead(","):
                # Control characters are nothing that people type; the store refuses them.
                value = nfc(unquote(self._take()))
                if value:
                    found.append(value)
            if not self._ahead(")"):
                self._expect(",")
        self._expect(")")
        if len(found) > MOST_VALUES:
            raise InvalidInput(N_("Choose between 1 and %(most)s values."), most=MOST_VALUES)
        return tuple(found)

    def _take(self) -> str:
        if self._next >= len(self._tokens):
            raise self._problem()
        self._next += 1
        return self._tokens[self._next - 1][0]

    def _ahead(self, token: str) -> bool:
        return self._next < len(self._tokens) and self._tokens[self._next][0] == token

    def _expect(self, token: str) -> None:
        if self._take() != token:
            raise self._problem()

    def _problem(self) -> InvalidInput:
        place = self._tokens[max(0, self._next - 1)][1]
        return InvalidInput(
            N_("The filter cannot be read at “%(place)s”. Clear it and choose its conditions."),
            place=self._text[place : place + 30],
        )


def write(tree: Group | None) -> str:
    """The text of a tree; `read` gives the same tree back."""
    return _write(tree) if tree else ""


def _write(part: Part) -> str:
    if isinstance(part, Group):
        return f"{part.joiner}({','.join(_write(one) for one in part.parts)})"
    values = ",".join(quote(value, safe="") for value in part.values)
    return f"{part.field}.{part.operator}({values})"


def conditions(tree: Part | None) -> Iterator[Condition]:
    """Every condition of the tree, in its order."""
    if isinstance(tree, Group):
        for part in tree.parts:
            yield from conditions(part)
    elif tree is not None:
        yield tree


def without_unknown(tree: Group | None, fields: Fields) -> Group | None:
    """The tree without the conditions on fields that are not there, not even their keys."""

    def kept(part: Part) -> Part | None:
        if isinstance(part, Condition):
            return part if part.field in fields else None
        parts = tuple(one for one in map(kept, part.parts) if one is not None)
        return Group(part.joiner, parts) if parts else None

    found = kept(tree) if tree else None
    return found if isinstance(found, Group) else None


def usable(
    tree: Group | None, fields: Fields, context: Context
) -> tuple[Group | None, list[CareError]]:
    """The tree without what cannot be asked, and why each condition was left out.

    Args:
        fields: those that the reader may read as they are; any other one, hidden, retired or never
            there, gives the same problem.
    """
    problems: list[CareError] = []

    def kept(part: Part) -> Part | None:
        if isinstance(part, Group):
            parts = tuple(one for one in map(kept, part.parts) if one is not None)
            return Group(part.joiner, parts) if parts else None
        problem = _problem(part, fields, context)
        if problem is None:
            return part
        problems.append(problem)
        return None

    found = kept(tree) if tree else None
    return (found if isinstance(found, Group) else None), problems


def _problem(one: Condition, fields: Fields, context: Context) -> CareError | None:
    field = fields.get(one.field)
    if field is None:
        return InvalidInput(
            N_("There is no field “%(name)s” to filter by; its condition was left out."),
            name=one.field,
        )
    chosen = operator(field, one.operator)
    label = field_label(field, context.locale)
    if chosen is None:
        return InvalidInput(
            N_("The field “%(field)s” cannot be asked “%(operator)s”; it was left out."),
            field=label,
            operator=one.operator,
        )
    try:
        checked(field, chosen, one.values, context)
    except InvalidInput as error:
        return InvalidInput(
            N_("The condition on “%(field)s” was left out. %(why)s"), field=label, why=error
        )
    return None


def criteria(tree: Group | None, fields: Fields, context: Context) -> Criteria:
    """The query of the store, {} for no tree.

    A condition that cannot be asked (see `usable`) matches no record: what grants access by a
    condition never grants more because a field is gone.
    """
    return _criteria(tree, fields, context) if tree else {}


def _criteria(part: Part, fields: Fields, context: Context) -> Criteria:
    if isinstance(part, Group):
        found = [_criteria(one, fields, context) for one in part.parts]
        return found[0] if len(found) == 1 else {f"${part.joiner}": found}
    if _problem(part, fields, context) is not None:
        return NOTHING
    field = fields[part.field]
    if field.type != "computed":
        return criteria_of(field, part.operator, part.values, context)
    try:
        return computed_criteria(field, part.operator, part.values, context, fields)
    except InvalidInput:
        return NOTHING


def holds(tree: Group | None, values: Mapping[str, Any], context: Context) -> bool:
    """Whether a record meets a usable tree, as the store would find it; True for no tree.

    Args:
        values: field key -> Python value (see `values_of`); a field that is missing is empty.
    """
    return _holds(tree, values, context) if tree else True


def _holds(part: Part, values: Mapping[str, Any], context: Context) -> bool:
    if isinstance(part, Group):
        found = (_holds(one, values, context) for one in part.parts)
        return all(found) if part.joiner == AND else any(found)
    field = (context.fields or {}).get(part.field)
    return is_met(part.operator, values.get(part.field), part.values, context, field)


def values_of(record: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
    """{field key: Python value} of a stored record; embedded lists give lists of what is there.

    Computed fields are not stored: `rules.expressions.with_computed` adds their values.
    """
    return {key: _value(one, value_at(record, one.path)) for key, one in fields.items()}


def _value(field: Field, stored: Any) -> Any:
    if isinstance(stored, list):
        return [_value(field, one) for one in stored]
    if field.family == families.DAY and isinstance(stored, datetime):
        return stored.date()
    found = stored.to_decimal() if hasattr(stored, "to_decimal") else stored
    wanted = _PYTHON_TYPES.get(field.family)
    # What another program left there in another type is nothing that anybody asked for.
    is_fitting = wanted is None or (isinstance(found, wanted) and not _is_flag(field, found))
    return found if is_fitting else None


def _is_flag(field: Field, found: Any) -> bool:
    return isinstance(found, bool) and field.family != families.FLAG


_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    families.NUMBER: (int, float, Decimal),
    families.TEXT: (str,),
    families.INSTANT: (datetime,),
    families.FLAG: (bool,),
    families.CHOICE: (str,),
    families.CHOICES: (str,),
    families.DAY: (date,),
}


def sentence(tree: Group | None, fields: Fields, context: Context) -> Sentence | None:
    """A usable tree in words, None for no tree: "Area is any of: Huế and (A or B)"."""
    return _says(tree, fields, context, is_inner=False) if tree else None


def _says(part: Part, fields: Fields, context: Context, *, is_inner: bool) -> Sentence:
    if isinstance(part, Condition):
        return says(fields[part.field], part.operator, part.values, context)
    said = [_says(one, fields, context, is_inner=True) for one in part.parts]
    whole = said[0]
    joined = N_("%(first)s and %(second)s") if part.joiner == AND else N_("%(first)s or %(second)s")
    for one in said[1:]:
        whole = Sentence(joined, {"first": whole, "second": one})
    return Sentence(N_("(%(inside)s)"), {"inside": whole}) if is_inner and len(said) > 1 else whole
