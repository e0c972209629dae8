"""A computed field as an expression of the store's aggregation, to filter and sort by.

It gives what rules/expressions.py gives in Python, null for empty: a test compares them.
"""

from collections.abc import Callable, Mapping
from typing import Any

from rules import fields as families
from rules.errors import N_, InvalidInput
from rules.expression_text import MAGNITUDE, TODAY, Call, Literal, Name, Node, parse
from rules.expressions import (
    DAY,
    EARLIEST,
    FLAG,
    LATEST,
    MOST_DAYS,
    NUMBER,
    TEXT,
    Fields,
    family_in_expression,
    places_of,
    result,
)
from rules.fields import Field
from rules.operators import Context

Stage = Any  # a part of an aggregation
_NAMES = "abcdefghijklmnopqrst"  # of variables, as many as a function takes
MOST_LEVELS = 170  # of the 200 that the store nests; the query around it needs some
MOST_PARTS = 400  # of an expression with all that it builds on


def server_expression(text: str, fields: Fields, context: Context) -> Stage:
    """The aggregation expression of a computed field.

    Args:
        fields: those that it may name; computed ones among them are built in.

    Raises InvalidInput for an expression that cannot be used, or that builds on too many others.
    """
    family = result(text, fields)
    found = _bounded(_Store(fields, context).of(parse(text)), family, context)
    if _levels(found) > MOST_LEVELS:
        raise InvalidInput(_TOO_MUCH)
    return found


_TOO_MUCH = N_("The expression builds on too many others. Take some of them apart.")


def _levels(stage: Stage) -> int:
    if isinstance(stage, dict):
        return 1 + max(map(_levels, stage.values()), default=0)
    return 1 + max(map(_levels, stage), default=0) if isinstance(stage, list) else 0


class _Store:
    def __init__(self, fields: Fields, context: Context) -> None:
        self._fields = fields
        self._context = context
        self._parts = 0
        self._inside: tuple[str, ...] = ()

    def of(self, node: Node) -> Stage:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise InvalidInput(_TOO_MUCH)
        if isinstance(node, Literal):
            return self._literal(node)
        if isinstance(node, Name):
            return self._named(node.key)
        if node.name == "round":
            return _rounded(self.of(node.parts[0]), _places(node), self._context)
        parts = [self.of(part) for part in node.parts]
        if node.name in _WITH_EMPTY:
            return _WITH_EMPTY[node.name](parts)
        left_is_day = self._is_day(node.parts[0])
        if node.name in ("+", "-") and left_is_day and not self._is_day(node.parts[1]):
            return self._moved(node.name, parts)
        if node.name in ("days", "-") and left_is_day:
            first, last = parts if node.name == "days" else reversed(parts)
            difference = {"$dateDiff": {"startDate": first, "endDate": last, "unit": "day"}}
            return {"$toDecimal": difference}
        return _filled(parts, _COMPUTED[node.name])

    def _literal(self, node: Literal) -> Stage:
        if isinstance(node.value, bool):
            return node.value
        if isinstance(node.value, str):
            return {"$literal": node.value or None}
        return self._context.store_number(node.value)

    def _is_day(self, node: Node) -> bool:
        """Whether the part, which has been checked, gives a day."""
        if isinstance(node, Literal):
            return False
        if isinstance(node, Name):
            return node.key == TODAY or family_in_expression(self._fields[node.key]) == DAY
        if node.name in ("+", "min", "max", "coalesce"):
            return self._is_day(node.parts[0])
        if node.name == "-":
            return self._is_day(node.parts[0]) and not self._is_day(node.parts[1])
        return node.name == "if" and self._is_day(node.parts[1])

    def _named(self, key: str) -> Stage:
        if key == TODAY:
            return self._context.store_day(self._context.today)
        field = self._fields[key]
        if field.type == "computed":
            return self._computed(field)
        stored = _as_stored(field, self._context)
        return _bounded(stored, family_in_expression(field) or NUMBER, self._context)

    def _computed(self, field: Field) -> Stage:
        if field.key in self._inside:
            raise InvalidInput(
                N_("“%(field)s” is computed from itself. Change the expression."), field=field.key
            )
        self._inside = (*self._inside, field.key)
        family = result(field.expression, self._fields)
        found = self.of(parse(field.expression))
        self._inside = self._inside[:-1]
        return _bounded(found, family, self._context)

    def _moved(self, sign: str, parts: list[Stage]) -> Stage:
        most = self._context.store_number(MAGNITUDE * 0 + MOST_DAYS)
        days: Stage = {"$trunc": "$$b" if sign == "+" else {"$multiply": ["$$b", -1]}}
        moved = {"$dateAdd": {"startDate": "$$a", "unit": "day", "amount": {"$toLong": "$$days"}}}
        is_near = {"$lte": [{"$abs": "$$days"}, most]}
        inner = {"$let": {"vars": {"days": days}, "in": {"$cond": [is_near, moved, None]}}}
        return _bounded(_filled(parts, lambda a, b: inner), DAY, self._context)


def _as_stored(field: Field, context: Context) -> Stage:
    """The value at the field's path; an instant as its local day."""
    path = f"${field.path}"
    if field.family == families.INSTANT:
        zone = str(context.zone)
        parts = {
            part: {f"${name}": {"date": path, "timezone": zone}}
            for part, name in (("year", "year"), ("month", "month"), ("day", "dayOfMonth"))
        }
        return {"$cond": [{"$eq": [{"$type": path}, "date"]}, {"$dateFromParts": parts}, None]}
    if family_in_expression(field) == NUMBER:
        return {"$cond": [{"$isNumber": path}, {"$toDecimal": path}, None]}
    return path


def _bounded(found: Stage, family: str, context: Context) -> Stage:
    """The value if it is of the family and not too large, else null."""
    tests: Mapping[str, Callable[[], Stage]] = {
        NUMBER: lambda: [
            {"$isNumber": "$$one"},
            {"$lt": [{"$abs": "$$one"}, context.store_number(MAGNITUDE)]},
            {"$gt": ["$$one", context.store_number(-MAGNITUDE)]},  # what is no number is less
        ],
        DAY: lambda: [
            {"$eq": [{"$type": "$$one"}, "date"]},
            {"$gte": ["$$one", context.store_day(EARLIEST)]},
            {"$lte": ["$$one", context.store_day(LATEST)]},
        ],
        TEXT: lambda: [{"$eq": [{"$type": "$$one"}, "string"]}, {"$ne": ["$$one", ""]}],
        FLAG: lambda: [{"$eq": [{"$type": "$$one"}, "bool"]}],
    }
    kept = {"$cond": [{"$and": tests[family]()}, "$$one", None]}
    return {"$let": {"vars": {"one": found}, "in": kept}}


def _filled(parts: list[Stage], make: Callable[..., Stage]) -> Stage:
    """What `make` gives of the parts, null when one of them is."""
    variables = dict(zip(_NAMES, parts, strict=False))
    shown = [f"$${name}" for name in variables]
    is_empty = {"$in": [None, shown]}
    return {"$let": {"vars": variables, "in": {"$cond": [is_empty, None, make(*shown)]}}}


def _places(node: Call) -> int:
    return (places_of(node.parts[1]) or 0) if len(node.parts) > 1 else 0


def _rounded(number: Stage, places: int, context: Context) -> Stage:
    """Half away from zero; the store's own $round goes to the even neighbour."""
    half = context.store_number(((MAGNITUDE * 0 + 1) / 2).scaleb(-places))
    signed = {"$cond": [{"$lt": ["$$a", 0]}, {"$multiply": [half, -1]}, half]}
    return _filled([number], lambda a: {"$trunc": [{"$add": [a, signed]}, places]})


def _true(part: Stage) -> Stage:
    return {"$eq": [part, True]}


# Operators for which an empty part is not the end.
_WITH_EMPTY: Mapping[str, Callable[[list[Stage]], Stage]] = {
    "if": lambda parts: {"$cond": [_true(parts[0]), parts[1], parts[2]]},
    "and": lambda parts: {"$and": [_true(part) for part in parts]},
    "or": lambda parts: {"$or": [_true(part) for part in parts]},
    "not": lambda parts: {"$not": [_true(parts[0])]},
    "coalesce": lambda parts: {"$ifNull": [*parts, None]},
}
_COMPUTED: Mapping[str, Callable[..., Stage]] = {
    "+": lambda a, b: {"$add": [a, b]},
    "-": lambda a, b: {"$subtract": [a, b]},
    "*": lambda a, b: {"$multiply": [a, b]},
    "/": lambda a, b: {"$cond": [{"$eq": [b, 0]}, None, {"$divide": [a, b]}]},
    "negative": lambda a: {"$multiply": [a, -1]},
    "abs": lambda a: {"$abs": a},
    "=": lambda a, b: {"$eq": [a, b]},
    "!=": lambda a, b: {"$ne": [a, b]},
    "<": lambda a, b: {"$lt": [a, b]},
    "<=": lambda a, b: {"$lte": [a, b]},
    ">": lambda a, b: {"$gt": [a, b]},
    ">=": lambda a, b: {"$gte": [a, b]},
    "min": lambda *parts: {"$min": list(parts)},
    "max": lambda *parts: {"$max": list(parts)},
    "year": lambda a: {"$toDecimal": {"$year": a}},
    "concat": lambda *parts: {"$concat": list(parts)},
    "length": lambda a: {"$toDecimal": {"$strLenCP": a}},
}
