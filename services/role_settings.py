"""Roles and teams as administrators change them: one change of the configuration each.

`services.configuration_changes` sees to it that nobody gives a role more than they have.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import Staff
from rules.errors import N_, InvalidInput, NotAllowed, NotFound
from rules.permissions import ACCOUNTS, ADMINISTRATOR
from rules.roles import role_content
from rules.scope import Actor
from services import access_settings, accounts, configuration, configuration_changes
from services.configuration_changes import Change
from stores.mongo import in_transaction

Content = Mapping[str, Any]


def save_role(
    key: str, content: Content, *, version: int, says: str, by: Actor, at: datetime
) -> None:
    """Stores a role. Raises NotAllowed, StaleForm."""
    kept, _ = configuration_changes.item("roles", key)
    whole = dict(content) | ({"is_retired": True} if (kept or {}).get("is_retired") else {})
    change = Change("roles", key, whole, version)
    configuration_changes.apply([change], says=says, by=by, at=at)


def people_with(key: str) -> int:
    """How many people have the role, active or not."""
    return Staff.collection().count_documents({"roles": key})


def retire_role(key: str, instead: str | None, *, says: str, by: Actor, at: datetime) -> int:
    """Takes a role out of use; who has it gets the role `instead`. Returns how many people.

    Raises:
        NotAllowed, NotFound.
        InvalidInput: it is the administrators' role, or people have it and `instead` is none.
    """
    roles = configuration.snapshot().roles
    if key not in roles:
        raise NotFound()
    if key == ADMINISTRATOR:
        raise InvalidInput(N_("The role of administrators stays: somebody must put things right."))
    if instead is not None and (instead == key or instead not in roles):
        raise InvalidInput(N_("Choose the role that people get instead."))
    content = role_content(roles[key]) | {"is_retired": True}

    def work(session: ClientSession) -> int:
        people = list(Staff.collection().find({"roles": key}, session=session))
        if people and instead is None:
            raise InvalidInput(
                N_("%(count)s people have this role. Choose the role that they get instead."),
                count=len(people),
            )
        for person in people:
            _exchange(person, key, str(instead), by, at, session)
        change = Change("roles", key, content)
        configuration_changes.apply([change], says=says, by=by, at=at, session=session)
        return len(people)

    return in_transaction(work)


def bring_role_back(key: str, *, says: str, by: Actor, at: datetime) -> None:
    """Offers a retired role again. Raises NotAllowed, NotFound."""
    role = configuration.snapshot().roles.get(key)
    if role is None:
        raise NotFound()
    content = role_content(role)
    content.pop("is_retired", None)
    configuration_changes.apply([Change("roles", key, content)], says=says, by=by, at=at)


def save_team(
    key: str,
    content: Content | None,
    *,
    version: int,
    says: str,
    by: Actor,
    at: datetime,
) -> None:
    """Stores a team; None removes it. Raises NotAllowed, InvalidInput, StaleForm."""
    named = {*(content or {}).get("members", ()), *(content or {}).get("leads", ())}
    ids = [ObjectId(one) for one in named if ObjectId.is_valid(one)]
    known = Staff.collection().count_documents({"_id": {"$in": ids}})
    if known != len(named):
        raise InvalidInput(fields={"members": InvalidInput(N_("Choose people from the list."))})
    change = Change("teams", key, content, version)
    configuration_changes.apply([change], says=says, by=by, at=at, needs=ACCOUNTS)


def _exchange(
    person: dict[str, Any], old: str, new: str, by: Actor, at: datetime, session: ClientSession
) -> None:
    """One role of a person for another one, within what the actor may give."""
    if not by.can(ACCOUNTS):
        raise NotAllowed()
    roles = sorted({*_without(person["roles"], old), new})
    accounts.check_name_and_roles(person["name"], roles, by)
    values = {
        "roles": roles,
        "second_factor_required": access_settings.needs_second_factor(roles),
        "updated_at": at,
    }
    Staff.collection().update_one(
        {"_id": person["_id"]}, {"$set": values, "$inc": {"version": 1}}, session=session
    )
    changes = {"roles": (person["roles"], roles)}
    accounts.audit_person(by, at, "update", person, changes, session)


def _without(roles: Iterable[str], key: str) -> list[str]:
    return [one for one in roles if one != key]
