"""Who acts, with what its roles allow as the site configured them at this moment.

Every actor for a person or a program comes from here: a page, a key of the API, a job that goes on
for somebody. A job asks again when it runs, so that a role taken away meanwhile counts.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from bson import ObjectId

from models import Staff
from models.base import local_date
from rules import conditions as rule_conditions
from rules.built_in_fields import BUILT_IN_KINDS
from rules.errors import N_, InvalidInput, NotAllowed
from rules.masking import Limits, limits_of
from rules.permissions import SEE, Access, Role
from rules.scope import NOTHING, Actor, Criteria, StandIn
from rules.teams import teams_of
from services import conditions, configuration
from services.configuration import Configuration
from stores import mongo

Stored = Mapping[str, Any]


def of_person(
    person: Stored, config: Configuration, *, at: datetime, screen: str = "", address: str = ""
) -> Actor:
    """The actor for a stored staff member, as the configuration has its roles.

    Args:
        at: the instant of the act; what a person may see can depend on it.
    """
    roles = frozenset(person.get("roles") or ())
    return Actor(
        person["_id"],
        person["name"],
        roles,
        screen,
        care_mode=config.care_mode,
        is_scope_pending=bool(person.get("scopes_pending")),
        address=address,
        granted=config.access(roles),
        stands_in_for=standing_in(person.get("stands_in") or (), at),
        teams=teams_of(config.teams.values(), person["_id"]),
        where=rules_of(config, config.access(roles), me=person["_id"], at=at),
        limits=_limits(config, roles),
    )


def of_program(
    name: str,
    roles: frozenset[str],
    config: Configuration,
    *,
    at: datetime,
    screen: str = "",
    address: str = "",
) -> Actor:
    """The actor for a program, which is nobody in particular and has roles of its own."""
    return Actor(
        None,
        name,
        roles,
        screen,
        care_mode=config.care_mode,
        address=address,
        granted=config.access(roles),
        where=rules_of(config, config.access(roles), me=None, at=at),
        limits=_limits(config, roles),
    )


def of_staff(
    staff: Staff, config: Configuration, *, at: datetime, screen: str = "", address: str = ""
) -> Actor:
    """`of_person` for a document that is loaded already."""
    person = {
        "_id": staff.pk,
        "name": staff.name,
        "roles": staff.roles,
        "scopes_pending": staff.scopes_pending,
        "stands_in": [one.to_mongo() for one in staff.stands_in],
    }
    return of_person(person, config, at=at, screen=screen, address=address)


def _limits(config: Configuration, roles: frozenset[str]) -> Mapping[str, Limits]:
    """What of each kind's fields somebody with these roles does not see as it is."""
    access = config.access(roles)
    return config.once(
        ("limits", roles),
        lambda: {key: limits_of(kind, access) for key, kind in config.kinds.items()},
    )


def rules_of(
    config: Configuration, access: Access, *, me: ObjectId | None, at: datetime
) -> dict[tuple[str, str], Criteria]:
    """{(role, kind): criteria} of the rules over fields; one that is broken matches nothing."""
    return {
        (role.key, kind): _rule(config, kind, permission.where, me, at)
        for role in access.roles
        for kind in config.kinds
        if (permission := role.on(kind)) is not None and permission.where
    }


def _rule(
    config: Configuration, kind: str, text: str, me: ObjectId | None, at: datetime
) -> Criteria:
    try:
        tree = rule_conditions.read(text)
    except InvalidInput:
        return NOTHING
    zone = mongo.zone()
    context = conditions.context(
        config, today=at.astimezone(zone).date(), zone=zone, kind=kind, me=me
    )
    return rule_conditions.criteria(tree, config.kinds[kind].fields, context) or NOTHING


def matched_roles(
    actor: Actor, kind: str, record_id: ObjectId, known: dict[str, bool]
) -> list[Role]:
    """The roles of the actor whose rule over fields the record matches (B.8).

    `known` keeps what was found, so that many people with the same role cost one query.
    """
    found = []
    for role, _ in actor.access.granting(kind, SEE):
        criteria = actor.where.get((role.key, kind))
        if criteria is None:
            continue
        key = repr(criteria)
        if key not in known:
            query = {"$and": [{"_id": record_id}, criteria]}
            collection = mongo.database()[BUILT_IN_KINDS[kind].collection]
            known[key] = collection.find_one(query, {"_id": 1}) is not None
        if known[key]:
            found.append(role)
    return found


def standing_in(stands_in: Iterable[Stored], at: datetime) -> tuple[StandIn, ...]:
    """For whom a person stands in at this instant, out of its stored `stands_in`."""
    return tuple(
        StandIn(one["staff_id"], one["name"], _day(one["until_on"]))
        for one in stands_in
        if one["from_at"] <= at < one["until_at"]
    )


def as_now(staff_id: ObjectId | None, *, at: datetime, screen: str) -> Actor:
    """The person for whom a job goes on, with the roles of this moment.

    Raises NotAllowed when the person is gone or deactivated.
    """
    person = Staff.collection().find_one({"_id": staff_id, "active": True})
    if person is None:
        raise NotAllowed(N_("The person who started this no longer works here."))
    return of_person(person, configuration.snapshot(), at=at, screen=screen)


def check_covers(by: Actor, person: Stored) -> None:
    """Raises NotAllowed when a person may more than the actor: its account is not the actor's."""
    allowed = configuration.snapshot().access(person.get("roles") or ())
    if not covers(by.access, allowed):
        raise NotAllowed(
            N_("%(name)s may do more than you. Ask an administrator."), name=person["name"]
        )


def covers(mine: Access, asked: Access) -> bool:
    """Whether the one allows everything that the other one does."""
    return all(mine.covers(role) for role in asked.roles)


def _day(stored: datetime) -> date:
    day = local_date(stored)
    assert day is not None  # noqa: S101 - every absence has its days
    return day
