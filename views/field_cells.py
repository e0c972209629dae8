"""How the value of a field looks in a list and on a record: one maker of cells per type.

A maker is chosen once for a page and called once for a row, so that fifty rows of any fields, built
in or defined by the site, cost what fifty rows of code written by hand would.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from flask import url_for
from flask_babel import gettext

from models.base import local_date
from rules.fields import DAY, FILES, FLAG, NUMBER, Field, Kind, Option
from rules.record_paths import reader
from services import computed
from services.configuration import Configuration
from views import formats
from views.cells import EMPTY, Cell
from views.context import settings, today

Row = Mapping[str, Any]
Make = Callable[[Row], Cell]
Names = Mapping[str, Mapping[Any, str]]  # {kind: {id: name}}, services/references.py
PICTURES_SHOWN = 3  # in one cell of a list
LINK_SCHEMES = ("http://", "https://")


def label(field: Field, locale: str) -> str:
    """What the field is called; as plain text, which templates escape."""
    own = field.own_label(locale)
    return own or (str(gettext(field.name)) if field.name else field.key)


def kind_label(kind: Kind, locale: str, *, one: bool = False) -> str:
    """What the kind is called, or one document of it."""
    vi, en = (kind.one_vi, kind.one_en) if one else (kind.label_vi, kind.label_en)
    own = (en or vi) if locale == "en" else vi
    name = kind.name_one if one else kind.name
    return own or (str(gettext(name)) if name else kind.key)


def maker(field: Field, config: Configuration, locale: str, names: Names, *, kind: Kind) -> Make:
    """What turns a stored row of this kind into the field's cell."""
    if field.type == "computed":
        return _computed(field, kind)
    read = reader(field.path)
    show = _shower(field, config, locale, names)

    def make(row: Row) -> Cell:
        found = read(row)
        return EMPTY if _is_nothing(found) else show(found)

    return make


def _is_nothing(stored: Any) -> bool:
    """Zero and "no" are something. Asked for each cell: ids compare slowly with texts."""
    return stored is None or (isinstance(stored, (str, list)) and not stored)


def _computed(field: Field, kind: Kind) -> Make:
    read = computed.reader(field, kind, today=today(), zone=settings().zone)
    show = of_family(field)

    def make(row: Row) -> Cell:
        found = read(row)
        return EMPTY if _is_nothing(found) else show(found)

    return make


def of_family(field: Field) -> Callable[[Any], Cell]:
    """How a value of a computed field looks."""
    return _BY_FAMILY.get(field.result or NUMBER, _text)


def text(field: Field, stored: Any, config: Configuration, locale: str, names: Names) -> str:
    """The value as one line of text; "" for none."""
    if _is_nothing(stored):
        return ""
    cell = _shower(field, config, locale, names)(stored)
    return cell.text or ", ".join(item.text for item in cell.items)


def options(field: Field, config: Configuration, locale: str) -> list[tuple[str, str, str, bool]]:
    """(key, label, colour, retired) of each value that a choice field knows, in order."""
    if field.choices:
        return [(one.key, str(gettext(one.label)), one.colour, False) for one in field.choices]
    return [
        (one.key, one.label(locale), one.colour, one.retired)
        for one in config.pick_lists.get(field.pick_list, {}).values()
    ]


def _shower(
    field: Field, config: Configuration, locale: str, names: Names
) -> Callable[[Any], Cell]:
    if field.choices:
        fixed = {one.key: one for one in field.choices}
        return lambda key: _option(fixed.get(key), key)
    if field.type == "tags":
        return lambda keys: Cell(
            "pills", items=tuple(Cell("pill", f"#{one}") for one in _several(keys))
        )
    if field.family == "choices":
        return lambda keys: Cell(
            "pills",
            items=tuple(_pick(config, field.pick_list, one, locale) for one in _several(keys)),
        )
    if field.family == FILES:
        return _filer(field, names.get("files", {}))
    if field.refers_to:
        known = names.get(field.refers_to, {})
        return lambda ids: _named(ids, known)
    if field.family == "flag":
        yes, no = Cell("text", gettext("Yes")), Cell("text", gettext("No"))
        return lambda value: yes if value else no
    if field.family == "choice":
        return _picker(config, field.pick_list, locale)
    show = _SHOWERS.get(field.type, _text)
    if field.family == NUMBER:
        return lambda value: _whole(show, value, locale) if type(value) is int else show(value)
    return show


@lru_cache(maxsize=8192)
def _whole(show: Callable[[int], Cell], number: int, locale: str) -> Cell:
    """Whole numbers and prices repeat, on a page and from page to page."""
    return show(number)


def _option(option: Option | None, key: Any) -> Cell:
    if option is None:
        return Cell("text", str(key))
    return Cell("pill", str(gettext(option.label)), colour=option.colour)


def _pick(config: Configuration, list_key: str, key: Any, locale: str) -> Cell:
    value = config.value(list_key, str(key))
    return Cell("pill", value.label(locale), colour=value.colour) if value else EMPTY


def _picker(config: Configuration, list_key: str, locale: str) -> Callable[[Any], Cell]:
    """The same cell for the same value: fifty rows have but a few."""
    known: dict[Any, Cell] = {}

    def show(key: Any) -> Cell:
        if key not in known:
            known[key] = _pick(config, list_key, key, locale)
        return known[key]

    return show


def _named(ids: Any, known: Mapping[Any, str]) -> Cell:
    if not isinstance(ids, list):
        name = known.get(ids)
        return EMPTY if name is None else Cell("text", name)
    found = [known[one] for one in _several(ids) if one in known]
    return Cell("text", ", ".join(found)) if found else EMPTY


def _several(value: Any) -> list[Any]:
    """The value as a list, without the gaps that a path through a list may have."""
    return [one for one in value if one is not None] if isinstance(value, list) else [value]


def _text(value: Any) -> Cell:
    if isinstance(value, str):
        return Cell("text", value)
    return Cell("text", ", ".join(map(str, _several(value))))


def _long_text(value: Any) -> Cell:
    return Cell("long", str(next(iter(_several(value)), "")))


def _number(value: Any) -> Cell:
    return Cell("number", formats.format_number(value))


def _money(value: Any) -> Cell:
    return Cell("number", formats.format_money(value))


def _percent(value: Any) -> Cell:
    return Cell("number", f"{formats.format_number(value)} %")


def _date(value: Any) -> Cell:
    return Cell("text", formats.format_date(local_date(value)))


def _instant(value: Any) -> Cell:
    return Cell("text", formats.format_datetime(value))


def _phone(value: Any) -> Cell:
    numbers = [str(one) for one in _several(value)]
    digits = "".join(char for char in numbers[0] if char.isdigit() or char == "+")
    return Cell("link", ", ".join(numbers), url=f"tel:{digits}")


def _email(value: Any) -> Cell:
    found = [str(one) for one in _several(value)]
    return Cell("link", ", ".join(found), url=f"mailto:{found[0]}")


def _link(value: Any) -> Cell:
    """Only web addresses become links: what was imported or typed elsewhere may be anything."""
    if str(value).lower().startswith(LINK_SCHEMES):
        return Cell("link", str(value), url=str(value))
    return Cell("text", str(value))


def _filer(field: Field, known: Mapping[Any, str]) -> Callable[[Any], Cell]:
    """Pictures small, of other files the name of the first; `sub` says how many are not shown."""
    is_picture = field.type == "picture"
    most = PICTURES_SHOWN if is_picture else 1

    def show(ids: Any) -> Cell:
        items = tuple(_file(one, known[one], is_picture) for one in _several(ids) if one in known)
        more = f"+{len(items) - most}" if len(items) > most else ""
        return Cell("files", sub=more, items=items, level=str(most)) if items else EMPTY

    return show


def _file(file_id: Any, name: str, is_picture: bool) -> Cell:
    small = url_for("files.thumbnail_view", attachment_id=file_id) if is_picture else None
    url = url_for("files.file_view", attachment_id=file_id)
    return Cell("file", name, url=url, panel_url=small)


def _flag(value: Any) -> Cell:
    return Cell("text", gettext("Yes") if value else gettext("No"))


_BY_FAMILY: Mapping[str, Callable[[Any], Cell]] = {
    NUMBER: _number,
    DAY: _date,
    FLAG: _flag,
}
_SHOWERS: Mapping[str, Callable[[Any], Cell]] = {
    "long_text": _long_text,
    "integer": _number,
    "decimal": _number,
    "computed": _number,
    "money": _money,
    "percent": _percent,
    "date": _date,
    "date_time": _instant,
    "phone": _phone,
    "phones": _phone,
    "email": _email,
    "emails": _email,
    "link": _link,
}
