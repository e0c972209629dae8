"""What a change of the configuration would lose: values of records, people's roles."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from models import ApiToken, Staff
from rules.config_diff import ItemDiff
from rules.errors import N_
from rules.fields import SITE, Field, Kind
from rules.permissions import SHIPPED_ROLES
from rules.sentences import Sentence
from services import field_conversion, field_indexes, pick_lists
from services.configuration import Configuration
from services.kinds import collection_of

Content = Mapping[str, Any]
RETIRED = {"is_retired": True}
# What of a definition says how stored values are read.
TYPED = ("type", "pick_list", "expression", "default", "minimum", "maximum", "pattern")


@dataclass(frozen=True, slots=True)
class Loss:
    """What an item may not become: `said` refuses it, with the number of records it would cost.

    Attributes:
        stays: what the item can become instead, with everything that records have of it.
        note: the same in words, for going back, which is never refused for it.
    """

    item: ItemDiff
    said: Sentence
    stays: Content
    note: Sentence


def of(items: Iterable[ItemDiff], now: Configuration) -> list[Loss]:
    """Each loss of these items. What nothing has is never refused."""
    look = {"fields": _field, "kinds": _kind, "pick_lists": _pick_list, "roles": _role}
    found = []
    for item in items:
        if item.section in look and item.before is not None:
            found += look[item.section](item, now)
    return found


def _field(item: ItemDiff, now: Configuration) -> list[Loss]:
    kind_key, _, key = item.key.partition(".")
    kind = now.kinds.get(kind_key)
    field = kind.fields.get(key) if kind else None
    if kind is None or field is None or field.source != SITE or field.type == "computed":
        return []
    before = item.before or {}
    if item.after is None:
        stays: Content = {**before, **RETIRED}
        message = N_(
            "%(count)s records have a value in this field. Retire it instead (is_retired: true); the values stay."
        )
        note = N_("stays, retired, because %(count)s records have a value in it.")
    elif field_conversion.is_needed(before, item.after):
        rest = {name: one for name, one in item.after.items() if name not in TYPED}
        stays = rest | {name: before[name] for name in TYPED if name in before}
        message = N_(
            "%(count)s records have a value in this field. Change its type on the screen “Fields”, which shows what becomes of each value."
        )
        note = N_(
            "keeps its type, because %(count)s records have a value in it. The screen “Fields” changes it."
        )
    else:
        return _not_unique(item, kind, field)
    count = {"count": _filled(kind, field)}
    return [Loss(item, Sentence(message, count), stays, Sentence(note, count))] * bool(
        count["count"]
    )


def _not_unique(item: ItemDiff, kind: Kind, field: Field) -> list[Loss]:
    """A field becomes unique in which several records have the same value."""
    after = item.after or {}
    if not after.get("is_unique") or (field.is_unique and field.is_usable):
        return []
    problem = field_indexes.not_unique(kind, field)  # its values are not for every reader of this
    if problem is None:
        return []
    note = N_("comes back without “unique”, because several records have the same value.")
    return [Loss(item, problem, {**after, "is_unique": False}, Sentence(note))]


def _filled(kind: Kind, field: Field) -> int:
    criteria = {**kind.base, field.path: {"$exists": True, "$nin": [None, "", []]}}
    return collection_of(kind).count_documents(criteria)


def _kind(item: ItemDiff, now: Configuration) -> list[Loss]:
    kind = now.kinds.get(item.key)
    if item.after is not None or kind is None or kind.source != SITE or not kind.base:
        return []
    count = {"count": collection_of(kind).count_documents(dict(kind.base))}
    if not count["count"]:
        return []
    message = N_(
        "There are %(count)s documents of this kind. Retire it instead (is_retired: true); the documents stay."
    )
    note = N_("stays, retired, with its fields, because there are %(count)s documents of it.")
    stays = {**(item.before or {}), **RETIRED}
    return [Loss(item, Sentence(message, count), stays, Sentence(note, count))]


def _pick_list(item: ItemDiff, now: Configuration) -> list[Loss]:
    values, kept = _values(item.before or {}), _values(item.after or {})
    if values.keys() <= kept.keys():
        return []
    used = Counter(pick_lists.counts(now, item.key))
    gone = [key for key in values if key not in kept and used[key]]
    if not gone:
        return []
    message = N_(
        "“%(label)s” stands in %(count)s records. Retire the value instead (retired: true), or merge it on the screen “Pick lists”."
    )
    note = N_("the value “%(label)s” stays, retired, because %(count)s records have it.")
    stays = _with_values(item, values, kept, gone)
    return [
        Loss(item, Sentence(message, params), stays, Sentence(note, params))
        for params in (
            {"label": str(values[key].get("label_vi") or key)[:60], "count": used[key]}
            for key in gone
        )
    ]


def _with_values(
    item: ItemDiff, values: Mapping[str, Content], kept: Mapping[str, Content], gone: list[str]
) -> Content:
    """The list as it is to become, and these values of it, retired, with what they stand under."""
    staying: dict[str, Content] = {}
    for key in gone:
        above = key
        while above in values and above not in kept and above not in staying:
            staying[above] = {**values[above], "retired": True}
            above = str(values[above].get("parent") or "")
    whole = item.before if item.after is None else item.after
    return {**(whole or {}), "values": [*kept.values(), *staying.values()]}


def _values(content: Content) -> dict[str, Content]:
    values = content.get("values")
    parts = values if isinstance(values, list) else []
    return {str(one["key"]): one for one in parts if isinstance(one, Mapping) and one.get("key")}


def _role(item: ItemDiff, now: Configuration) -> list[Loss]:
    """A role that people have neither goes nor is retired by a file: they would stand without it."""
    before, after = item.before or {}, item.after
    is_retired = after is not None and after.get("is_retired") and not before.get("is_retired")
    if not is_retired and (after is not None or item.key in SHIPPED_ROLES):
        return []
    holders = {"roles": item.key}
    count = Staff.collection().count_documents(holders)
    count += ApiToken.collection().count_documents(holders)
    if not count:
        return []
    message = N_(
        "%(count)s people or programs have this role. Retire it on the screen “Roles”, which gives them another one."
    )
    note = N_(
        "stays, because %(count)s people or programs have this role. The screen “Roles” gives them another one."
    )
    params = {"count": count}
    whole = before if after is None else after
    stays = {name: one for name, one in whole.items() if name != "is_retired"}
    return [Loss(item, Sentence(message, params), stays, Sentence(note, params))]
