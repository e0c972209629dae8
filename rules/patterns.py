"""Patterns that administrators write for a field, matched in a time that no pattern can stretch.

A pattern is the part of the usual regular expressions that needs no going back: characters, classes,
groups, alternatives and repetitions. The whole text has to match. Time is at most the length of the
text times the number of steps, whatever the pattern is (Thompson's construction); `re` itself can be
kept busy for years by a short one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from rules.errors import N_, InvalidInput

LONGEST_PATTERN = 200  # characters
MOST_STEPS = 600  # repetitions are written out: \d{10} takes ten

Letter = Callable[[str], object]
_ESCAPES = "dDwWsS"
_PUNCTUATION = ".^$*+?{}[]()|\\-/:,;@#&%=!<>~'\"_ "
_CLASS = re.compile(r"\[\^?\]?(?:[^\]\[\\]|\\[dDwWsS\W])*\]")
_COUNTS = re.compile(r"\{(\d{1,3})(,(\d{0,3}))?\}")


@dataclass(slots=True)
class _Step:
    """One step: a letter that fits leads to the next one; without `letter`, to all of `ways`."""

    letter: Letter | None
    ways: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern ready to match."""

    steps: tuple[_Step, ...]

    def matches(self, text: str) -> bool:
        """Whether the whole text matches."""
        here = self._closure({0})
        for letter in text:
            fitting = {
                number + 1
                for number in here
                if number < len(self.steps)
                and (fits := self.steps[number].letter) is not None
                and fits(letter)
            }
            if not fitting:
                return False
            here = self._closure(fitting)
        return len(self.steps) in here

    def _closure(self, numbers: set[int]) -> set[int]:
        """The steps that are reached without a letter."""
        found, waiting = set(numbers), list(numbers)
        while waiting:
            number = waiting.pop()
            if number == len(self.steps) or self.steps[number].letter is not None:
                continue
            fresh = set(self.steps[number].ways) - found
            found |= fresh
            waiting.extend(fresh)
        return found


@lru_cache(maxsize=256)
def compiled(text: str) -> Pattern:
    """The pattern, ready to match. Raises InvalidInput that names what is wrong."""
    if len(text) > LONGEST_PATTERN:
        raise InvalidInput(
            N_("The pattern is longer than %(limit)s characters. Shorten it."),
            limit=LONGEST_PATTERN,
        )
    reader = _Reader(text.removeprefix("^"))
    steps = reader.alternatives()
    if reader.rest:
        raise _wrong(reader.rest)
    return Pattern(tuple(steps))


class _Reader:
    """Reads a pattern into steps whose ways are counted from the first of them."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    @property
    def rest(self) -> str:
        return self.text[self.at :]

    def alternatives(self) -> list[_Step]:
        found = self._sequence()
        while self.rest.startswith("|"):
            self.at += 1
            other = self._sequence()
            found = _either(found, other)
        return found

    def _sequence(self) -> list[_Step]:
        found: list[_Step] = []
        while self.rest and self.rest[0] not in "|)":
            if self.rest == "$":  # the end is meant anyway
                self.at += 1
                break
            found = _limited(found + _moved(self._repeated(), len(found)))
        return found

    def _repeated(self) -> list[_Step]:
        start = self.at
        one = self._one()
        sign = self.rest[:1]
        if sign and sign in "*+?":
            self.at += 1
            fewest, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        elif counts := _COUNTS.match(self.rest):
            self.at += counts.end()
            fewest = int(counts[1])
            most = fewest if counts[2] is None else (int(counts[3]) if counts[3] else None)
        else:
            return one
        if (self.rest[:1] in ("*", "+", "?", "{") and self.rest) or (most or fewest) < fewest:
            raise _wrong(self.text[start:])
        return _times(one, fewest, most)

    def _one(self) -> list[_Step]:
        letter = self.rest[0]
        if letter == "(":
            return self._group()
        if letter == "[":
            return self._class()
        if letter == "\\":
            return self._escape()
        if letter in "*+?{^$":
            raise _wrong(self.rest)
        self.at += 1
        return [_Step(_anything if letter == "." else letter.__eq__)]

    def _group(self) -> list[_Step]:
        opened = self.rest
        self.at += 3 if opened.startswith("(?:") else 1
        if self.rest.startswith("?"):
            raise _wrong(opened)
        found = self.alternatives()
        if not self.rest.startswith(")"):
            raise _wrong(opened)
        self.at += 1
        return found

    def _class(self) -> list[_Step]:
        found = _CLASS.match(self.rest)
        if not found:
            raise _wrong(self.rest)
        self.at += found.end()
        return [_Step(_single(found[0]))]

    def _escape(self) -> list[_Step]:
        letter = self.rest[1:2]
        if not letter or letter not in _ESCAPES + _PUNCTUATION:
            raise _wrong(self.rest)
        self.at += 2
        return [_Step(_single(f"\\{letter}") if letter in _ESCAPES else letter.__eq__)]


def _single(expression: str) -> Letter:
    """A class of letters, matched on one letter only, where `re` has nothing to try twice."""
    if any(sign in expression for sign in ("--", "&&", "~~", "||")):
        raise _wrong(expression)  # operations on sets to come; `re` warns of them
    try:
        return re.compile(expression).fullmatch
    except re.error as error:
        raise _wrong(expression) from error


def _anything(_letter: str) -> bool:
    return True


def _moved(steps: list[_Step], by: int) -> list[_Step]:
    return [_Step(one.letter, [way + by for way in one.ways]) for one in steps]


def _either(one: list[_Step], other: list[_Step]) -> list[_Step]:
    start = len(one) + 2
    end = start + len(other)
    return _limited(
        [_Step(None, [1, start]), *_moved(one, 1), _Step(None, [end]), *_moved(other, start)]
    )


def _times(steps: list[_Step], fewest: int, most: int | None) -> list[_Step]:
    length = len(steps)
    if length * max(fewest, most or 0) > MOST_STEPS:
        raise _too_long()
    found: list[_Step] = []
    for _ in range(fewest):
        found += _moved(steps, len(found))
    if most is None:
        start = len(found)
        found.append(_Step(None, [start + 1, start + length + 2]))
        found += _moved(steps, start + 1)
        found.append(_Step(None, [start]))
        return _limited(found)
    end = len(found) + (most - fewest) * (length + 1)
    for _ in range(most - fewest):
        found.append(_Step(None, [len(found) + 1, end]))
        found += _moved(steps, len(found))
    return _limited(found)


def _limited(steps: list[_Step]) -> list[_Step]:
    if len(steps) > MOST_STEPS:
        raise _too_long()
    return steps


def _too_long() -> InvalidInput:
    return InvalidInput(N_("The pattern repeats too much. Use smaller numbers in { }."))


def _wrong(part: str) -> InvalidInput:
    return InvalidInput(
        N_(
            "The pattern cannot be understood from “%(part)s” on. Use letters, [A-Z], \\d, ( ), | and repetitions like {2,4}."
        ),
        part=part[:30],
    )
