"""The rules of relationship statuses as a site has them, and saving others (S3.3, S3.4)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import RelationshipSetup
from models.relationship import CONTACT_KINDS
from rules.errors import N_, InvalidInput, NotAllowed, StaleForm
from rules.permissions import CONFIGURE
from rules.relationship import Condition, Rule
from rules.relationship_facts import (
    AT_LEAST,
    AT_MOST,
    CUSTOM,
    DAYS,
    FACTS,
    NONE_OF,
    ONE_OF,
    Fact,
    of_field,
)
from rules.scope import Actor
from services import audit, configuration, configuration_changes, job_runs, shipped_relationships
from stores.mongo import in_transaction

Stored = dict[str, Any]

KEY = "relationships"
SECTION = "relationship_rules"  # of the configuration
CONTENT = ("rules", "contact_kinds", "unanswered")
RULES_LIMIT, CONDITIONS_LIMIT, NUMBER_LIMIT = 40, 12, 10**12
DAYS_LIMIT = 36_500


@dataclass(frozen=True, slots=True)
class Setup:
    """`rules` in their order; `contact_kinds` and `unanswered` say what counts as a contact.

    `stored_rules` are the same rules as they are stored, for the screen.
    """

    rules: tuple[Rule, ...]
    contact_kinds: frozenset[str]
    unanswered: frozenset[str]
    version: int
    stored_rules: tuple[Stored, ...]


def shipped() -> Stored:
    """The document that every installation starts with."""
    return {
        "rules": shipped_relationships.rules(),
        "contact_kinds": shipped_relationships.CONTACTS,
        "unanswered": shipped_relationships.UNANSWERED,
        "version": 1,
    }


def ensure() -> None:
    """Adds the shipped rules when there are none. Safe to call from several processes."""
    RelationshipSetup.collection().update_one(
        {"key": KEY}, {"$setOnInsert": shipped()}, upsert=True
    )


def load(session: ClientSession | None = None) -> Setup:
    """The rules in force now; one query."""
    found = RelationshipSetup.collection().find_one({"key": KEY}, session=session)
    return from_stored(found or shipped(), facts)


def facts(config: configuration.Configuration | None = None) -> dict[str, Fact]:
    """Every fact that rules may ask for, those of the customers' own fields included, by key."""
    defined = (config or configuration.snapshot()).kinds["customers"].fields.values()
    own = [of_field(one) for one in defined if one.is_usable]
    return FACTS | {fact.key: fact for fact in own if fact}


def from_stored(
    document: Mapping[str, Any], known: Callable[[], Mapping[str, Fact]] = lambda: FACTS
) -> Setup:
    """The rules of a stored document; `known` is asked when one of them asks for a site's field."""
    asked = {one["fact"] for rule in document.get("rules") or () for one in rule["conditions"]}
    own = known() if any(fact.startswith(CUSTOM) for fact in asked) else {}
    return Setup(
        rules=tuple(_rule(one, own) for one in document.get("rules") or ()),
        contact_kinds=frozenset(document.get("contact_kinds") or ()),
        unanswered=frozenset(document.get("unanswered") or ()),
        version=document.get("version", 1),
        stored_rules=tuple(document.get("rules") or ()),
    )


def _rule(stored: Mapping[str, Any], own: Mapping[str, Fact]) -> Rule:
    return Rule(
        key=stored["key"],
        status=stored["status"],
        conditions=tuple(_condition(one, own) for one in stored.get("conditions") or ()),
        hold_days=stored.get("hold_days"),
        is_enabled=stored.get("is_enabled", True),
        label_vi=stored.get("label_vi") or "",
        label_en=stored.get("label_en") or "",
    )


def _condition(stored: Mapping[str, Any], own: Mapping[str, Fact]) -> Condition:
    return Condition(
        fact=stored["fact"],
        operator=stored["operator"],
        number=stored.get("number"),
        values=tuple(stored.get("values") or ()),
        by_group=dict(stored.get("by_group") or {}),
        of=own.get(stored["fact"]) if stored["fact"].startswith(CUSTOM) else None,
    )


def checked(
    rules: Sequence[Mapping[str, Any]],
    contact_kinds: Sequence[str],
    unanswered: Sequence[str],
    config: configuration.Configuration | None = None,
) -> Stored:
    """The document to store; `config` is the configuration that it will stand in, None: the one in force.

    Raises:
        InvalidInput: names the rule and what to change in it.
    """
    if len(rules) > RULES_LIMIT:
        raise InvalidInput(N_("Keep at most %(limit)s rules."), limit=RULES_LIMIT)
    if not set(contact_kinds) & set(CONTACT_KINDS):
        raise InvalidInput(N_("Tick at least one thing that counts as a contact."))
    keys = [rule["key"] for rule in rules]
    known = facts(config) if config else facts()
    config = config or configuration.snapshot()
    for rule in rules:
        _check_rule(rule, known, config)
    if len(set(keys)) != len(keys):
        raise InvalidInput(N_("Two rules have the same key. Remove one of them."))
    return {
        "rules": [dict(rule) for rule in rules],
        "contact_kinds": [one for one in CONTACT_KINDS if one in contact_kinds],
        "unanswered": sorted(set(unanswered)),
    }


def _check_rule(
    rule: Mapping[str, Any], known: Mapping[str, Fact], config: configuration.Configuration
) -> None:
    name = rule.get("label_vi") or rule.get("key") or "?"
    if not rule.get("label_vi"):
        raise InvalidInput(N_("Give every rule a name."))
    statuses = config.pick_lists.get("relationship", {})
    status = statuses.get(rule["status"])
    if status is None or status.retired:
        raise InvalidInput(N_("Rule “%(rule)s”: choose a status from the list."), rule=name)
    if rule.get("hold_days") is not None and not 0 <= rule["hold_days"] <= DAYS_LIMIT:
        raise InvalidInput(
            N_("Rule “%(rule)s”: days are a whole number from 0 to %(limit)s."),
            rule=name,
            limit=DAYS_LIMIT,
        )
    if len(rule["conditions"]) > CONDITIONS_LIMIT:
        raise InvalidInput(
            N_("Rule “%(rule)s”: keep at most %(limit)s conditions."),
            rule=name,
            limit=CONDITIONS_LIMIT,
        )
    for condition in rule["conditions"]:
        _check_condition(condition, name, known)


def _check_condition(condition: Mapping[str, Any], name: str, known: Mapping[str, Fact]) -> None:
    fact = known.get(condition["fact"])
    operator = condition["operator"]
    if fact is None or operator not in fact.operators:
        raise InvalidInput(N_("Rule “%(rule)s”: a condition cannot be read."), rule=name)
    if operator in (AT_LEAST, AT_MOST):
        limit = DAYS_LIMIT if fact.kind == DAYS else NUMBER_LIMIT
        numbers = [condition.get("number"), *(condition.get("by_group") or {}).values()]
        if any(number is None or not 0 <= number <= limit for number in numbers):
            raise InvalidInput(
                N_("Rule “%(rule)s”: write a whole number from 0 to %(limit)s."),
                rule=name,
                limit=limit,
            )
    if operator in (ONE_OF, NONE_OF) and not condition.get("values"):
        raise InvalidInput(N_("Rule “%(rule)s”: tick at least one value."), rule=name)


def save(document: Stored, *, version: int, by: Actor, at: datetime) -> ObjectId | None:
    """Puts checked rules in force and starts the job that applies them; its run's id.

    None when nothing changed.

    Raises:
        NotAllowed: the actor may not configure. StaleForm: somebody else saved meanwhile.
    """
    if not by.can(CONFIGURE):
        raise NotAllowed()

    def work(session: ClientSession) -> ObjectId | None:
        stored = RelationshipSetup.collection().find_one({"key": KEY}, session=session)
        if (stored or shipped()).get("version", 1) != version:
            raise StaleForm()
        before = contents(session)[KEY]
        run_id = put(KEY, document, by=by, at=at, session=session)
        if run_id:
            made = {"section": SECTION, "key": KEY, "before": before}
            made["after"] = contents(session)[KEY]
            configuration_changes.record([made], says="", by=by, at=at, session=session)
        return run_id

    run_id = in_transaction(work)
    if run_id:
        job_runs.enqueue(run_id)
    return run_id


def contents(session: ClientSession | None = None) -> dict[str, Stored]:
    """{key: rules and what counts as a contact}, as a file has them."""
    stored = RelationshipSetup.collection().find_one({"key": KEY}, session=session) or shipped()
    return {KEY: {name: stored.get(name) or [] for name in CONTENT}}


def put(
    key: str, content: Mapping[str, Any], *, by: Actor, at: datetime, session: ClientSession
) -> ObjectId | None:
    """Writes checked rules; the job that applies them, to be handed over after the commit.

    None when nothing changed.
    """
    setups = RelationshipSetup.collection()
    stored = setups.find_one({"key": KEY}, session=session) or shipped()
    changes = {
        name: (stored.get(name), value)
        for name, value in content.items()
        if stored.get(name) != value
    }
    if not changes:
        return None
    version = stored.get("version", 1) + 1
    written = dict(content) | {"version": version, "saved_by": by.name, "updated_at": at}
    setups.update_one({"key": KEY}, {"$set": written}, upsert=True, session=session)
    audit.record(
        by=by,
        at=at,
        action="update",
        kind="relationship_setup",
        record_id=stored.get("_id"),
        label=KEY,
        changes=changes,
        session=session,
    )
    return job_runs.create("recompute_relationships", {}, by, session=session, at=at)
