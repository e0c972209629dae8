"""The rows of a list as markup, drawn without a template: they are most of what a page draws.

The same cell comes again and again (a pill, an area, the distance of a date, on the next page and
for the next reader), so that drawn cells are remembered. All that people typed passes `escape`.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

from flask import Flask
from flask_babel import gettext
from markupsafe import Markup, escape

from views.cells import Cell, Column, RowView

CELLS_KEPT = 16_384  # some megabytes of each web process
CHECK = "check"  # ticks the row for the form beside the list: the one cell that needs the row's id


def rows(
    shown: Sequence[RowView],
    columns: Sequence[Column],
    *,
    has_ticks: bool = False,
    has_menu: bool = False,
    is_changed: bool = False,
    is_in_place: bool = False,
) -> Markup:
    """The `tr` of these rows.

    Args:
        has_ticks: a box before each row; has_menu: a button for its menu behind it.
        is_changed: marks them as just changed.
        is_in_place: they replace the rows with their ids, wherever the answer is put (htmx).
    """
    starts = [f"<td{column.css_attribute}>" for column in columns]
    write = gettext("Write a care entry")
    swap = ' hx-swap-oob="true"' if is_in_place else ""
    menu = _menu(gettext("Actions")) if has_menu else None
    drawn = []
    for row in shown:
        label = escape(row.label) if has_ticks or has_menu else ""
        drawn.append(f'\n<tr id="row-{row.id}" data-row="{row.id}"{_paint(row, is_changed)}{swap}>')
        if has_ticks:
            drawn.append(
                '<td class="row-tick"><input class="form-check-input" type="checkbox" name="ids"'
                f' value="{row.id}" aria-label="{label}"></td>'
            )
        for start, cell in zip(starts, row.cells, strict=False):
            content = _check(cell, row.id) if cell.kind == CHECK else _content(cell, write)
            drawn.append(f"{start}{content}</td>")
        drawn.append(f"{menu.replace('{label}', label)}</tr>" if menu else "</tr>")
    return Markup("".join(drawn))  # noqa: S704 - of escaped parts


def _menu(actions: str) -> str:
    return (
        '<td class="row-more"><button type="button" data-row-more aria-haspopup="menu"'
        f' aria-label="{escape(actions)}: {{label}}">⋯</button></td>'
    )


def _paint(row: RowView, is_changed: bool) -> str:
    classes = [f"row-{row.colour}"] * bool(row.colour) + ["is-changed"] * is_changed
    if not classes:
        return ""
    title = f' title="{escape(row.why)}"' if row.colour else ""
    return f' class="{" ".join(classes)}"{title}'


def _check(cell: Cell, row_id: str) -> str:
    return (
        '<input class="form-check-input" type="checkbox" name="ids" form="assign"'
        f' value="{row_id}" aria-label="{escape(cell.text)}">'
    )


@lru_cache(maxsize=CELLS_KEPT)
def _content(cell: Cell, write: str) -> str:
    """What stands in the cell; `write` says in the reader's language what its green square does."""
    if cell.kind == "square":
        return _square(cell, write)
    return _BY_KIND.get(cell.kind, _text)(cell)


def _text(cell: Cell) -> str:
    return f"<span{_class(cell.level)}>{escape(cell.text)}</span>"


def _class(name: str | None) -> str:
    return f' class="{escape(name)}"' if name else ""


def _pill(cell: Cell) -> str:
    return f'<span class="pill pill-{escape(cell.colour or "gray")}">{escape(cell.text)}</span>'


def _pills(cell: Cell) -> str:
    return "".join(f"{_pill(item)} " for item in cell.items)


def _square(cell: Cell, write: str) -> str:
    form, text = escape(cell.panel_url or ""), escape(cell.text)
    return (
        f'<a class="care-square" href="{form}" hx-get="{form}" hx-target="#panel" data-care'
        f' title="{escape(write)}" aria-label="{escape(write)}: {text}"></a>'
        f'<a class="row-code" href="{escape(cell.url or "")}" data-open>{text}</a>'
    )


def _title(cell: Cell) -> str:
    sub = f'<span class="row-sub">{escape(cell.sub)}</span>' if cell.sub else ""
    if cell.url:
        return f'<a class="row-title" href="{escape(cell.url)}">{escape(cell.text)}</a>{sub}'
    level = f" {escape(cell.level)}" if cell.level else ""
    return f'<span class="row-title{level}">{escape(cell.text)}</span>{sub}'


def _due(cell: Cell) -> str:
    sub = escape(cell.sub)
    reason = f'<span class="row-sub" title="{sub}">{sub}</span>' if sub else ""
    return f'<span class="due is-{escape(cell.level or "")}">{escape(cell.text)}</span>{reason}'


def _files(cell: Cell) -> str:
    """`level` says how many of them are shown, `sub` how many more there are."""
    shown = cell.items[: int(cell.level or 0)]
    more = f' <span class="muted">{escape(cell.sub)}</span>' if cell.sub else ""
    return "".join(map(_file, shown)) + more


def _file(cell: Cell) -> str:
    name = escape(cell.text)
    link = f'href="{escape(cell.url or "")}" target="_blank" rel="noopener" title="{name}"'
    if not cell.panel_url:
        return f'<a class="cell-file" {link}>{name}</a>'
    return (
        f'<a class="cell-picture" {link}><img src="{escape(cell.panel_url)}" alt="{name}"'
        ' loading="lazy" width="32" height="32"></a>'
    )


def _link(cell: Cell) -> str:
    return f'<a href="{escape(cell.url or "")}">{escape(cell.text)}</a>'


def _edit(cell: Cell) -> str:
    if not cell.panel_url:
        return str(escape(cell.text))
    form = escape(cell.panel_url)
    return (
        f'<a class="row-edit" href="{form}" hx-get="{form}" hx-target="#panel" data-care>'
        f"{escape(cell.text)}</a>"
    )


def _long(cell: Cell) -> str:
    return f'<span class="row-long">{escape(cell.text)}</span>'


_BY_KIND: dict[str, Callable[[Cell], str]] = {
    "pill": _pill,
    "pills": _pills,
    "title": _title,
    "due": _due,
    "files": _files,
    "link": _link,
    "edit": _edit,
    "long": _long,
}


def register(app: Flask) -> None:
    """Makes `list_rows` known to templates."""
    app.jinja_env.globals["list_rows"] = rows
