"""What screens call the parts of the configuration, for its differences in words."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask_babel import gettext

from rules.config_diff import ItemDiff
from rules.config_names import ListNames, Names, own_label
from rules.kinds import RECORDS
from rules.menus import OPTIONAL
from rules.permissions import FULL
from services.configuration import Configuration
from services.configuration_names import both_sides, names_of
from views import navigation, panels
from views.context import configured, locale, today
from views.field_cells import kind_label
from views.list_columns import compile_list
from views.list_settings import ListShape, shapes
from views.pick_filters import FIELD
from views.row_menu import LABELS


def screen_names(items: Sequence[ItemDiff]) -> Names:
    """The names that the reader of these differences knows from the screens, or will know."""
    config = both_sides(configured(), items)
    names = names_of(config, items, locale=locale(), today=today())
    return replace(
        names,
        lists={
            **names.lists,
            **{key: _of_list(one, config) for key, one in shapes(config).items()},
        },
        panels=_site_kinds(config)
        | {
            key: panel.name()
            for kind in config.kinds.values()
            for key, panel in panels.of(kind).items()
        },
        actions={key: str(gettext(label)) for key, (label, _) in LABELS.items()},
        menu=_menu(config, items),
    )


def _of_list(shape: ListShape, config: Configuration) -> ListNames:
    columns = compile_list(shape, config, FULL, locale()).columns
    return ListNames(
        shape.label,
        shape.kind,
        {key: one.heading or key for key, one in columns.items()},
        {f"{FIELD}{key}": one.heading for key, one in columns.items()} | dict(shape.filters),
    )


def _site_kinds(config: Configuration) -> dict[str, str]:
    return {
        key: kind_label(kind, locale())
        for key, kind in config.kinds.items()
        if kind.collection == RECORDS
    }


def _menu(config: Configuration, items: Sequence[ItemDiff]) -> dict[str, Any]:
    """Sections and entries; kinds and shared views that are only on one side among them."""
    found: dict[str, Any] = {f"{RECORDS}/{key}": name for key, name in _site_kinds(config).items()}
    for item in items:
        if item.section == "saved_views":
            name = own_label(item.after or item.before, locale())
            found[f"{OPTIONAL}{item.key}"] = name or item.key
    found |= {one.key: navigation.heading(one) for one in navigation.shipped_menu()}
    return found | {key: one.label for key, one in navigation.links().items()}
