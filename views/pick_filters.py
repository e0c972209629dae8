"""Quick filters over choices; a value of a pick list stands for what is below it as well."""

from flask_babel import gettext

from rules.errors import N_
from rules.fields import CHOICE, CHOICES, FLAG, Field
from rules.filters import Choice, ChoiceFilter, Criteria
from rules.sentences import Sentence
from services import trees
from services.configuration import PickedValue
from views.context import configured, locale
from views.field_cells import label as label_of

ALL = "all"
FIELD = "f."  # in front of the key of a field, so that no other name of an address is meant


def pick_filter(
    key: str, label: str, list_key: str, path: str, *, with_retired: bool = True
) -> ChoiceFilter:
    """The filter over one pick list, whose value stands at `path`; at first it asks for all."""

    def made() -> ChoiceFilter:
        values = configured().pick_lists.get(list_key, {}).values()
        found = [_choice(one, list_key, path) for one in values if with_retired or not one.retired]
        return ChoiceFilter(key, label, (Choice(ALL, N_("All"), "", {}), *found), ALL)

    return configured().once(("pick filter", key, list_key, path, with_retired, locale()), made)


def _choice(one: PickedValue, list_key: str, path: str) -> Choice:
    name = one.label(locale())
    below = trees.below_in_list(configured(), list_key, one.key)
    if not below:
        return Choice(one.key, name, name, {path: one.key})
    says = Sentence(N_("%(value)s and below"), {"value": name})
    return Choice(one.key, name, says, {path: {"$in": [one.key, *below]}})


def has_field_filter(field: Field) -> bool:
    """Whether administrators can put a quick filter over the field into the bar."""
    return field.is_usable and field.type != "computed" and field.family in (CHOICE, CHOICES, FLAG)


def field_filter(kind: str, field: Field) -> ChoiceFilter:
    """The quick filter over one field, see `has_field_filter`; at first it asks for all."""

    def made() -> ChoiceFilter:
        name = label_of(field, locale())
        if field.family == FLAG:
            found = [
                _named("yes", gettext("Yes"), name, {field.path: True}),
                _named("no", gettext("No"), name, {field.path: {"$ne": True}}),
            ]
        elif field.choices:
            found = [
                _named(one.key, str(gettext(one.label)), name, {field.path: one.key})
                for one in field.choices
            ]
        else:
            values = configured().pick_lists.get(field.pick_list, {}).values()
            picks = [_choice(one, field.pick_list, field.path) for one in values if not one.retired]
            found = [_named(one.key, one.label, name, one.criteria) for one in picks]
        return ChoiceFilter(FIELD + field.key, name, (Choice(ALL, N_("All"), "", {}), *found), ALL)

    return configured().once(("field filter", kind, field.key, locale()), made)


def _named(key: str, value: str, field: str, criteria: Criteria) -> Choice:
    says = Sentence(N_("%(field)s: %(value)s"), {"field": field, "value": value})
    return Choice(key, value, says, criteria)
