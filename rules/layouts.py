"""How a record's page is laid out: summary left, tabs right, sections of fields within them (S4.2).

Reading is tolerant: what a layout names and is not there any more is left out, and administrators
read what; fields that no layout has placed yet stand in the last tab of fields, so that a field
that was just added is never lost from sight.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rules.errors import N_
from rules.fields import Kind
from rules.sentences import Sentence
from rules.text import nfc

Content = Mapping[str, Any]

LABEL_LENGTH = 120
TABS_LIMIT, SECTIONS_LIMIT = 30, 60
DETAILS = "details"  # the tab of fields that every kind starts with
SEPARATOR = "@"  # between kind and role in the key of a layout
_TAB_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")


@dataclass(frozen=True, slots=True)
class Section:
    """Fields under a heading; without labels, under none."""

    label_vi: str = ""
    label_en: str = ""
    fields: tuple[str, ...] = ()

    def label(self, locale: str) -> str:
        return self.label_en if locale == "en" and self.label_en else self.label_vi


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab: either a panel of the program (history, orders, ...) or sections of fields.

    Without labels it is called what the panel is called. A tab that is off can be switched on by
    each person for itself, by the gear.
    """

    key: str
    label_vi: str = ""
    label_en: str = ""
    is_on: bool = True
    panel: str = ""
    sections: tuple[Section, ...] = ()

    def label(self, locale: str) -> str:
        return self.label_en if locale == "en" and self.label_en else self.label_vi


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout ready for use; every field and panel in it is there. A broken field keeps its place:
    administrators read there what is wrong with it.
    """

    summary: tuple[str, ...]
    tabs: tuple[Tab, ...]
    hidden: tuple[str, ...] = ()
    problems: tuple[Sentence, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field that is shown, in its order: that of forms, too."""
        inside = (key for tab in self.tabs for one in tab.sections for key in one.fields)
        return (*self.summary, *inside)


def _panels(*keys: str) -> list[dict[str, Any]]:
    return [{"key": key, "panel": key, "is_on": True} for key in keys]


_DETAILS_TAB: dict[str, Any] = {
    "key": DETAILS,
    "label_vi": "Thông tin khác",
    "label_en": "More",
    "is_on": True,
    "sections": [{"fields": []}],
}

# What every kind starts with; a kind that is not named here has its fields and nothing else.
DEFAULTS: Mapping[str, Content] = {
    "customers": {
        "summary": [
            *("phones", "emails", "area", "address", "tax_code", "national_id", "birthday"),
            *("gender", "owner", "last_contact", "note", "source", "channel"),
            *("preferred_contact", "referrer"),
        ],
        "tabs": [
            *_panels("history", "orders", "files"),
            _DETAILS_TAB,
            {"key": "changes", "panel": "changes", "is_on": False},
        ],
        # They stand in the head of the page.
        "hidden": [
            *("code", "name", "kind", "relationship", "groups", "tags", "due", "care_state"),
            *("said", "carers", "viewers"),
        ],
    },
    "orders": {
        "summary": ["status", "marketplace", "area", "total", "care_count", "shipping", "note"],
        "tabs": [
            *_panels("lines", "history", "files"),
            _DETAILS_TAB,
            {"key": "changes", "panel": "changes", "is_on": False},
        ],
        "hidden": [
            *("code", "kind", "customer", "placed", "due", "care_state", "product"),
            "product_name",
        ],
    },
    "products": {
        "summary": ["group", "interval", "care_min", "care_max", "carers"],
        "tabs": [_DETAILS_TAB, {"key": "changes", "panel": "changes", "is_on": True}],
        "hidden": ["code", "name"],
    },
}
_ANY_DEFAULT: Content = {
    "summary": ["customer", "owner", "created", "updated"],
    "tabs": [
        {**_DETAILS_TAB, "label_vi": "Thông tin", "label_en": "Details"},
        *_panels("files"),
        {"key": "changes", "panel": "changes", "is_on": False},
    ],
    "hidden": ["code", "title", "due", "care_state"],
}


def default(kind: str) -> Content:
    """The layout that a kind starts with."""
    return DEFAULTS.get(kind, _ANY_DEFAULT)


def chosen(kind: str, roles: Iterable[str], stored: Mapping[str, Content]) -> tuple[str, Content]:
    """(key, content) of the layout for somebody with these roles: of one of them, or of all."""
    for role in sorted(roles):
        key = f"{kind}{SEPARATOR}{role}"
        if key in stored:
            return key, stored[key]
    return kind, stored.get(kind, default(kind))


def compile_layout(kind: Kind, content: Content, panels: Mapping[str, bool]) -> Layout:
    """The layout with what is there, and what is wrong with the rest.

    Args:
        panels: {key of a panel of the kind: whether it is on where no layout names it}.
    """
    reader = _Reader(kind, panels)
    summary = reader.fields(content.get("summary"), N_("the summary"))
    tabs = reader.tabs(content.get("tabs"))
    hidden = reader.fields(content.get("hidden"), N_("what is not shown"))
    left = [
        key for key, one in kind.fields.items() if not one.is_retired and key not in reader.placed
    ]
    return Layout(summary, _with_left(tabs, left), hidden, tuple(reader.problems))


def _with_left(tabs: Sequence[Tab], left: Sequence[str]) -> tuple[Tab, ...]:
    """The tabs with the fields that stand nowhere yet, in the last tab of fields."""
    if not left:
        return tuple(tabs)
    places = [place for place, tab in enumerate(tabs) if not tab.panel]
    if not places:
        fresh = _tab_of(_DETAILS_TAB)
        return (*tabs, replace(fresh, sections=(Section(fields=tuple(left)),)))
    at = places[-1]
    sections = tabs[at].sections or (Section(),)
    last = replace(sections[-1], fields=(*sections[-1].fields, *left))
    found = list(tabs)
    found[at] = replace(tabs[at], sections=(*sections[:-1], last))
    return tuple(found)


def _tab_of(content: Content) -> Tab:
    return Tab(content["key"], content["label_vi"], content["label_en"], True)


class _Reader:
    """Reads one stored layout; each field and tab is placed once."""

    def __init__(self, kind: Kind, panels: Mapping[str, bool]) -> None:
        self._kind, self._panels = kind, panels
        self.placed: set[str] = set()
        self.problems: list[Sentence] = []

    def fields(self, keys: Any, place: str) -> tuple[str, ...]:
        found = []
        for key in _list(keys):
            field = self._kind.fields.get(str(key))
            if field is None or field.is_retired:
                self.problems.append(
                    Sentence(
                        N_("The field “%(key)s” in %(place)s is retired or not there."),
                        {"key": str(key)[:60], "place": Sentence(place)},
                    )
                )
            elif field.key not in self.placed:
                self.placed.add(field.key)
                found.append(field.key)
        return tuple(found)

    def tabs(self, tabs: Any) -> list[Tab]:
        found: list[Tab] = []
        known: set[str] = set()
        for one in _list(tabs)[:TABS_LIMIT]:
            key = str(one.get("key") or "") if isinstance(one, Mapping) else ""
            if not _TAB_KEY.match(key) or key in known:
                self.problems.append(Sentence(N_("A tab of the layout cannot be read.")))
                continue
            panel = str(one.get("panel") or "")
            if panel and panel not in self._panels:
                self.problems.append(
                    Sentence(N_("The tab “%(key)s” is not there any more."), {"key": key[:60]})
                )
                continue
            known.add(key)
            tab = Tab(
                key, _text(one, "label_vi"), _text(one, "label_en"), bool(one.get("is_on", 1))
            )
            if panel:
                found.append(replace(tab, panel=panel))
            else:
                found.append(replace(tab, sections=self._sections(one.get("sections"))))
        # Panels that came after the layout was arranged stand behind its tabs.
        used = {tab.panel for tab in found} | known
        fresh = [
            Tab(key, is_on=on, panel=key) for key, on in self._panels.items() if key not in used
        ]
        return [*found, *sorted(fresh, key=lambda tab: not tab.is_on)]

    def _sections(self, sections: Any) -> tuple[Section, ...]:
        found = []
        for one in _list(sections)[:SECTIONS_LIMIT]:
            if isinstance(one, Mapping):
                fields = self.fields(one.get("fields"), N_("a section"))
                found.append(Section(_text(one, "label_vi"), _text(one, "label_en"), fields))
        return tuple(found) or (Section(),)


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _text(content: Content, name: str) -> str:
    value = content.get(name)
    return value[:LABEL_LENGTH] if isinstance(value, str) else ""


# What a form of the editor sends: items in the order in which they stand on the page.
SUMMARY, HIDDEN, TAB, SECTION, FIELD = "summary", "hidden", "tab", "section", "field"


def read_items(items: Sequence[str], texts: Mapping[str, str], panels: Iterable[str]) -> Content:
    """The content of a layout from the editor's items: `summary`, `field:phones`, `tab:history`,
    `section:s1`, `field:debt`, `hidden`, `field:code`.

    Args:
        texts: {"tab.history.label_vi": ..., "tab.history.is_on": "1", "section.s1.label_vi": ...}.
    """
    known = frozenset(panels)
    summary: list[str] = []
    hidden: list[str] = []
    tabs: list[dict[str, Any]] = []
    target = summary
    for item in items:
        what, _, key = item.partition(":")
        if what == SUMMARY:
            target = summary
        elif what == HIDDEN:
            target = hidden
        elif what == FIELD:
            target.append(key)
        elif what == TAB and _TAB_KEY.match(key):
            tab: dict[str, Any] = {
                "key": key,
                **_labels(texts, f"{TAB}.{key}"),
                "is_on": texts.get(f"{TAB}.{key}.is_on") == "1",
            }
            if key in known:
                tab["panel"] = key  # it holds no fields: they stay in the area before it
            else:
                tab["sections"] = [{"fields": []}]
                target = tab["sections"][0]["fields"]
            tabs.append(tab)
        elif what == SECTION and tabs and "sections" in tabs[-1]:
            inside: list[str] = []
            section = {**_labels(texts, f"{SECTION}.{key}"), "fields": inside}
            sections: list[dict[str, Any]] = tabs[-1]["sections"]
            if len(sections) == 1 and not sections[0]["fields"] and "label_vi" not in sections[0]:
                sections[0] = section
            else:
                sections.append(section)
            target = inside
    return {"summary": summary, "tabs": tabs, "hidden": hidden}


def _labels(texts: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {
        name: nfc(texts.get(f"{prefix}.{name}", ""))[:LABEL_LENGTH]
        for name in ("label_vi", "label_en")
    }


def moved(items: Sequence[str], item: str, direction: str, panels: Iterable[str] = ()) -> list[str]:
    """The items with one of them a step further up or down; a tab or section takes along what is
    in it.

    Fields step through the summary, the sections of each tab and what is not shown; sections from
    tab to tab. Tabs that are panels of the program hold neither. At the end nothing moves.
    """
    found = list(items)
    if item not in found:
        return found
    start = found.index(item)
    end = start + 1
    while end < len(found) and _depth(found[end]) > _depth(item):
        end += 1
    block, rest = found[start:end], found[:start] + found[end:]
    ways = range(start - 1, -1, -1) if direction == "up" else range(start + 1, len(rest) + 1)
    fits = {TAB: _fits_tab, SECTION: _fits_section}.get(item.partition(":")[0], _fits_field)
    known = frozenset(f"{TAB}:{key}" for key in panels)
    for at in ways:
        if fits(rest, at, known):
            return rest[:at] + block + rest[at:]
    return found


def _fits_field(items: Sequence[str], at: int, panels: frozenset[str]) -> bool:
    """Whether a field can stand there: in an area, a section, or a tab that begins with none."""
    head = next((place for place in range(at - 1, -1, -1) if _depth(items[place]) < 3), None)
    if head is None or _tab_at(items, at) in panels:
        return False
    begins = items[head + 1] if head + 1 < len(items) else ""
    return _depth(items[head]) != 1 or not begins.startswith(f"{SECTION}:")


def _fits_section(items: Sequence[str], at: int, panels: frozenset[str]) -> bool:
    """Whether a section can stand there: in a tab, behind all fields of the section before it."""
    tab = _tab_at(items, at)
    return tab is not None and tab not in panels and (at == len(items) or _depth(items[at]) < 3)


def _fits_tab(items: Sequence[str], at: int, panels: frozenset[str]) -> bool:
    """Whether a tab can stand there: before another one, or behind the last."""
    is_between = at == len(items) or items[at] == HIDDEN or _depth(items[at]) == 1
    return is_between and HIDDEN not in items[:at]


def _tab_at(items: Sequence[str], at: int) -> str | None:
    """The tab to which this place belongs; None in the areas beside the tabs."""
    head = next((one for one in reversed(items[:at]) if _depth(one) < 2), SUMMARY)
    return head if _depth(head) == 1 else None


def _depth(item: str) -> int:
    """How deep an item stands: areas, tabs, sections, fields."""
    return {SUMMARY: 0, HIDDEN: 0, TAB: 1, SECTION: 2}.get(item.partition(":")[0], 3)
