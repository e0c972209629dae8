"""`rules.relationship.decide` as expressions for the server, so that it decides in bulk.

They read the fields of a stored customer. A property test holds both to the same answer.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from rules.relationship import NEW, PERSON, RULE, Condition, Rule, reasons_of
from rules.relationship_facts import (
    AT_LEAST,
    AT_MOST,
    KNOWN,
    MONEY,
    NONE_OF,
    NUMERIC,
    ONE_OF,
    SEVERAL,
    UNKNOWN,
    days_until,
)

Expression = Any

STATUS = "$$status"  # the status of the moment; a rule may ask for the one that another rule gave
NO_RULE = -1


def decision(rules: Sequence[Rule], today: date) -> Expression:
    """`{status, rule, chosen}` of a stored customer, the answer of `rules.relationship.decide`.

    `rule` is its place in `rules`, or NO_RULE; `chosen` the status that a person chose, or null.
    """
    current = {"$ifNull": ["$relationship", ""]}
    first = _once(rules, today)
    settled = _settled(rules, first) if _ask_for_status(rules) else "$$first"
    decided = _let({"status": "$relationship"}, _let({"first": first}, settled))
    return _let({"chosen": chosen(rules), "current": current}, decided)


def chosen(rules: Sequence[Rule]) -> Expression:
    """`{status, since_on}` of what a person chose, or null; as `rules.relationship.chosen_of`."""
    given = sorted({rule.status for rule in rules if rule.is_enabled})
    status = {"$ifNull": ["$relationship", ""]}
    is_given = {
        "$or": [
            {"$in": [status, _literal(["", NEW, *given])]},
            {"$eq": ["$relationship_set.by", RULE]},
        ]
    }
    stored = {
        "status": "$relationship_chosen.status",
        "since_on": {"$ifNull": ["$relationship_chosen.since_on", None]},
    }
    unwritten = {"$cond": [is_given, None, {"status": status, "since_on": None}]}
    return {"$cond": [_is_known("$relationship_chosen.status"), stored, unwritten]}


def set_by(rules: Sequence[Rule], today: date, at: datetime, decided: str) -> Expression:
    """The stored `RelationshipSet` of a decision; `decided` is the path of the decision."""
    branches = [
        {"case": {"$eq": [f"{decided}.rule", place]}, "then": _set_by_rule(rule, today, at)}
        for place, rule in enumerate(rules)
    ]
    names = ("staff_name", "since_on", "reason")
    by_person = {"by": PERSON, "at": at} | {
        name: {
            "$cond": [
                {"$in": [{"$ifNull": [f"$relationship_chosen.{name}", ""]}, [""]]},
                "$$REMOVE",
                f"$relationship_chosen.{name}",
            ]
        }
        for name in names
    }
    otherwise = {"$cond": [{"$gt": [f"{decided}.chosen", None]}, by_person, {"at": at}]}
    return {"$switch": {"branches": branches, "default": otherwise}} if branches else otherwise


def _set_by_rule(rule: Rule, today: date, at: datetime) -> Expression:
    return {
        "by": RULE,
        "at": at,
        "rule": _literal(rule.key),
        "label_vi": _literal(rule.label_vi),
        "label_en": _literal(rule.label_en),
        "because": _let(
            {"status": "$relationship"},
            [_found(one, today) for one in reasons_of(rule) if one.known],
        ),
    }


def _found(condition: Condition, today: date) -> Expression:
    fact = condition.known
    assert fact is not None  # noqa: S101 - the caller has looked
    actual = fact.expression(_at_midnight(today))
    if fact.kind == MONEY:
        actual = {"$toString": actual}
    found: dict[str, Expression] = {"fact": condition.fact, "operator": condition.operator}
    if condition.operator in (AT_LEAST, AT_MOST):
        found["value"] = {"$ifNull": [_bound(condition), None]}
    elif condition.values:
        found["value"] = _literal(list(condition.values))
    found["actual"] = {"$ifNull": [actual, "$$REMOVE"]}
    if condition.of:
        found["label"] = _literal(fact.label)
        found |= {"pick_list": _literal(fact.pick_list)} if fact.pick_list else {}
    return found


def _ask_for_status(rules: Sequence[Rule]) -> bool:
    return any(one.fact == "relationship" for rule in rules for one in rule.conditions)


def _once(rules: Sequence[Rule], today: date) -> Expression:
    """The decision for STATUS; rules are tried one after the other until one holds."""
    was_chosen = {"$ifNull": ["$$chosen.status", None]}
    branches = [
        {
            "case": {"$and": [_may_replace(rule, today), *_conditions(rule, today)]},
            "then": {"status": _literal(rule.status), "rule": place, "chosen": was_chosen},
        }
        for place, rule in enumerate(rules)
        if rule.is_enabled
    ]
    kept = {"$cond": [{"$in": [{"$ifNull": [STATUS, ""]}, [""]]}, NEW, STATUS]}
    otherwise = {
        "$cond": [
            {"$eq": ["$$chosen", None]},
            {"status": kept, "rule": NO_RULE, "chosen": None},
            {"status": "$$chosen.status", "rule": NO_RULE, "chosen": "$$chosen.status"},
        ]
    }
    return {"$switch": {"branches": branches, "default": otherwise}} if branches else otherwise


def _settled(rules: Sequence[Rule], first: Expression) -> Expression:
    """What the decision comes to when its own status is asked for again and again.

    It settles when the status stays; when it comes round to one that it has had, it is left as it
    was. Each turn has another status, so that there are no more turns than statuses.
    """
    turns = len({rule.status for rule in rules}) + 3
    seen = {"$concatArrays": ["$$value.seen", ["$$value.found.status"]]}
    again = _let({"status": "$$value.found.status"}, first)
    turned = _let(
        {"following": again, "seen": seen},
        {
            "$cond": [
                {"$eq": ["$$following.status", "$$value.found.status"]},
                {"found": "$$value.found", "seen": [], "is_over": True, "is_round": False},
                {
                    "found": "$$following",
                    "seen": "$$seen",
                    "is_over": {"$in": ["$$following.status", "$$seen"]},
                    "is_round": {"$in": ["$$following.status", "$$seen"]},
                },
            ]
        },
    )
    begun = {"found": "$$first", "seen": ["$$current"], "is_over": False, "is_round": False}
    end = {
        "$reduce": {
            "input": list(range(turns)),
            "initialValue": begun,
            "in": {"$cond": ["$$value.is_over", "$$value", turned]},
        }
    }
    left = {"status": "$$current", "rule": NO_RULE, "chosen": None}
    settled = _let({"end": end}, {"$cond": ["$$end.is_round", left, "$$end.found"]})
    return {"$cond": [{"$eq": ["$$first.status", "$$current"]}, "$$first", settled]}


def _may_replace(rule: Rule, today: date) -> Expression:
    nobody_chose = {"$eq": ["$$chosen", None]}
    if rule.hold_days is None:
        return nobody_chose
    held_days = days_until(_at_midnight(today), "$$chosen.since_on")
    return {
        "$or": [
            nobody_chose,
            {"$eq": ["$$chosen.since_on", None]},
            {"$gte": [held_days, rule.hold_days]},
        ]
    }


def _conditions(rule: Rule, today: date) -> list[Expression]:
    return [_holds(one, today) for one in rule.conditions]


def _holds(condition: Condition, today: date) -> Expression:
    known = condition.known
    if known is None:
        return False
    actual = known.expression(_at_midnight(today))
    if condition.operator in (KNOWN, UNKNOWN):
        return _is_known(actual) if condition.operator == KNOWN else {"$not": [_is_known(actual)]}
    if known.kind in NUMERIC:
        return _compares(condition, actual)
    met = _meets(actual, condition.values, is_several=known.kind in SEVERAL)
    if condition.operator == ONE_OF:
        return met
    return {"$not": [met]} if condition.operator == NONE_OF else False


def _compares(condition: Condition, actual: Expression) -> Expression:
    operator = {AT_LEAST: "$gte", AT_MOST: "$lte"}.get(condition.operator)
    if operator is None:
        return False
    compared = {operator: ["$$actual", "$$bound"]}
    both_known = {"$and": [_is_known("$$actual"), _is_known("$$bound"), compared]}
    return _let({"actual": actual, "bound": _bound(condition)}, both_known)


def _bound(condition: Condition) -> Expression:
    if not condition.by_group:
        return condition.number
    groups = {"$ifNull": ["$groups", []]}
    own = [
        {"$cond": [{"$in": [_literal(key), groups]}, number, None]}
        for key, number in condition.by_group.items()
    ]
    return {"$ifNull": [{"$min": own}, condition.number]}


def _meets(actual: Expression, values: Sequence[str], *, is_several: bool) -> Expression:
    if not is_several:
        return {"$in": [actual, _literal(list(values))]}
    met = {"$setIntersection": [{"$ifNull": [actual, []]}, _literal(list(values))]}
    return {"$ne": [met, []]}


def _is_known(value: Expression) -> Expression:
    """Whether it is neither missing nor null."""
    return {"$gt": [value, None]}


def _at_midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _literal(value: Any) -> Expression:
    """A word that begins with a dollar sign would be read as a path."""
    return {"$literal": value}


def _let(names: dict[str, Expression], within: Expression) -> Expression:
    return {"$let": {"vars": names, "in": within}}
