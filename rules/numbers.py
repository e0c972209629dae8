"""Numbers as people type them in Vietnam and elsewhere: 1.250.000 or 1,250,000; 12,5 or 12.5."""

import re
import unicodedata
from decimal import Decimal

from rules.errors import N_, InvalidInput

DIGITS_KEPT = 15  # before the mark: what a browser computes with exactly
DECIMALS_KEPT = 6
_NUMBER = re.compile(r"([+-]?)(\d[\d.,]*|[.,]\d+)", re.ASCII)
_SPACED = re.compile(r"[+-]?\d{1,3}( \d{3})+([.,]\d+)?", re.ASCII)  # 1 250 000
_UNITS = ("₫", "vnđ", "vnd", "đ", "%")
_LONGEST = 60
_BETWEEN = {"en": ","}  # thousands, where a single sign could mean either


def whole(text: str) -> int:
    """The whole number that was typed; marks between thousands do not count.

    Raises InvalidInput.
    """
    number = _number(text, is_whole=True)
    if number != number.to_integral_value():
        raise InvalidInput(
            N_("“%(value)s” is not a whole number. Write digits only, for example 1250."),
            value=text.strip()[:30],
        )
    return int(number)


def decimal(text: str, locale: str = "vi") -> Decimal:
    """The number that was typed, without zeros at its end. Raises InvalidInput.

    A single comma is the decimal mark. A single point is one, too, unless it stands where a mark
    between thousands would: 1.250 is a thousand and more, 0.250 and 12.5 are not. For readers of
    English it is the other way round: 1,250 is a thousand and more.
    """
    number = _number(text, is_whole=False, between=_BETWEEN.get(locale, "."))
    if _decimals(number) > DECIMALS_KEPT:
        raise InvalidInput(
            N_("“%(value)s” has more than %(limit)s decimals. Round it."),
            value=text.strip()[:30],
            limit=DECIMALS_KEPT,
        )
    return number


def typed_decimal(number: Decimal, locale: str = "vi") -> str:
    """The number as a form shows it: a comma before decimals (a point for readers of English),
    nothing between thousands."""
    text = format(number, "f")
    return text if locale == "en" else text.replace(".", ",")


def typed_money(amount: int, locale: str = "vi") -> str:
    """An amount as a form shows it: 1.250.000, and 1,250,000 for readers of English."""
    text = f"{amount:,}"
    return text if locale == "en" else text.replace(",", ".")


def _number(text: str, *, is_whole: bool, between: str = ".") -> Decimal:
    found = _NUMBER.fullmatch(_plain(text))
    digits = _decimal_point(found[2], is_whole=is_whole, between=between) if found else None
    if not found or digits is None:
        raise InvalidInput(
            N_("“%(value)s” is not a number. Write it like 1250 or 12,5."),
            value=text.strip()[:30],
        )
    number = Decimal(found[1] + digits)
    if number.adjusted() >= DIGITS_KEPT and number:
        raise InvalidInput(
            N_("“%(value)s” is too large: at most %(limit)s digits are possible."),
            value=text.strip()[:30],
            limit=DIGITS_KEPT,
        )
    return _short(number)


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text[: _LONGEST + 1]).casefold()
    for unit in _UNITS:
        plain = plain.strip().removesuffix(unit)
    plain = " ".join(plain.split()).replace("−", "-")
    if _SPACED.fullmatch(plain):
        plain = plain.replace(" ", "")
    return plain if len(plain) <= _LONGEST else ""


def _decimal_point(digits: str, *, is_whole: bool, between: str) -> str | None:
    """The digits with a point as decimal mark and nothing between thousands; None: no number."""
    mark = _mark(digits, is_whole=is_whole, between=between)
    before, _, after = digits.rpartition(mark) if mark else (digits, "", "")
    other = {",": ".", ".": ","}.get(mark)
    if mark and (mark in before or (other and other in after)):
        return None
    groups = re.split(r"[.,]", before)
    separators = {char for char in before if char in ".,"}
    if len(groups) > 1 and (
        len(separators) > 1
        or not 1 <= len(groups[0]) <= 3
        or any(len(group) != 3 for group in groups[1:])
    ):
        return None
    return f"{''.join(groups) or '0'}.{after}" if after else "".join(groups)


def _mark(digits: str, *, is_whole: bool, between: str) -> str:
    """Which sign is the decimal mark; "" when there is none."""
    points, commas = digits.count("."), digits.count(",")
    if points and commas:
        return max(".,", key=digits.rfind)
    if points + commas != 1:
        return ""
    sign = "." if points else ","
    before, after = digits.split(sign)
    is_group = len(after) == 3 and 1 <= len(before) <= 3 and before.lstrip("0")
    return "" if is_group and (is_whole or sign == between) else sign


def _short(number: Decimal) -> Decimal:
    """Without superfluous zeros, and never as 1E+3."""
    return (
        number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()
    )


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
