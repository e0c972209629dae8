"""What is typed into a field becomes its value, and the value is shown again as it is typed.

text             families text, choice: str        choices, tags: list[str]
integer, money   int                               phones, emails: list[str]
decimal, percent Decimal                           references: an id, lists of ids
date             date (local)                      date_time: aware datetime
yes_no           bool                              empty, whatever the type: None
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email

from rules import numbers, patterns
from rules.errors import N_, InvalidInput
from rules.fields import DAY, INSTANT, NUMBER, Field, Typing
from rules.filters import parse_date
from rules.phones import phone_key, phone_with_remark
from rules.text import fold, nfc

Typed = str | Sequence[str]

EARLIEST, LATEST = date(1000, 1, 1), date(2999, 12, 31)
PHONES_KEPT = EMAILS_KEPT = 10
PHONE_LENGTH = 80  # a number and who answers it
PHONE_DIGITS = 20  # more than any country has, with the sign
CHOICES_KEPT = 100
FILES_KEPT = 20
YES = frozenset({"yes", "true", "1", "on", "x", "co", "dung"})
NO = frozenset({"no", "false", "0", "off", "khong", "sai"})
# A comma within a remark in parentheses separates no phones: "0912440785 (Ba, buổi sáng)".
PHONE_SEPARATORS = re.compile(r"[,\n](?![^(\n]*\))")
_DATE_TIME = re.compile(r"(\S+?)(?:[ T]+(\d{1,2})[:h](\d{2})?(?::\d{2})?)?")
_FROM_TODAY = re.compile(r"([+-])(\d{1,5})d")


def parse(field: Field, text: Typed, typing: Typing) -> Any:
    """The value of what was typed, checked against the field's own rules; None for nothing.

    Lists are typed as several texts, or as one with commas. Whether the field is required is
    another question (services/field_values.py).

    Raises InvalidInput that says what to do.
    """
    value = read(field, text, typing)
    if value is None:
        return None
    _check_length(field, value)
    _check_bounds(field, value, typing)
    if field.pattern and isinstance(value, str):
        _check_pattern(field, value)
    return value


def read(field: Field, text: Typed, typing: Typing) -> Any:
    """The same without the field's limits: what the type alone makes of the text."""
    reader = _LIST_READERS.get(field.type)
    if reader:
        parts = _parts(text, separators=_SEPARATORS.get(field.type, re.compile(r"[,\n]")))
        return reader(field, parts, typing) or None
    one = text if isinstance(text, str) else (text[-1] if text else "")
    clean = nfc(one, multiline=field.type == "long_text")
    if not clean:
        return None
    if field.type not in _READERS:
        raise InvalidInput(N_("This follows from other fields and cannot be typed."))
    return _READERS[field.type](field, clean, typing)


def typed(field: Field, value: Any, zone: tzinfo) -> str:
    """The value as a form shows it; `parse` makes the same value of it again."""
    if value is None or value == []:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        there = value.astimezone(zone)
        return f"{_typed_day(there.date())} {there.hour:02}:{there.minute:02}"
    if isinstance(value, date):
        return _typed_day(value)
    if field.type == "money" and value == int(value):
        return numbers.typed_money(int(value))
    if isinstance(value, Decimal):
        return numbers.typed_decimal(value)
    return str(value)


def default(field: Field, typing: Typing) -> Any:
    """The value that a new record begins with; None also when the definition makes no sense."""
    if not field.default:
        return None
    try:
        if field.family in (DAY, INSTANT):
            day = relative_day(field.default, typing.today)
            if day:
                return day if field.family == DAY else datetime.combine(day, time(), typing.zone)
        return parse(field, field.default, typing)
    except InvalidInput:
        return None


def relative_day(text: str, today: date) -> date | None:
    """The day that `today`, `+7d` or `-30d` means; None for anything else."""
    word = text.strip().lower()
    if word == "today":
        return today
    found = _FROM_TODAY.fullmatch(word)
    if not found:
        return None
    days = timedelta(days=int(found[2]))
    try:
        return today + days if found[1] == "+" else today - days
    except OverflowError:
        return None


def bound(field: Field, text: str, typing: Typing) -> Any:
    """The limit that a definition names: a number, a day, an instant, or a count of characters or
    values; None when there is none. Raises InvalidInput.
    """
    if not text.strip():
        return None
    if field.family == NUMBER:
        return (
            numbers.decimal(text) if field.type in ("decimal", "percent") else numbers.whole(text)
        )
    if field.family in (DAY, INSTANT):
        day = relative_day(text, typing.today) or parse_date(text)
        assert day is not None  # noqa: S101 the text is not empty
        return day if field.family == DAY else datetime.combine(day, time(), typing.zone)
    return numbers.whole(text)


def _check_length(field: Field, value: Any) -> None:
    if isinstance(value, str) and len(value) > field.max_length:
        raise InvalidInput(
            N_("This has %(length)s characters; shorten it to at most %(limit)s."),
            length=len(value),
            limit=field.max_length,
        )


def _check_bounds(field: Field, value: Any, typing: Typing) -> None:
    for text, is_minimum in ((field.minimum, True), (field.maximum, False)):
        try:
            limit = bound(field, text, typing)
        except InvalidInput:
            continue  # the definition makes no sense: administrators read that where they define
        if limit is None:
            continue
        size = len(value) if isinstance(value, str | list) else value
        if size < limit if is_minimum else size > limit:
            raise InvalidInput(_BEYOND[_measure(field, value), is_minimum], limit=limit)


def _measure(field: Field, value: Any) -> str:
    if isinstance(value, list):
        return "list"
    if field.family in (DAY, INSTANT):
        return "day"
    return "number" if field.family == NUMBER else "length"


_BEYOND = {
    ("number", True): N_("This must be at least %(limit)s."),
    ("number", False): N_("This must be at most %(limit)s."),
    ("day", True): N_("This must not be before %(limit)s."),
    ("day", False): N_("This must not be after %(limit)s."),
    ("length", True): N_("Write at least %(limit)s characters."),
    ("length", False): N_("Write at most %(limit)s characters."),
    ("list", True): N_("Choose at least %(limit)s."),
    ("list", False): N_("Choose at most %(limit)s."),
}


def _check_pattern(field: Field, value: str) -> None:
    try:
        fits = patterns.compiled(field.pattern).matches(value)
    except InvalidInput:
        return  # as with limits
    if not fits:
        raise InvalidInput(
            N_("“%(value)s” does not have the form that is asked for here."), value=value[:60]
        )


def _parts(text: Typed, *, separators: re.Pattern[str]) -> list[str]:
    texts = [text] if isinstance(text, str) else list(text)
    parts = [part for one in texts for part in separators.split(nfc(one, multiline=True))]
    return [part.strip() for part in parts if part.strip()]


def _text(_field: Field, text: str, _typing: Typing) -> str:
    return text


def _whole(_field: Field, text: str, _typing: Typing) -> int:
    return numbers.whole(text)


def _decimal(_field: Field, text: str, _typing: Typing) -> Decimal:
    return numbers.decimal(text)


def _day(_field: Field, text: str, _typing: Typing) -> date:
    return _known_day(text, text)


def _known_day(text: str, whole: str) -> date:
    try:
        day = parse_date(text)
    except InvalidInput:
        day = None
    if day is None or not EARLIEST <= day <= LATEST:
        raise InvalidInput(
            N_("“%(value)s” is not a date. Write day/month/year, for example 28/11/2026."),
            value=whole[:30],
        )
    return day


def _instant(_field: Field, text: str, typing: Typing) -> datetime:
    found = _DATE_TIME.fullmatch(text)
    if found:
        try:
            day = _known_day(found[1], text)
            at = time(int(found[2] or 0), int(found[3] or 0))
            return datetime.combine(day, at, typing.zone).astimezone(UTC)
        except (InvalidInput, ValueError, OverflowError):
            pass
    raise InvalidInput(
        N_("“%(value)s” is not a date with a time. Write it like 28/11/2026 14:30."),
        value=text[:30],
    )


def _yes_no(_field: Field, text: str, _typing: Typing) -> bool:
    word = fold(text)
    if word not in YES | NO:
        raise InvalidInput(N_("“%(value)s” is neither yes nor no."), value=text[:30])
    return word in YES


def _chosen(field: Field, key: str, typing: Typing) -> str:
    fixed = {one.key for one in field.choices}
    if key not in (fixed or typing.known_values(field.pick_list)):
        raise InvalidInput(N_("Choose a value from the list."))
    return key


def _choices(field: Field, keys: Sequence[str], typing: Typing) -> list[str]:
    if len(keys) > CHOICES_KEPT:
        raise InvalidInput(N_("Choose at most %(limit)s."), limit=CHOICES_KEPT)
    return [_chosen(field, key, typing) for key in dict.fromkeys(keys)]


def _phone(_field: Field, text: str, _typing: Typing) -> str:
    key = phone_key(text)
    if key is None or len(key) > PHONE_DIGITS or len(text) > PHONE_LENGTH:
        raise InvalidInput(
            N_("“%(value)s” is not a phone number. Write it like 0912 345 678."),
            value=text[:40],
        )
    return phone_with_remark(text)


def _phones(field: Field, parts: Sequence[str], typing: Typing) -> list[str]:
    if len(parts) > PHONES_KEPT:
        raise InvalidInput(N_("Keep at most %(limit)s phone numbers."), limit=PHONES_KEPT)
    return [_phone(field, part, typing) for part in parts]


def _email(_field: Field, text: str, _typing: Typing) -> str:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise InvalidInput(
            N_("“%(value)s” is not an e-mail address. Write it like ten@congty.vn."),
            value=text[:60],
        ) from error


def _emails(field: Field, parts: Sequence[str], typing: Typing) -> list[str]:
    if len(parts) > EMAILS_KEPT:
        raise InvalidInput(N_("Keep at most %(limit)s e-mail addresses."), limit=EMAILS_KEPT)
    return [_email(field, part, typing) for part in parts]


def _link(_field: Field, text: str, _typing: Typing) -> str:
    """An address of the web, and nothing that a browser would run."""
    address = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        _ = parts.port  # raises for one that is none
    except ValueError:
        host = ""
    is_web = host and parts.scheme in ("http", "https") and "." in host.strip(".")
    if not is_web or any(char.isspace() or char in '<>"\\^`{|}' for char in address):
        raise InvalidInput(
            N_("“%(value)s” is not an address of the web. Write it like https://congty.vn."),
            value=text[:60],
        )
    return address


def _reference(field: Field, text: str, typing: Typing) -> Any:
    return typing.refer(field.refers_to or "", text)


def _references(field: Field, parts: Sequence[str], typing: Typing) -> list[Any]:
    return list(dict.fromkeys(typing.refer(field.refers_to or "", part) for part in parts))


def _files(field: Field, parts: Sequence[str], typing: Typing) -> list[Any]:
    if len(set(parts)) > FILES_KEPT:
        raise InvalidInput(N_("Choose at most %(limit)s."), limit=FILES_KEPT)
    return _references(field, parts, typing)


def _typed_day(day: date) -> str:
    return f"{day.day:02}/{day.month:02}/{day.year:04}"


_READERS: Mapping[str, Callable[[Field, str, Typing], Any]] = {
    "text": _text,
    "long_text": _text,
    "integer": _whole,
    "money": _whole,
    "decimal": _decimal,
    "percent": _decimal,
    "date": _day,
    "date_time": _instant,
    "yes_no": _yes_no,
    "choice": _chosen,
    "phone": _phone,
    "email": _email,
    "link": _link,
} | dict.fromkeys(("staff", "customer", "product", "area", "product_group", "order"), _reference)
_LIST_READERS: Mapping[str, Callable[[Field, Sequence[str], Typing], list[Any]]] = {
    "choices": _choices,
    "phones": _phones,
    "emails": _emails,
    "staff_list": _references,
    "file": _files,
    "picture": _files,
}
_SEPARATORS = {"phones": PHONE_SEPARATORS}
