"""What administrators set about access: who needs a second factor, how long the log is kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.client_session import ClientSession

from models import Site, Staff
from rules.errors import N_, CareError, InvalidInput, NotAllowed, StaleForm
from rules.scope import ROLES, Actor
from services import audit
from stores.mongo import in_transaction

DAYS_LEAST, DAYS_MOST = 30, 36500


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """`audit_days` None keeps audit entries for good."""

    second_factor_roles: tuple[str, ...]
    audit_days: int | None
    version: int


def read(session: ClientSession | None = None) -> AccessSettings:
    """The settings in force."""
    site = Site.collection().find_one({"key": "site"}, session=session) or {}
    return AccessSettings(
        tuple(site.get("second_factor_roles") or ()), site.get("audit_days"), site.get("version", 1)
    )


def needs_second_factor(roles: Iterable[str]) -> bool:
    """Whether somebody with these roles must have a second factor."""
    return bool(set(roles) & set(read().second_factor_roles))


def save(
    second_factor_roles: Iterable[str],
    audit_days: str,
    *,
    version: int,
    by: Actor,
    at: datetime,
) -> None:
    """Saves what was typed; who needs a second factor now is asked for it with the next page.

    Raises NotAllowed, InvalidInput with `fields`, StaleForm.
    """
    if not by.is_administrator:
        raise NotAllowed()
    values = _parsed(second_factor_roles, audit_days)

    def work(session: ClientSession) -> None:
        before = read(session)
        if before.version != version:
            raise StaleForm()
        changes = _changes(before, values)
        if not changes:
            return
        Site.collection().update_one(
            {"key": "site"},
            {"$set": values | {"updated_at": at}, "$inc": {"version": 1}},
            upsert=True,
            session=session,
        )
        _mark_staff(values["second_factor_roles"], session)
        audit.record(
            by=by,
            at=at,
            action="configure",
            kind="settings",
            record_id=None,
            label="access",
            changes=changes,
            session=session,
        )

    in_transaction(work)


def _parsed(roles: Iterable[str], audit_days: str) -> dict[str, Any]:
    errors: dict[str, CareError] = {}
    chosen = sorted(set(roles))
    if any(role not in ROLES for role in chosen):
        errors["second_factor_roles"] = InvalidInput(N_("Choose one of the values offered."))
    text = audit_days.strip()
    days = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
    if text and (days is None or not DAYS_LEAST <= days <= DAYS_MOST):
        errors["audit_days"] = InvalidInput(
            N_("Write a number of days from %(least)s to %(most)s, or leave it empty."),
            least=DAYS_LEAST,
            most=DAYS_MOST,
        )
    if errors:
        raise InvalidInput(fields=errors)
    return {"second_factor_roles": chosen, "audit_days": days}


def _changes(before: AccessSettings, values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    old = {
        "second_factor_roles": list(before.second_factor_roles),
        "audit_days": before.audit_days,
    }
    return {name: (old[name], new) for name, new in values.items() if old[name] != new}


def _mark_staff(roles: list[str], session: ClientSession) -> None:
    """The mark stands on each person, so that a request finds it with the login."""
    needs: dict[str, Any] = {"roles": {"$in": roles}}
    for criteria, mark in ((needs, True), ({"roles": {"$nin": roles}}, False)):
        Staff.collection().update_many(
            criteria, {"$set": {"second_factor_required": mark}}, session=session
        )
