"""What a change of the configuration would lose: values of records, people's roles."""

from collections.abc import Iterable, Mapping

from models import ApiToken, Staff
from rules.config_diff import ItemDiff
from rules.errors import N_
from rules.fields import SITE, Field, Kind
from rules.permissions import SHIPPED_ROLES
from rules.sentences import Sentence
from services import field_conversion, field_indexes, pick_lists
from services.configuration import Configuration
from services.kinds import collection_of


def of(items: Iterable[ItemDiff], now: Configuration) -> list[tuple[ItemDiff, Sentence]]:
    """Each item that may not become what it is to become, with the number of records it would cost.

    What nothing has is never refused.
    """
    look = {"fields": _field, "kinds": _kind, "pick_lists": _pick_list, "roles": _role}
    found = []
    for item in items:
        if item.section in look and item.before is not None:
            found += [(item, one) for one in look[item.section](item, now)]
    return found


def _field(item: ItemDiff, now: Configuration) -> list[Sentence]:
    kind_key, _, key = item.key.partition(".")
    kind = now.kinds.get(kind_key)
    field = kind.fields.get(key) if kind else None
    if kind is None or field is None or field.source != SITE or field.type == "computed":
        return []
    if item.after is None:
        count = _filled(kind, field)
        message = N_(
            "%(count)s records have a value in this field. Retire it instead (is_retired: true); the values stay."
        )
    elif field_conversion.is_needed(item.before or {}, item.after):
        count = _filled(kind, field)
        message = N_(
            "%(count)s records have a value in this field. Change its type on the screen “Fields”, which shows what becomes of each value."
        )
    else:
        return _not_unique(item, kind, field)
    return [Sentence(message, {"count": count})] if count else []


def _not_unique(item: ItemDiff, kind: Kind, field: Field) -> list[Sentence]:
    """A field becomes unique in which several records have the same value."""
    if not (item.after or {}).get("is_unique") or field.is_unique:
        return []
    same = field_indexes.duplicates(kind, field)
    if not same:
        return []
    return [
        Sentence(
            N_("Several records have the same value, for example %(values)s. Change them first."),
            {"values": [Sentence("“%(value)s”", {"value": one}) for one in same]},
        )
    ]


def _filled(kind: Kind, field: Field) -> int:
    criteria = {**kind.base, field.path: {"$exists": True, "$nin": [None, "", []]}}
    return collection_of(kind).count_documents(criteria)


def _kind(item: ItemDiff, now: Configuration) -> list[Sentence]:
    kind = now.kinds.get(item.key)
    if item.after is not None or kind is None or kind.source != SITE or not kind.base:
        return []
    count = collection_of(kind).count_documents(dict(kind.base))
    if not count:
        return []
    return [
        Sentence(
            N_(
                "There are %(count)s documents of this kind. Retire it instead (is_retired: true); the documents stay."
            ),
            {"count": count},
        )
    ]


def _pick_list(item: ItemDiff, now: Configuration) -> list[Sentence]:
    kept = set(_labels(item.after or {}))
    gone = {key: label for key, label in _labels(item.before or {}).items() if key not in kept}
    if not gone:
        return []
    used = pick_lists.counts(now, item.key)
    return [
        Sentence(
            N_(
                "“%(label)s” stands in %(count)s records. Retire the value instead (retired: true), or merge it on the screen “Pick lists”."
            ),
            {"label": label[:60], "count": used[key]},
        )
        for key, label in gone.items()
        if used.get(key)
    ]


def _labels(content: Mapping[str, object]) -> dict[str, str]:
    values = content.get("values")
    parts = values if isinstance(values, list) else []
    return {
        str(one["key"]): str(one.get("label_vi") or one["key"])
        for one in parts
        if isinstance(one, Mapping) and one.get("key")
    }


def _role(item: ItemDiff, now: Configuration) -> list[Sentence]:
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
    return [Sentence(message, {"count": count})]
