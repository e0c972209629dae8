"""The site's configuration as one immutable snapshot per revision.

A request reads the revision once (one query by key) and uses the snapshot of that revision; every
process sees a change with its next request, and none ever sees half of one.
"""

import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cachetools import LRUCache, cached

from models import PickList, Site


@dataclass(frozen=True, slots=True)
class PickedValue:
    """A pick-list value ready to show: labels per language, colour, whether it may be chosen."""

    key: str
    label_vi: str
    label_en: str
    colour: str
    retired: bool

    def label(self, locale: str) -> str:
        return self.label_en if locale == "en" and self.label_en else self.label_vi


@dataclass(frozen=True, slots=True)
class Configuration:
    """`pick_lists` maps a list's key to its values by key, in their order."""

    revision: int
    care_mode: str
    pick_lists: Mapping[str, Mapping[str, PickedValue]]

    def value(self, list_key: str, key: str | None) -> PickedValue | None:
        """The value, or a plain one for a key that no list knows, or None for no key."""
        if not key:
            return None
        known = self.pick_lists.get(list_key, {}).get(key)
        return known or PickedValue(key, key, key, "gray", retired=True)


def snapshot() -> Configuration:
    """The configuration in force now; one query when this process knows the revision already."""
    site = Site.collection().find_one({"key": "site"}) or {}
    return _load(site.get("config_rev", 0), site.get("care_mode", "unlimited"))


def forget() -> None:
    """Drops the snapshots that this process knows, for a database that was replaced as a whole."""
    with _lock:
        _known.clear()


_known: LRUCache[Hashable, Configuration] = LRUCache(maxsize=4)
_lock = threading.Lock()  # the threads of a web process share the snapshots


@cached(_known, lock=_lock)
def _load(revision: int, care_mode: str) -> Configuration:
    lists = {}
    for stored in PickList.collection().find():
        lists[stored["key"]] = MappingProxyType(
            {value["key"]: _picked(value) for value in stored["values"]}
        )
    return Configuration(revision, care_mode, MappingProxyType(lists))


def _picked(value: dict[str, object]) -> PickedValue:
    label_vi = str(value["label_vi"])
    return PickedValue(
        key=str(value["key"]),
        label_vi=label_vi,
        label_en=str(value.get("label_en") or label_vi),
        colour=str(value.get("colour") or "gray"),
        retired=bool(value.get("retired")),
    )
