"""What screens call the parts of the configuration, for its differences in words."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask_babel import gettext

from rules.config_diff import ItemDiff
from rules.config_names import ListNames, Names
from rules.permissions import FULL
from services.configuration_names import names_of
from views import navigation, panels
from views.context import configured, locale, today
from views.list_columns import compile_list
from views.list_settings import ListShape, shapes
from views.row_menu import LABELS


def screen_names(items: Sequence[ItemDiff]) -> Names:
    """The names that the reader of these differences knows from the screens."""
    config = configured()
    return replace(
        names_of(config, items, locale=locale(), today=today()),
        lists={key: _of_list(one) for key, one in shapes().items()},
        panels={
            key: panel.name()
            for kind in config.kinds.values()
            for key, panel in panels.of(kind).items()
        },
        actions={key: str(gettext(label)) for key, (label, _) in LABELS.items()},
        menu=_menu(),
    )


def _of_list(shape: ListShape) -> ListNames:
    columns = compile_list(shape, configured(), FULL, locale()).columns
    return ListNames(
        shape.label,
        shape.kind,
        {key: one.heading or key for key, one in columns.items()},
        dict(shape.filters),
    )


def _menu() -> dict[str, Any]:
    sections = {one.key: navigation.heading(one) for one in navigation.shipped_menu()}
    return sections | {key: one.label for key, one in navigation.links().items()}
