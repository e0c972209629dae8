"""Computed fields: what an expression gives, what is wrong with it, and its value.

The language is in rules/expression_text.py. What is empty makes a result empty, except in
`coalesce`; as a condition (`if`, `and`, `or`, `not`) it counts as no. A division by zero, a number
of more than 30 digits and a day outside the years 1000 to 9000 are empty as well.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from decimal import ROUND_DOWN, Decimal, DecimalException, localcontext
from typing import Any

from rules import fields as families
from rules.errors import N_, CareError
from rules.expression_text import MAGNITUDE, TODAY, Call, Literal, Name, Node, parse, problem
from rules.fields import Field
from rules.sentences import Sentence

Fields = Mapping[str, Field]
NUMBER, TEXT, DAY, FLAG = families.NUMBER, families.TEXT, families.DAY, families.FLAG
_KINDS = {
    NUMBER: N_("a number"),
    TEXT: N_("a text"),
    DAY: N_("a day"),
    FLAG: N_("yes or no"),
}
EARLIEST, LATEST = date(1000, 1, 1), date(9000, 1, 1)
MOST_DAYS = 3_000_000  # between two days that can be stored
DIGITS = 34  # of a number in the store
MOST_PLACES = 15


def check(text: str, fields: Fields) -> Sentence | None:
    """What is wrong with the expression, at its place; None when it can be used.

    Args:
        fields: those that it may name.
    """
    try:
        result(text, fields)
    except CareError as error:
        return Sentence(error.message, error.params)
    return None


def result(text: str, fields: Fields) -> str:
    """The family of what the expression gives: number, text, day or flag.

    Raises InvalidInput where `check` names a problem.
    """
    return _Checker(text, fields).kind(parse(text))


def names(text: str) -> frozenset[str]:
    """The keys of the fields that the expression names; none for one that cannot be read."""
    try:
        return frozenset(_names(parse(text)))
    except CareError:
        return frozenset()


def inputs(fields: Fields) -> dict[str, frozenset[str]]:
    """{key of a computed field: the keys of the stored fields that it is worked out from}, also
    through other computed ones."""
    named = {key: names(one.expression) for key, one in fields.items() if one.type == "computed"}
    found = {}
    for key in named:
        known, waiting = {key}, [key]
        while waiting:
            fresh = named.get(waiting.pop(), frozenset()) - known
            known |= fresh
            waiting += fresh
        found[key] = frozenset(known - named.keys())
    return found


def _names(node: Node) -> list[str]:
    if isinstance(node, Name):
        return [] if node.key == TODAY else [node.key]
    return [name for part in node.parts for name in _names(part)] if isinstance(node, Call) else []


def family_in_expression(field: Field) -> str | None:
    """What the field's value is in an expression; None for one that cannot be named."""
    if field.is_many or field.family in (families.FILES, families.REFERENCE):
        return None
    return {families.INSTANT: DAY, families.CHOICE: TEXT}.get(field.family, field.family)


class _Checker:
    def __init__(self, text: str, fields: Fields) -> None:
        self._text = text
        self._fields = fields

    def kind(self, node: Node) -> str:
        if isinstance(node, Literal):
            if isinstance(node.value, bool):
                return FLAG
            return TEXT if isinstance(node.value, str) else NUMBER
        if isinstance(node, Name):
            return self._named(node)
        return _RESULTS[node.name](self, node)

    def _named(self, node: Name) -> str:
        if node.key == TODAY:
            return DAY
        field = self._fields.get(node.key)
        if field is None:
            raise problem(
                self._text, node.at, N_("there is no field “%(name)s”."), name=node.key[:40]
            )
        found = family_in_expression(field)
        if found is None:
            raise problem(
                self._text,
                node.at,
                N_("the field “%(name)s” holds nothing that can be computed with."),
                name=node.key,
            )
        return found

    def expect(self, node: Node, *wanted: str) -> str:
        found = self.kind(node)
        if found not in wanted:
            raise problem(
                self._text,
                node.at,
                N_("this is %(found)s, where %(wanted)s is needed."),
                found=Sentence(_KINDS[found]),
                wanted=Sentence(_KINDS[wanted[0]]),
            )
        return found

    def same(self, nodes: tuple[Node, ...], *wanted: str) -> str:
        first = self.expect(nodes[0], *wanted)
        for node in nodes[1:]:
            self.expect(node, first)
        return first

    def added(self, node: Call) -> str:
        left = self.expect(node.parts[0], NUMBER, DAY)
        right = self.expect(node.parts[1], NUMBER, *([DAY] if self._is_span(node, left) else []))
        return DAY if left == DAY and right == NUMBER else NUMBER

    def _is_span(self, node: Call, left: str) -> bool:
        return node.name == "-" and left == DAY

    def rounded(self, node: Call) -> str:
        self.expect(node.parts[0], NUMBER)
        for places in node.parts[1:]:
            if places_of(places) is None:
                raise problem(
                    self._text,
                    places.at,
                    N_("write the number of decimal places as a whole number from 0 to %(most)s."),
                    most=MOST_PLACES,
                )
        return NUMBER


def places_of(node: Node) -> int | None:
    """The decimal places of `round`, which are written as a number."""
    value = node.value if isinstance(node, Literal) else None
    is_whole = isinstance(value, Decimal) and value == value.to_integral_value()
    return int(value) if is_whole and 0 <= value <= MOST_PLACES else None  # type: ignore[operator,arg-type]


def _numbers(checker: _Checker, node: Call) -> str:
    return checker.same(node.parts, NUMBER)


def _flags(checker: _Checker, node: Call) -> str:
    return checker.same(node.parts, FLAG)


def _equal(checker: _Checker, node: Call) -> str:
    checker.same(node.parts, NUMBER, TEXT, DAY, FLAG)
    return FLAG


def _ordered(checker: _Checker, node: Call) -> str:
    checker.same(node.parts, NUMBER, DAY)
    return FLAG


def _chosen(checker: _Checker, node: Call) -> str:
    checker.expect(node.parts[0], FLAG)
    return checker.same(node.parts[1:], NUMBER, TEXT, DAY, FLAG)


def _taking(wanted: str, gives: str) -> Callable[[_Checker, Call], str]:
    def kind(checker: _Checker, node: Call) -> str:
        checker.same(node.parts, wanted)
        return gives

    return kind


_RESULTS: Mapping[str, Callable[[_Checker, Call], str]] = {
    "+": _Checker.added,
    "-": _Checker.added,
    **dict.fromkeys(("*", "/", "negative", "abs"), _numbers),
    **dict.fromkeys(("and", "or", "not"), _flags),
    **dict.fromkeys(("=", "!="), _equal),
    **dict.fromkeys(("<", "<=", ">", ">="), _ordered),
    "if": _chosen,
    "min": lambda checker, node: checker.same(node.parts, NUMBER, DAY),
    "max": lambda checker, node: checker.same(node.parts, NUMBER, DAY),
    "round": _Checker.rounded,
    "days": _taking(DAY, NUMBER),
    "year": _taking(DAY, NUMBER),
    "concat": _taking(TEXT, TEXT),
    "length": _taking(TEXT, NUMBER),
    "coalesce": lambda checker, node: checker.same(node.parts, NUMBER, TEXT, DAY, FLAG),
}


def value(text: str, values: Mapping[str, Any], today: date, zone: tzinfo | None = None) -> Any:
    """What the expression gives: a Decimal, str, date or bool, None for empty.

    An expression that cannot be used gives None.

    Args:
        values: field key -> Python value; of other computed fields, too (see `with_computed`).
        zone: of the site, whose days instants fall on; None: UTC.
    """
    try:
        node = parse(text)
        with localcontext() as context:
            context.prec = DIGITS
            return _within_bounds(_Values(values, today, zone).of(node))
    except (CareError, DecimalException, OverflowError, TypeError, KeyError):
        return None


def with_computed(
    values: Mapping[str, Any], fields: Fields, today: date, zone: tzinfo | None = None
) -> dict[str, Any]:
    """The values with those of the computed fields, which may build on each other."""
    found = dict(values)
    for key in in_order(fields):
        found[key] = value(fields[key].expression, found, today, zone)
    return found


def in_order(fields: Fields) -> list[str]:
    """The keys of the usable computed fields, each behind those that it names."""
    waiting = {
        key: names(one.expression)
        for key, one in fields.items()
        if one.type == "computed" and one.problem is None
    }
    found: list[str] = []
    while waiting:
        ready = [key for key, named in waiting.items() if not named & waiting.keys()]
        if not ready:
            break  # a cycle; rules/kinds.py names it
        found += ready
        waiting = {key: named for key, named in waiting.items() if key not in ready}
    return found


def cycle(key: str, expressions: Mapping[str, str]) -> list[str]:
    """The way from a computed field over others back to itself, [] when there is none.

    Args:
        expressions: field key -> expression of every computed field.
    """
    ways = [[key]]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for named in sorted(names(expressions[way[-1]])):
            if named == key:
                return [*way, key]
            if named in expressions and named not in seen:
                seen.add(named)
                ways.append([*way, named])
    return []


def _within_bounds(found: Any) -> Any:
    if isinstance(found, Decimal):
        return found if found.is_finite() and abs(found) < MAGNITUDE else None
    if isinstance(found, date):
        return found if EARLIEST <= found <= LATEST else None
    return None if found == "" else found


class _Values:
    """Computes with Python values; the store computes the same (rules/expression_pipeline.py)."""

    def __init__(self, values: Mapping[str, Any], today: date, zone: tzinfo | None) -> None:
        self._values = values
        self._today = today
        self._zone = zone

    def of(self, node: Node) -> Any:
        if isinstance(node, Literal):
            return None if node.value == "" else node.value
        if isinstance(node, Name):
            return self._today if node.key == TODAY else self._stored(self._values.get(node.key))
        if node.name == "if":
            return self.of(node.parts[1 if self.of(node.parts[0]) is True else 2])
        if node.name == "round":
            return _rounded(self.of(node.parts[0]), _places(node))
        parts = [self.of(part) for part in node.parts]
        if node.name in _LOGIC:
            return _LOGIC[node.name]([part is True for part in parts])
        if node.name == "coalesce":
            return next((part for part in parts if part is not None), None)
        if any(part is None for part in parts):
            return None
        return _COMPUTED[node.name](*parts)

    def _stored(self, found: Any) -> Any:
        if isinstance(found, datetime):
            found = found.astimezone(self._zone) if self._zone else found
            return _within_bounds(found.date())
        if found is None or isinstance(found, bool | str | date):
            return _within_bounds(found)
        return _within_bounds(Decimal(repr(found)) if isinstance(found, float) else Decimal(found))


def _places(node: Call) -> int:
    return (places_of(node.parts[1]) or 0) if len(node.parts) > 1 else 0


def _rounded(number: Decimal | None, places: int) -> Decimal | None:
    """Rounded half away from zero, as people do."""
    if number is None:
        return None
    unit = Decimal(1).scaleb(-places)
    moved = number + (unit / 2).copy_sign(number)
    _, _, exponent = moved.as_tuple()
    if isinstance(exponent, str) or -exponent <= places:
        return moved
    return moved.quantize(unit, rounding=ROUND_DOWN)


def _moved(day: date, days: Decimal) -> date | None:
    number = int(days)
    if abs(number) > MOST_DAYS:
        return None
    try:
        return _within_bounds(day + timedelta(days=number))  # type: ignore[no-any-return]
    except OverflowError:
        return None


def _plus(left: Any, right: Any) -> Any:
    return _moved(left, right) if isinstance(left, date) else left + right


def _minus(left: Any, right: Any) -> Any:
    if isinstance(left, date):
        return _days(right, left) if isinstance(right, date) else _moved(left, -right)
    return left - right


def _days(first: date, last: date) -> Decimal:
    return Decimal((last - first).days)


_LOGIC: Mapping[str, Callable[[list[bool]], bool]] = {
    "and": all,
    "or": any,
    "not": lambda parts: not parts[0],
}
_COMPUTED: Mapping[str, Callable[..., Any]] = {
    "+": _plus,
    "-": _minus,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right if right else None,
    "negative": lambda number: -number,
    "abs": abs,
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "min": min,
    "max": max,
    "days": _days,
    "year": lambda day: Decimal(day.year),
    "concat": lambda *texts: "".join(texts),
    "length": lambda text: Decimal(len(text)),
}
