"""Differences of the configuration in words."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rules.config_diff import ADDED, MISSING, REMOVED, Detail, ItemDiff
from rules.config_names import Names, called, own_label
from rules.config_text import Place
from rules.config_value_words import in_words, option_name, plain
from rules.errors import N_
from rules.sentences import Sentence

NOTHING = Names()
LENGTH = 120  # of a value in a sentence
OF_PROGRAM = ("key", "at")  # of a value that was merged; nobody reads them
EMPTY: tuple[Any, ...] = ("", [], {})  # what says nothing when it is new

SECTION_NAMES: Mapping[str, str] = {
    "site": N_("Settings of the site"),
    "pick_lists": N_("Pick lists"),
    "kinds": N_("Kinds of documents"),
    "fields": N_("Fields"),
    "layouts": N_("Layouts of records"),
    "lists": N_("Lists"),
    "menus": N_("Menu"),
    "roles": N_("Roles"),
    "teams": N_("Teams"),
    "saved_views": N_("Shared views"),
    "relationship_rules": N_("Relationship rules"),
    "schedules": N_("Schedules"),
}
SUBJECTS: Mapping[str, str] = {
    "pick_lists": N_("Pick list %(name)s"),
    "kinds": N_("Kind of documents %(name)s"),
    "layouts": N_("Layout of %(name)s"),
    "lists": N_("List “%(name)s”"),
    "menus": N_("Menu of %(name)s"),
    "roles": N_("Role %(name)s"),
    "teams": N_("Team %(name)s"),
    "saved_views": N_("View %(name)s"),
    "schedules": N_("Schedule %(name)s"),
}


def subject(item: ItemDiff, names: Names = NOTHING) -> Sentence:
    """What the item is called: the field "Customers › Rank", the role "Manager"."""
    content = item.after or item.before or {}
    own = own_label(content, names.locale) or item.key
    if item.section == "fields" and item.key:
        return _field(item, content, names)
    if item.section in ("layouts", "lists", "menus"):
        return _for_whom(item, names)
    if item.section in SUBJECTS:
        return Sentence(SUBJECTS[item.section], {"name": own})
    return Sentence(SECTION_NAMES.get(item.section, item.section.replace("%", "%%")))


def _field(item: ItemDiff, content: Mapping[str, Any], names: Names) -> Sentence:
    kind, _, key = item.key.partition(".")
    called = own_label(content, names.locale) or names.of_fields(kind).get(key) or key
    return Sentence(N_("Field %(kind)s › %(name)s"), {"kind": names.kind(kind), "name": called})


def _for_whom(item: ItemDiff, names: Names) -> Sentence:
    """A layout, a list or a menu, and the role that it is for."""
    owner, _, role = item.key.partition("@")
    name: Any = names.lists[owner].label if owner in names.lists else names.kind(owner)
    if item.section == "layouts":
        name = names.kind(owner)
    elif item.section == "menus":
        name = Sentence(N_("everybody")) if owner == "all" else names.role(owner)
    if role:
        name = Sentence(N_("%(name)s for %(role)s"), {"name": name, "role": names.role(role)})
    return Sentence(SUBJECTS[item.section], {"name": name})


def headline(item: ItemDiff, names: Names = NOTHING) -> Sentence:
    """The item and what becomes of it."""
    message = {
        ADDED: N_("%(subject)s: added"),
        REMOVED: N_("%(subject)s: removed"),
    }.get(item.what, N_("%(subject)s: changed"))
    return Sentence(message, {"subject": subject(item, names)})


def sentences(item: ItemDiff, names: Names = NOTHING) -> list[Sentence]:
    """What differs, one sentence for each option; a removed item says nothing more."""
    if item.what == REMOVED:
        return []
    return [
        _sentence(_worded(one, item, names), item, names)
        for one in _told(item)
        if not (one.before is MISSING and one.after in EMPTY)
    ]


def _told(item: ItemDiff) -> list[Detail]:
    return [
        one
        for one in item.details
        if not (one.place[-2:-1] == ("merged",) and one.place[-1] in OF_PROGRAM)
    ]


def side_by_side(item: ItemDiff, names: Names = NOTHING) -> list[tuple[Any, Any, Any]]:
    """(option, value before, value after) of all that differs; "" for no value."""
    found = []
    for one in _told(item):
        said = _worded(one, item, names)
        before, after = (
            "" if _is_empty(value) else _shown(value) for value in (said.before, said.after)
        )
        found.append((_where(one, item, names), before, after))
    return found


def _worded(detail: Detail, item: ItemDiff, names: Names) -> Detail:
    """The difference with its values in words, as the screens call them."""
    if detail.is_order:
        known = _parts(item, detail.place, names)
        was, now = ([known.get(one, one) for one in keys] for keys in (detail.before, detail.after))
        return replace(detail, before=was, after=now)
    before, after = (
        value if value is MISSING else in_words(item, detail.place, value, names)
        for value in (detail.before, detail.after)
    )
    return replace(detail, before=before, after=after)


def _sentence(detail: Detail, item: ItemDiff, names: Names) -> Sentence:
    where = _where(detail, item, names)
    if detail.is_order:
        return Sentence(
            N_("%(where)s: order is now %(after)s"),
            {"where": where, "after": _shown(detail.after)},
        )
    if _is_empty(detail.before):
        return Sentence(N_("%(where)s: %(after)s"), {"where": where, "after": _shown(detail.after)})
    if _is_empty(detail.after):
        return Sentence(
            N_("%(where)s: removed (was %(before)s)"),
            {"where": where, "before": _shown(detail.before)},
        )
    return Sentence(
        N_("%(where)s: from %(before)s to %(after)s"),
        {
            "where": where,
            "before": _shown(detail.before),
            "after": _shown(detail.after),
        },
    )


def _parts(item: ItemDiff, place: Place, names: Names) -> dict[str, Any]:
    """{key: name} of the parts at this place of an item."""
    content: Any = item.after
    for key in place:
        content = _within(content, key)
    own = {one["key"]: own_label(one, names.locale) for one in content if "key" in one}
    known = called(item, place, names)
    return {key: name or known.get(key) or key for key, name in own.items()}


def _is_empty(value: Any) -> bool:
    return value is MISSING or value is None


def _where(detail: Detail, item: ItemDiff, names: Names) -> Any:
    """The option, by the names of what it stands in: "values › Hot › colour"."""
    found: Any = None
    content: Any = {**(item.before or {}), **(item.after or {})}
    for depth, key in enumerate(detail.place):
        content = _within(content, key)
        name: Any = own_label(content, names.locale)
        name = name or called(item, detail.place[:depth], names).get(key) or option_name(str(key))
        found = (
            name
            if found is None
            else Sentence(N_("%(outer)s › %(inner)s"), {"outer": found, "inner": name})
        )
    return found if found is not None else ""


def _within(content: Any, key: Any) -> Any:
    if isinstance(content, Mapping):
        return content.get(key)
    if isinstance(content, list):
        return next(
            (one for one in content if isinstance(one, Mapping) and one.get("key") == key), None
        )
    return None


def _shown(value: Any) -> Any:
    """A value as it stands in a sentence: our own words as they are, others quoted and short."""
    if isinstance(value, bool | Sentence):
        return plain(value)
    if isinstance(value, list) and any(isinstance(one, Sentence | list) for one in value):
        return plain(value)
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(plain(value))
    text = text or "–"
    short = text if len(text) <= LENGTH else f"{text[:LENGTH]}…"
    return f"“{short}”"
