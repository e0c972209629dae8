"""Values of the configuration in words: what stands in a file as `by_product` is "By product"."""

from collections.abc import Mapping
from typing import Any

from rules import permissions
from rules.config_diff import ItemDiff
from rules.config_names import Names, called, condition, own_label
from rules.config_options import OPTIONS
from rules.config_text import Place
from rules.errors import N_
from rules.fields import TYPES
from rules.pick_lists import COLOURS
from rules.scope import BY_CUSTOMER, BY_PRODUCT, UNLIMITED
from rules.sentences import Sentence

LEVELS = {
    permissions.EDITED: N_("edit"),
    permissions.SEEN: N_("see"),
    permissions.MASKED: N_("masked"),
    permissions.HIDDEN: N_("hidden"),
}
# Option: {value: its words}.
WORDS: Mapping[str, Mapping[Any, str]] = {
    "care_mode": {
        BY_PRODUCT: N_("By product"),
        BY_CUSTOMER: N_("By customer"),
        UNLIMITED: N_("Unlimited"),
    },
    "reach": {
        permissions.OWN: N_("own records"),
        permissions.ASSIGNED: N_("assigned records"),
        permissions.TEAM: N_("records of the team"),
        permissions.ALL: N_("all records"),
    },
    "abilities": {
        permissions.CONFIGURE: N_("Set up"),
        permissions.ASSIGN: N_("Assign"),
        permissions.ACCOUNTS: N_("Manage accounts"),
        permissions.AUDIT: N_("Read the change log"),
        permissions.JOBS: N_("See all jobs"),
        permissions.SUMMARIES: N_("Summaries"),
        permissions.SHARE_VIEWS: N_("Share views"),
        permissions.REVEAL: N_("Show masked values"),
    },
    "colour": COLOURS,
    "contact_kinds": {"care": N_("Care entry"), "note": N_("Note"), "order": N_("Order")},
    "audience": {"roles": N_("Roles"), "everyone": N_("Everybody")},
    "weekdays": {
        0: N_("Monday"),
        1: N_("Tuesday"),
        2: N_("Wednesday"),
        3: N_("Thursday"),
        4: N_("Friday"),
        5: N_("Saturday"),
        6: N_("Sunday"),
    },
}
ACTIONS: Mapping[Any, str] = {
    permissions.SEE: N_("See"),
    permissions.CREATE: N_("Add"),
    permissions.EDIT: N_("Edit"),
    permissions.DELETE: N_("Delete"),
    permissions.EXPORT: N_("Export"),
    permissions.IMPORT: N_("Import"),
}
ROLES = ("roles", "default_roles", "second_factor_roles")
FOR_GOOD = ("audit_days", "trash_days")  # which None means


PARTS = 12  # of a part that is said in one sentence
NAMING = ("key", "label_vi", "label_en", "name")


def in_words(item: ItemDiff, place: Place, value: Any, names: Names) -> Any:
    """A value, or each value of a list, in words; a part by its name and what is in it.

    What has no words stays as it is.
    """
    option = str(place[-1]) if place else ""
    if option in FOR_GOOD and value is None:
        return Sentence(N_("for good"))
    if item.section == "fields" and place == ("type",):
        return Sentence(TYPES[value].label) if value in TYPES else value
    said = condition(item, place, value, names)
    if said is not None:
        return said
    if option == "merged" and isinstance(value, Mapping):
        into = _one(item, (*place, "into"), value.get("into"), names)
        return Sentence(N_("into “%(name)s”"), {"name": plain(into)})
    if isinstance(value, Mapping):
        return _part(item, place, value, names)
    if isinstance(value, list | tuple) and value:
        return [_of_list(item, place, one, names) for one in value]
    return _one(item, place, value, names)


def _of_list(item: ItemDiff, place: Place, value: Any, names: Names) -> Any:
    if isinstance(value, Mapping):
        key = value.get("key") or value.get("endpoint") or ""
        return condition(item, place, value, names) or _part(item, (*place, str(key)), value, names)
    return _one(item, place, value, names)


def _one(item: ItemDiff, place: Place, value: Any, names: Names) -> Any:
    """A single value: as the program calls it, else as the site does."""
    if not isinstance(value, str | int):
        return value
    known = _words(item.section, place, str(place[-1]) if place else "", names)
    if value in known:
        return known[value]
    return value if isinstance(value, bool) else called(item, place, names).get(value) or value


def _part(item: ItemDiff, place: Place, part: Mapping[str, Any], names: Names) -> Any:
    """A part by its name, and what is in it in brackets."""
    name: Any = own_label(part, names.locale)
    key = part.get("key") or part.get("endpoint")
    if not name and key:
        name = called(item, place[:-1], names).get(key) or str(key)
    inside = called(item, place, names)
    said = [
        _option(
            inside.get(option) or option_name(option),
            one,
            in_words(item, (*place, option), one, names),
        )
        for option, one in part.items()
        if option not in NAMING and one not in (None, "", [], key)
    ]
    shown: list[Any] = said[:PARTS] + ["…"] * (len(said) > PARTS)
    if not name:
        return shown
    message = N_("%(name)s (%(parts)s)")
    return Sentence(message, {"name": name, "parts": shown}) if shown else name


def _option(name: Any, value: Any, said: Any) -> Sentence:
    """An option of a part and its value; what is a part itself stands in brackets."""
    if isinstance(value, Mapping):
        return Sentence(N_("%(name)s (%(parts)s)"), {"name": name, "parts": plain(said)})
    return Sentence(N_("%(where)s: %(after)s"), {"where": name, "after": plain(said)})


def plain(value: Any) -> Any:
    """A value within a sentence: yes and no in words, nothing as a dash."""
    if isinstance(value, bool):
        return Sentence(N_("yes") if value else N_("no"))
    if isinstance(value, list | tuple):
        return [plain(one) for one in value] or "–"
    return "–" if value is None or value == "" else value


def option_name(option: str) -> Any:
    """What an option is called; one without a name keeps its key."""
    return Sentence(OPTIONS[option]) if option in OPTIONS else option


def _words(section: str, place: Place, option: str, names: Names) -> Mapping[Any, Any]:
    if option in ROLES:
        return {key: one.label(names.locale) for key, one in names.roles.items()}
    if section == "roles" and "fields" in place[:-1]:
        return _said(LEVELS)
    if section == "roles" and option == "actions":
        return _said(ACTIONS)
    return _said(WORDS.get(option, {}))


def _said(words: Mapping[Any, str]) -> dict[Any, Sentence]:
    return {key: Sentence(text) for key, text in words.items()}
