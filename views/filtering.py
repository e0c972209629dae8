"""The filter tree of a list: `where=` in the address, as criteria, in words, and what is wrong."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import urlencode

from bson import ObjectId

from rules import conditions
from rules.conditions import Context, Group
from rules.errors import N_, CareError, InvalidInput
from rules.fields import Field
from rules.filters import Criteria, FilterState
from rules.operators import ME, VALUES, operator
from rules.sentences import Sentence
from services import references
from services.conditions import context as site_context
from views.context import configured, current_actor, locale, settings, today
from views.kept import kept

WHERE = "where"
LONGEST_KEPT = 2000  # characters of a tree that is remembered
# Of the address of a list, what does not go on with another filter.
FORGOTTEN = (WHERE, "after", "before", "page")


class Filtered(NamedTuple):
    """What `where=` asks of a list: `criteria` of the usable `tree`, `sentence` None for no tree."""

    tree: Group | None
    problems: list[CareError]
    criteria: Criteria
    sentence: Sentence | None


def filtered(text: str, kind: str) -> Filtered:
    """The filter of a list over this kind, as far as the reader may ask it."""
    try:
        asked = conditions.read(text)
    except InvalidInput as error:
        return Filtered(None, [error], {}, None)
    fields = visible_fields(kind)
    if len(text) > LONGEST_KEPT or _refers(asked, fields):
        return _filtered(asked, kind, fields)  # names of records change without the configuration
    by, known = current_actor(), kept("filters")
    key = (text, kind, by.staff_id, by.roles, today(), locale())
    found: Filtered | None = known.get(key)
    if found is None:
        found = _filtered(asked, kind, fields)
        if not found.problems:  # which are raised, and would collect where they were
            known.put(key, found)
    return found


def _filtered(asked: Group | None, kind: str, fields: Mapping[str, Field]) -> Filtered:
    context = context_of(kind, asked, fields)
    tree, problems = conditions.usable(asked, fields, context)
    return Filtered(
        tree,
        problems,
        conditions.criteria(tree, fields, context),
        conditions.sentence(tree, fields, context),
    )


def _refers(tree: Group | None, fields: Mapping[str, Field]) -> bool:
    """Whether a condition asks for other records."""
    named = (fields.get(one.field) for one in conditions.conditions(tree))
    return any(field is None or bool(field.refers_to) for field in named)


def reference_names(state: FilterState, **kinds: str) -> dict[str, str]:
    """{filter: name} of the records that these filters refer to, by the kind of each; "?" where
    the reader may not see the record."""
    chosen = {key: state.values[key] for key in kinds if state.values.get(key)}
    return {
        key: references.names(kinds[key], [one], by=current_actor()).get(one, "?")
        for key, one in chosen.items()
    }


def known_part(text: str, kind: str) -> str:
    """The text without conditions on fields that the reader lacks; "" for one that is no tree.

    The same text where nothing is left out.
    """
    try:
        tree = conditions.read(text)
    except InvalidInput:
        return ""
    known = conditions.without_unknown(tree, visible_fields(kind))
    return text if known == tree else conditions.write(known)


def visible_fields(kind: str) -> Mapping[str, Field]:
    """The fields of a kind that this reader may filter by."""
    return configured().fields(kind, current_actor().access)


def context_of(kind: str, tree: Group | None, fields: Mapping[str, Field]) -> Context:
    """What conditions of this request need; names of the records that the tree refers to."""
    actor = current_actor()
    known = names_of(tree, fields)
    return site_context(
        configured(),
        today=today(),
        zone=settings().zone,
        kind=kind,
        me=actor.staff_id,
        locale=locale(),
        names=lambda kind, value: known.get(kind, {}).get(value),
    )


def names_of(tree: Group | None, fields: Mapping[str, Field]) -> dict[str, dict[str, str]]:
    """{kind: {id: name}} of what the conditions refer to: one query per kind, within the scope."""
    wanted: dict[str, set[ObjectId]] = {}
    for one in conditions.conditions(tree):
        known = fields.get(one.field)
        chosen = operator(known, one.operator) if known else None
        if known and known.refers_to and chosen and chosen.takes == VALUES:
            ids = {ObjectId(value) for value in one.values if ObjectId.is_valid(value)}
            wanted.setdefault(known.refers_to, set()).update(ids - {ME})
    actor = current_actor()
    return {
        kind: {str(key): name for key, name in references.names(kind, ids, by=actor).items()}
        for kind, ids in wanted.items()
    }


def rest_of(arguments: Iterable[tuple[str, str]]) -> str:
    """The arguments of a list's address that stay while its filter changes, as a query string."""
    return urlencode([(name, text) for name, text in arguments if name not in FORGOTTEN])


@dataclass(slots=True)
class WhereFilter:
    """The filter tree among the filters of a list (rules/filters.py); made once per request.

    `problems` are the conditions that were left out; the others still apply.
    """

    kind: str
    key: str = WHERE
    label: str = N_("Filter")
    default: str = ""
    problems: list[CareError] = field(default_factory=list)

    def parse(self, raw: str) -> Filtered:
        found = filtered(raw, self.kind)
        if found.tree is None and found.problems:
            self.problems += found.problems[1:]
            raise found.problems[0]
        self.problems += found.problems
        return found

    def criteria(self, value: Filtered, today: date) -> Criteria:
        return value.criteria

    def sentence(self, value: Filtered) -> Sentence | None:
        return value.sentence

    def count(self, value: Any) -> int:
        """The number of conditions in force, for the sign beside the button."""
        return len(list(conditions.conditions(value.tree))) if value else 0
