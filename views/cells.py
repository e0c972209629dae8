"""The cells, rows and columns that lists are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from markupsafe import Markup

from rules.fields import Field


@dataclass(frozen=True)
class Column:
    """A column: its key, its heading (gettext id), the sort it offers, how it yields space.

    `fold` is when the column gives way: `panel` while the side panel is open or the screen is
    narrow, `phone` on a phone only, None never. `needs` are the keys of the fields that it shows:
    who may not see the first of them lacks the column; `exports` are those of a file where they are
    others. `heading` is the label in the reader's
    language where the list is configured, `field` the field behind it, `width` in CSS pixels.
    """

    key: str
    label: str = ""
    sort: str | None = None
    numeric: bool = False
    fold: str | None = None
    needs: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()
    heading: str = ""
    field: Field | None = None
    width: int | None = None
    is_editable: bool = False

    @cached_property
    def css(self) -> Markup:
        """The classes of the column's cells."""
        classes = ["num"] * self.numeric + [f"fold-{self.fold}"] * bool(self.fold)
        return Markup("".join(f" {name}" for name in classes))  # noqa: S704 - words of this file

    @cached_property
    def css_attribute(self) -> Markup:
        """The attribute `class` of the column's cells; nothing where there is no class."""
        return Markup(' class="{}"').format(self.css) if self.css else Markup()


class Cell(NamedTuple):  # three hundred a page: a frozen dataclass takes three times as long
    """What a cell shows. `kind` chooses the markup in `row_markup`."""

    kind: str = "text"
    text: str = ""
    sub: str = ""
    url: str | None = None
    panel_url: str | None = None
    level: str | None = None
    colour: str | None = None
    items: "tuple[Cell, ...]" = ()


EMPTY = Cell("text", "–", level="muted")


class RowView(NamedTuple):
    """A row ready for the flat template: cells in the order of the columns.

    `why` says in words what its colour stands for.
    """

    id: str
    cells: Sequence[Cell]
    label: str
    colour: str | None = None
    why: str = ""
