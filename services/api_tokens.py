"""Keys of the API: made once, shown once, stored as a hash, revoked at once."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import ApiToken, Staff
from models.api_token import PERSONAL, SERVICE
from rules.api_scopes import EXPIRY_DAYS, SCOPES
from rules.errors import N_, CareError, InvalidInput, NotAllowed, NotFound
from rules.permissions import ACCOUNTS, ALL
from rules.scope import Actor
from services import actors, audit, configuration
from services.staff_sessions import SEEN_EVERY
from stores.mongo import in_transaction

Stored = dict[str, Any]

TOKENS_KEPT = 20  # that a person may have at a time
SECRET = re.compile(r"cb_[A-Za-z0-9_-]{43}")
MARK_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls the API: the actor behind the key and what the key may be used for."""

    actor: Actor
    scopes: frozenset[str]
    token: Stored


def create(
    name: str,
    scopes: Iterable[str],
    days: str,
    *,
    by: Actor,
    at: datetime,
    service_roles: Iterable[str] | None = None,
) -> str:
    """Makes a key and returns it; it cannot be read again.

    With `service_roles` it is the key of a program, which has those roles and does not end with
    the person's login; who looks after accounts makes them.

    Raises InvalidInput with `fields`, NotAllowed.
    """
    if service_roles is not None and not by.can(ACCOUNTS):
        raise NotAllowed()
    values = _parsed(name, list(scopes), days, service_roles, by, at)
    secret = f"cb_{secrets.token_urlsafe(32)}"
    token = values | {
        "kind": PERSONAL if service_roles is None else SERVICE,
        "mark": secret[:MARK_LENGTH],
        "secret_hash": _hash(secret),
        "staff_id": by.staff_id,
        "version": 1,
        "created_at": at,
        "updated_at": at,
    }

    def work(session: ClientSession) -> None:
        mine = {"staff_id": by.staff_id, **_alive(at)}
        if ApiToken.collection().count_documents(mine, session=session) >= TOKENS_KEPT:
            raise InvalidInput(N_("Revoke a key that is no longer used first."))
        ApiToken.collection().insert_one(token, session=session)
        shown = ("kind", "scopes", "roles", "expires_at")
        changes = {field: (None, token[field]) for field in shown}
        _audit(by, at, "create", token, changes, session)

    in_transaction(work)
    return secret


def caller(secret: str, now: datetime, *, screen: str, address: str) -> Caller | None:
    """Who calls with this key; None when it is unknown, too old, revoked or its person is gone."""
    if not SECRET.fullmatch(secret):
        return None
    token = ApiToken.collection().find_one({"secret_hash": _hash(secret), **_alive(now)})
    if token is None:
        return None
    actor = _actor(token, screen, address, now)
    if actor is None:
        return None
    _note_used(token, now)
    return Caller(actor, frozenset(token["scopes"]), token)


def revoke(token_id: ObjectId, *, by: Actor, at: datetime) -> None:
    """Ends a key with the next request. One's own, or any for administrators.

    Raises NotFound.
    """

    def work(session: ClientSession) -> None:
        mine = {} if by.can(ACCOUNTS) else {"staff_id": by.staff_id}
        revoked = ApiToken.collection().find_one_and_update(
            {"_id": token_id, "revoked_at": None, **mine},
            {"$set": {"revoked_at": at, "updated_at": at}, "$inc": {"version": 1}},
            session=session,
        )
        if revoked is None:
            raise NotFound(N_("This key was revoked already."))
        _audit(by, at, "revoke", revoked, {}, session)

    in_transaction(work)


def tokens_of(actor: Actor, now: datetime) -> list[Stored]:
    """The living keys that the actor may see: one's own, and those of services."""
    mine: Stored = {"staff_id": actor.staff_id}
    seen = {"$or": [mine, {"kind": SERVICE}]} if actor.can(ACCOUNTS) else mine
    found = ApiToken.collection().find({"$and": [seen, _alive(now)]}, {"secret_hash": 0})
    return list(found.sort("created_at", -1).limit(200))


def roles_of_programs(by: Actor) -> list[str]:
    """The roles that the actor may give to a program.

    A program is nobody whom customers could be assigned to: it has a role that sees all of them.
    """
    if not by.can(ACCOUNTS):
        return []
    config = configuration.snapshot()
    return [
        key
        for key, role in config.roles.items()
        if not role.is_retired
        and by.access.covers(role)
        and any(permission.reach == ALL for permission in config.access([key]).on("customers"))
    ]


def _parsed(
    name: str,
    scopes: list[str],
    days: str,
    service_roles: Iterable[str] | None,
    by: Actor,
    at: datetime,
) -> Stored:
    errors: dict[str, CareError] = {}
    clean = " ".join(name.split())
    if not clean or len(clean) > 80:
        errors["name"] = InvalidInput(N_("Give the key a name, at most 80 characters."))
    if not scopes or any(scope not in SCOPES for scope in scopes):
        errors["scopes"] = InvalidInput(N_("Tick what the key may be used for."))
    if days not in map(str, EXPIRY_DAYS):
        errors["days"] = InvalidInput(N_("Choose one of the values offered."))
    roles = sorted(set(service_roles or ()))
    if service_roles is not None and (
        not roles or any(role not in roles_of_programs(by) for role in roles)
    ):
        errors["roles"] = InvalidInput(N_("Choose the role of the program."))
    if errors:
        raise InvalidInput(fields=errors)
    return {
        "name": clean,
        "scopes": sorted(set(scopes)),
        "roles": roles,
        "expires_at": at + timedelta(days=int(days)),
    }


def _alive(now: datetime) -> Stored:
    return {"revoked_at": None, "expires_at": {"$gt": now}}


def _actor(token: Stored, screen: str, address: str, now: datetime) -> Actor | None:
    config = configuration.snapshot()
    if token["kind"] == SERVICE:
        name = f"{token['name']} ({token['mark']}…)"
        roles = frozenset(token["roles"])
        return actors.of_program(name, roles, config, at=now, screen=screen, address=address)
    active = {"_id": token["staff_id"], "active": True}
    person = Staff.collection().find_one(active)
    if person is None:
        return None
    return actors.of_person(person, config, at=now, screen=screen, address=address)


def _note_used(token: Stored, now: datetime) -> None:
    """Not exact, so that a program that calls often writes seldom."""
    used = token.get("used_at")
    if used is None or now - used >= SEEN_EVERY:
        ApiToken.collection().update_one({"_id": token["_id"]}, {"$set": {"used_at": now}})


def _audit(
    by: Actor,
    at: datetime,
    action: str,
    token: Stored,
    changes: dict[str, tuple[Any, Any]],
    session: ClientSession,
) -> None:
    audit.record(
        by=by,
        at=at,
        action=action,
        kind="api_tokens",
        record_id=token.get("_id"),
        label=f"{token['name']} ({token['mark']}…)",
        changes=changes,
        session=session,
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
