"""Care dates in words: why a date is what it is (B.1), and how near it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from rules.care_dates import APPOINTMENT, INTERVAL, LATE, SOON, TODAY
from rules.errors import N_
from rules.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near a due date is: `level` is late, today or soon; `days` is negative when late."""

    level: str
    days: int
    sentence: Sentence


def explain(due_on: date | None, basis: Mapping[str, Any] | None) -> Sentence | None:
    """Why the date is what it is (B.1); None when there is no date or its basis is unknown.

    Args:
        due_on: the date, as a local date or as it is stored.
        basis: a stored `models.care.CareBasis`.
    """
    if due_on is None or not basis:
        return None
    if basis.get("kind") == INTERVAL:
        return _explain_interval(due_on, basis)
    if basis.get("kind") == APPOINTMENT:
        return _explain_appointment(basis)
    return None


def _explain_interval(due_on: date, basis: Mapping[str, Any]) -> Sentence:
    params = {
        "due": _day(due_on),
        "from": _day(basis.get("from_on")),
        "days": basis.get("interval_days"),
        "quantity": basis.get("quantity"),
        "product": basis.get("product_code"),
    }
    if params["days"] == 1:
        return Sentence(N_("%(due)s = %(from)s + 1 day × %(quantity)s · %(product)s"), params)
    return Sentence(N_("%(due)s = %(from)s + %(days)s days × %(quantity)s · %(product)s"), params)


def _explain_appointment(basis: Mapping[str, Any]) -> Sentence:
    params = {"name": basis.get("staff_name") or "?", "date": _day(basis.get("set_on"))}
    if params["date"] is None:
        return Sentence(N_("Appointment set by %(name)s"), {"name": params["name"]})
    return Sentence(N_("Appointment set by %(name)s on %(date)s"), params)


def nearness(due_on: date, today: date) -> Nearness:
    """How late or near a due date is, in words and as a level to colour it by."""
    days = (_days_of(due_on) - today).days
    return Nearness(LATE if days < 0 else SOON if days else TODAY, days, _distance(days))


def _distance(days: int) -> Sentence:
    named = {-1: N_("1 day late"), 0: N_("today"), 1: N_("tomorrow")}
    if days in named:
        return Sentence(named[days])
    if days < 0:
        return Sentence(N_("%(count)s days late"), {"count": -days})
    return Sentence(N_("in %(count)s days"), {"count": days})


def _day(stored: date | None) -> date | None:
    return None if stored is None else _days_of(stored)


def _days_of(stored: date) -> date:
    """The local date, also of one that is stored as an instant (see `models.base.stored_date`)."""
    return stored.date() if isinstance(stored, datetime) else stored
