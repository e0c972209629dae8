"""What the configuration is called by, for its differences in words (rules/config_words.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from rules import conditions
from rules.config_diff import ItemDiff
from rules.config_names import ListNames, Names, added_fields, own_label
from rules.errors import InvalidInput
from rules.kinds import RECORDS
from services.conditions import context
from services.configuration import Configuration, compiled
from stores import mongo

Content = Mapping[str, Any]
NAMING = ("pick_lists", "kinds", "fields", "roles")  # sections whose items others name


def both_sides(config: Configuration, items: Sequence[ItemDiff]) -> Configuration:
    """The configuration in force with all that only the differences know, on either side.

    For names alone: what it grants or computes is in force nowhere.
    """
    sections = {name: dict(found) for name, found in config.sections.items()}
    is_more = False
    for item in (one for one in items if one.section in NAMING):
        section = sections.setdefault(item.section, {})
        known = section.get(item.key)
        for content in (item.after, item.before):
            if isinstance(content, Mapping):
                section[item.key] = _with(section.get(item.key), content, item.section)
        is_more = is_more or section.get(item.key) is not known
    return compiled(sections, revision=-1, care_mode=config.care_mode) if is_more else config


def _with(known: Content | None, content: Content, section: str) -> Content:
    """What is known already, and the values of a pick list that only `content` has."""
    if known is None:
        return content
    values, others = known.get("values"), content.get("values")
    if section != "pick_lists" or not isinstance(values, list) or not isinstance(others, list):
        return known
    there = {one.get("key") for one in values}
    more = [one for one in others if isinstance(one, Mapping) and one.get("key") not in there]
    return {**known, "values": [*values, *more]} if more else known


def names_of(
    config: Configuration, items: Sequence[ItemDiff], *, locale: str, today: date
) -> Names:
    """The names that are in force, and those of what only one side of the differences has."""
    config = both_sides(config, items)

    def value(list_key: str, key: str) -> str:
        known = config.value(list_key, key)
        return known.label(locale) if known else key

    def said(kind: str, text: str) -> Any:
        if kind not in config.kinds:
            return None
        fields = config.kinds[kind].fields
        asked = context(config, today=today, zone=mongo.zone(), kind=kind, locale=locale)
        try:
            tree, problems = conditions.usable(conditions.read(text), fields, asked)
        except InvalidInput:
            return None
        return None if problems else conditions.sentence(tree, fields, asked)

    lists = config.section("pick_lists")
    names = Names(
        locale,
        config.roles,
        config.kinds,
        added_fields(items, locale),
        pick_lists={key: own_label(one, locale) or key for key, one in lists.items()},
        value=value,
        condition=said,
    )
    return replace(names, lists=_lists(names))


def _lists(names: Names) -> dict[str, ListNames]:
    """The list of each kind, as far as its fields say what it is made of."""
    return {
        f"{RECORDS}_{key}" if kind.collection == RECORDS else key: ListNames(names.kind(key), key)
        for key, kind in names.kinds.items()
    }
