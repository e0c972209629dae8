"""What the configuration means by its keys: fields, columns, tabs, roles by the names people know."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rules.config_diff import ItemDiff
from rules.config_text import Place
from rules.fields import Kind
from rules.permissions import Role
from rules.relationship_sentences import sentences
from rules.sentences import Sentence

Called = Mapping[Any, Any]  # {key: a text of the site, or a Sentence of ours}
LENGTH = 120  # of a name
CONDITIONS = ("where", "visible_when")


def _nothing(*_: Any) -> Any:
    return None


def _key(_list_key: str, key: str) -> str:
    return key


@dataclass(frozen=True, slots=True)
class ListNames:
    """A list: what it is called, the kind of its rows, its columns, quick filters."""

    label: Any
    kind: str
    columns: Called = dataclasses.field(default_factory=dict)
    filters: Called = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Names:
    """What whoever asks knows by name; what is not known keeps its key.

    Attributes:
        fields: {(kind, field): name} of fields that come with the difference itself.
        panels: the tabs that the program draws; `actions`: of a row; `menu`: sections and entries.
        value: (pick list, key) -> label; `condition`: (kind, text) -> Sentence, or None for a text
            that cannot be understood.
    """

    locale: str = "vi"
    roles: Mapping[str, Role] = dataclasses.field(default_factory=dict)
    kinds: Mapping[str, Kind] = dataclasses.field(default_factory=dict)
    fields: Mapping[tuple[str, str], Any] = dataclasses.field(default_factory=dict)
    lists: Mapping[str, ListNames] = dataclasses.field(default_factory=dict)
    pick_lists: Called = dataclasses.field(default_factory=dict)
    panels: Called = dataclasses.field(default_factory=dict)
    actions: Called = dataclasses.field(default_factory=dict)
    menu: Called = dataclasses.field(default_factory=dict)
    value: Callable[[str, str], str] = _key
    condition: Callable[[str, str], Any] = _nothing

    def of_fields(self, kind: str) -> dict[str, Any]:
        """{field: name} of a kind, those that are just being added among them."""
        known = self.kinds[kind].fields if kind in self.kinds else {}
        found: dict[str, Any] = {
            key: one.own_label(self.locale) or (Sentence(one.name) if one.name else key)
            for key, one in known.items()
        }
        return found | {key: name for (of, key), name in self.fields.items() if of == kind}

    def kind(self, key: str) -> Any:
        """What the kind is called."""
        found = self.kinds.get(key)
        if found is None:
            return key
        own = (found.label_en or found.label_vi) if self.locale == "en" else found.label_vi
        return own or (Sentence(found.name) if found.name else key)

    def role(self, key: str) -> str:
        return self.roles[key].label(self.locale) if key in self.roles else key


def own_label(content: Any, locale: str) -> str:
    """The name that a part of the configuration has of its own; "" for none."""
    if not isinstance(content, Mapping):
        return ""
    names = ("label_en", "label_vi") if locale == "en" else ("label_vi", "label_en")
    for name in (*names, "name"):
        if isinstance(content.get(name), str) and content[name].strip():
            return str(content[name]).strip()[:LENGTH]
    return ""


def added_fields(items: Sequence[ItemDiff], locale: str) -> dict[tuple[str, str], str]:
    """{(kind, field): name} of the fields that come, change or go with these differences."""
    found = {}
    for item in items:
        name = own_label(item.after, locale) or own_label(item.before, locale)
        if item.section == "fields" and name:
            kind, _, key = item.key.partition(".")
            found[kind, key] = name
    return found


def called(item: ItemDiff, place: Place, names: Names) -> Called:
    """What the keys are called that stand at this place of an item: as values, or before parts."""
    option = str(place[-1]) if place else ""
    owner = item.key.partition("@")[0]
    if item.section == "layouts":
        if option in ("summary", "hidden", "fields"):
            return names.of_fields(owner)
        return names.panels if option in ("tabs", "panel") else {}
    if item.section in ("lists", "saved_views"):
        return _of_list(item, owner, option, names)
    if item.section == "roles":
        return _of_role(place, names)
    if item.section == "menus":
        return names.menu if option in ("sections", "entries") else {}
    if item.section == "relationship_rules" and option == "status":
        return _Values(names, "relationship")
    if item.section == "pick_lists" and option in ("parent", "into"):
        return _of_values(item, names.locale)
    return names.pick_lists if option == "pick_list" else {}


def condition(item: ItemDiff, place: Place, value: Any, names: Names) -> Any:
    """A condition in words; None for what is none, or cannot be said."""
    if isinstance(value, Mapping) and "fact" in value:
        return sentences([value], label=names.value)[0]
    option = str(place[-1]) if place else ""
    if option not in CONDITIONS or not isinstance(value, str) or not value:
        return None
    return names.condition(_kind_of(item, place, names), value)


def _kind_of(item: ItemDiff, place: Place, names: Names) -> str:
    """The kind of the records that a condition asks."""
    if item.section == "fields":
        return item.key.partition(".")[0]
    if item.section == "roles":
        return str(place[1]) if len(place) > 2 and place[0] == "kinds" else ""
    found = names.lists.get(_list_key(item, item.key.partition("@")[0]))
    return found.kind if found else ""


def _list_key(item: ItemDiff, owner: str) -> str:
    content = item.after or item.before or {}
    return str(content.get("screen", "")) if item.section == "saved_views" else owner


def _of_list(item: ItemDiff, owner: str, option: str, names: Names) -> Called:
    if option == "screen":
        return {key: one.label for key, one in names.lists.items()}
    if option == "actions":
        return names.actions
    known = names.lists.get(_list_key(item, owner))
    if known is None:
        return {}
    columns = {**names.of_fields(known.kind), **known.columns}
    if option == "sort":
        ways = (("", "↑"), ("-", "↓"))
        message = "%(name)s %(way)s"
        return {
            f"{sign}{key}": Sentence(message, {"name": name, "way": way})
            for key, name in columns.items()
            for sign, way in ways
        }
    return {"columns": columns, "filters": {**columns, **known.filters}}.get(option, {})


def _of_role(place: Place, names: Names) -> Called:
    if place == ("kinds",):
        return {key: names.kind(key) for key in names.kinds}
    if len(place) == 3 and place[0] == "kinds" and place[2] == "fields":
        return names.of_fields(str(place[1]))
    return {}


def _of_values(item: ItemDiff, locale: str) -> Called:
    """The values of a pick list by their own names."""
    values = [one for side in (item.before, item.after) for one in (side or {}).get("values") or ()]
    return {one.get("key"): own_label(one, locale) for one in values if isinstance(one, Mapping)}


class _Values(dict[Any, Any]):
    """The values of a pick list, looked up one by one."""

    def __init__(self, names: Names, list_key: str) -> None:
        super().__init__()
        self._names, self._list_key = names, list_key

    def get(self, key: Any, default: Any = None) -> Any:
        return self._names.value(self._list_key, str(key)) or default
