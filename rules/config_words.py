"""Differences of the configuration in words."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rules.config_diff import ADDED, MISSING, REMOVED, Detail, ItemDiff
from rules.config_value_words import in_words
from rules.errors import N_
from rules.fields import TYPES, Kind
from rules.permissions import Role
from rules.sentences import Sentence

NO_ROLES: Mapping[str, Role] = {}
LENGTH = 120  # of a value in a sentence

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
    "lists": N_("List %(name)s"),
    "menus": N_("Menu of %(name)s"),
    "roles": N_("Role %(name)s"),
    "teams": N_("Team %(name)s"),
    "saved_views": N_("View %(name)s"),
    "schedules": N_("Schedule %(name)s"),
}
OPTIONS: Mapping[str, str] = {
    "label_vi": N_("name"),
    "label_en": N_("name in English"),
    "one_vi": N_("name of one"),
    "one_en": N_("name of one in English"),
    "help_vi": N_("help text"),
    "help_en": N_("help text in English"),
    "type": N_("type"),
    "pick_list": N_("pick list"),
    "expression": N_("how it is computed"),
    "visible_when": N_("shown only when"),
    "default": N_("default"),
    "minimum": N_("least value"),
    "maximum": N_("greatest value"),
    "pattern": N_("pattern"),
    "position": N_("place in the order"),
    "is_required": N_("required"),
    "is_unique": N_("unique"),
    "is_filtered_often": N_("filter often"),
    "is_retired": N_("retired"),
    "retired": N_("retired"),
    "is_personal": N_("personal"),
    "values": N_("values"),
    "colour": N_("colour"),
    "parent": N_("stands under"),
    "icon": N_("icon"),
    "has_customer": N_("belongs to a customer"),
    "has_care": N_("is cared for"),
    "summary": N_("summary"),
    "tabs": N_("tabs"),
    "sections": N_("sections"),
    "fields": N_("fields"),
    "is_on": N_("switched on"),
    "columns": N_("columns"),
    "width": N_("width"),
    "sort": N_("order of rows"),
    "filters": N_("quick filters"),
    "page_size": N_("rows on a page"),
    "row_colours": N_("row colours"),
    "actions": N_("actions"),
    "entries": N_("entries"),
    "is_hidden": N_("hidden"),
    "kinds": N_("documents"),
    "other_kinds": N_("other documents"),
    "reach": N_("reach"),
    "where": N_("rule"),
    "abilities": N_("abilities"),
    "members": N_("members"),
    "leads": N_("leads"),
    "screen": N_("list"),
    "name": N_("name"),
    "audience": N_("seen by"),
    "roles": N_("roles"),
    "default_roles": N_("opens by itself for"),
    "arguments": N_("filters and order"),
    "rules": N_("rules"),
    "status": N_("status"),
    "conditions": N_("conditions"),
    "hold_days": N_("days that a person's choice holds"),
    "is_enabled": N_("in force"),
    "contact_kinds": N_("what counts as a contact"),
    "unanswered": N_("not reached"),
    "at_time": N_("time"),
    "weekdays": N_("weekdays"),
    "every_minutes": N_("minutes between two runs"),
    "until_time": N_("end of the time window"),
    "is_paused": N_("paused"),
    "care_mode": N_("care mode"),
    "second_factor_roles": N_("roles that need a second factor"),
    "audit_days": N_("days the change log is kept"),
    "trash_days": N_("days the trash is kept"),
}


def subject(
    item: ItemDiff, kinds: Mapping[str, Kind], locale: str, roles: Mapping[str, Role] = NO_ROLES
) -> Sentence:
    """What the item is called: the field "Customers › Rank", the role "Manager"."""
    content = item.after or item.before or {}
    own = _own_label(content, locale) or item.key
    if item.section == "fields":
        kind, _, key = item.key.partition(".")
        known = kinds[kind].fields.get(key) if kind in kinds else None
        called: Any = _own_label(content, locale) or key
        if known is not None and known.name and called == key:
            called = Sentence(known.name)
        return Sentence(
            N_("Field %(kind)s › %(name)s"), {"kind": _kind(kind, kinds, locale), "name": called}
        )
    if item.section in ("layouts", "lists", "menus"):
        screen, _, role = item.key.partition("@")
        name: Any = screen
        if item.section == "menus":
            name = Sentence(N_("everybody")) if screen == "all" else _role(screen, roles, locale)
        elif screen in kinds:
            name = _kind(screen, kinds, locale)
        if role:
            name = Sentence(
                N_("%(name)s for %(role)s"), {"name": name, "role": _role(role, roles, locale)}
            )
        return Sentence(SUBJECTS[item.section], {"name": name})
    if item.section in SUBJECTS:
        return Sentence(SUBJECTS[item.section], {"name": own})
    return Sentence(SECTION_NAMES.get(item.section, item.section.replace("%", "%%")))


def headline(
    item: ItemDiff, kinds: Mapping[str, Kind], locale: str, roles: Mapping[str, Role] = NO_ROLES
) -> Sentence:
    """The item and what becomes of it."""
    message = {
        ADDED: N_("%(subject)s: added"),
        REMOVED: N_("%(subject)s: removed"),
    }.get(item.what, N_("%(subject)s: changed"))
    return Sentence(message, {"subject": subject(item, kinds, locale, roles)})


def sentences(item: ItemDiff, locale: str, roles: Mapping[str, Role] = NO_ROLES) -> list[Sentence]:
    """What differs, one sentence for each option; a removed item says nothing more."""
    if item.what == REMOVED:
        return []
    return [_sentence(_worded(one, item, roles, locale), item, locale) for one in item.details]


def side_by_side(
    item: ItemDiff, locale: str, roles: Mapping[str, Role] = NO_ROLES
) -> list[tuple[Any, Any, Any]]:
    """(option, value before, value after) of all that differs; "" for no value."""
    found = []
    for one in item.details:
        said = _worded(one, item, roles, locale)
        before, after = (
            "" if _is_empty(value) else _shown(value, locale) for value in (said.before, said.after)
        )
        found.append((_where(one, item, locale), before, after))
    return found


def _worded(detail: Detail, item: ItemDiff, roles: Mapping[str, Role], locale: str) -> Detail:
    """The difference with its values in words, as the screens call them."""
    if item.section == "fields" and detail.place == ("type",):
        before, after = _type(detail.before), _type(detail.after)
    else:
        before, after = (
            in_words(item.section, detail.place, value, roles, locale)
            for value in (detail.before, detail.after)
        )
    return replace(detail, before=before, after=after)


def _sentence(detail: Detail, item: ItemDiff, locale: str) -> Sentence:
    where = _where(detail, item, locale)
    if detail.is_order:
        return Sentence(
            N_("%(where)s: order is now %(after)s"),
            {"where": where, "after": _shown(detail.after, locale)},
        )
    if _is_empty(detail.before):
        return Sentence(
            N_("%(where)s: %(after)s"), {"where": where, "after": _shown(detail.after, locale)}
        )
    if _is_empty(detail.after):
        return Sentence(
            N_("%(where)s: removed (was %(before)s)"),
            {"where": where, "before": _shown(detail.before, locale)},
        )
    return Sentence(
        N_("%(where)s: from %(before)s to %(after)s"),
        {
            "where": where,
            "before": _shown(detail.before, locale),
            "after": _shown(detail.after, locale),
        },
    )


def _type(key: Any) -> Any:
    """A type of field by its name."""
    return Sentence(TYPES[key].label) if isinstance(key, str) and key in TYPES else key


def _is_empty(value: Any) -> bool:
    return value is MISSING or value is None


def _where(detail: Detail, item: ItemDiff, locale: str) -> Any:
    """The option, by the names of what it stands in: "values › Hot › colour"."""
    found: Any = None
    content: Any = {**(item.before or {}), **(item.after or {})}
    for key in detail.place:
        content = _within(content, key)
        name: Any = _own_label(content, locale) if isinstance(content, Mapping) else ""
        if not name:
            name = Sentence(OPTIONS[str(key)]) if key in OPTIONS else str(key)
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


def _shown(value: Any, locale: str) -> Any:
    if value is True:
        return Sentence(N_("yes"))
    if value is False:
        return Sentence(N_("no"))
    if isinstance(value, Sentence):
        return value
    if isinstance(value, list) and any(isinstance(one, Sentence) for one in value):
        return value
    text = _text(value, locale)
    short = text if len(text) <= LENGTH else f"{text[:LENGTH]}…"
    return f"“{short}”"


def _text(value: Any, locale: str) -> str:
    if isinstance(value, Mapping):
        own = _own_label(value, locale) or str(value.get("key") or "")
        return own or ", ".join(f"{key}: {_text(one, locale)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(one, locale) for one in value) or "–"
    return "–" if value is None or value is MISSING or value == "" else str(value)


def _own_label(content: Any, locale: str) -> str:
    if not isinstance(content, Mapping):
        return ""
    names = ("label_en", "label_vi") if locale == "en" else ("label_vi", "label_en")
    for name in (*names, "name"):
        if isinstance(content.get(name), str) and content[name].strip():
            return str(content[name]).strip()[:LENGTH]
    return ""


def _role(key: str, roles: Mapping[str, Role], locale: str) -> str:
    return roles[key].label(locale) if key in roles else key


def _kind(key: str, kinds: Mapping[str, Kind], locale: str) -> Any:
    kind = kinds.get(key)
    if kind is None:
        return key
    own = (kind.label_en or kind.label_vi) if locale == "en" else kind.label_vi
    return own or (Sentence(kind.name) if kind.name else key)
