"""Why somebody can or cannot see a customer and its orders: every rule, said in words (B.8)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from rules.errors import N_
from rules.permissions import ALL, ASSIGNED, OWN, SEE, TEAM, Role
from rules.scope import BY_CUSTOMER, BY_PRODUCT, UNLIMITED, Actor
from rules.sentences import Sentence
from rules.teams import Team

# What a reason is about, so that a screen can link to where it is changed.
LOGIN, ROLE, MODE, OWNER = "login", "role", "mode", "owner"
CARERS, PRODUCTS, VIEWERS = "carers", "products", "viewers"
IN_TEAM, ABSENCE = "team", "absence"


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a customer decides who sees it.

    `viewers` are (staff id, until); `names` of everybody named; `matched` are the roles whose rule
    over fields the record matches.
    """

    owner_id: Any = None
    carers: Sequence[Any] = ()
    product_carers: Sequence[Any] = ()
    viewers: Sequence[tuple[Any, datetime | None]] = ()
    names: Mapping[Any, str] = field(default_factory=lambda: MappingProxyType({}))
    matched: Sequence[Role] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule: whether it lets the person see the record, and in words why or why not."""

    about: str
    holds: bool
    says: Sentence


def reasons_to_see(actor: Actor, standing: Standing, now: datetime) -> list[Sentence]:
    """Every reason there is; empty when the actor cannot see the customer."""
    return [one.says for one in reasons(actor, standing, now) if one.holds]


def reasons(
    actor: Actor,
    standing: Standing,
    now: datetime,
    *,
    kind: str = "customers",
    is_active: bool = True,
) -> list[Reason]:
    """Each rule with its outcome for this actor: those that hold first.

    Args:
        kind: "customers", or "orders" for what is seen of an order of this customer.
    """
    reaches = frozenset(one.reach for _, one in actor.access.granting(kind, SEE))
    found = [
        *_roles(actor, standing, kind),
        *_mode(actor, reaches),
        *_reached(actor.staff_id, standing, reaches, now, is_pending=actor.is_scope_pending),
        *_teams(actor, standing, reaches, now),
        *_absences(actor, standing, reaches, now),
    ]
    if not is_active:
        out = Reason(LOGIN, False, Sentence(N_("The login is deactivated: nothing below counts.")))
        return [out, *(replace(one, holds=False) for one in found)]
    return sorted(found, key=lambda one: not one.holds)


def _roles(actor: Actor, standing: Standing, kind: str) -> Iterator[Reason]:
    granting = actor.access.granting(kind, SEE)
    if not granting:
        yield _no(ROLE, N_("None of the person's roles lets it see such records."))
        return
    everything = [role for role, permission in granting if permission.reach == ALL]
    for role in everything:
        yield _yes(ROLE, N_("The role %(role)s sees every customer."), role=role)
    if not everything:
        yield _no(ROLE, N_("None of the person's roles sees every customer."))
    for role, permission in granting:
        if permission.where and role in standing.matched:
            yield _yes(ROLE, N_("The customer matches the rule of the role %(role)s."), role=role)
        elif permission.where:
            message = N_("The customer does not match the rule of the role %(role)s.")
            yield _no(ROLE, message, role=role)
    if {permission.reach for _, permission in granting} == {OWN}:
        yield _no(ROLE, N_("The person's roles see only what the person is responsible for."))


def _mode(actor: Actor, reaches: frozenset[str]) -> Iterator[Reason]:
    if ASSIGNED not in reaches:
        return
    if actor.care_mode == UNLIMITED:
        yield _yes(MODE, N_("The care mode is unlimited: all care staff see all customers."))
    elif actor.care_mode == BY_PRODUCT:
        message = N_("The care mode is by product: care staff need a reason of their own.")
        yield _no(MODE, message)
    elif actor.care_mode == BY_CUSTOMER:
        message = N_("The care mode is by customer: care staff need a reason of their own.")
        yield _no(MODE, message)


def _reached(
    staff_id: Any,
    standing: Standing,
    reaches: frozenset[str],
    now: datetime,
    *,
    is_pending: bool = False,
) -> list[Reason]:
    """What one person has to do with the customer, as far as the reaches count it."""
    if not reaches & {OWN, ASSIGNED, TEAM}:
        return []
    found = [_owner(staff_id, standing)]
    if reaches & {ASSIGNED, TEAM}:
        found += [
            _carers(staff_id, standing),
            _products(staff_id, standing, is_pending),
            *_viewers(staff_id, standing, now),
        ]
    return found


def _owner(staff_id: Any, standing: Standing) -> Reason:
    if standing.owner_id is None:
        return _no(OWNER, N_("Nobody is responsible for this customer."))
    if standing.owner_id == staff_id:
        return _yes(OWNER, N_("Responsible for this customer."))
    name = _names(standing, [standing.owner_id])
    return _no(OWNER, N_("Not responsible for this customer; that is %(name)s."), name=name)


def _carers(staff_id: Any, standing: Standing) -> Reason:
    if staff_id in standing.carers:
        return _yes(CARERS, N_("Assigned to care for this customer."))
    if not standing.carers:
        return _no(CARERS, N_("Nobody is assigned to care for this customer."))
    message = N_("Not assigned to care for this customer; assigned: %(names)s.")
    return _no(CARERS, message, names=_names(standing, standing.carers))


def _products(staff_id: Any, standing: Standing, is_pending: bool) -> Reason:
    if staff_id not in standing.product_carers:
        return _no(PRODUCTS, N_("Not assigned to care for any product that this customer bought."))
    if is_pending:
        message = N_(
            "Products do not count for a moment: an assignment that was taken back is still being taken out of the lists."
        )
        return _no(PRODUCTS, message)
    return _yes(PRODUCTS, N_("Assigned to care for a product that this customer bought."))


def _viewers(staff_id: Any, standing: Standing, now: datetime) -> Iterator[Reason]:
    mine = [until for viewer, until in standing.viewers if viewer == staff_id]
    for until in mine:
        if until is None:
            yield _yes(VIEWERS, N_("Added as a viewer."))
        elif until > now:
            yield _yes(VIEWERS, N_("Added as a viewer until %(until)s."), until=until)
        else:
            yield _no(VIEWERS, N_("Was a viewer until %(until)s."), until=until)
    if not mine:
        yield _no(VIEWERS, N_("Is not a viewer."))


def _teams(
    actor: Actor, standing: Standing, reaches: frozenset[str], now: datetime
) -> Iterator[Reason]:
    """Each reason once for each team, whoever in it has it."""
    for team in actor.teams:
        whys = {
            why.message: why
            for staff_id in sorted(_acted_for(actor, team, reaches))
            for why in _holding(actor, staff_id, standing, reaches, now)
        }
        for why in whys.values():
            yield _yes(IN_TEAM, N_("Through the team %(team)s: %(why)s"), team=team, why=why)
        if not whys:
            yield _no(IN_TEAM, N_("Nobody in the team %(team)s lets it see this."), team=team)


def _acted_for(actor: Actor, team: Team, reaches: Iterable[str]) -> frozenset[Any]:
    """The people of a team, apart from the actor, whose records the actor sees."""
    if TEAM in reaches:
        return team.everybody - {actor.staff_id}
    return team.members - {actor.staff_id} if actor.staff_id in team.leads else frozenset()


def _absences(
    actor: Actor, standing: Standing, reaches: frozenset[str], now: datetime
) -> Iterator[Reason]:
    """Why a colleague who is away sees the customer: so does the person who stands in."""
    message = N_("Stands in for %(name)s until %(until)s: %(why)s")
    found = [
        _yes(ABSENCE, message, name=away.name, until=away.until_on, why=why)
        for away in actor.stands_in_for
        for why in _holding(actor, away.staff_id, standing, reaches, now)
    ]
    yield from found
    if not found:
        yield _no(ABSENCE, N_("Stands in for nobody who could see it."))


def _holding(
    actor: Actor, staff_id: Any, standing: Standing, reaches: frozenset[str], now: datetime
) -> list[Sentence]:
    theirs = _reached(staff_id, standing, reaches, now, is_pending=actor.is_scope_pending)
    return [one.says for one in theirs if one.holds]


def _names(standing: Standing, staff_ids: Iterable[Any]) -> str:
    return ", ".join(standing.names.get(one, "?") for one in staff_ids)


def _yes(about: str, message: str, **params: Any) -> Reason:
    return Reason(about, True, Sentence(message, params))


def _no(about: str, message: str, **params: Any) -> Reason:
    return Reason(about, False, Sentence(message, params))
