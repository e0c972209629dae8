"""The kinds of documents and their fields, from what is built in and what a site configured.

A broken definition never breaks a page: the field carries what is wrong as its `problem`, is shown
to administrators, and is nothing to others.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from rules import conditions
from rules.built_in_fields import BUILT_IN_KINDS, RECORD_FIELDS
from rules.errors import N_, InvalidInput
from rules.expressions import cycle, in_order, result
from rules.fields import KEY_PATTERN, RESERVED, SITE, TYPES, Field, Kind
from rules.operator_words import field_label
from rules.operators import operator
from rules.sentences import Sentence

Content = Mapping[str, Any]
Sections = Mapping[str, Mapping[str, Content]]
RECORDS = "records"  # the collection of every kind that a site defined

CARE_FIELDS = frozenset({"due", "care_state"})  # of the kinds that are cared for

# What a site may change of a built-in field; all the rest is the program's own.
RENAMED = ("label_vi", "label_en", "help_vi", "help_en", "position", "is_retired", "is_required")
# Fields without which a screen would have nothing to say.
INDISPENSABLE = frozenset({"name", "code", "title", "customer", "at", "content"})


def field_key(kind: str, key: str) -> str:
    """The key under which a field is stored in the section `fields`: `customers.vip_level`."""
    return f"{kind}.{key}"


def compile_kinds(sections: Sections, pick_lists: frozenset[str]) -> Mapping[str, Kind]:
    """Every kind with its fields in order; `sections` as they are stored."""
    kinds = dict(BUILT_IN_KINDS)
    for key, content in sections.get("kinds", {}).items():
        if key not in BUILT_IN_KINDS:
            kinds[key] = site_kind(key, content)
    per_kind: dict[str, dict[str, Content]] = {}
    for stored_key, content in sections.get("fields", {}).items():
        kind, _, key = stored_key.partition(".")
        per_kind.setdefault(kind, {})[key] = content
    return MappingProxyType(
        {
            key: replace(kind, fields=_checked(_merged(kind, per_kind.get(key, {}), pick_lists)))
            for key, kind in kinds.items()
        }
    )


def _merged(
    kind: Kind, configured: Mapping[str, Content], pick_lists: frozenset[str]
) -> Mapping[str, Field]:
    found = []
    for place, (key, built_in) in enumerate(kind.fields.items()):
        changed = _renamed(built_in, configured.get(key, {}))
        found.append(changed if changed.position else replace(changed, position=(place + 1) * 10))
    for key, content in configured.items():
        if key not in kind.fields:
            found.append(site_field(key, content, pick_lists))
    found.sort(key=lambda one: (one.position or 10_000, one.key))
    return MappingProxyType({one.key: one for one in found})


def _checked(fields: Mapping[str, Field]) -> Mapping[str, Field]:
    """The fields with what is wrong between them: one that cannot be used breaks those that name
    it, and these the next."""
    found = _computed(fields)
    while True:
        broken = {
            key: replace(one, problem=problem)
            for key, one in found.items()
            if one.is_usable and (problem := _condition_problem(one, found)) is not None
        }
        if not broken:
            return found
        found = _computed(MappingProxyType({**found, **broken}))


def _condition_problem(field: Field, fields: Mapping[str, Field]) -> Sentence | None:
    """Why nobody can say any more whether the field is to be shown."""
    for one in conditions.conditions(conditions.read(field.visible_when)):
        named = fields.get(one.field)
        if named is None or not named.is_usable or named.key == field.key:
            name = field_label(named, "vi") if named else one.field
            message = N_(
                "It is shown under a condition on “%(field)s”, a field that is retired, broken or not there. Change the condition."
            )
            return Sentence(message, {"field": name})
        if operator(named, one.operator) is None:
            message = N_(
                "It is shown under a condition that cannot be asked of “%(field)s” as this is now. Change the condition."
            )
            return Sentence(message, {"field": field_label(named, "vi")})
    return None


def _computed(fields: Mapping[str, Field]) -> Mapping[str, Field]:
    """The fields with what each expression gives, or what is wrong with it."""
    expressions = {key: one.expression for key, one in fields.items() if one.type == "computed"}
    if not expressions:
        return fields
    found = dict(fields)
    for key in expressions:
        way = cycle(key, expressions)
        if way:
            found[key] = replace(found[key], problem=_cyclic(way))
    for key in in_order(found):
        if found[key].problem is None:
            known = {name: one for name, one in found.items() if one.is_usable}
            found[key] = _with_result(found[key], known)
    return MappingProxyType(found)


def _with_result(field: Field, fields: Mapping[str, Field]) -> Field:
    try:
        return replace(field, result=result(field.expression, fields))
    except InvalidInput as error:
        return replace(field, problem=Sentence(error.message, error.params))


def _cyclic(way: list[str]) -> Sentence:
    return Sentence(
        N_("This field is computed from itself: %(way)s. Change one of the expressions."),
        {"way": " → ".join(way)},
    )


def _renamed(built_in: Field, content: Content) -> Field:
    changes = {name: content[name] for name in RENAMED if content.get(name) not in (None, "")}
    if built_in.key in INDISPENSABLE:
        changes.pop("is_retired", None)
    if built_in.is_required:
        changes.pop("is_required", None)
    return replace(built_in, **changes) if changes else built_in


def site_field(key: str, content: Content, pick_lists: frozenset[str]) -> Field:
    """A field that the site added; a definition that cannot be used carries its problem."""
    type_ = str(content.get("type", ""))
    problem = _problem(key, content, pick_lists)
    if type_ not in TYPES:
        type_ = "text"
    texts: dict[str, Any] = {
        name: str(content.get(name) or "")
        for name in (
            *("label_vi", "label_en", "help_vi", "help_en", "pick_list", "expression"),
            *("visible_when", "default", "minimum", "maximum", "pattern"),
        )
    }
    flags: dict[str, Any] = {
        name: bool(content.get(name))
        for name in (
            *("is_required", "is_unique", "is_filtered_often", "is_retired", "is_personal"),
        )
    }
    often = flags["is_filtered_often"] or flags["is_unique"]
    return Field(
        key,
        type_,
        f"custom.{key}",
        source=SITE,
        position=_whole(content.get("position")),
        max_length=4000 if type_ == "long_text" else 400,
        is_derived=type_ == "computed",
        is_sorted=often,
        problem=problem,
        **texts,
        **flags,
    )


def _problem(key: str, content: Content, pick_lists: frozenset[str]) -> Sentence | None:
    if not re.match(KEY_PATTERN, key) or key in RESERVED:
        return Sentence(
            N_("The key “%(key)s” cannot be used. Take another one of a-z, 0-9 and _."),
            {"key": key[:60]},
        )
    type_ = str(content.get("type") or "")
    if type_ not in TYPES or not TYPES[type_].is_offered:
        return Sentence(
            N_("“%(type)s” is not a type of field. Choose one of the list."),
            {"type": type_[:60]},
        )
    if type_ in ("choice", "choices") and content.get("pick_list") not in pick_lists:
        return Sentence(
            N_("The pick list “%(list)s” does not exist. Choose another one."),
            {"list": str(content.get("pick_list") or "")[:60]},
        )
    try:
        conditions.read(str(content.get("visible_when") or ""))
    except InvalidInput as error:
        return Sentence(error.message, error.params)
    return None


def site_kind(key: str, content: Content) -> Kind:
    """A kind that the site defined (B.14), with the fields that each of them has."""
    has_care = bool(content.get("has_care", True))
    fields = {
        name: one for name, one in RECORD_FIELDS.items() if has_care or name not in CARE_FIELDS
    }
    return Kind(
        key,
        RECORDS,
        fields,
        label_vi=str(content.get("label_vi") or key),
        label_en=str(content.get("label_en") or ""),
        one_vi=str(content.get("one_vi") or content.get("label_vi") or key),
        one_en=str(content.get("one_en") or content.get("label_en") or ""),
        icon=str(content.get("icon") or "list-details"),
        base=MappingProxyType({"kind": key}),
        title="title",
        code="code",
        customer_path="customer_id" if content.get("has_customer", True) else None,
        has_care=has_care,
        is_retired=bool(content.get("is_retired")),
    )


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
