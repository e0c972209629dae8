"""The roles of a site, from what is shipped and what it configured.

A broken item never locks anybody out and never opens anything: what cannot be read grants nothing,
a shipped role that cannot be read at all stays as it is shipped, and the administrator's role is
always whole. What is wrong stands in `problem`, for those who edit roles.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from rules.errors import N_
from rules.fields import KEY_PATTERN
from rules.kinds import INDISPENSABLE
from rules.permissions import (
    ABILITIES,
    ACTIONS,
    ADMINISTRATOR,
    ASSIGNED,
    HIDDEN,
    LEVELS,
    OWN,
    REACHES,
    SEEN,
    SHIPPED_ROLES,
    KindPermission,
    Role,
)
from rules.sentences import Sentence

Content = Mapping[str, Any]
NO_PERMISSION = KindPermission(frozenset(), OWN)

# What a record is called by is always seen: a row without any name could not be told apart, and
# lists are sorted by it.
ALWAYS_SEEN: Mapping[str, frozenset[str]] = {
    "customers": frozenset({"name", "code"}),
    "orders": frozenset({"code", "customer"}),
    "products": frozenset({"name", "code"}),
    "entries": frozenset({"content", "at", "customer"}),
}
ALWAYS_SEEN_OF_OTHERS = frozenset({"title", "code"})


def compile_roles(configured: Mapping[str, Content]) -> Mapping[str, Role]:
    """Every role by key; `configured` is the section `roles` as it is stored."""
    roles = {key: _shipped(role, configured.get(key)) for key, role in SHIPPED_ROLES.items()}
    for key, content in configured.items():
        if key not in SHIPPED_ROLES and re.match(KEY_PATTERN, key):
            roles[key] = site_role(key, content)
    return MappingProxyType(roles)


def _shipped(role: Role, content: Any) -> Role:
    if content is None:
        return role
    if not isinstance(content, Mapping):
        return replace(role, problem=_unreadable(role.key))
    if role.key == ADMINISTRATOR:
        label_vi, label_en = (_text(content.get(name)) for name in ("label_vi", "label_en"))
        return replace(role, label_vi=label_vi or role.label_vi, label_en=label_en or role.label_en)
    return site_role(role.key, content)


def site_role(key: str, content: Any) -> Role:
    """A role as the site describes it; what cannot be read grants nothing."""
    if not isinstance(content, Mapping):
        return Role(key, key, problem=_unreadable(key))
    problems: list[Sentence] = []
    named = content.get("kinds")
    kinds = named if isinstance(named, Mapping) else {}
    others = content.get("other_kinds")
    return Role(
        key,
        _text(content.get("label_vi")) or key,
        _text(content.get("label_en")),
        MappingProxyType(
            {str(kind): permission(str(kind), one, problems) for kind, one in kinds.items()}
        ),
        frozenset(_known(content.get("abilities"), ABILITIES, problems)),
        permission("", others, problems) if others is not None else None,
        is_retired=bool(content.get("is_retired")),
        problem=problems[0] if problems else None,
    )


def always_seen(kind: str) -> frozenset[str]:
    """The fields that everybody sees who sees the kind; "" is every kind that no role names."""
    return ALWAYS_SEEN.get(kind, ALWAYS_SEEN_OF_OTHERS) if kind else INDISPENSABLE


def permission(kind: str, content: Any, problems: list[Sentence]) -> KindPermission:
    """What a role may do with one kind; appends what cannot be read to `problems`."""
    if not isinstance(content, Mapping):
        problems.append(_unknown(content))
        return NO_PERMISSION
    reach = content.get("reach", ASSIGNED)
    if reach not in REACHES:
        problems.append(_unknown(reach))
        reach = OWN
    return KindPermission(
        frozenset(_known(content.get("actions"), ACTIONS, problems)),
        reach,
        _text(content.get("where")),
        MappingProxyType(_levels(kind, content.get("fields"), problems)),
    )


def _levels(kind: str, content: Any, problems: list[Sentence]) -> dict[str, str]:
    """{field: level}; a level that is none hides the field."""
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        problems.append(_unknown(content))
        return {}
    found = {}
    for key, level in content.items():
        if level not in LEVELS:
            problems.append(_unknown(level))
            level = HIDDEN
        if key in always_seen(kind):
            level = max(level, SEEN, key=LEVELS.index)
        found[str(key)] = level
    return found


def role_content(role: Role) -> dict[str, Any]:
    """The role as it is stored, exported and edited."""
    content: dict[str, Any] = {
        "label_vi": role.label_vi,
        "label_en": role.label_en,
        "kinds": {kind: permission_content(one) for kind, one in role.kinds.items()},
        "abilities": [one for one in ABILITIES if one in role.abilities],
    }
    if role.other_kinds is not None:
        content["other_kinds"] = permission_content(role.other_kinds)
    if role.is_retired:
        content["is_retired"] = True
    return content


def permission_content(one: KindPermission) -> dict[str, Any]:
    """The permission as it is stored; what is usual is left out."""
    content: dict[str, Any] = {
        "actions": [action for action in ACTIONS if action in one.actions],
        "reach": one.reach,
    }
    if one.where:
        content["where"] = one.where
    if one.fields:
        content["fields"] = dict(one.fields)
    return content


def _known(asked: Any, known: Iterable[str], problems: list[Sentence]) -> list[str]:
    if asked is None:
        return []
    if not isinstance(asked, list | tuple):
        problems.append(_unknown(asked))
        return []
    problems += [_unknown(one) for one in asked if one not in known]
    return [one for one in known if one in asked]


def _unknown(value: Any) -> Sentence:
    return Sentence(
        N_("“%(value)s” is nothing that a role can have; it grants nothing."),
        {"value": str(value)[:60]},
    )


def _unreadable(key: str) -> Sentence:
    return Sentence(
        N_("What is stored about the role “%(role)s” cannot be read; save it anew."), {"role": key}
    )


def _text(value: Any) -> str:
    return value.strip()[:4000] if isinstance(value, str) else ""
