"""The filters of a list: from the address of a page to criteria and a human sentence.

A list declares its filters. Each has a stable `key` that stands in the address by name, so that an
address keeps its meaning when columns or filters are added. `parse_filters` never raises: what it
cannot use becomes a problem to show above the list, and the rest of the filter still applies.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from rules.errors import N_, CareError, InvalidInput
from rules.sentences import Sentence
from rules.text import fold, nfc

Criteria = dict[str, Any]
StoreDate = Callable[[date], Any]  # a local date as the store keeps it


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a ChoiceFilter: its key in the address, its label, what it says and matches."""

    key: str
    label: str
    says: str | Sentence
    criteria: Criteria


@dataclass(frozen=True, slots=True)
class ChoiceFilter:
    """Exactly one of a few choices; `default` applies when the address says nothing."""

    key: str
    label: str
    choices: tuple[Choice, ...]
    default: str

    def parse(self, raw: str) -> Choice:
        for choice in self.choices:
            if choice.key == raw:
                return choice
        raise InvalidInput(
            N_("The filter “%(filter)s” does not know “%(value)s”; it was left out."),
            filter=Sentence(self.label),
            value=raw[:60],
        )

    def criteria(self, value: Choice, today: date) -> Criteria:
        return value.criteria

    def sentence(self, value: Choice) -> Sentence | None:
        if isinstance(value.says, Sentence):
            return value.says
        return Sentence(value.says) if value.says else None


@dataclass(frozen=True, slots=True)
class DueFilter:
    """A range of care dates (S1.14): a named range relative to today, or `dd/mm/yyyy..dd/mm/yyyy`.

    In the address: `overdue`, `today`, `week`, `all` or `2026-11-15..2026-11-28`; either end of
    the pair may be empty. `week` is everything up to seven days from today, late ones included.
    """

    key: str
    label: str
    path: str
    store: StoreDate
    default: str = "week"
    named: tuple[str, ...] = ("overdue", "today", "week", "all")

    def parse(self, raw: str) -> str | tuple[date | None, date | None]:
        if raw in self.named:
            return raw
        start, separator, end = raw.partition("..")
        if not separator:
            raise InvalidInput(
                N_("The filter “%(filter)s” does not know “%(value)s”; it was left out."),
                filter=Sentence(self.label),
                value=raw[:60],
            )
        return _in_order(parse_date(start), parse_date(end))

    def criteria(self, value: str | tuple[date | None, date | None], today: date) -> Criteria:
        bounds: Criteria = {}
        if value == "overdue":
            bounds = {"$lt": self.store(today)}
        elif value == "today":
            bounds = {"$lte": self.store(today)}
        elif value == "week":
            bounds = {"$lte": self.store(today + timedelta(days=7))}
        elif isinstance(value, tuple):
            start, end = value
            if start:
                bounds["$gte"] = self.store(start)
            if end:
                bounds["$lte"] = self.store(end)
        return {self.path: bounds} if bounds else {}

    def sentence(self, value: str | tuple[date | None, date | None]) -> Sentence | None:
        if isinstance(value, tuple):
            return _range_sentence(*value)
        return {
            "overdue": Sentence(N_("care date before today")),
            "today": Sentence(N_("care date up to today")),
            "week": Sentence(N_("care date up to 7 days from today")),
        }.get(value)


@dataclass(frozen=True, slots=True)
class InstantRangeFilter:
    """A range of local dates over an instant: `2026-11-15..2026-11-28`, both days included."""

    key: str
    label: str
    path: str
    day_start: Callable[[date], datetime]
    default: str = ""

    def parse(self, raw: str) -> tuple[date | None, date | None]:
        start, separator, end = raw.partition("..")
        return _in_order(parse_date(start), parse_date(end if separator else start))

    def criteria(self, value: tuple[date | None, date | None], today: date) -> Criteria:
        bounds: Criteria = {}
        # The first and the last day have no instant on the other side of the world.
        if value[0] and value[0] > date.min:
            bounds["$gte"] = self.day_start(value[0])
        if value[1] and value[1] < date.max:
            bounds["$lt"] = self.day_start(value[1] + timedelta(days=1))
        return {self.path: bounds} if bounds else {}

    def sentence(self, value: tuple[date | None, date | None]) -> Sentence | None:
        return _range_sentence(*value)


@dataclass(frozen=True, slots=True)
class ReferenceFilter:
    """Records that refer to one other record, named by its id. `none` finds those without.

    `below` gives the ids under one of a tree, for which it stands as well. With `has_ancestors`
    the path names what stands above by itself.
    """

    key: str
    label: str
    path: str
    says: str
    parse_id: Callable[[str], Any]
    default: str = ""
    below: Callable[[Any], Sequence[Any]] | None = None
    has_ancestors: bool = False

    def parse(self, raw: str) -> Any:
        if raw == "none":
            return None
        try:
            return self.parse_id(raw)
        except Exception as error:
            raise InvalidInput(
                N_("The filter “%(filter)s” does not know “%(value)s”; it was left out."),
                filter=Sentence(self.label),
                value=raw[:60],
            ) from error

    def criteria(self, value: Any, today: date) -> Criteria:
        under = [] if self.has_ancestors else self._under(value)
        return {self.path: {"$in": [value, *under]} if under else value}

    def sentence(self, value: Any) -> Sentence | None:
        if not value:
            return None
        said = Sentence(self.says, {"name": value})
        return Sentence(N_("%(value)s and below"), {"value": said}) if self._under(value) else said

    def _under(self, value: Any) -> Sequence[Any]:
        return self.below(value) if self.below and value else ()


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """Words that begin like the typed ones, accents or not; a phone in any format (B.4).

    `path` is an indexed list of folded words; `phone_key` turns a phone number into its stored
    key, or returns None; `codes` gives the numbers of records that the text may stand for.
    """

    key: str
    label: str
    path: str
    phone_key: Callable[[str], str | None] | None = None
    codes: Callable[[str], list[str]] | None = None
    default: str = ""

    def parse(self, raw: str) -> str:
        return nfc(raw)[:100]  # the store refuses patterns with control characters

    def criteria(self, value: str, today: date) -> Criteria:
        words = [{self.path: {"$regex": "^" + _escaped(word)}} for word in fold(value).split()]
        found: Criteria = {"$and": words} if words else {}
        phone = self.phone_key(value) if self.phone_key else None
        codes = self.codes(value) if self.codes else []
        others: list[Criteria] = [{"phone_keys": phone}] if phone else []
        others += [{"code": {"$in": codes}}] if codes else []
        return {"$or": [*others, found]} if others and found else found

    def sentence(self, value: str) -> Sentence | None:
        return Sentence(N_("matching “%(words)s”"), {"words": value}) if value else None


Filter = ChoiceFilter | DueFilter | InstantRangeFilter | ReferenceFilter | SearchFilter


@dataclass(frozen=True, slots=True)
class FilterState:
    """What the address of a list asks for.

    `values` maps the key of each filter in force to its parsed value, `raw` to its text in the
    address; `problems` are what could not be used.
    """

    filters: Sequence[Filter]
    values: dict[str, Any]
    raw: dict[str, str]
    problems: tuple[CareError, ...] = field(default=())

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter differs from what the list shows by itself."""
        return any(self.raw.get(one.key, one.default) != one.default for one in self.filters)

    def criteria(self, today: date, *, without: Sequence[str] = ()) -> Criteria:
        """The query of the store; `without` leaves out filters by key (for counts per choice)."""
        parts = [
            one.criteria(self.values[one.key], today)
            for one in self.filters
            if one.key in self.values and one.key not in without
        ]
        return merge(parts)

    def sentences(self) -> list[tuple[str, Sentence]]:
        """(filter key, what it says) of each filter that narrows the list."""
        found = []
        for one in self.filters:
            says = one.sentence(self.values[one.key]) if one.key in self.values else None
            if says:
                found.append((one.key, says))
        return found


def parse_filters(
    filters: Sequence[Filter], args: Mapping[str, str], *, known: Sequence[str] = ()
) -> FilterState:
    """The state behind `args` (name -> text). `known` names arguments that are not filters."""
    values: dict[str, Any] = {}
    raw: dict[str, str] = {}
    problems: list[CareError] = []
    for one in filters:
        text = args.get(one.key, "").strip() or one.default
        if not text:
            continue
        try:
            values[one.key], raw[one.key] = one.parse(text), text
        except CareError as error:
            problems.append(error)
            if one.default:
                values[one.key], raw[one.key] = one.parse(one.default), one.default
    keys = {one.key for one in filters} | set(known)
    problems += [
        InvalidInput(N_("This list has no filter “%(name)s”; it was left out."), name=name[:60])
        for name in args
        if name not in keys
    ]
    return FilterState(filters, values, raw, tuple(problems))


def merge(parts: Sequence[Criteria]) -> Criteria:
    """One criteria document that holds all parts; `$and` only where two name the same path."""
    merged: Criteria = {}
    for part in parts:
        merged = {"$and": [merged, part]} if merged.keys() & part.keys() else merged | part
    return merged


def parse_date(text: str) -> date | None:
    """A local date typed as dd/mm/yyyy, d/m/yyyy or yyyy-mm-dd; None for empty text.

    Raises InvalidInput for anything else.
    """
    text = text.strip()
    if not text:
        return None
    for form in ("%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - only the date is used
        except ValueError:
            continue
    raise InvalidInput(
        N_("“%(value)s” is not a date. Write day/month/year, for example 28/11/2026."),
        value=text[:30],
    )


def _in_order(start: date | None, end: date | None) -> tuple[date | None, date | None]:
    if start and end and start > end:
        raise InvalidInput(
            N_("The range ends before it begins: %(start)s – %(end)s. Swap the two dates."),
            start=start,
            end=end,
        )
    return start, end


def _range_sentence(start: date | None, end: date | None) -> Sentence | None:
    if start and end:
        return Sentence(N_("from %(start)s to %(end)s"), {"start": start, "end": end})
    if start:
        return Sentence(N_("from %(start)s on"), {"start": start})
    return Sentence(N_("up to %(end)s"), {"end": end}) if end else None


def _escaped(word: str) -> str:
    """The word as a regular expression that matches only itself."""
    return "".join(f"\\{char}" if char in r"\.^$*+?{}[]|()" else char for char in word)
