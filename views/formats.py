"""How values look in a page: dates, money, numbers, names; Jinja filters and functions."""

import hashlib
from datetime import date, datetime
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Any

from babel.dates import format_date as babel_format_date
from babel.numbers import format_decimal
from bson.decimal128 import Decimal128
from flask import Flask
from jinja2 import Undefined

from models.base import local_date
from rules.errors import CareError
from rules.permissions import REVEAL, Role
from rules.phones import dialled
from rules.sentences import Sentence
from rules.teams import Team
from views.context import configured, current_actor, locale, person, settings, today
from views.i18n import said

LARGE = 10**34  # from here on a number is written as it is stored (1E+6000)
PRECISION = 40  # digits: 34 of a stored decimal and six decimals
NO_BREAK_SPACE = "\u00a0"
AVATAR_COLOURS = 8  # classes avatar-0 … avatar-7 in frame.css


def format_date(value: date | datetime | None) -> str:
    """A local date (as a date, or as it is stored) as dd/mm/yyyy; "" for None."""
    day = local_date(value)
    return f"{day.day:02}/{day.month:02}/{day.year:04}" if day else ""


def format_long_date(value: date) -> str:
    """A date with its weekday, `Thứ Bảy, 21/11/2026`."""
    weekday = babel_format_date(value, "EEEE", locale=locale())
    return f"{weekday}, {format_date(value)}"


def format_day(value: datetime | None) -> str:
    """The day of an instant in the site's time zone as dd/mm/yyyy; "" for None."""
    return format_date(value.astimezone(settings().zone).date()) if value else ""


def format_datetime(value: datetime | None) -> str:
    """An instant in the site's time zone as dd/mm/yyyy hh:mm; "" for None or a missing field."""
    if not value:
        return ""
    there = value.astimezone(settings().zone)
    return f"{format_date(there.date())} {there.hour:02}:{there.minute:02}"


def format_number(value: Any) -> str:
    """A number with the reader's separators (1.250 or 1,250), decimals only when there are any.

    "" for None or a missing field of a document.
    """
    if value is None or isinstance(value, Undefined):
        return ""
    number = value.to_decimal() if isinstance(value, Decimal128) else value
    if isinstance(number, int):
        return _grouped(number)
    return _written(number, "#,##0.######")


def format_bytes(size: int) -> str:
    """A file's size: "840 B", "12 kB", "1,4 MB"."""
    if size < 1024:
        return f"{size} B"
    if size < 1024 * 1024:
        return f"{format_number(-(-size // 1024))} kB"
    return f"{format_number(round(size / 1024 / 1024, 1))} MB"


def format_money(value: Any) -> str:
    """An amount in dong, `1.250.000 ₫`; decimals only when there are any.

    "" for None or a missing field of a document.
    """
    if value is None or isinstance(value, Undefined):
        return ""
    if isinstance(value, Decimal128):
        return _money(value.bid, locale())
    if isinstance(value, int):
        return f"{_grouped(value)}{NO_BREAK_SPACE}₫"
    return _said_money(Decimal(str(value)))


@lru_cache(maxsize=8192)
def _money(bid: bytes, locale: str) -> str:
    """Prices and totals repeat, on a page and from page to page."""
    return _said_money(Decimal128.from_bid(bid).to_decimal())


def _said_money(amount: Decimal) -> str:
    return f"{_written(amount, '#,##0.00')}{NO_BREAK_SPACE}₫"


def _written(number: Decimal | float, with_decimals: str) -> str:
    """By Babel's pattern when there are decimals."""
    if isinstance(number, Decimal) and number.is_finite():
        if abs(number) >= LARGE:
            return str(number)
        if number == int(number):
            return _grouped(int(number))
    with localcontext(prec=PRECISION):
        return str(format_decimal(number, with_decimals, locale=locale()))


def _grouped(number: int) -> str:
    """A whole number in groups of three; Babel needs thirty times as long, on every row."""
    if -1000 < number < 1000:
        return str(number)
    text = f"{number:,}"
    return text.replace(",", ".") if locale() == "vi" else text


def say(sentence: Sentence | None) -> str:
    """A sentence in the reader's language, its parameters formatted; "" for None."""
    return _translate(sentence.message, sentence.params) if sentence else ""


def value_said(value: Any) -> str:
    """A value of a sentence by itself: a text, a sentence, or several of them."""
    return str(_param(value))


def say_error(error: CareError) -> str:
    """An error in the reader's language."""
    return _translate(error.message, error.params)


def initials(name: str | None) -> str:
    """The initials of the last two words: a Vietnamese name ends with the given name."""
    return "".join(word[0] for word in (name or "?").split()[-2:]).upper()


def avatar_class(name: str | None) -> str:
    """A colour class that stays the same for a name."""
    digest = hashlib.sha256((name or "").encode()).digest()
    return f"avatar-{digest[0] % AVATAR_COLOURS}"


def role_name(role: str) -> str:
    """A role in the reader's language, as the site calls it."""
    known = configured().roles.get(role)
    return known.label(locale()) if known else role


def _translate(message: str, params: dict[str, Any]) -> str:
    text = said(message)
    return text % {name: _param(value) for name, value in params.items()} if params else text


def _param(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, Sentence):
        return say(value)
    if isinstance(value, CareError):
        return say_error(value)
    if isinstance(value, Role | Team):
        return value.label(locale())
    if isinstance(value, datetime):
        return format_datetime(value)
    if isinstance(value, date):
        return format_date(value)
    if isinstance(value, int | Decimal | Decimal128) and not isinstance(value, bool):
        return format_number(value)
    if isinstance(value, list | tuple):
        return ", ".join(str(_param(item)) for item in value)
    return value


def register(app: Flask) -> None:
    """Makes the filters and functions known to templates."""
    app.jinja_env.filters.update(
        date=format_date,
        datetime=format_datetime,
        long_date=format_long_date,
        number=format_number,
        money=format_money,
        sentence=say,
        said=value_said,
        care_error=say_error,
        initials=initials,
        avatar_class=avatar_class,
        role_name=role_name,
        dialled=dialled,
    )
    app.jinja_env.globals.update(
        field_level=lambda kind, key: current_actor().access.level(kind, key),
        sees_field=lambda kind, key: current_actor().access.sees(kind, key),
        may_reveal=lambda: current_actor().can(REVEAL),
        may=lambda kind, action: current_actor().may(kind, action),
        can=lambda ability: current_actor().can(ability),
    )
    app.jinja_env.globals.update(locale=locale, person=person, today=today)
