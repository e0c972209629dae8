"""Numbers as people type them in Vietnam and elsewhere: 1.250.000 or 1,250,000; 12,5 or 12.5.

Files and stored definitions may write them either way. What is typed on a page is read as the
language of the page writes numbers and no other way: 1,250 is a thousand and more on an English
page, and a little more than one on a Vietnamese page.
"""

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
_EXAMPLES = {"vi": "1.250,5", "en": "1,250.5"}
# Thousands in groups or not at all, then the decimal mark of the language. Keyboards in Vietnam
# often have but a point: where it cannot stand between thousands, it is a decimal mark there, too.
_WRITTEN = {
    "vi": re.compile(
        r"(?P<before>[1-9]\d{0,2}(\.\d{3})+|\d*)(,(?P<after>\d*))?|(?P<point>\d+\.\d+)",
        re.ASCII,
    ),
    "en": re.compile(
        r"(?P<before>[1-9]\d{0,2}(,\d{3})+|\d*)(\.(?P<after>\d*))?(?P<point>(?!))?", re.ASCII
    ),
}
_SWAPPED = str.maketrans(".,", ",.")


def whole(text: str, language: str = "") -> int:
    """The whole number that was typed.

    Args:
        language: that of the page it was typed on; "" where marks between thousands do not count.

    Raises InvalidInput.
    """
    number = _number(text, is_whole=True, language=language)
    if number != number.to_integral_value():
        raise InvalidInput(
            N_("“%(value)s” is not a whole number. Write digits only, for example 1250."),
            value=text.strip()[:30],
        )
    return int(number)


def decimal(text: str, language: str = "") -> Decimal:
    """The number that was typed, without zeros at its end. Raises InvalidInput.

    On a page it is read as its language writes numbers. Elsewhere (language "") a single comma is
    the decimal mark. A single point is one, too, unless it stands where a mark between thousands
    would: 1.250 is a thousand and more, 0.250 and 12.5 are not.
    """
    number = _number(text, is_whole=False, language=language)
    if _decimals(number) > DECIMALS_KEPT:
        raise InvalidInput(
            N_("“%(value)s” has more than %(limit)s decimals. Round it."),
            value=text.strip()[:30],
            limit=DECIMALS_KEPT,
        )
    return number


def in_language(text: str, language: str) -> str:
    """A text that forms show (`typed_decimal`, `typed_money`) as the language writes it.

    The same again makes the first text of it, whatever number it is.
    """
    return swapped(text) if language == "en" else text


def swapped(text: str) -> str:
    """A number as one language writes it, the way the other one does."""
    return text.translate(_SWAPPED)


def typed_decimal(number: Decimal, locale: str = "vi") -> str:
    """The number as a form shows it: a comma before decimals (a point for readers of English),
    nothing between thousands."""
    text = format(number, "f")
    return text if locale == "en" else text.replace(".", ",")


def typed_money(amount: int, locale: str = "vi") -> str:
    """An amount as a form shows it: 1.250.000, and 1,250,000 for readers of English."""
    text = f"{amount:,}"
    return text if locale == "en" else text.replace(",", ".")


def _number(text: str, *, is_whole: bool, language: str) -> Decimal:
    found = _NUMBER.fullmatch(_plain(text))
    digits = None
    if found and language:
        digits = _as_written(found[2], language)
    elif found:
        digits = _decimal_point(found[2], is_whole=is_whole)
    if not found or digits is None:
        raise _not_a_number(text, language)
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


def _not_a_number(text: str, language: str) -> InvalidInput:
    if language:
        return InvalidInput(
            N_("“%(value)s” is not a number as this page writes them. Write it like %(example)s."),
            value=text.strip()[:30],
            example=_EXAMPLES[language],
        )
    return InvalidInput(
        N_("“%(value)s” is not a number. Write it like 1250 or 12,5."), value=text.strip()[:30]
    )


def _as_written(digits: str, language: str) -> str | None:
    """The digits as the language writes them, with a point as decimal mark; None: no number."""
    found = _WRITTEN[language].fullmatch(digits)
    if not found:
        return None
    if found["point"]:
        return found["point"]
    thousands = re.sub(r"[.,]", "", found["before"]) or "0"
    return f"{thousands}.{found['after']}" if found["after"] else thousands


def _decimal_point(digits: str, *, is_whole: bool) -> str | None:
    """The digits with a point as decimal mark and nothing between thousands; None: no number."""
    mark = _mark(digits, is_whole=is_whole)
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


def _mark(digits: str, *, is_whole: bool) -> str:
    """Which sign is the decimal mark; "" when there is none."""
    points, commas = digits.count("."), digits.count(",")
    if points and commas:
        return max(".,", key=digits.rfind)
    if points + commas != 1:
        return ""
    sign = "." if points else ","
    before, after = digits.split(sign)
    is_group = len(after) == 3 and 1 <= len(before) <= 3 and before.lstrip("0")
    return "" if is_group and (is_whole or sign == ".") else sign


def _short(number: Decimal) -> Decimal:
    """Without superfluous zeros, and never as 1E+3."""
    return (
        number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()
    )


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
