"""The site's configuration as one immutable snapshot per revision.

A request reads the revision once (one query by key) and uses the snapshot of that revision; every
process sees a change with its next request, and none ever sees half of one.
"""

import threading
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from bson import ObjectId
from cachetools import LRUCache, cached
from pymongo.client_session import ClientSession

from models import ConfigurationItem, Site
from rules.built_in_fields import BUILT_IN_KINDS
from rules.config_shapes import fitting
from rules.expressions import inputs
from rules.fields import Field, Kind
from rules.kinds import compile_kinds
from rules.permissions import SHIPPED_ROLES, Access, Inputs, Role, union
from rules.roles import compile_roles
from rules.teams import Team, compile_teams
from stores.mongo import in_transaction

Section = Mapping[str, Mapping[str, Any]]
Made = TypeVar("Made")
UNTOUCHED = frozenset({"roles"})
NO_ITEMS: Section = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PickedValue:
    """A pick-list value ready to show: labels per language, colour, whether it may be chosen.

    `parent` is the key of the value above it, in lists that are trees (S3.1).
    """

    key: str
    label_vi: str
    label_en: str
    colour: str
    retired: bool
    parent: str = ""

    def label(self, locale: str) -> str:
        return self.label_en if locale == "en" and self.label_en else self.label_vi


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that administrators configure, as it was at `revision`.

    `pick_lists` maps a list's key to its values by key, in their order; `kinds` maps the key of a
    kind to the kind with its fields in order; `roles` and `teams` by key; `sections` holds the
    content of every item as it is stored (models/configuration.py), for what is compiled where it
    is used (`once`).
    """

    revision: int
    care_mode: str
    pick_lists: Mapping[str, Mapping[str, PickedValue]]
    kinds: Mapping[str, Kind] = field(default_factory=lambda: BUILT_IN_KINDS)
    roles: Mapping[str, Role] = field(default_factory=lambda: SHIPPED_ROLES)
    sections: Mapping[str, Section] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)
    _made: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    def value(self, list_key: str, key: str | None) -> PickedValue | None:
        """The value, or a plain one for a key that no list knows, or None for no key."""
        if not key:
            return None
        known = self.pick_lists.get(list_key, {}).get(key)
        return known or PickedValue(key, key, key, "gray", retired=True)

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What is made of this configuration alone, made once and kept for as long as it is in force.

        `key` names what is made and whatever else it depends on: roles, language.
        """
        if key not in self._made:
            self._made[key] = make()
        made: Made = self._made[key]
        return made

    def section(self, name: str) -> Section:
        """{key: content} of one section."""
        return self.sections.get(name, NO_ITEMS)

    def access(self, roles: Iterable[str]) -> Access:
        """What somebody with these roles may do."""
        return union((self.roles[key] for key in roles if key in self.roles), self.inputs())

    def inputs(self) -> Inputs:
        """{kind: {computed field: the stored fields that it is worked out from}}."""
        return self.once(
            "inputs", lambda: {key: inputs(kind.fields) for key, kind in self.kinds.items()}
        )

    def fields(self, kind: str, access: Access) -> Mapping[str, Field]:
        """The fields of a kind that this access may read as they are, in their order."""

        def found() -> tuple[Access, Mapping[str, Field]]:
            visible = {
                key: one
                for key, one in self.kinds[kind].fields.items()
                if one.is_usable and access.sees(kind, key)
            }
            return access, MappingProxyType(visible)

        # By the roles themselves: others may have the same keys (those of a draft, the shipped
        # ones). Kept beside what is made of them, so that no other role takes their place.
        return self.once(("fields", kind, tuple(map(id, access.roles))), found)[1]


def site_beside() -> dict[str, Any]:
    """The stage that brings what `snapshot` needs along with another query, as the list `site`."""
    pipeline = [{"$match": {"key": "site"}}]
    return {"$lookup": {"from": Site.collection().name, "pipeline": pipeline, "as": "site"}}


def snapshot(site: Mapping[str, Any] | None = None) -> Configuration:
    """The configuration in force now; one query when this process knows the revision already.

    None with the `site` that another query of this moment brought along (`site_beside`).
    """
    if site is None:
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
    """Reads everything at one point in time.

    A change that was committed after `revision` was read is part of what is read here: the next
    request asks for its revision and reads once more, and never is half of a change shown.
    """

    def read(session: ClientSession) -> list[dict[str, Any]]:
        # In the order of the file of the configuration, so that kinds, roles and teams stand in
        # the same order in every system that has taken it in.
        every = ConfigurationItem.collection().find(session=session)
        return list(every.sort([("section", 1), ("key", 1)]))

    sections: dict[str, dict[str, Mapping[str, Any]]] = {}
    for stored in in_transaction(read):
        if isinstance(stored.get("content"), Mapping):
            section = sections.setdefault(str(stored["section"]), {})
            section[str(stored["key"])] = stored["content"]
    return compiled(sections, revision=revision, care_mode=care_mode)


def compiled(sections: Mapping[str, Section], *, revision: int, care_mode: str) -> Configuration:
    """The configuration that these items give.

    What does not have the shape of its section is left out here, so that no screen stumbles over
    it (services/configuration_problems.py names it). Roles read themselves: a level that is left
    out would open what a broken one hides.
    """
    sections = {
        name: {
            key: content if name in UNTOUCHED else fitting(name, content)
            for key, content in items.items()
        }
        for name, items in sections.items()
    }
    pick_lists = {
        key: MappingProxyType({one.key: one for one in _values(content)})
        for key, content in sections.get("pick_lists", {}).items()
    }
    return Configuration(
        revision,
        care_mode,
        MappingProxyType(pick_lists),
        kinds=compile_kinds(sections, frozenset(pick_lists)),
        roles=compile_roles(sections.get("roles", {})),
        teams=compile_teams(sections.get("teams", {}), _read_id),
        sections=MappingProxyType(sections),
    )


def _read_id(text: str) -> ObjectId | None:
    return ObjectId(text) if ObjectId.is_valid(text) else None


def _values(content: Mapping[str, Any]) -> list[PickedValue]:
    return [_picked(one) for one in content.get("values", ())]


def _picked(value: Mapping[str, Any]) -> PickedValue:
    label_vi = str(value["label_vi"])
    return PickedValue(
        key=str(value["key"]),
        label_vi=label_vi,
        label_en=str(value.get("label_en") or label_vi),
        colour=str(value.get("colour") or "gray"),
        retired=bool(value.get("retired")),
        parent=str(value.get("parent") or ""),
    )
