"""Cells that the due lists share: the green square, the customer, the explained date (B.1)."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any

from flask_babel import gettext

from models.base import local_date
from rules.care_sentences import explain, nearness
from rules.sentences import Sentence
from views import formats
from views.cells import Cell
from views.context import locale, today

Link = Callable[[Any], str]  # a record id to its address


def square(text: str, *, care_url: str, record_url: str) -> Cell:
    """The number of the record, and before it the green square that opens the care form (S1.17)."""
    return Cell("square", text, url=record_url, panel_url=care_url)


def customer(
    row: dict[str, Any] | None,
    area: str | None,
    link: Link,
    instead_of: str = "",
    *,
    is_there: bool = False,
) -> Cell:
    """Name over whose work it is, phone and area.

    Says so when there is no customer, or one (`is_there`) that the person may not see.
    """
    if row is None:
        text = gettext("A customer you cannot see") if is_there else gettext("No customer")
        return Cell("title", text, level="muted")
    phone = next(iter(row.get("phones") or []), "")
    return Cell(
        "title",
        row["name"],
        sub=" · ".join(part for part in (instead_of, phone, area) if part),
        url=link(row["_id"]),
    )


def due(care: dict[str, Any], product_names: dict[str, Any]) -> Cell:
    """The date with how near it is, over the reason for it."""
    due_on = local_date(care.get("due_on"))
    if due_on is None:
        return Cell("text", "–", level="muted")
    day, language = today(), locale()
    text, level = _near(due_on, day, language)
    reason = _reason(due_on, care.get("basis"), product_names, day, language)
    return Cell("due", text, sub=reason, level=level)


@lru_cache(maxsize=2048)
def _near(due_on: date, today: date, locale: str) -> tuple[str, str]:
    """The date with its distance, and its level; the same for all rows of a day and language."""
    near = nearness(due_on, today)
    return f"{formats.format_date(due_on)} · {formats.say(near.sentence)}", near.level


def why(due_on: date, basis: dict[str, Any] | None, product_names: dict[str, Any]) -> str:
    """The explanation of a date (B.1) in the reader's language, with the product's name."""
    return _reason(due_on, basis, product_names, today(), locale())


def _reason(
    due_on: date,
    basis: dict[str, Any] | None,
    product_names: dict[str, Any],
    day: date,
    language: str,
) -> str:
    if not basis:
        return ""
    named = product_names.get(basis.get("product_code"))
    name = named["name"] if named else None
    return _why(due_on, tuple(basis.items()), name, day.year, language)


@lru_cache(maxsize=4096)
def _why(
    due_on: date, basis: tuple[tuple[str, Any], ...], product: str | None, year: int, locale: str
) -> str:
    """The same words for the same reason: the first page of a list is read again and again."""
    sentence = explain(due_on, dict(basis))
    if sentence is None:
        return ""
    params = sentence.params | ({"product": product} if product else {})
    return formats.say(Sentence(sentence.message, _short(params, year)))


def _short(params: dict[str, Any], year: int) -> dict[str, Any]:
    """Dates without their year while all of them are of this year: 12/05 = 02/05 + 5 days × 2."""
    days = {name: value for name, value in params.items() if isinstance(value, date)}
    if any(day.year != year for day in days.values()):
        return params
    return params | {name: f"{day.day:02}/{day.month:02}" for name, day in days.items()}
