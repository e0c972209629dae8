"""Who acts, and what they may see and do."""

from dataclasses import dataclass, field
from typing import Any

CARE_AGENT, MANAGER, ADMINISTRATOR = "care_agent", "manager", "administrator"
ROLES = (CARE_AGENT, MANAGER, ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or job behind a change.

    `staff_id` is None for jobs and commands; `screen` names where the change comes from and
    goes into the audit entry (`"orders/due"`, `"command import"`).
    """

    staff_id: Any
    name: str
    roles: frozenset[str] = field(default_factory=frozenset)
    screen: str = ""

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
