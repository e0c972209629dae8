"""Every section of the configuration in one place, wherever it is stored.

Files, the list of revisions and the way back to one of them know sections only through this.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import ConfigurationItem, Staff
from models.configuration import ELSEWHERE
from rules.config_diff import ItemDiff, Sections
from rules.config_shapes import SECTIONS
from rules.permissions import ACCOUNTS, CONFIGURE, SHARE_VIEWS
from rules.scope import Actor
from services import (
    access_settings,
    assignments,
    configuration_changes,
    relationship_setup,
    saved_view_revisions,
    saved_views,
    schedules,
)
from services.configuration_changes import Change

Content = Mapping[str, Any]
Put = Callable[[ItemDiff, Actor, datetime, ClientSession], ObjectId | None]
TEAMS = "teams"
PEOPLE = ("members", "leads")


@dataclass(frozen=True, slots=True)
class Part:
    """A section that is stored elsewhere; `put` writes an item and may return a job to start."""

    read: Callable[[ClientSession | None], Mapping[str, Content]]
    put: Put


def _put_site(item: ItemDiff, by: Actor, at: datetime, session: ClientSession) -> ObjectId | None:
    values = dict(item.after or {})
    care_mode = values.pop("care_mode", None)
    if care_mode and care_mode != (item.before or {}).get("care_mode"):
        assignments.put_care_mode(care_mode, by=by, at=at, session=session)
    access_settings.put(values, by=by, at=at, session=session)
    return None


def _put_rules(item: ItemDiff, by: Actor, at: datetime, session: ClientSession) -> ObjectId | None:
    return relationship_setup.put(item.key, item.after or {}, by=by, at=at, session=session)


def _put_schedule(item: ItemDiff, by: Actor, at: datetime, session: ClientSession) -> None:
    schedules.put(item.key, item.after or {}, by=by, at=at, session=session)


def _put_view(item: ItemDiff, by: Actor, at: datetime, session: ClientSession) -> None:
    saved_views.put_exported(item.key, item.after, by=by, at=at, session=session)


PARTS: Mapping[str, Part] = {
    "site": Part(access_settings.site_contents, _put_site),
    "saved_views": Part(saved_view_revisions.exported, _put_view),
    "relationship_rules": Part(relationship_setup.contents, _put_rules),
    "schedules": Part(schedules.contents, _put_schedule),
}
# Sections whose items belong to the program: a file that lacks one leaves it as it is.
LASTING = frozenset({"site", "relationship_rules", "schedules"})
# What somebody must be allowed to do to change a section; the settings of the site are of several.
NEEDS: Mapping[str, str] = {
    "roles": ACCOUNTS,
    "teams": ACCOUNTS,
    "saved_views": SHARE_VIEWS,
}


def needs(section: str) -> str:
    """The ability that changing a section asks for."""
    return NEEDS.get(section, CONFIGURE)


def contents(session: ClientSession | None = None) -> dict[str, dict[str, Content]]:
    """{section: {key: content}} as everything is stored, in the order of the file."""
    found: dict[str, dict[str, Content]] = {section: {} for section in SECTIONS}
    own = {"section": {"$in": [one for one in SECTIONS if one not in ELSEWHERE]}}
    for one in ConfigurationItem.collection().find(own, session=session).sort("key", 1):
        content = one.get("content")
        found[one["section"]][one["key"]] = content if isinstance(content, Mapping) else {}
    for section, part in PARTS.items():
        found[section] = dict(part.read(session))
    return found


def put(
    item: ItemDiff, *, by: Actor, at: datetime, session: ClientSession
) -> tuple[dict[str, Any] | None, ObjectId | None]:
    """Writes one item: what its revision keeps, and the job that follows."""
    if item.section not in ELSEWHERE:
        change = Change(item.section, item.key, item.after)
        return configuration_changes.write(change, by=by, at=at, session=session), None
    run_id = PARTS[item.section].put(item, by, at, session)
    made = {"section": item.section, "key": item.key, "before": item.before, "after": item.after}
    return made, run_id


def for_file(sections: Sections) -> dict[str, dict[str, Any]]:
    """The same with people named by their e-mail addresses, as a file has them."""
    found = {
        section: {key: plain(one) for key, one in items.items()}
        for section, items in sections.items()
    }
    named = [str(one) for team in found.get(TEAMS, {}).values() for one in _people(team)]
    wanted = [ObjectId(one) for one in named if ObjectId.is_valid(one)]
    rows = Staff.collection().find({"_id": {"$in": wanted}}, {"email": 1})
    emails = {str(row["_id"]): str(row["email"]) for row in rows}
    for team in found.get(TEAMS, {}).values():
        for name in PEOPLE:
            if isinstance(team.get(name), list):
                known = (emails.get(str(one)) for one in team[name])
                team[name] = sorted(one for one in known if one)
    return found


def readable(items: Iterable[ItemDiff]) -> list[ItemDiff]:
    """The same differences with people named as in a file, for whoever reads them."""
    found = []
    for item in items:
        if item.section != TEAMS:
            found.append(item)
            continue
        sides = {str(n): one for n, one in enumerate((item.before, item.after)) if one is not None}
        named = for_file({TEAMS: sides})[TEAMS]
        found.append(ItemDiff(item.section, item.key, named.get("0"), named.get("1")))
    return found


def from_file(sections: Sections) -> tuple[dict[str, dict[str, Any]], list[tuple[str, str]]]:
    """The sections as they are stored, and (team, e-mail) of people whom nobody here knows."""
    found = {section: dict(items) for section, items in sections.items()}
    emails = {one for team in found.get(TEAMS, {}).values() for one in _people(team)}
    rows = Staff.collection().find({"email": {"$in": sorted(emails)}}, {"email": 1})
    ids = {str(row["email"]): str(row["_id"]) for row in rows}
    strangers: list[tuple[str, str]] = []
    for key, team in list(found.get(TEAMS, {}).items()):
        made = dict(team)
        for name in PEOPLE:
            if name in team:
                made[name] = [ids[one] for one in team[name] if one in ids]
                strangers += [(key, one) for one in team[name] if one not in ids]
        found[TEAMS][key] = made
    return found, strangers


def _people(team: Content) -> Iterable[str]:
    return [str(one) for name in PEOPLE for one in team.get(name) or ()]


def plain(value: Any) -> Any:
    """Stored content as plain data: whatever the store made of it, a file has text for."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if value is None or isinstance(value, str | bool | int | float):
        return deepcopy(value)
    return str(value)
