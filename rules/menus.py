"""The order and visibility of the sidebar, from what ships and what a site configured.

A menu only arranges and hides: whoever may open a screen may open it by its address all the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Content = Mapping[str, Any]
EVERYBODY = "all"
# The way back from a menu in which nothing is left.
NEVER_HIDDEN = frozenset({"menu_settings"})
# Entries that stand in a menu only once somebody put them there: shared views.
OPTIONAL = "view:"


@dataclass(frozen=True, slots=True)
class MenuSection:
    """A heading and the keys of its entries; labels "" for those that ship."""

    key: str
    entries: tuple[str, ...]
    label_vi: str = ""
    label_en: str = ""
    hidden: frozenset[str] = frozenset()

    @property
    def shown(self) -> tuple[str, ...]:
        return tuple(one for one in self.entries if one not in self.hidden)

    def own_label(self, locale: str) -> str:
        return self.label_en if locale == "en" and self.label_en else self.label_vi


def arranged(shipped: Iterable[MenuSection], content: Content | None) -> list[MenuSection]:
    """The sections as configured. Entries that the content does not name, such as screens of a
    later version, stand where they ship; what it names and nobody knows is left out.
    """
    known = {one.key: one for one in shipped}
    home = {entry: one.key for one in known.values() for entry in one.entries}
    wanted = _sections(content)
    taken: set[str] = set()
    found: dict[str, dict[str, bool]] = {}  # section: {entry: is it hidden}
    labels: dict[str, tuple[str, str]] = {}
    for place, one in enumerate(wanted):
        key = _text(one.get("key")) or f"own_{place}"
        entries = found.setdefault(key, {})
        labels.setdefault(key, (_text(one.get("label_vi")), _text(one.get("label_en"))))
        for part in _entries(one):
            name = _text(part.get("endpoint"))
            if name in home and name not in taken:
                taken.add(name)
                entries[name] = bool(part.get("is_hidden")) and name not in NEVER_HIDDEN
    for key, home_section in known.items():
        if key not in found:
            _insert(found, key, list(known))
        for entry in home_section.entries:
            if entry not in taken:
                found[key][entry] = entry.startswith(OPTIONAL)
    return [
        MenuSection(
            key,
            tuple(entries),
            *labels.get(key, ("", "")),
            hidden=frozenset(name for name, is_hidden in entries.items() if is_hidden),
        )
        for key, entries in found.items()
    ]


def _insert(found: dict[str, dict[str, bool]], key: str, order: Sequence[str]) -> None:
    """Adds a section that nobody arranged behind the one that it ships behind."""
    before = [one for one in order[: order.index(key)] if one in found]
    rest = list(found.items())
    at = [name for name, _ in rest].index(before[-1]) + 1 if before else 0
    found.clear()
    found.update([*rest[:at], (key, {}), *rest[at:]])


def for_roles(
    shipped: Sequence[MenuSection], menus: Mapping[str, Content], roles: Iterable[str]
) -> list[MenuSection]:
    """The menu of somebody with these roles: arranged as the first role that has a menu of its own,
    without what the menus of all roles hide.
    """
    own = [key for key in sorted(roles) if key in menus]
    general = menus.get(EVERYBODY)
    first = arranged(shipped, menus[own[0]] if own else general)
    others = [arranged(shipped, menus.get(key, general)) for key in sorted(roles)]
    if not others:
        return first
    hidden = frozenset.intersection(
        *(frozenset().union(*(one.hidden for one in menu)) for menu in others)
    )
    return [
        MenuSection(one.key, one.entries, one.label_vi, one.label_en, hidden & set(one.entries))
        for one in first
    ]


def content_of(sections: Iterable[MenuSection]) -> dict[str, Any]:
    """The menu as it is stored; shared views that are not shown are left out."""
    found = []
    for one in sections:
        section: dict[str, Any] = {"key": one.key}
        section |= {
            name: text
            for name, text in (("label_vi", one.label_vi), ("label_en", one.label_en))
            if text
        }
        section["entries"] = [
            {"endpoint": entry} | ({"is_hidden": True} if entry in one.hidden else {})
            for entry in one.entries
            if not (entry in one.hidden and entry.startswith(OPTIONAL))
        ]
        found.append(section)
    return {"sections": found}


def moved(sections: Sequence[MenuSection], what: str, *, is_up: bool) -> list[MenuSection]:
    """The sections after one step of a section ("section:care") or an entry.

    An entry at the end of its section goes on into the next one.
    """
    found = list(sections)
    kind, _, key = what.partition(":")
    if kind == "section":
        keys = [one.key for one in found]
        at = keys.index(key) if key in keys else -1
        to = at + (-1 if is_up else 1)
        if at >= 0 and 0 <= to < len(found):
            found[at], found[to] = found[to], found[at]
        return found
    entries = {one.key: list(one.entries) for one in found}
    keys = list(entries)
    at = next((n for n, one in enumerate(keys) if key in entries[one]), -1)
    if at < 0:
        return found
    inside = entries[keys[at]]
    place = inside.index(key)
    step = -1 if is_up else 1
    if 0 <= place + step < len(inside):
        inside[place], inside[place + step] = inside[place + step], inside[place]
    elif 0 <= at + step < len(keys):
        inside.remove(key)
        entries[keys[at + step]].insert(len(entries[keys[at + step]]) if is_up else 0, key)
    hidden = frozenset().union(*(one.hidden for one in found))
    return [
        MenuSection(
            one.key,
            tuple(entries[one.key]),
            one.label_vi,
            one.label_en,
            hidden & set(entries[one.key]),
        )
        for one in found
    ]


def _sections(content: Content | None) -> list[Content]:
    sections = content.get("sections") if isinstance(content, Mapping) else None
    parts = sections if isinstance(sections, list | tuple) else ()
    return [one for one in parts if isinstance(one, Mapping)]


def _entries(section: Content) -> list[Content]:
    entries = section.get("entries")
    parts = entries if isinstance(entries, list | tuple) else ()
    return [one for one in parts if isinstance(one, Mapping)]


def _text(value: Any) -> str:
    return value.strip()[:500] if isinstance(value, str) else ""
