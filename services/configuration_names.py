"""What the configuration is called by, for its differences in words (rules/config_words.py)."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from rules import conditions
from rules.config_diff import ItemDiff
from rules.config_names import Names, added_fields, own_label
from rules.errors import InvalidInput
from services.conditions import context
from services.configuration import Configuration
from stores import mongo


def names_of(
    config: Configuration, items: Sequence[ItemDiff], *, locale: str, today: date
) -> Names:
    """The names that are in force, and those that come with the differences themselves."""

    def value(list_key: str, key: str) -> str:
        known = config.value(list_key, key)
        return known.label(locale) if known else key

    def said(kind: str, text: str) -> Any:
        if kind not in config.kinds:
            return None
        fields = {key: one for key, one in config.kinds[kind].fields.items() if one.is_usable}
        asked = context(config, today=today, zone=mongo.zone(), kind=kind, locale=locale)
        try:
            tree, problems = conditions.usable(conditions.read(text), fields, asked)
        except InvalidInput:
            return None
        return None if problems else conditions.sentence(tree, fields, asked)

    lists = config.section("pick_lists")
    return Names(
        locale,
        config.roles,
        config.kinds,
        added_fields(items, locale),
        pick_lists={key: own_label(one, locale) or key for key, one in lists.items()},
        value=value,
        condition=said,
    )
