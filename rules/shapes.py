"""Shapes of plain data: what a value may be, and a sentence for every place where it is not."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rules.config_text import Place
from rules.errors import N_, InvalidInput

Problem = tuple[Place, InvalidInput]
KEY_LENGTH = 120
NOTHING = object()


class Shape:
    """A shape of plain data; `problems` says where a value does not have it.

    `fitting` gives what of a stored value a screen can work with, or NOTHING.
    """

    def problems(self, value: Any, place: Place) -> Iterator[Problem]:
        raise NotImplementedError

    def fitting(self, value: Any) -> Any:
        return NOTHING if next(self.problems(value, ()), None) else value


@dataclass(frozen=True, slots=True)
class Text(Shape):
    limit: int = 4000
    pattern: str = ""

    def problems(self, value: Any, place: Place) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield place, InvalidInput(N_("Write a text, between quotation marks if need be."))
        elif len(value) > self.limit:
            yield (
                place,
                InvalidInput(
                    N_("This has %(length)s characters; shorten it to at most %(limit)s."),
                    length=len(value),
                    limit=self.limit,
                ),
            )
        elif self.pattern and not re.fullmatch(self.pattern, value):
            yield place, InvalidInput(N_("“%(value)s” cannot stand here."), value=value[:60])

    def fitting(self, value: Any) -> Any:
        return value if isinstance(value, str) else NOTHING


@dataclass(frozen=True, slots=True)
class Choice(Shape):
    values: tuple[str, ...]

    def problems(self, value: Any, place: Place) -> Iterator[Problem]:
        if value not in self.values:
            yield (
                place,
                InvalidInput(
                    N_("“%(value)s” cannot stand here; possible are %(values)s."),
                    value=str(value)[:60],
                    values=", ".join(self.values)[:400],
                ),
            )

    def fitting(self, value: Any) -> Any:
        return value if isinstance(value, str) else NOTHING


@dataclass(frozen=True, slots=True)
class Flag(Shape):
    def problems(self, value: Any, place: Place) -> Iterator[Problem]:
        if not isinstance(value, bool):
            yield place, InvalidInput(N_("Write true or false."))


@dataclass(frozen=True, slots=True)
class Whole(Shape):
    least: int = 0
    most: int = 10**12
    is_open: bool = False  # may be left empty

    def problems(self, value: Any, place: Place) -> Iterator[Problem]:
        if value is None and self.is_open:
            return
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or not self.least <= value <= self.most:
            yield (
                place,
                InvalidInput(
                    N_("Write a whole number from %(least)s to %(most)s."),
                    least=self.least,
                    most=self.most,
                ),
            )


@dataclass(frozen=True, slots=True)
class ListOf(Shape):
    """A list; parts with a `key` must have different ones."""

    part: Shape
    limit: int = 2000

    def problems(self, value: Any, place: Place) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield place, InvalidInput(N_("Write a list, each part on a line that begins with “-”."))
            return
        if len(value) > self.limit:
            yield place, InvalidInput(N_("A list has at most %(limit)s parts."), limit=self.limit)
            return
        seen: set[str] = set()
        for number, one in enumerate(value):
            yield from self.part.problems(one, (*place, number))
            key = one.get("key") if isinstance(one, Mapping) else None
            if isinstance(key, str):
                if key in seen:
                    yield (
                        (*place, number),
                        InvalidInput(N_("“%(key)s” is there twice. Keep one."), key=key[:60]),
                    )
                seen.add(key)

    def fitting(self, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return NOTHING
        parts = (self.part.fitting(one) for one in value)
        return [one for one in parts if one is not NOTHING]


@dataclass(frozen=True, slots=True)
class MapOf(Shape):
    part: Shape
    pattern: str = ""

    def problems(self, value: Any, place: Place) -> Iterator[Problem]:
        if not isinstance(value, Mapping):
            yield place, InvalidInput(N_("Write “name: value” here, one on each line."))
            return
        for key, one in value.items():
            if not is_key(key) or (self.pattern and not re.fullmatch(self.pattern, key)):
                yield (
                    (*place, key),
                    InvalidInput(N_("“%(key)s” cannot be a key."), key=str(key)[:60]),
                )
            yield from self.part.problems(one, (*place, key))

    def fitting(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return NOTHING
        parts = {key: self.part.fitting(one) for key, one in value.items()}
        return {key: one for key, one in parts.items() if one is not NOTHING}


@dataclass(frozen=True, slots=True)
class Parts(Shape):
    """Named parts; those in `needed` must be there."""

    known: Mapping[str, Shape]
    needed: tuple[str, ...] = ()

    def problems(self, value: Any, place: Place) -> Iterator[Problem]:
        if not isinstance(value, Mapping):
            yield place, InvalidInput(N_("Write “name: value” here, one on each line."))
            return
        for key, one in value.items():
            if key not in self.known:
                yield (
                    (*place, key),
                    InvalidInput(
                        N_("“%(key)s” is not known here; possible are %(known)s."),
                        key=str(key)[:60],
                        known=", ".join(self.known),
                    ),
                )
            else:
                yield from self.known[key].problems(one, (*place, key))
        for key in self.needed:
            if key not in value:
                yield place, InvalidInput(N_("“%(key)s” is missing."), key=key)

    def fitting(self, value: Any) -> Any:
        found = self.fitting_parts(value) if isinstance(value, Mapping) else {}
        return found if found and all(key in found for key in self.needed) else NOTHING

    def fitting_parts(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """The parts that fit; those that nobody knows stay."""
        parts = {
            key: self.known[key].fitting(one) if key in self.known else one
            for key, one in value.items()
        }
        return {key: one for key, one in parts.items() if one is not NOTHING}


def is_key(key: Any) -> bool:
    """Whether the database can keep it as a name."""
    return isinstance(key, str) and 0 < len(key) <= KEY_LENGTH and key[0] != "$" and "\0" not in key
