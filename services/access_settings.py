"""What administrators set about access: who needs a second factor, how long the log is kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.client_session import ClientSession

from models import Site, Staff
from rules.errors import N_, CareError, InvalidInput, NotAllowed, StaleForm
from rules.permissions import ACCOUNTS
from rules.scope import UNLIMITED, Actor
from services import audit, configuration, configuration_changes
from stores.mongo import in_transaction

SECTION, KEY = "site", "site"  # of the configuration
DAYS_LEAST, DAYS_MOST = 30, 36500
TRASH_DAYS, TRASH_DAYS_LEAST = 30, 1  # how long the trash is kept unless somebody said so


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """`audit_days` None keeps audit entries for good, `trash_days` None what was deleted."""

    second_factor_roles: tuple[str, ...]
    audit_days: int | None
    trash_days: int | None
    version: int


def read(session: ClientSession | None = None) -> AccessSettings:
    """The settings in force."""
    site = Site.collection().find_one({"key": "site"}, session=session) or {}
    return AccessSettings(
        second_factor_roles=tuple(site.get("second_factor_roles") or ()),
        audit_days=site.get("audit_days"),
        trash_days=site.get("trash_days", TRASH_DAYS),
        version=site.get("version", 1),
    )


def needs_second_factor(roles: Iterable[str]) -> bool:
    """Whether somebody with these roles must have a second factor."""
    return bool(set(roles) & set(read().second_factor_roles))


def save(
    second_factor_roles: Iterable[str],
    audit_days: str,
    *,
    trash_days: str | None = None,
    version: int,
    by: Actor,
    at: datetime,
) -> None:
    """Saves what was typed (`trash_days` None: it keeps its value); who needs a second factor now is asked for it with the next page.

    Raises NotAllowed, InvalidInput with `fields`, StaleForm.
    """
    if not by.can(ACCOUNTS):
        raise NotAllowed()
    values = _parsed(second_factor_roles, audit_days, trash_days)

    def work(session: ClientSession) -> None:
        before = read(session)
        if before.version != version:
            raise StaleForm()
        changes = _changes(before, values)
        if not changes:
            return
        stored = site_contents(session)[KEY]
        _write(values, changes, by=by, at=at, session=session)
        made = {"section": SECTION, "key": KEY, "before": stored}
        made["after"] = site_contents(session)[KEY]
        configuration_changes.record([made], says="", by=by, at=at, session=session)

    in_transaction(work)


def site_contents(session: ClientSession | None = None) -> dict[str, dict[str, Any]]:
    """{key: the settings of the site}, as a file has them; the care mode is one of them."""
    site = Site.collection().find_one({"key": "site"}, session=session) or {}
    settings = read(session)
    return {
        KEY: {
            "care_mode": site.get("care_mode", UNLIMITED),
            "second_factor_roles": list(settings.second_factor_roles),
            "audit_days": settings.audit_days,
            "trash_days": settings.trash_days,
        }
    }


def put(values: Mapping[str, Any], *, by: Actor, at: datetime, session: ClientSession) -> bool:
    """Writes these settings, checked before; whether anything changed."""
    changes = _changes(read(session), values)
    if changes:
        _write(values, changes, by=by, at=at, session=session)
    return bool(changes)


def _write(
    values: Mapping[str, Any],
    changes: Mapping[str, tuple[Any, Any]],
    *,
    by: Actor,
    at: datetime,
    session: ClientSession,
) -> None:
    Site.collection().update_one(
        {"key": "site"},
        {"$set": dict(values) | {"updated_at": at}, "$inc": {"version": 1}},
        upsert=True,
        session=session,
    )
    if "second_factor_roles" in values:
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


def _parsed(roles: Iterable[str], audit_days: str, trash_days: str | None) -> dict[str, Any]:
    errors: dict[str, CareError] = {}
    chosen = sorted(set(roles))
    if any(role not in configuration.snapshot().roles for role in chosen):
        errors["second_factor_roles"] = InvalidInput(N_("Choose one of the values offered."))
    values: dict[str, Any] = {"second_factor_roles": chosen}
    for name, typed, least in (
        ("audit_days", audit_days, DAYS_LEAST),
        ("trash_days", trash_days, TRASH_DAYS_LEAST),
    ):
        if typed is None:
            continue
        try:
            values[name] = _days(typed, least)
        except InvalidInput as error:
            errors[name] = error
    if errors:
        raise InvalidInput(fields=errors)
    return values


def _days(typed: str, least: int) -> int | None:
    text = typed.strip()
    if not text:
        return None
    days = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else -1
    if not least <= days <= DAYS_MOST:
        raise InvalidInput(
            N_("Write a number of days from %(least)s to %(most)s, or leave it empty."),
            least=least,
            most=DAYS_MOST,
        )
    return days


def _changes(before: AccessSettings, values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    old = {
        "second_factor_roles": list(before.second_factor_roles),
        "audit_days": before.audit_days,
        "trash_days": before.trash_days,
    }
    return {name: (old[name], new) for name, new in values.items() if old[name] != new}


def _mark_staff(roles: list[str], session: ClientSession) -> None:
    """The mark stands on each person, so that a request finds it with the login."""
    needs: dict[str, Any] = {"roles": {"$in": roles}}
    for criteria, mark in ((needs, True), ({"roles": {"$nin": roles}}, False)):
        Staff.collection().update_many(
            criteria, {"$set": {"second_factor_required": mark}}, session=session
        )
