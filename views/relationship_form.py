"""The form of relationship rules: from what is stored to fields, and back.

The whole list stands in one form. Buttons that move, add or take away something send it all and
get it back changed, so that nothing is in force, and nothing needs JavaScript, until it is saved.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.datastructures import MultiDict

from models.relationship import CONTACT_KINDS
from rules import numbers
from rules.errors import N_, InvalidInput
from rules.relationship_facts import AT_LEAST, NUMERIC, ONE_OF, WORDS
from rules.text import nfc
from services import relationship_setup
from services.relationship_setup import Setup
from views.context import locale
from views.typed_numbers import here

Draft = dict[str, Any]

LARGEST = 10**13
UNREADABLE = -1  # what is no whole number; the service refuses it and says so
RULES_READ, CONDITIONS_READ = 60, 20
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")

OPERATOR_LABELS = {
    "at_least": N_("at least"),
    "at_most": N_("at most"),
    "one_of": N_("is one of"),
    "none_of": N_("is none of"),
    "known": N_("is there"),
    "unknown": N_("is not there"),
}
CONTACT_LABELS = {
    "care": N_("Care entry"),
    "note": N_("Note"),
    "order": N_("Order"),
}


def draft_of(setup: Setup) -> Draft:
    """The stored rules as the form shows them: numbers are texts."""
    return {
        "version": setup.version,
        "contact_kinds": [kind for kind in CONTACT_KINDS if kind in setup.contact_kinds],
        "unanswered": sorted(setup.unanswered),
        "rules": [_rule_draft(rule) for rule in setup.stored_rules],
    }


def _rule_draft(rule: Mapping[str, Any]) -> Draft:
    return {
        "key": rule["key"],
        "label_vi": rule.get("label_vi") or "",
        "label_en": rule.get("label_en") or "",
        "status": rule["status"],
        "hold_days": _text(rule.get("hold_days")),
        "is_enabled": rule.get("is_enabled", True),
        "source": rule.get("source", "site"),
        "conditions": [
            {
                "fact": one["fact"],
                "operator": one["operator"],
                "number": _text(one.get("number")),
                "values": list(one.get("values") or ()),
                "by_group": {key: _text(n) for key, n in (one.get("by_group") or {}).items()},
            }
            for one in rule.get("conditions") or ()
        ],
    }


def read(form: MultiDict[str, str]) -> Draft:
    """The draft that a form sends."""
    number = min(_count(form.get("rules", "")), RULES_READ)
    return {
        "version": _count(form.get("version", "")),
        "contact_kinds": form.getlist("contact_kinds"),
        "unanswered": form.getlist("unanswered"),
        "rules": [_read_rule(form, f"r{index}") for index in range(number)],
    }


def _read_rule(form: MultiDict[str, str], at: str) -> Draft:
    number = min(_count(form.get(f"{at}.conditions", "")), CONDITIONS_READ)
    key = form.get(f"{at}.key", "")
    return {
        "key": key if KEY.fullmatch(key) else "rule",
        "label_vi": nfc(form.get(f"{at}.label_vi", ""))[:120],
        "label_en": nfc(form.get(f"{at}.label_en", ""))[:120],
        "status": form.get(f"{at}.status", ""),
        "hold_days": form.get(f"{at}.hold_days", "").strip(),
        "is_enabled": f"{at}.is_enabled" in form,
        "source": "shipped" if form.get(f"{at}.source") == "shipped" else "site",
        "conditions": [_read_condition(form, f"{at}.c{index}") for index in range(number)],
        "new_fact": form.get(f"{at}.new_fact", ""),
    }


def _read_condition(form: MultiDict[str, str], at: str) -> Draft:
    fact = relationship_setup.facts().get(form.get(f"{at}.fact", ""))
    values = form.getlist(f"{at}.values")
    if fact is not None and fact.kind == WORDS:
        values = [nfc(word) for text in values for word in text.split(",")]
    prefix = f"{at}.group."
    return {
        "fact": form.get(f"{at}.fact", ""),
        "operator": form.get(f"{at}.operator", ""),
        "number": here(form.get(f"{at}.number", "").strip()),
        "values": [value.strip().lstrip("#")[:80] for value in values if value.strip()],
        "by_group": {
            name.removeprefix(prefix): here(text.strip())
            for name, text in form.items()
            if name.startswith(prefix) and text.strip()
        },
    }


def act(draft: Draft, action: str) -> int | None:
    """Does what a button of the form says; returns the rule to keep open, if any."""
    verb, *places = action.split(":")
    where = [int(place) for place in places if place.isdecimal()]
    rules: list[Draft] = draft["rules"]
    if verb == "add":
        rules.insert(0, _new_rule(rules))
        return 0
    if not where or where[0] >= len(rules):
        return None
    index = where[0]
    if verb == "up" and index > 0:
        rules[index - 1], rules[index] = rules[index], rules[index - 1]
    elif verb == "down" and index + 1 < len(rules):
        rules[index + 1], rules[index] = rules[index], rules[index + 1]
    elif verb == "drop":
        rules.pop(index)
    elif verb == "condition":
        _add_condition(rules[index])
        return index
    elif verb == "uncondition" and len(where) > 1:
        del rules[index]["conditions"][where[1] : where[1] + 1]
        return index
    return None


def _new_rule(rules: Sequence[Draft]) -> Draft:
    taken = {rule["key"] for rule in rules}
    key = next(name for n in range(1, 1000) if (name := f"rule_{n}") not in taken)
    empty = {"label_vi": "", "label_en": "", "status": "", "hold_days": "", "conditions": []}
    return {"key": key, "is_enabled": True, "source": "site", **empty}


def _add_condition(rule: Draft) -> None:
    fact = relationship_setup.facts().get(rule.get("new_fact", ""))
    if fact is None:
        return
    operator = AT_LEAST if fact.kind in NUMERIC else ONE_OF
    rule["conditions"].append(
        {"fact": fact.key, "operator": operator, "number": "", "values": [], "by_group": {}}
    )


def rules_of(draft: Draft) -> list[dict[str, Any]]:
    """The rules as they are stored; what is no number becomes one that the service refuses."""
    return [_stored_rule(rule) for rule in draft["rules"]]


def _stored_rule(rule: Draft) -> dict[str, Any]:
    return {
        "key": rule["key"],
        "label_vi": rule["label_vi"],
        "label_en": rule["label_en"],
        "status": rule["status"],
        "conditions": [_stored_condition(one) for one in rule["conditions"]],
        "hold_days": _whole(rule["hold_days"]) if rule["hold_days"] else None,
        "is_enabled": rule["is_enabled"],
        "source": rule["source"],
    }


def _stored_condition(one: Draft) -> dict[str, Any]:
    stored: dict[str, Any] = {"fact": one["fact"], "operator": one["operator"]}
    fact = relationship_setup.facts().get(one["fact"])
    compared = one["operator"] not in ("known", "unknown")
    if fact is not None and fact.kind in NUMERIC and compared:
        stored["number"] = _whole(one["number"])
        if one["by_group"]:
            stored["by_group"] = {key: _whole(text) for key, text in one["by_group"].items()}
    elif compared:
        stored["values"] = one["values"]
    return stored


def _whole(text: str) -> int:
    try:
        number = numbers.whole(text, locale())
    except InvalidInput:
        return UNREADABLE
    return number if 0 <= number < LARGEST else UNREADABLE


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _text(number: int | None) -> str:
    return "" if number is None else str(number)
