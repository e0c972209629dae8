"""Why a customer has its relationship status, and what a rule says, in words (S3.3)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from rules.errors import N_
from rules.relationship import PERSON, RULE
from rules.relationship_facts import (
    AT_LEAST,
    AT_MOST,
    FACTS,
    KNOWN,
    MONEY,
    NONE_OF,
    ONE_OF,
    Fact,
    fields_told,
)
from rules.sentences import Sentence

Label = Callable[[str, str], str]  # (pick list, key) -> label in the reader's language
Sees = Callable[[str], bool]  # key of a customer's field -> whether it is read as it is

CONDITIONS = {
    AT_LEAST: N_("%(fact)s: at least %(value)s"),
    AT_MOST: N_("%(fact)s: at most %(value)s"),
    ONE_OF: N_("%(fact)s: %(value)s"),
    NONE_OF: N_("%(fact)s: not %(value)s"),
    KNOWN: N_("%(fact)s: there is one"),
}
NO_VALUE = N_("%(fact)s: there is none")
FOUND = {
    AT_LEAST: N_("%(fact)s: %(actual)s (at least %(value)s)"),
    AT_MOST: N_("%(fact)s: %(actual)s (at most %(value)s)"),
    ONE_OF: N_("%(fact)s: %(actual)s"),
    NONE_OF: N_("%(fact)s: %(actual)s, not %(value)s"),
    KNOWN: N_("%(fact)s: %(actual)s"),
}


def explain(
    set_by: Mapping[str, Any] | None, *, label: Label, sees: Sees, language: str = "vi"
) -> Sentence | None:
    """Why the status is what it is; None when nobody wrote it down.

    Args:
        set_by: a stored `Customer.relationship_set`.
        sees: what was found about fields that the reader does not see as they are is left out.
    """
    if not set_by:
        return None
    if set_by.get("by") == PERSON:
        return _by_person(set_by)
    if set_by.get("by") != RULE:
        return None
    name = rule_name(set_by, language)
    found = [
        condition(one, label=label)
        for one in set_by.get("because") or ()
        if all(sees(key) for key in fields_told(one.get("fact", "")))
    ]
    if not found:
        return Sentence(N_("Rule “%(rule)s”"), {"rule": name})
    return Sentence(N_("Rule “%(rule)s”: %(because)s"), {"rule": name, "because": found})


def _by_person(set_by: Mapping[str, Any]) -> Sentence:
    params = {"name": set_by.get("staff_name") or "?", "date": _day(set_by.get("since_on"))}
    if set_by.get("reason"):
        params["reason"] = set_by["reason"]
        return Sentence(N_("Chosen by %(name)s on %(date)s: %(reason)s"), params)
    if set_by.get("staff_name") is None or params["date"] is None:
        return Sentence(N_("Chosen by a person"))
    return Sentence(N_("Chosen by %(name)s on %(date)s"), params)


def rule_name(rule: Mapping[str, Any], language: str) -> str:
    """The name of a stored rule; a rule without a name is called by its key."""
    names = (rule.get("label_en"), rule.get("label_vi"))
    shown = names if language == "en" else names[::-1]
    return str(next((name for name in shown if name), rule.get("rule") or rule.get("key") or "?"))


def condition(
    stored: Mapping[str, Any], *, label: Label, known: Mapping[str, Fact] = FACTS
) -> Sentence:
    """A condition in words; with `actual`, what was found as well.

    What was found about a field of the site carries the words that the field had then.
    """
    fact = known.get(stored.get("fact", ""))
    pick_list = fact.pick_list if fact else stored.get("pick_list")
    operator = stored.get("operator", "")
    name: Any = Sentence(fact.label) if fact else stored.get("label") or stored.get("fact", "?")
    texts = FOUND if stored.get("actual") is not None else CONDITIONS
    params = {
        "fact": name,
        "value": _shown(stored.get("value"), fact, pick_list, label),
        "actual": _shown(stored.get("actual"), fact, pick_list, label),
    }
    message = texts.get(operator, NO_VALUE)
    return Sentence(
        message, {key: value for key, value in params.items() if f"%({key})" in message}
    )


def _shown(value: Any, fact: Fact | None, pick_list: str | None, label: Label) -> Any:
    if value is None:
        return "–"
    if isinstance(value, list | tuple):
        return ", ".join(_shown(one, fact, pick_list, label) for one in value) or "–"
    if pick_list:
        return label(pick_list, str(value))
    if fact is not None and fact.kind == MONEY:
        return _number(value)
    return value


def _number(value: Any) -> Any:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return value


def sentences(
    conditions: Sequence[Mapping[str, Any]], *, label: Label, known: Mapping[str, Fact] = FACTS
) -> list[Sentence]:
    """The conditions of a stored rule in words."""
    return [condition(_as_found(one), label=label, known=known) for one in conditions]


def _as_found(stored: Mapping[str, Any]) -> dict[str, Any]:
    value = stored.get("values") or stored.get("number")
    return {"fact": stored.get("fact"), "operator": stored.get("operator"), "value": value}


def _day(stored: Any) -> date | None:
    return stored.date() if isinstance(stored, datetime) else stored
