"""The colours that rows of a list have by conditions, and why: never by colour alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rules import conditions, expressions
from rules.conditions import Group
from rules.errors import N_, CareError, InvalidInput
from rules.fields import Field, Kind
from rules.list_settings import RowColour
from rules.permissions import Access
from services import computed
from services.conditions import context as site_context
from services.configuration import Configuration
from stores import mongo
from views import formats
from views.context import today
from views.filtering import context_of

Row = Mapping[str, Any]
Paint = Callable[[Row], tuple[str | None, str]]  # a row to its colour and the reason in words


@dataclass(frozen=True, slots=True)
class ColourRule:
    """A condition that the reader may ask, and what becomes of the rows that meet it."""

    tree: Group
    colour: str


@dataclass(frozen=True, slots=True)
class RowColours:
    """The colours of a list for everybody with the same roles and language.

    `readable` are the fields that the conditions may name, `needed` those whose values they take:
    of computed fields what these are computed from, too. `problems` are of conditions that colour
    nothing.
    """

    rules: tuple[ColourRule, ...] = ()
    readable: Mapping[str, Field] | None = None
    needed: Mapping[str, Field] | None = None
    problems: tuple[CareError, ...] = ()

    @property
    def paths(self) -> list[str]:
        """What a query has to fetch for them."""
        return [one.path for one in (self.needed or {}).values() if one.type != "computed"]


@dataclass(frozen=True, slots=True)
class Legend:
    """A colour of the page and what it says."""

    colour: str
    says: str


def compile_colours(
    wanted: Sequence[RowColour], kind: str, config: Configuration, access: Access, locale: str
) -> RowColours:
    """The colours whose whole condition this access may ask; a part of one would colour more."""
    if not wanted:
        return RowColours()
    readable = config.fields(kind, access)
    context = site_context(config, today=today(), zone=mongo.zone(), kind=kind, locale=locale)
    found, problems = [], []
    for one in wanted:
        try:
            tree, wrong = conditions.usable(conditions.read(one.where), readable, context)
        except InvalidInput as error:
            tree, wrong = None, [error]
        if tree is not None and not wrong:
            found.append(ColourRule(tree, one.colour))
        problems += wrong[:1]
    needed = _needed(found, config.kinds[kind])
    return RowColours(tuple(found), readable, needed, tuple(map(_said, problems)))


def painter(colours: RowColours, kind: str) -> tuple[Paint, tuple[Legend, ...]]:
    """What colours the rows of one request, and the legend; names are looked up once for all."""
    readable, needed = colours.readable or {}, colours.needed or {}
    trees = [one.tree for one in colours.rules]
    context = context_of(kind, Group(conditions.OR, tuple(trees)) if trees else None, readable)
    rules = []
    for rule in colours.rules:
        says = conditions.sentence(rule.tree, readable, context)
        rules.append((rule, formats.say(says) if says else ""))
    has_computed = any(one.type == "computed" for one in needed.values())

    def paint(row: Row) -> tuple[str | None, str]:
        values = conditions.values_of(row, needed)
        if has_computed:
            values = expressions.with_computed(values, needed, context.today, context.zone)
        for rule, says in rules:
            if conditions.holds(rule.tree, values, context):
                return rule.colour, says
        return None, ""

    return paint, tuple(Legend(rule.colour, says) for rule, says in rules)


def _needed(rules: Sequence[ColourRule], kind: Kind) -> dict[str, Field]:
    """The fields that the conditions name, and what the computed ones among them name."""
    named = {one.field for rule in rules for one in conditions.conditions(rule.tree)}
    found: dict[str, Field] = {}
    for key in sorted(named):
        found |= computed.needed(kind.fields[key], kind)
    return found


def _said(problem: CareError) -> CareError:
    return InvalidInput(
        N_("A row colour of this list cannot be used. %(why)s See Settings › Lists."), why=problem
    )
