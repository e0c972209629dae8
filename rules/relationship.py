"""A customer's relationship status from facts (S3.3, S3.4).

Rules stand in an order; the first one whose conditions all hold gives the status. A status chosen
by a person holds against a rule for as long as that rule says, and comes back when the rule that
replaced it holds no more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from rules.relationship_facts import (
    AT_LEAST,
    AT_MOST,
    FACTS,
    KNOWN,
    NONE_OF,
    NUMERIC,
    ONE_OF,
    UNKNOWN,
    Fact,
)

NEW, DO_NOT_FORGET = "new", "do_not_forget"
RULE, PERSON = "rule", "person"

Customer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that has to be true.

    `number` is compared with facts that count; `values` with keys and words. `by_group` gives
    customers of a group another number; in several groups, the smallest counts.
    """

    fact: str
    operator: str
    number: int | None = None
    values: tuple[str, ...] = ()
    by_group: Mapping[str, int] = field(default_factory=dict)
    of: Fact | None = None  # the fact itself, when it is a field of the site

    @property
    def known(self) -> Fact | None:
        """The fact; None when it is one of another version, or a field that is gone."""
        return self.of or FACTS.get(self.fact)

    def bound(self, customer: Customer) -> int | None:
        """The number for this customer."""
        if self.by_group:
            own = [
                self.by_group[key] for key in customer.get("groups") or () if key in self.by_group
            ]
            if own:
                return min(own)
        return self.number

    def holds(self, customer: Customer, today: date) -> bool:
        """Whether it is true. What is unknown is only ever `unknown`, or none of some values."""
        known = self.known
        if known is None:  # a fact of another version: the rule must not fire by accident
            return False
        actual = known.read(customer, today)
        if self.operator in (KNOWN, UNKNOWN):
            return (actual is not None) == (self.operator == KNOWN)
        if known.kind in NUMERIC:
            return self._compares(actual, self.bound(customer))
        met = not set(self.values).isdisjoint(_as_keys(actual))
        return met if self.operator == ONE_OF else self.operator == NONE_OF and not met

    def _compares(self, actual: Any, bound: int | None) -> bool:
        if actual is None or bound is None:
            return False
        if self.operator == AT_LEAST:
            return bool(actual >= bound)
        return self.operator == AT_MOST and bool(actual <= bound)


@dataclass(frozen=True, slots=True)
class Rule:
    """When all `conditions` hold, the customer is `status`. No conditions: always.

    `hold_days`: how long a status chosen by a person holds against this rule; 0: not at all,
    None: for good.
    """

    key: str
    status: str
    conditions: tuple[Condition, ...] = ()
    hold_days: int | None = None
    is_enabled: bool = True
    label_vi: str = ""
    label_en: str = ""

    def holds(self, customer: Customer, today: date) -> bool:
        return self.is_enabled and all(one.holds(customer, today) for one in self.conditions)

    def may_replace(self, chosen: "Chosen | None", today: date) -> bool:
        """Whether the rule may take the place of what a person chose."""
        if chosen is None:
            return True
        if self.hold_days is None:
            return False
        return chosen.since_on is None or (today - chosen.since_on).days >= self.hold_days


@dataclass(frozen=True, slots=True)
class Chosen:
    """A status that a person chose, and since when; None: before anybody wrote it down."""

    status: str
    since_on: date | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The status, and where it comes from: `rule`, what a person chose, or both None: it stays."""

    status: str
    rule: Rule | None = None
    chosen: Chosen | None = None

    @property
    def by(self) -> str | None:
        return RULE if self.rule else PERSON if self.chosen else None


def chosen_of(customer: Customer, rules: Sequence[Rule]) -> Chosen | None:
    """What a person chose for this customer, or None.

    A status that no rule gives and that no rule is known to have given was chosen by somebody
    before it was written down who did; but everybody begins as new.
    """
    stored = customer.get("relationship_chosen")
    if stored:
        since = stored.get("since_on")
        return Chosen(stored["status"], since.date() if hasattr(since, "date") else since)
    status = customer.get("relationship")
    if status in (None, "", NEW) or (customer.get("relationship_set") or {}).get("by") == RULE:
        return None
    given = {rule.status for rule in rules if rule.is_enabled}
    return None if status in given else Chosen(str(status))


def decide(customer: Customer, rules: Sequence[Rule], today: date) -> Decision:
    """The customer's status now.

    Deciding again changes nothing. Rules that send a customer round in circles by asking for its
    status leave it where it is.

    Args:
        customer: stored `relationship`, `relationship_chosen`, `relationship_set`, `facts`,
            `groups`, `tags`.
        rules: in their order.
        today: the local date of the site.
    """
    current = customer.get("relationship") or ""
    chosen = chosen_of(customer, rules)
    decision = _once(customer, rules, chosen, today)
    seen = {current}
    while decision.status not in seen:
        seen.add(decision.status)
        step = {**customer, "relationship": decision.status}
        following = _once(step, rules, chosen, today)
        if following.status == decision.status:
            return decision
        decision = following
    return decision if len(seen) == 1 else Decision(current)


def _once(
    customer: Customer, rules: Sequence[Rule], chosen: Chosen | None, today: date
) -> Decision:
    for rule in rules:
        if rule.may_replace(chosen, today) and rule.holds(customer, today):
            return Decision(rule.status, rule=rule, chosen=chosen)
    if chosen is not None:
        return Decision(chosen.status, chosen=chosen)
    return Decision(customer.get("relationship") or NEW)


def because(decision: Decision, customer: Customer, today: date) -> list[dict[str, Any]]:
    """The conditions of the rule with what they found, plain enough to be stored.

    Exceptions are left out: that a customer is not lost is no reason for what it is.
    """
    reasons = reasons_of(decision.rule) if decision.rule else ()
    return [_found(one, one.known, customer, today) for one in reasons if one.known]


def reasons_of(rule: Rule) -> Sequence[Condition]:
    """The conditions that say why the rule holds."""
    reasons = [one for one in rule.conditions if one.operator != NONE_OF]
    return reasons or rule.conditions


def _found(condition: Condition, fact: Fact, customer: Customer, today: date) -> dict[str, Any]:
    actual = fact.read(customer, today)
    found: dict[str, Any] = {"fact": condition.fact, "operator": condition.operator}
    if condition.operator in (AT_LEAST, AT_MOST):
        found["value"] = condition.bound(customer)
    elif condition.values:
        found["value"] = list(condition.values)
    if actual is not None:
        found["actual"] = _plain(actual)
    if condition.of:
        found["label"] = condition.of.label
        found |= {"pick_list": condition.of.pick_list} if condition.of.pick_list else {}
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _as_keys(actual: Any) -> tuple[str, ...]:
    if actual is None:
        return ()
    return actual if isinstance(actual, tuple) else (actual,)
