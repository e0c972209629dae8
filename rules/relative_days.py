"""Days in conditions: `2026-11-28`, `today`, `+7d`, `-30d`, and periods such as `last_month`."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from rules.errors import N_, InvalidInput
from rules.filters import parse_date
from rules.sentences import Sentence

Range = tuple[date, date]  # both days included
MOST_DAYS = 36500
_OFFSET = re.compile(r"([+-])(\d{1,5})d\Z")
_EARLIEST, _LATEST = date(1000, 1, 1), date(9000, 1, 1)  # room for offsets and time zones

_POINTS: Mapping[str, tuple[int, str]] = {
    "today": (0, N_("today")),
    "yesterday": (-1, N_("yesterday")),
    "tomorrow": (1, N_("tomorrow")),
}


def day(text: str, today: date) -> date:
    """The day that the text means. Raises InvalidInput for none, or one too far away."""
    if text in _POINTS:
        return today + timedelta(days=_POINTS[text][0])
    offset = _OFFSET.match(text)
    if offset:
        return today + timedelta(days=_signed(offset))
    found = parse_date(text)
    if found is None or not _EARLIEST <= found <= _LATEST:
        raise InvalidInput(
            N_("“%(value)s” is not a date. Write day/month/year, for example 28/11/2026."),
            value=text[:30],
        )
    return found


def canonical_day(text: str) -> str:
    """The text as it stands in an address: a typed 28/11/2026 becomes 2026-11-28."""
    if text in _POINTS or _OFFSET.match(text):
        return text
    found = parse_date(text)
    return found.isoformat() if found else ""


def period(text: str, today: date) -> Range:
    """The days from first to last. Raises InvalidInput for a period that is not known."""
    if text in PERIODS:
        return PERIODS[text][1](today)
    offset = _OFFSET.match(text)
    if offset:
        other = today + timedelta(days=_signed(offset))
        return min(today, other), max(today, other)
    raise InvalidInput(
        N_("“%(value)s” is not a period. Choose one of the list, for example this month."),
        value=text[:30],
    )


def says_day(text: str, today: date) -> Sentence | date:
    """The day in words: "today", "in 7 days", or the date itself."""
    if text in _POINTS:
        return Sentence(_POINTS[text][1])
    offset = _OFFSET.match(text)
    if offset:
        number = _signed(offset)
        ahead = N_("in %(days)s days") if number >= 0 else N_("%(days)s days ago")
        return Sentence(ahead, {"days": abs(number)})
    return day(text, today)


def says_period(text: str) -> Sentence:
    if text in PERIODS:
        return Sentence(PERIODS[text][0])
    offset = _OFFSET.match(text)
    number = _signed(offset) if offset else 0
    ahead = N_("the next %(days)s days") if number >= 0 else N_("the last %(days)s days")
    return Sentence(ahead, {"days": abs(number)})


def day_count(text: str) -> int:
    """A number of days. Raises InvalidInput for none, or more than a hundred years."""
    if text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= MOST_DAYS:
        return int(text)
    raise InvalidInput(
        N_("“%(value)s” is not a number of days. Write a whole number up to %(most)s."),
        value=text[:30],
        most=MOST_DAYS,
    )


def _signed(offset: "re.Match[str]") -> int:
    number = day_count(offset.group(2))
    return -number if offset.group(1) == "-" else number


def _week(today: date, shift: int) -> Range:
    start = today - timedelta(days=today.weekday()) + timedelta(days=7 * shift)
    return start, start + timedelta(days=6)


def _months(today: date, size: int, shift: int) -> Range:
    """The block of `size` months around today, moved by `shift` blocks."""
    block = (today.year * 12 + today.month - 1) // size + shift
    return _month_start(block * size), _month_start((block + 1) * size) - timedelta(days=1)


def _month_start(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)


def _shifted(make: Callable[[date, int], Range], shift: int) -> Callable[[date], Range]:
    return lambda today: make(today, shift)


def _blocks(size: int) -> Callable[[date, int], Range]:
    return lambda today, shift: _months(today, size, shift)


def _point(shift: int) -> Callable[[date], Range]:
    return lambda today: (today + timedelta(days=shift), today + timedelta(days=shift))


# What `within` knows, in the order in which a list offers it: {key: (label, today -> range)}.
PERIODS: Mapping[str, tuple[str, Callable[[date], Range]]] = {
    "today": (N_("today"), _point(0)),
    "yesterday": (N_("yesterday"), _point(-1)),
    "tomorrow": (N_("tomorrow"), _point(1)),
    "this_week": (N_("this week"), _shifted(_week, 0)),
    "last_week": (N_("last week"), _shifted(_week, -1)),
    "next_week": (N_("next week"), _shifted(_week, 1)),
    "this_month": (N_("this month"), _shifted(_blocks(1), 0)),
    "last_month": (N_("last month"), _shifted(_blocks(1), -1)),
    "next_month": (N_("next month"), _shifted(_blocks(1), 1)),
    "this_quarter": (N_("this quarter"), _shifted(_blocks(3), 0)),
    "last_quarter": (N_("last quarter"), _shifted(_blocks(3), -1)),
    "next_quarter": (N_("next quarter"), _shifted(_blocks(3), 1)),
    "this_year": (N_("this year"), _shifted(_blocks(12), 0)),
    "last_year": (N_("last year"), _shifted(_blocks(12), -1)),
    "next_year": (N_("next year"), _shifted(_blocks(12), 1)),
}
