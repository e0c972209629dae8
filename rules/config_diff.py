"""What differs between two configurations, item by item, down to the single option."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rules.config_shapes import SECTIONS
from rules.config_text import Place

Content = Mapping[str, Any]
Sections = Mapping[str, Mapping[str, Content]]
ADDED, REMOVED, CHANGED = "added", "removed", "changed"
MISSING = object()  # no value at all, which is not None


@dataclass(frozen=True, slots=True)
class Detail:
    """One option that differs. `place` leads to it within the item, by the keys of list parts.

    `before` or `after` is MISSING for what is not there; `is_order`: the same parts in another
    order.
    """

    place: Place
    before: Any
    after: Any
    is_order: bool = False


@dataclass(frozen=True, slots=True)
class ItemDiff:
    """An item that differs: `before` None was not there, `after` None is not there any more."""

    section: str
    key: str
    before: Content | None
    after: Content | None

    @property
    def what(self) -> str:
        if self.before is None:
            return ADDED
        return REMOVED if self.after is None else CHANGED

    @property
    def details(self) -> tuple[Detail, ...]:
        return tuple(_details(self.before or {}, self.after or {}, ()))


def diff(before: Sections, after: Sections) -> list[ItemDiff]:
    """The items that differ, in the order of the file.

    A section that `after` does not name stays as it is; an item that a named one lacks is removed.
    """
    found: list[ItemDiff] = []
    for section in [*SECTIONS, *(one for one in after if one not in SECTIONS)]:
        if section not in after:
            continue
        old, new = before.get(section, {}), after[section]
        for key in [*old, *(one for one in new if one not in old)]:
            if old.get(key) != new.get(key):
                found.append(ItemDiff(section, key, old.get(key), new.get(key)))
    return found


def _details(before: Any, after: Any, place: Place) -> Iterator[Detail]:
    if before == after and type(before) is type(after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(one for one in after if one not in before)]:
            yield from _details(
                before.get(key, MISSING), after.get(key, MISSING), (*place, str(key))
            )
    elif _is_keyed(before) and _is_keyed(after):
        old, new = ({one["key"]: one for one in parts} for parts in (before, after))
        yield from _details(old, new, place)
        kept = [key for key in old if key in new]
        now = [key for key in new if key in old]
        if kept != now:
            yield Detail(place, kept, now, is_order=True)
    else:
        yield Detail(place, before, after)


def _is_keyed(value: Any) -> bool:
    """Whether a list's parts can be told apart by their keys."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return False
    keys = [one.get("key") if isinstance(one, Mapping) else None for one in value]
    return all(isinstance(key, str) for key in keys) and len(set(keys)) == len(keys)
