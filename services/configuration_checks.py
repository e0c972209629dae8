"""Whether a whole configuration can be in force: fields that compute, roles that grant, rules that read."""

from collections.abc import Mapping
from typing import Any

from rules.conditions import read as read_condition
from rules.config_diff import ItemDiff, Sections
from rules.config_text import Place
from rules.errors import N_, CareError, InvalidInput
from rules.permissions import ACCOUNTS, ASSIGN, union
from rules.scope import CARE_MODES, Actor
from rules.sentences import Sentence
from services import field_indexes, relationship_setup
from services.configuration import Configuration, compiled
from services.configuration_parts import needs

Problem = tuple[Place, Sentence]


def after(sections: Sections, now: Configuration) -> Configuration:
    """The configuration that these sections, stored ones, would give."""
    care_mode = str(sections.get("site", {}).get("site", {}).get("care_mode") or now.care_mode)
    return compiled(sections, revision=-1, care_mode=care_mode)


def broken(items: list[ItemDiff], sections: Sections, now: Configuration) -> list[Problem]:
    """What these changes would break, with the place of each; `sections` is all that there will be.

    What was broken before and is not touched is nobody's obstacle.
    """
    changed = {(one.section, one.key) for one in items}
    future = after(sections, now)
    found = _fields(future, now, changed)
    for item in items:
        if item.after is None:
            continue
        place: Place = (item.section, item.key)
        if item.section == "fields" and item.key.partition(".")[0] not in future.kinds:
            missing = N_("There is no kind of documents with this key.")
            found.append((place, Sentence(missing)))
        if item.section == "lists":
            found += _row_colours(item, place)
        if item.section == "site":
            found += _site(item.after, place, future)
        if item.section == "relationship_rules":
            found += _rules(item.after, place, future)
        if item.section == "roles":
            problem = future.roles[item.key].problem if item.key in future.roles else None
            found += [(place, problem)] if problem else []
    return found


def rights(
    items: list[ItemDiff], sections: Sections, now: Configuration, by: Actor
) -> list[Problem]:
    """What of these changes the actor may not do; nobody hands on, or loses, rights through a file."""
    return _rights(items, after(sections, now), now, by)


def _fields(
    future: Configuration, now: Configuration, changed: set[tuple[str, str]]
) -> list[Problem]:
    """Fields that cannot be used as they would be, unless they could not before either."""
    found: list[Problem] = []
    for kind in future.kinds.values():
        old = now.kinds[kind.key].fields if kind.key in now.kinds else {}
        for key, field in kind.fields.items():
            item = ("fields", f"{kind.key}.{key}")
            was_broken = key in old and old[key].problem is not None
            if field.problem is not None and (item in changed or not was_broken):
                found.append((item, field.problem))
    for kind in future.kinds.values():
        marked = len(field_indexes.frequent(kind))
        if marked > field_indexes.FREQUENT_LIMIT:
            message = N_("%(count)s fields are marked “filter often” or unique; %(limit)s may be.")
            params = {"count": marked, "limit": field_indexes.FREQUENT_LIMIT}
            found.append((("fields",), Sentence(message, params)))
    return found


def _row_colours(item: ItemDiff, place: Place) -> list[Problem]:
    found: list[Problem] = []
    for number, one in enumerate((item.after or {}).get("row_colours") or ()):
        try:
            read_condition(str(one.get("where") or ""))
        except InvalidInput as error:
            found.append(((*place, "row_colours", number), _said(error)))
    return found


def _site(content: Mapping[str, Any], place: Place, future: Configuration) -> list[Problem]:
    found: list[Problem] = []
    if content.get("care_mode", CARE_MODES[0]) not in CARE_MODES:
        message = N_("Choose one of the three care modes.")
        found.append(((*place, "care_mode"), Sentence(message)))
    for role in content.get("second_factor_roles") or ():
        if role not in future.roles:
            found.append(
                (
                    (*place, "second_factor_roles"),
                    Sentence(N_("There is no role “%(role)s”."), {"role": str(role)[:60]}),
                )
            )
    return found


def _rules(content: Mapping[str, Any], place: Place, future: Configuration) -> list[Problem]:
    try:
        relationship_setup.checked(
            content["rules"], content["contact_kinds"], content.get("unanswered") or (), future
        )
    except InvalidInput as error:
        return [(place, _said(error))]
    return []


def _rights(
    items: list[ItemDiff], future: Configuration, now: Configuration, by: Actor
) -> list[Problem]:
    found: list[Problem] = []
    for item in items:
        place: Place = (item.section, item.key)
        if not all(by.can(one) for one in _needed(item)):
            message = N_("You do not have the right to change this part. Ask an administrator.")
            found.append((place, Sentence(message)))
        elif item.section == "roles":
            known = (one.roles.get(item.key) for one in (now, future))
            if not all(by.access.covers(role) for role in known if role is not None):
                message = N_("The role allows more than your own roles do.")
                found.append((place, Sentence(message)))
    roles = [item for item in items if item.section == "roles"]
    mine = union(future.roles[key] for key in by.roles if key in future.roles)
    if roles and by.roles and not all(mine.covers(role) for role in by.access.roles):
        message = N_("You would lose rights of your own. Have somebody else do this.")
        found.append((("roles", roles[0].key), Sentence(message)))
    return found


def _needed(item: ItemDiff) -> set[str]:
    if item.section != "site":
        return {needs(item.section)}
    names = {str(one.place[0]) for one in item.details if one.place}
    found = {ASSIGN} if "care_mode" in names else set()
    return found | ({ACCOUNTS} if names - {"care_mode"} else set())


def _said(error: CareError) -> Sentence:
    inner = next(iter(getattr(error, "fields", {}).values()), error)
    return Sentence(inner.message, inner.params)
