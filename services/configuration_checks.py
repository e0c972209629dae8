"""Whether a whole configuration can be in force: fields that compute, roles that grant, rules that read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rules.conditions import read as read_condition
from rules.config_diff import ItemDiff, Sections
from rules.config_live import can_be_live
from rules.config_text import Place
from rules.errors import N_, CareError, InvalidInput
from rules.permissions import ACCOUNTS, ASSIGN, union
from rules.relationship_facts import CUSTOM
from rules.scope import CARE_MODES, Actor
from rules.sentences import Sentence
from services import field_indexes, relationship_setup
from services.configuration import Configuration, compiled
from services.configuration_parts import needs

Problem = tuple[Place, Sentence]
Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Broken:
    """A part that will be broken. `is_live`: as parts are that were in force and lost a field."""

    place: Place
    said: Sentence
    is_live: bool = False


def after(sections: Sections, now: Configuration) -> Configuration:
    """The configuration that these sections, stored ones, would give."""
    care_mode = str(sections.get("site", {}).get("site", {}).get("care_mode") or now.care_mode)
    return compiled(sections, revision=-1, care_mode=care_mode)


def broken(items: list[ItemDiff], sections: Sections, now: Configuration) -> list[Broken]:
    """What these changes would break, with the place of each; `sections` is all that there will be.

    What was broken before and is not touched is nobody's obstacle.
    """
    changed = {(one.section, one.key) for one in items}
    future = after(sections, now)
    found = [
        *_fields(future, now, changed, sections),
        *_without_kind(future, now, changed, sections),
    ]
    if any(section in ("roles", "site") for section, _ in changed):
        found += _site(sections["site"].get("site", {}), ("site", "site"), future)
    for item in items:
        if item.after is None:
            continue
        place: Place = (item.section, item.key)
        if item.section == "lists":
            found += _row_colours(item, place)
        if item.section == "relationship_rules":
            found += _rules(item.after, place, future)
        if item.section == "roles":
            problem = future.roles[item.key].problem if item.key in future.roles else None
            found += [Broken(place, problem)] if problem else []
    return found


def rights(
    items: list[ItemDiff], sections: Sections, now: Configuration, by: Actor
) -> list[Problem]:
    """What of these changes the actor may not do; nobody hands on, or loses, rights through a file."""
    return _rights(items, after(sections, now), now, by)


def _fields(
    future: Configuration, now: Configuration, changed: set[tuple[str, str]], sections: Sections
) -> list[Broken]:
    """Fields that cannot be used as they would be, unless they could not before either."""
    found: list[Broken] = []
    for kind in future.kinds.values():
        old = now.kinds[kind.key].fields if kind.key in now.kinds else {}
        for key, field in kind.fields.items():
            item = ("fields", f"{kind.key}.{key}")
            was_broken = key in old and old[key].problem is not None
            if field.problem is not None and (item in changed or not was_broken):
                content = sections["fields"].get(item[1], {})
                lists = frozenset(future.pick_lists)
                is_live = can_be_live(key, content, kind.fields, lists)
                found.append(Broken(item, field.problem, is_live))
    for kind in future.kinds.values():
        marked = len(field_indexes.frequent(kind))
        if marked > field_indexes.FREQUENT_LIMIT:
            message = N_("%(count)s fields are marked “filter often” or unique; %(limit)s may be.")
            params = {"count": marked, "limit": field_indexes.FREQUENT_LIMIT}
            found.append(Broken(("fields",), Sentence(message, params)))
    return found


def _without_kind(
    future: Configuration, now: Configuration, changed: set[tuple[str, str]], sections: Sections
) -> list[Broken]:
    """Fields of kinds that are not there, or would go while their fields stay."""
    return [
        Broken(("fields", key), Sentence(N_("There is no kind of documents with this key.")))
        for key in sections["fields"]
        if key.partition(".")[0] not in future.kinds
        and (("fields", key) in changed or key.partition(".")[0] in now.kinds)
    ]


def _row_colours(item: ItemDiff, place: Place) -> list[Broken]:
    found: list[Broken] = []
    for number, one in enumerate((item.after or {}).get("row_colours") or ()):
        try:
            read_condition(str(one.get("where") or ""))
        except InvalidInput as error:
            found.append(Broken((*place, "row_colours", number), _said(error)))
    return found


def _site(content: Content, place: Place, future: Configuration) -> list[Broken]:
    found: list[Broken] = []
    if content.get("care_mode", CARE_MODES[0]) not in CARE_MODES:
        message = N_("Choose one of the three care modes.")
        found.append(Broken((*place, "care_mode"), Sentence(message)))
    message = N_("There is no role “%(role)s”.")
    return found + [
        Broken((*place, "second_factor_roles"), Sentence(message, {"role": str(role)[:60]}))
        for role in content.get("second_factor_roles") or ()
        if role not in future.roles
    ]


def _rules(content: Content, place: Place, future: Configuration) -> list[Broken]:
    try:
        _check_rules(content, content["rules"], future)
    except InvalidInput as error:
        try:
            _check_rules(content, [_lasting(one, future) for one in content["rules"]], future)
        except InvalidInput:
            return [Broken(place, _said(error))]
        return [Broken(place, _said(error), is_live=True)]
    return []


def _check_rules(content: Content, rules: Sequence[Content], future: Configuration) -> None:
    contacts, unanswered = content["contact_kinds"], content.get("unanswered") or ()
    relationship_setup.checked(rules, contacts, unanswered, future)


def _lasting(rule: Content, future: Configuration) -> Content:
    """The rule without what can become unusable while it is in force: fields, and its status."""
    facts, fields = relationship_setup.facts(future), future.kinds["customers"].fields
    statuses = future.pick_lists.get("relationship", {})
    usable = [key for key, one in statuses.items() if not one.retired]
    status = usable[0] if rule["status"] in statuses and usable else rule["status"]
    conditions = [
        one
        for one in rule["conditions"]
        if not (one["fact"].startswith(CUSTOM) and one["fact"].removeprefix(CUSTOM) in fields)
        or (one["fact"] in facts and one["operator"] in facts[one["fact"]].operators)
    ]
    return {**rule, "status": status, "conditions": conditions}


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
