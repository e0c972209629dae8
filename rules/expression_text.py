"""The language of computed fields: from text to a tree, with a clear message where it fails.

`if(revenue > 1000000, round(revenue / order_count, 0), coalesce(points, 0) * 2)`

Numbers, texts in quotes, `true`, `false`, `today`, the keys of fields, + - * /, = ≠ < ≤ > ≥,
`and`, `or`, `not`, and the functions of FUNCTIONS. Nothing else can be written: there are no
attributes, no other calls, and nothing is ever run.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

from rules.errors import N_, InvalidInput

LONGEST = 500  # letters
DEEPEST = 12  # brackets within each other
LONGEST_CHAIN = 24  # operations on the result of each other; the store nests 200 levels at most
MOST_PARTS = 120
MAGNITUDE = Decimal(10) ** 30  # greater numbers count as empty


@dataclass(frozen=True, slots=True)
class Literal:
    value: Decimal | str | bool
    at: int


@dataclass(frozen=True, slots=True)
class Name:
    """The value of a field, or `today`."""

    key: str
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or a function with its parts; `at` is its place in the text."""

    name: str
    parts: "tuple[Node, ...]"
    at: int


Node: TypeAlias = Literal | Name | Call

# Functions with the fewest and the most parts that they take.
FUNCTIONS: dict[str, tuple[int, int]] = {
    "if": (3, 3),
    "min": (2, 20),
    "max": (2, 20),
    "round": (1, 2),
    "abs": (1, 1),
    "days": (2, 2),
    "year": (1, 1),
    "concat": (2, 20),
    "coalesce": (2, 20),
    "length": (1, 1),
}
TODAY = "today"
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |"(?P<text>[^"]*)"|'(?P<quoted>[^']*)'
    |(?P<sign><=|>=|<>|!=|==|[-+*/=<>≤≥≠(),]))""",
    re.VERBOSE,
)
_COMPARISONS = {
    **{"=": "=", "==": "=", "!=": "!=", "<>": "!=", "≠": "!="},
    **{"<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">="},
}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, word, text, sign, end
    text: str
    at: int


def problem(text: str, at: int, message: str, **params: Any) -> InvalidInput:
    """The mistake with the place where it stands."""
    place = text[at : at + 20].strip() or "…"
    why = InvalidInput(message, **params)
    return InvalidInput(
        N_("At “%(place)s” (letter %(at)s): %(why)s"), place=place, at=at + 1, why=why
    )


@lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """The tree behind the text. Raises InvalidInput, and nothing else."""
    if len(text) > LONGEST:
        raise InvalidInput(
            N_("The expression is too long: at most %(most)s letters."), most=LONGEST
        )
    if not text.strip():
        raise InvalidInput(N_("The expression is empty. Write one, for example revenue / 1000."))
    return _Parser(text, _tokens(text)).whole()


def _tokens(text: str) -> list[_Token]:
    found = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if not match:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            raise problem(text, start, N_("this sign does not belong to the language."))
        kind = match.lastgroup or ""
        value = match.group(kind)
        start = match.end() - len(match.group().lstrip())
        found.append(_Token("text" if kind == "quoted" else kind, value, start))
        at = match.end()
    return [*found, _Token("end", "", len(text))]


def _depth(node: Node) -> int:
    return 1 + max(map(_depth, node.parts)) if isinstance(node, Call) else 0


class _Parser:
    """Reads by descent; each level binds tighter than the one before."""

    def __init__(self, text: str, tokens: list[_Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._next = 0
        self._depth = 0
        self._parts = 0

    def whole(self) -> Node:
        node = self._either()
        if self._now.kind != "end":
            raise self._problem(N_("an operator such as + or a comma is missing here."))
        if _depth(node) > LONGEST_CHAIN:
            raise InvalidInput(
                N_(
                    "The expression has too many operations in a row: at most %(most)s. "
                    "Compute a part of it in a field of its own, or put brackets around parts."
                ),
                most=LONGEST_CHAIN,
            )
        return node

    @property
    def _now(self) -> _Token:
        return self._tokens[self._next]

    def _problem(self, message: str, **params: Any) -> InvalidInput:
        return problem(self._text, self._now.at, message, **params)

    def _take(self) -> _Token:
        token = self._now
        if token.kind != "end":
            self._next += 1
        return token

    def _is(self, *texts: str) -> bool:
        return self._now.kind in ("sign", "word") and self._now.text in texts

    def _call(self, name: str, parts: tuple[Node, ...], at: int) -> Call:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise InvalidInput(
                N_("The expression has too many parts: at most %(most)s."), most=MOST_PARTS
            )
        return Call(name, parts, at)

    def _either(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._problem(
                N_("the brackets are too deep in each other: at most %(most)s."), most=DEEPEST
            )
        node = self._both()
        while self._is("or"):
            at = self._take().at
            node = self._call("or", (node, self._both()), at)
        self._depth -= 1
        return node

    def _both(self) -> Node:
        node = self._denied()
        while self._is("and"):
            at = self._take().at
            node = self._call("and", (node, self._denied()), at)
        return node

    def _denied(self) -> Node:
        denials = []
        while self._is("not"):
            denials.append(self._take().at)
        node = self._compared()
        for at in reversed(denials):
            node = self._call("not", (node,), at)
        return node

    def _compared(self) -> Node:
        node = self._sum()
        if self._is(*_COMPARISONS):
            token = self._take()
            node = self._call(_COMPARISONS[token.text], (node, self._sum()), token.at)
        return node

    def _sum(self) -> Node:
        node = self._product()
        while self._is("+", "-"):
            token = self._take()
            node = self._call(token.text, (node, self._product()), token.at)
        return node

    def _product(self) -> Node:
        node = self._signed()
        while self._is("*", "/"):
            token = self._take()
            node = self._call(token.text, (node, self._signed()), token.at)
        return node

    def _signed(self) -> Node:
        signs = []
        while self._is("-"):
            signs.append(self._take().at)
        node = self._single()
        for at in reversed(signs):
            node = self._call("negative", (node,), at)
        return node

    def _single(self) -> Node:
        token = self._now
        if token.kind == "number":
            return self._number(self._take())
        if token.kind == "text":
            return Literal(self._take().text, token.at)
        if self._is("("):
            self._take()
            node = self._either()
            self._close()
            return node
        if token.kind == "word" and not self._is("and", "or", "not"):
            return self._word(self._take())
        raise self._problem(N_("a field, a number or a text in quotes is missing here."))

    def _number(self, token: _Token) -> Literal:
        number = Decimal(token.text)
        if abs(number) >= MAGNITUDE or len(token.text) > 34:
            raise problem(self._text, token.at, N_("this number is too long."))
        return Literal(number, token.at)

    def _word(self, token: _Token) -> Node:
        if self._is("("):
            return self._function(token)
        if token.text in ("true", "false"):
            return Literal(token.text == "true", token.at)
        return Name(token.text, token.at)

    def _function(self, token: _Token) -> Node:
        name = token.text
        if name not in FUNCTIONS and name != TODAY:
            raise problem(
                self._text,
                token.at,
                N_("there is no function “%(name)s”. There are: %(known)s."),
                name=name,
                known=", ".join(FUNCTIONS),
            )
        self._take()
        parts = []
        while not self._is(")"):
            parts.append(self._either())
            if not self._is(")"):
                self._comma()
        self._close()
        if name == TODAY and not parts:
            return Name(TODAY, token.at)
        fewest, most = FUNCTIONS.get(name, (0, 0))
        if not fewest <= len(parts) <= most:
            raise problem(
                self._text,
                token.at,
                N_("%(name)s takes %(fewest)s to %(most)s values, and %(found)s are given."),
                name=name,
                fewest=fewest,
                most=most,
                found=len(parts),
            )
        return self._call(name, tuple(parts), token.at)

    def _comma(self) -> None:
        if not self._is(","):
            raise self._problem(N_("a comma or a closing bracket is missing here."))
        self._take()
        if self._is(")"):
            raise self._problem(N_("a value is missing after the comma."))

    def _close(self) -> None:
        if not self._is(")"):
            raise self._problem(N_("a closing bracket is missing here."))
        self._take()
