"""Values of the configuration in words: what stands in a file as `by_product` is "By product"."""

from collections.abc import Mapping
from typing import Any

from rules import permissions
from rules.config_text import Place
from rules.errors import N_
from rules.permissions import Role
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
    "colour": {
        "gray": N_("gray"),
        "red": N_("red"),
        "orange": N_("orange"),
        "yellow": N_("yellow"),
        "green": N_("green"),
        "teal": N_("teal"),
        "azure": N_("azure"),
        "blue": N_("blue"),
        "purple": N_("purple"),
    },
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


def in_words(section: str, place: Place, value: Any, roles: Mapping[str, Role], locale: str) -> Any:
    """A value, or each value of a list, in words; what has none stays as it is."""
    option = str(place[-1]) if place else ""
    if option in FOR_GOOD and value is None:
        return Sentence(N_("for good"))
    if option in ROLES:
        named: Mapping[Any, Any] = {key: one.label(locale) for key, one in roles.items()}
    else:
        named = {key: Sentence(text) for key, text in _words(section, place, option).items()}
    if isinstance(value, list | tuple) and value:
        return [_of(named, one) for one in value] if named else value
    return _of(named, value)


def _of(named: Mapping[Any, Any], value: Any) -> Any:
    return named.get(value, value) if isinstance(value, str | int) else value


def _words(section: str, place: Place, option: str) -> Mapping[Any, str]:
    if section == "roles" and "fields" in place[:-1]:
        return LEVELS
    if section == "roles" and option == "actions":
        return ACTIONS
    return WORDS.get(option, {})
