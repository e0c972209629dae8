"""Teams: who belongs to which, and who leads it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Team:
    """A team with the ids of its staff. Whoever leads a team acts for its members, too."""

    key: str
    label_vi: str
    label_en: str = ""
    members: frozenset[Any] = frozenset()
    leads: frozenset[Any] = frozenset()

    @property
    def everybody(self) -> frozenset[Any]:
        return self.members | self.leads

    def label(self, locale: str) -> str:
        return self.label_en if locale == "en" and self.label_en else self.label_vi


def compile_teams(
    configured: Mapping[str, Content], read_id: Callable[[str], Any]
) -> Mapping[str, Team]:
    """Every team by key; `configured` is the section `teams` as it is stored.

    `read_id` turns the text of an id into the id, or into None. What cannot be read is nobody.
    """
    return MappingProxyType(
        {
            key: _team(key, content, read_id)
            for key, content in configured.items()
            if isinstance(content, Mapping)
        }
    )


def _team(key: str, content: Content, read_id: Callable[[str], Any]) -> Team:
    return Team(
        key,
        str(content.get("label_vi") or key),
        str(content.get("label_en") or ""),
        _ids(content.get("members"), read_id),
        _ids(content.get("leads"), read_id),
    )


def _ids(texts: Any, read_id: Callable[[str], Any]) -> frozenset[Any]:
    found = [read_id(str(text)) for text in texts] if isinstance(texts, list | tuple) else []
    return frozenset(one for one in found if one is not None)


def teams_of(teams: Iterable[Team], staff_id: Any) -> tuple[Team, ...]:
    """The teams to which the person belongs, as a member or as a lead."""
    return tuple(one for one in teams if staff_id is not None and staff_id in one.everybody)
