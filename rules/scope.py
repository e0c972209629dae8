"""Who acts, and what they may see and do, and why (S1.2, S1.3, S1.9 to S1.11, S2.7, B.8)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from rules.errors import N_
from rules.permissions import SHIPPED_ROLES, Access, union
from rules.sentences import Sentence

Criteria = dict[str, Any]
NOTHING: Criteria = {"_id": {"$in": []}}  # matches no record

CARE_AGENT, MANAGER, ADMINISTRATOR = "care_agent", "manager", "administrator"
ROLES = (CARE_AGENT, MANAGER, ADMINISTRATOR)

# The one care mode of the company (S1.2).
BY_PRODUCT, BY_CUSTOMER, UNLIMITED = "by_product", "by_customer", "unlimited"
CARE_MODES = (BY_PRODUCT, BY_CUSTOMER, UNLIMITED)
PRODUCT_CARERS = "product_carers"


@dataclass(frozen=True, slots=True)
class StandIn:
    """A colleague who is away and whose work somebody sees and does; `until_on` is the last day."""

    staff_id: Any
    name: str
    until_on: date


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or job behind a change.

    `staff_id` is None for jobs and commands; `screen` names where the change comes from and
    goes into the audit entry (`"orders/due"`, `"command import"`). `is_scope_pending` is true while
    products that were taken from the person still stand in the lists: it then sees too little for
    a moment, never too much. `address` is the network address of the browser or program, if any.
    `granted` is what its roles allow as the site configured them; None: as they are shipped.
    `stands_in_for` are the colleagues who are away at this instant and left their work to the
    person (S1.1): what they may see by themselves, the person may see.
    """

    staff_id: Any
    name: str
    roles: frozenset[str] = field(default_factory=frozenset)
    screen: str = ""
    care_mode: str = UNLIMITED
    is_scope_pending: bool = False
    address: str = ""
    granted: Access | None = None
    stands_in_for: tuple[StandIn, ...] = ()

    @property
    def acts_as(self) -> list[Any]:
        """Whose work it is: the person's own and that of everybody it stands in for."""
        return [self.staff_id, *(away.staff_id for away in self.stands_in_for)]

    @property
    def access(self) -> Access:
        """What the actor may do."""
        if self.granted is not None:
            return self.granted
        return union(SHIPPED_ROLES[key] for key in self.roles if key in SHIPPED_ROLES)

    def may(self, kind: str, action: str) -> bool:
        """Whether it may do this to documents of the kind (rules/permissions.py)."""
        return self.access.may(kind, action)

    def can(self, ability: str) -> bool:
        """Whether it has this ability over the site (rules/permissions.py)."""
        return self.access.can(ability)

    @property
    def is_manager(self) -> bool:
        return bool(self.roles & {MANAGER, ADMINISTRATOR})

    @property
    def is_administrator(self) -> bool:
        return ADMINISTRATOR in self.roles


SYSTEM = Actor(staff_id=None, name="Carebook", roles=frozenset({ADMINISTRATOR}), screen="system")


def may_configure_products(actor: Actor) -> bool:
    """Whether the actor may set care intervals and contact counts (S1.4, S1.8)."""
    return actor.is_manager


def may_assign(actor: Actor) -> bool:
    """Whether the actor may say who cares for what (S1.2, S1.9, S1.10)."""
    return actor.is_manager


def may_delete(actor: Actor, kind: str, *, is_own: bool = False) -> bool:
    """Whether the actor may move a record of this kind into the trash.

    `is_own`: the actor added it. Whoever attached a file may take it away again.
    """
    return actor.is_manager or (kind == "attachments" and is_own)


def may_restore(actor: Actor, kind: str, *, is_own: bool = False) -> bool:
    """Whether the actor may bring a record back; `is_own`: the actor deleted it."""
    return actor.is_manager or (kind == "attachments" and is_own)


def may_see_trash(actor: Actor) -> bool:
    """Whether the actor may look through what was deleted."""
    return actor.is_manager


def may_purge(actor: Actor) -> bool:
    """Whether the actor may delete for good."""
    return actor.is_manager


def sees_everything(actor: Actor) -> bool:
    """Managers and administrators see all; care agents while the care mode is unlimited (S1.11)."""
    return actor.is_manager or actor.care_mode == UNLIMITED


def customer_scope(actor: Actor) -> Criteria:
    """The customers that the actor may see: criteria of the store, part of every query.

    `seen_by` on the record names everybody with a reason of their own: the person responsible,
    carers, carers of a product in an order, viewers (S2.7).
    """
    apart_from_products = ("owner_id", "carers", "viewers.staff_id")
    return _limited(
        actor, "seen_by", pending={"$or": [{path: _whose(actor)} for path in apart_from_products]}
    )


def order_scope(actor: Actor) -> Criteria:
    """The orders that the actor may see: those of visible customers, and with its own products."""
    return _limited(actor, "seen_by", pending={"customer_carers": _whose(actor)})


def due_order_scope(actor: Actor) -> Criteria:
    """The orders that the actor is to care for under the care mode (S1.3, S1.10, S1.11)."""
    path = order_carers(actor)
    return _limited(actor, path, pending=NOTHING if path == PRODUCT_CARERS else None)


def due_customer_scope(actor: Actor) -> Criteria:
    """The customers that the actor is to care for under the care mode (S1.3, S1.10, S1.11)."""
    path = customer_carers(actor)
    return _limited(actor, path, pending=NOTHING if path == PRODUCT_CARERS else None)


def order_carers(actor: Actor) -> str:
    """Where an order names those who are to care for it under the care mode."""
    return PRODUCT_CARERS if actor.care_mode == BY_PRODUCT else "customer_carers"


def customer_carers(actor: Actor) -> str:
    """Where a customer names those who are to care for it under the care mode."""
    return PRODUCT_CARERS if actor.care_mode == BY_PRODUCT else "carers"


def history_scope(actor: Actor) -> Criteria:
    """The care entries of the history screen: all, or those that the actor wrote.

    Whoever stands in for somebody reads what that colleague wrote, too.

    What others wrote about a visible customer stands on that customer's page.
    """
    return _limited(actor, "staff_id")


def _limited(actor: Actor, path: str, *, pending: Criteria | None = None) -> Criteria:
    """Everything, or the records that name the actor at `path`.

    `pending` replaces the path while it still shows what was taken from the actor.
    """
    if sees_everything(actor):
        return {}
    if actor.staff_id is None:
        return NOTHING  # nobody in particular; a list without the field would match None
    if actor.is_scope_pending and pending is not None:
        return pending
    return {path: _whose(actor)}


def _whose(actor: Actor) -> Any:
    """The one id, or any of those that the actor acts as."""
    return {"$in": actor.acts_as} if actor.stands_in_for else actor.staff_id


def seen_by(
    *,
    owner_id: Any,
    carers: Iterable[Any],
    product_carers: Iterable[Any],
    viewers: Iterable[tuple[Any, datetime | None]],
    now: datetime,
) -> list[Any]:
    """Everybody with a reason to see a customer, each once, in a stable order.

    Args:
        viewers: (staff id, until) of each viewer; a viewer whose time is over sees nothing.
    """
    valid = [staff_id for staff_id, until in viewers if until is None or until > now]
    everybody = [owner_id, *carers, *product_carers, *valid]
    return sorted({one for one in everybody if one is not None})


def reasons_to_see(
    actor: Actor,
    *,
    owner_id: Any,
    carers: Iterable[Any],
    product_carers: Iterable[Any],
    viewers: Iterable[tuple[Any, datetime | None]],
    now: datetime,
) -> list[Sentence]:
    """Why the actor can see a customer, every reason there is; empty when it cannot (B.8)."""
    found = []
    if actor.is_administrator:
        found.append(Sentence(N_("Administrators see every record.")))
    elif actor.is_manager:
        found.append(Sentence(N_("Managers see every record.")))
    elif actor.care_mode == UNLIMITED:
        found.append(Sentence(N_("The care mode is unlimited: all care staff see all customers.")))
    if owner_id is not None and owner_id == actor.staff_id:
        found.append(Sentence(N_("Responsible for this customer.")))
    if actor.staff_id in set(carers):
        found.append(Sentence(N_("Assigned to care for this customer.")))
    if actor.staff_id in set(product_carers):
        found.append(Sentence(N_("Assigned to care for a product that this customer bought.")))
    for staff_id, until in viewers:
        if staff_id == actor.staff_id and until is None:
            found.append(Sentence(N_("Added as a viewer.")))
        elif staff_id == actor.staff_id and until is not None and until > now:
            found.append(Sentence(N_("Added as a viewer until %(until)s."), {"until": until}))
    for away in actor.stands_in_for:
        found += _reasons_through(away, actor, owner_id, carers, product_carers, viewers, now)
    return found


def _reasons_through(
    away: StandIn,
    actor: Actor,
    owner_id: Any,
    carers: Iterable[Any],
    product_carers: Iterable[Any],
    viewers: Iterable[tuple[Any, datetime | None]],
    now: datetime,
) -> list[Sentence]:
    """Why a colleague who is away sees the customer: so does the person who stands in."""
    theirs = reasons_to_see(
        # Without the roles: what a manager sees by being one is not left to anybody.
        Actor(away.staff_id, away.name, care_mode=BY_CUSTOMER),
        owner_id=owner_id,
        carers=carers,
        product_carers=product_carers,
        viewers=viewers,
        now=now,
    )
    message = N_("Stands in for %(name)s until %(until)s: %(why)s")
    return [
        Sentence(message, {"name": away.name, "until": away.until_on, "why": why}) for why in theirs
    ]
