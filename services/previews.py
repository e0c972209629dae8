"""Looking at everything as a role: what the actor is then, and that it is written down."""

from dataclasses import replace
from datetime import datetime

from bson import ObjectId

from models import Staff
from rules.errors import N_, InvalidInput, NotAllowed, NotFound
from rules.permissions import ACCOUNTS
from rules.scope import Actor
from services import actors, audit
from services.configuration import Configuration

LONGEST_MINUTES = 30


def as_role(
    by: Actor, role: str, staff_id: ObjectId | None, config: Configuration, *, at: datetime
) -> Actor:
    """The actor for looking as this role, with the scope of a colleague or of nobody.

    It never may more than `by` does. Raises NotAllowed, NotFound.
    """
    if not by.can(ACCOUNTS):
        raise NotAllowed()
    known = config.roles.get(role)
    if known is None or known.is_retired:
        raise NotFound()
    if not by.access.covers(known):
        raise NotAllowed(N_("You can only look as roles that allow no more than your own."))
    if staff_id is None:
        nobody = {"_id": None, "name": by.name, "roles": [role]}
        return actors.of_person(nobody, config, at=at, screen=by.screen, address=by.address)
    person = Staff.collection().find_one({"_id": staff_id})
    if person is None:
        raise NotFound()
    shown = actors.of_person(
        person | {"roles": [role]}, config, at=at, screen=by.screen, address=by.address
    )
    return replace(shown, name=by.name)


def begin(
    by: Actor, role: str, staff_id: ObjectId | None, config: Configuration, *, at: datetime
) -> None:
    """Writes down that somebody looks as a role. Raises NotAllowed, NotFound, InvalidInput."""
    try:
        as_role(by, role, staff_id, config, at=at)
    except NotFound as error:
        raise InvalidInput(N_("Choose a role and a colleague from the lists.")) from error
    _note("preview", by, role, staff_id, at)


def end(by: Actor, role: str, at: datetime) -> None:
    """Writes down that the look has ended."""
    _note("preview ended", by, role, None, at)


def _note(action: str, by: Actor, role: str, staff_id: ObjectId | None, at: datetime) -> None:
    audit.record(
        by=by,
        at=at,
        action=action,
        kind="roles",
        record_id=None,
        label=role,
        changes={"staff": (None, staff_id)} if staff_id else {},
    )
