"""Quick filters over the values of a pick list; a value stands for what is below it as well."""

from rules.errors import N_
from rules.filters import Choice, ChoiceFilter
from rules.sentences import Sentence
from services import trees
from services.configuration import PickedValue
from views.context import configured, locale

ALL = "all"


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
