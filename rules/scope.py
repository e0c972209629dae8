"""Who acts, and what they may see and do, and why (S1.2, S1.3, S1.9 to S1.11, S2.7, B.8)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from rules.built_in_fields import BUILT_IN_KINDS
from rules.masking import NO_LIMITS, Limits, limits_of
from rules.permissions import (
    ADMINISTRATOR,
    ALL,
    ASSIGN,
    ASSIGNED,
    CREATE,
    DELETE,
    EDIT,
    OWN,
    SEE,
    SHIPPED_ROLES,
    TEAM,
    Access,
    KindPermission,
    union,
)
from rules.teams import Team

Criteria = dict[str, Any]
NOTHING: Criteria = {"_id": {"$in": []}}  # matches no record

CARE_AGENT, MANAGER = "care_agent", "manager"

# The one care mode of the company (S1.2).
BY_PRODUCT, BY_CUSTOMER, UNLIMITED = "by_product", "by_customer", "unlimited"
CARE_MODES = (BY_PRODUCT, BY_CUSTOMER, UNLIMITED)


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
    person (S1.1): what they may see by themselves, the person may see. `teams` are those to which
    the person belongs; `where` holds the criteria of the rules over fields in its roles, by
    (role, kind). `limits` are those of each kind's fields; None: of the built-in ones.
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
    teams: tuple[Team, ...] = ()
    where: Mapping[tuple[str, str], Criteria] = field(default_factory=dict)
    limits: Mapping[str, Limits] | None = None

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

    def shown(self, kind: str, record: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of the stored record without what the actor may not see, masked where it is so."""
        return self._limits(kind).shown(record)

    def is_limited(self, kind: str) -> bool:
        """Whether the actor does not see every field of the kind as it is."""
        return self._limits(kind) != NO_LIMITS

    def _limits(self, kind: str) -> Limits:
        if self.limits is not None:
            return self.limits.get(kind, NO_LIMITS)
        known = BUILT_IN_KINDS.get(kind)
        return limits_of(known, self.access) if known else NO_LIMITS

    @property
    def acts_as(self) -> frozenset[Any]:
        """Whose work it is: the person's own, that of everybody whose team it leads, and that of
        everybody it stands in for."""
        led = (one.members for one in self.teams if self.staff_id in one.leads)
        away = {one.staff_id for one in self.stands_in_for}
        return frozenset({self.staff_id}).union(away, *led)

    @property
    def colleagues(self) -> frozenset[Any]:
        """Everybody in the person's teams, and whose work it is anyway."""
        return self.acts_as.union(*(one.everybody for one in self.teams))


SYSTEM = Actor(staff_id=None, name="Carebook", roles=frozenset({ADMINISTRATOR}), screen="system")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the records of a kind name people.

    `own` names whose record it is, `assigned` everybody with a reason of their own. `pending`
    replaces `assigned` while that still shows what was taken from the actor: it then sees too
    little for a moment, never too much; None: nothing was taken from there.
    """

    own: str
    assigned: str
    pending: tuple[str, ...] | None = None


CUSTOMERS = Places("owner_id", "seen_by", ("owner_id", "carers", "viewers.staff_id"))
ORDERS = Places("owner_id", "seen_by", ("customer_carers",))
PRODUCTS = Places("carers", "carers")
ENTRIES = Places("staff_id", "staff_id")
RECORDS = Places("owner_id", "seen_by", ("owner_id",))
PLACES = {"customers": CUSTOMERS, "orders": ORDERS, "products": PRODUCTS, "entries": ENTRIES}

PRODUCT_CARERS = "product_carers"
DUE_BY_PRODUCT = Places("owner_id", PRODUCT_CARERS, ())
DUE_ORDERS = Places("owner_id", "customer_carers")
DUE_CUSTOMERS = Places("owner_id", "carers")


def scope(actor: Actor, kind: str, action: str = SEE) -> Criteria:
    """The records of a kind with which the actor may do this: criteria, part of every query."""
    return _scope(actor, kind, action, PLACES.get(kind, RECORDS))


def customer_scope(actor: Actor, action: str = SEE) -> Criteria:
    """The customers with which the actor may do this: criteria of the store.

    `seen_by` on the record names everybody with a reason of their own: the person responsible,
    carers, carers of a product in an order, viewers (S2.7).
    """
    return scope(actor, "customers", action)


def order_scope(actor: Actor, action: str = SEE) -> Criteria:
    """The orders with which the actor may do this: assigned are those of assigned customers."""
    return scope(actor, "orders", action)


def due_order_scope(actor: Actor) -> Criteria:
    """The orders that the actor is to care for under the care mode (S1.3, S1.10, S1.11)."""
    places = DUE_BY_PRODUCT if order_carers(actor) == PRODUCT_CARERS else DUE_ORDERS
    return _scope(actor, "orders", SEE, places)


def due_customer_scope(actor: Actor) -> Criteria:
    """The customers that the actor is to care for under the care mode (S1.3, S1.10, S1.11)."""
    places = DUE_BY_PRODUCT if customer_carers(actor) == PRODUCT_CARERS else DUE_CUSTOMERS
    return _scope(actor, "customers", SEE, places)


def order_carers(actor: Actor) -> str:
    """Where an order names those who are to care for it under the care mode."""
    return PRODUCT_CARERS if actor.care_mode == BY_PRODUCT else DUE_ORDERS.assigned


def customer_carers(actor: Actor) -> str:
    """Where a customer names those who are to care for it under the care mode."""
    return PRODUCT_CARERS if actor.care_mode == BY_PRODUCT else DUE_CUSTOMERS.assigned


def product_scope(actor: Actor, action: str = SEE) -> Criteria:
    """The products with which the actor may do this; its own are those that it cares for."""
    return scope(actor, "products", action)


def history_scope(actor: Actor) -> Criteria:
    """The care entries of the history screen; the actor's own are those that it wrote, and those
    of everybody it stands in for.

    What others wrote about a visible customer stands on that customer's page.
    """
    return scope(actor, "entries")


def may_assign(actor: Actor) -> bool:
    """Whether the actor may say who cares for what (S1.2, S1.9, S1.10)."""
    return actor.can(ASSIGN)


def may_attach(actor: Actor, kind: str) -> bool:
    """Whether the actor may add files to records of this kind (S2.5); to an entry while it is
    written."""
    if kind == "entries":
        return actor.may(kind, CREATE)
    return actor.may(kind, EDIT)


def may_delete(actor: Actor, kind: str, *, is_own: bool = False) -> bool:
    """Whether the actor may move a record of this kind into the trash.

    `is_own`: the actor added it. Whoever attached a file may take it away again.
    """
    return actor.may(kind, DELETE) or (kind == "attachments" and is_own)


def may_restore(actor: Actor, kind: str, *, is_own: bool = False) -> bool:
    """Whether the actor may bring a record back; `is_own`: the actor deleted it."""
    if is_own and kind == "attachments":
        return True
    return actor.may(kind, DELETE) and (is_own or may_purge(actor, kind))


def may_purge(actor: Actor, kind: str) -> bool:
    """Whether the actor may delete records of the kind for good: who may delete all of them."""
    return scope(actor, kind, DELETE) == {}


def trash_scope(actor: Actor, kinds: Iterable[str]) -> Criteria:
    """What the actor finds in the trash: of kinds that it may delete all of, everything; of others
    what it deleted itself."""
    whole = [kind for kind in kinds if may_purge(actor, kind)]
    own = [kind for kind in kinds if actor.may(kind, DELETE) and kind not in whole]
    mine = {"kind": {"$in": own}, "staff_id": actor.staff_id}
    parts = [{"kind": {"$in": whole}}] if whole else []
    parts += [mine] if own and actor.staff_id is not None else []
    return {"$or": parts} if parts else NOTHING


def _scope(actor: Actor, kind: str, action: str, places: Places) -> Criteria:
    """What any of the roles reaches; `{}` is everything, NOTHING is nothing.

    The keys are `_id`, `$or` or one of `places`, so that a query may add others beside them.
    """
    people: dict[str, set[Any]] = {}
    rules: list[Criteria] = []
    for role, permission in actor.access.granting(kind, action):
        if reaches_all(permission, actor.care_mode):
            return {}
        for path, whose in _reached(actor, permission.reach, places):
            people.setdefault(path, set()).update(whose)
        if permission.where:
            rules.append(actor.where.get((role.key, kind), NOTHING))
    parts = [*(_naming(path, whose) for path, whose in people.items()), *rules]
    parts = [part for part in parts if part != NOTHING]
    if len(parts) == 1 and not rules:
        return parts[0]
    return {"$or": parts} if parts else NOTHING


def reaches_all(permission: KindPermission, care_mode: str) -> bool:
    """Whether the permission is about every record; all care staff take turns in one mode (S1.11)."""
    if permission.reach == ASSIGNED:
        return care_mode == UNLIMITED
    return permission.reach == ALL


def _reached(actor: Actor, reach: str, places: Places) -> list[tuple[str, frozenset[Any]]]:
    """(path, people whom it may name) of one reach."""
    if actor.staff_id is None:
        return []  # nobody in particular; a list without the field would match None
    whose = actor.colleagues if reach == TEAM else actor.acts_as
    if reach == OWN:
        return [(places.own, whose)]
    if actor.is_scope_pending and places.pending is not None:
        return [(path, whose) for path in places.pending]
    return [(places.assigned, whose)]


def _naming(path: str, people: set[Any]) -> Criteria:
    return {path: {"$in": sorted(people)} if len(people) > 1 else next(iter(people))}


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
