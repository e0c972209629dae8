"""Absence: "everything of A goes to B from … to …" (S1.1).

Nothing moves: A keeps its work and finds it again. The days stand on B, so that a request knows
with the one query for the person whose work it sees, and the criteria of every list name both.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import Staff
from models.base import local_date, stored_date
from rules.errors import N_, CareError, InvalidInput, NotAllowed, NotFound
from rules.scope import Actor, may_assign
from services import accounts
from stores.mongo import in_transaction

Stored = dict[str, Any]
LONGEST_DAYS = 366
KEPT_DAYS = 90  # what is over for longer is only in the change log


@dataclass(frozen=True, slots=True)
class Away:
    """One absence as the screen lists it."""

    absence_id: ObjectId
    staff_id: ObjectId
    name: str
    to_id: ObjectId
    to_name: str
    from_on: date
    until_on: date
    is_now: bool


def start(
    staff_id: ObjectId | None,
    to_id: ObjectId | None,
    from_on: date | None,
    until_on: date | None,
    *,
    zone: ZoneInfo,
    by: Actor,
    at: datetime,
) -> ObjectId:
    """Leaves the work of one person to another one for some days, the last one included.

    Args:
        zone: of the site; a day begins and ends there.

    Raises:
        InvalidInput: with `fields`; also when one of the two is away or stands in for somebody
            on these days, so that work would be left to nobody.
        NotAllowed: the actor may not assign and it is not the actor's own absence.
    """
    if staff_id != by.staff_id and not may_assign(by):
        raise NotAllowed()
    today = at.astimezone(zone).date()
    to_id, first, last = _checked(staff_id, to_id, from_on, until_on, today)

    def work(session: ClientSession) -> ObjectId:
        away = _touched(staff_id, "staff", at, session)
        receiver = _touched(to_id, "to", at, session)
        _refuse_chain(away, receiver, first, last, session)
        entry: Stored = {
            "absence_id": ObjectId(),
            "staff_id": away["_id"],
            "name": away["name"],
            "from_on": stored_date(first),
            "until_on": stored_date(last),
            "from_at": datetime.combine(first, time(), zone),
            "until_at": datetime.combine(last + timedelta(days=1), time(), zone),
            "added_by": by.name,
        }
        forgotten = {"until_at": {"$lt": at - timedelta(days=KEPT_DAYS)}}
        people = Staff.collection()
        people.update_one({"_id": to_id}, {"$pull": {"stands_in": forgotten}}, session=session)
        waiting = away.get("scopes_pending") or []
        people.update_one(
            {"_id": to_id},
            {
                "$push": {"stands_in": entry},
                # What was taken from the one may still stand in the lists of the other.
                "$addToSet": {"scopes_pending": {"$each": waiting}},
            },
            session=session,
        )
        days = {"from_on": (None, entry["from_on"]), "until_on": (None, entry["until_on"])}
        changes = {"stand_in": (None, to_id)} | days
        accounts.audit_person(by, at, "absence", away, changes, session)
        absence_id: ObjectId = entry["absence_id"]
        return absence_id

    return in_transaction(work)


def end(absence_id: ObjectId, *, by: Actor, at: datetime) -> None:
    """Ends an absence at this minute, or drops one that has not begun.

    Raises NotFound, NotAllowed.
    """

    def work(session: ClientSession) -> None:
        mine = {"stands_in.absence_id": absence_id}
        receiver = Staff.collection().find_one(mine, session=session)
        if receiver is None:
            raise NotFound()
        entry = next(one for one in receiver["stands_in"] if one["absence_id"] == absence_id)
        if by.staff_id != entry["staff_id"] and not may_assign(by):
            raise NotAllowed()
        drop = {"$pull": {"stands_in": {"absence_id": absence_id}}}
        Staff.collection().update_one({"_id": receiver["_id"]}, drop, session=session)
        away = {"_id": entry["staff_id"], "name": entry["name"]}
        changes = {"stand_in": (receiver["_id"], None), "until_on": (entry["until_on"], at)}
        accounts.audit_person(by, at, "absence ended", away, changes, session)

    in_transaction(work)


def current(*, by: Actor, at: datetime) -> list[Away]:
    """Absences of now and later, the earliest first; without `may_assign` only one's own."""
    wanted: Stored = {"stands_in.until_at": {"$gt": at}}
    if not may_assign(by):
        wanted = {"$or": [{"_id": by.staff_id}, {"stands_in.staff_id": by.staff_id}], **wanted}
    found = [
        _away(one, receiver, at)
        for receiver in Staff.collection().find(wanted, {"name": 1, "stands_in": 1})
        for one in receiver["stands_in"]
        if one["until_at"] > at
        and (may_assign(by) or by.staff_id in (one["staff_id"], receiver["_id"]))
    ]
    return sorted(found, key=lambda one: (one.from_on, one.name))


def _away(entry: Stored, receiver: Stored, at: datetime) -> Away:
    return Away(
        absence_id=entry["absence_id"],
        staff_id=entry["staff_id"],
        name=entry["name"],
        to_id=receiver["_id"],
        to_name=receiver["name"],
        from_on=_day(entry["from_on"]),
        until_on=_day(entry["until_on"]),
        is_now=entry["from_at"] <= at,
    )


def _checked(
    staff_id: ObjectId | None,
    to_id: ObjectId | None,
    from_on: date | None,
    until_on: date | None,
    today: date,
) -> tuple[ObjectId, date, date]:
    """(colleague, first day, last day); all that is missing is said at once, each by its field."""
    needed = {
        "staff": (staff_id, N_("Choose a colleague from the list.")),
        "to": (to_id, N_("Choose a colleague from the list.")),
        "from_on": (from_on, N_("Give the first day.")),
        "until_on": (until_on, N_("Give the last day.")),
    }
    missing: dict[str, CareError] = {
        name: InvalidInput(message) for name, (given, message) in needed.items() if given is None
    }
    if missing or to_id is None or from_on is None or until_on is None:
        raise InvalidInput(fields=missing)
    if to_id == staff_id:
        raise _wrong("to", N_("Choose a colleague from the list."))
    if until_on < from_on:
        raise _wrong("until_on", N_("The last day lies before the first one."))
    if until_on < today:
        raise _wrong("until_on", N_("These days are over. Give days from today on."))
    if (until_on - from_on).days > LONGEST_DAYS:
        raise _wrong("until_on", N_("This is more than a year. Hand the work over for good."))
    return to_id, from_on, until_on


def _touched(staff_id: ObjectId | None, field: str, at: datetime, session: ClientSession) -> Stored:
    """The active person; the write lets two transactions about the same person conflict."""
    found = Staff.collection().find_one_and_update(
        {"_id": staff_id, "active": True}, {"$set": {"updated_at": at}}, session=session
    )
    if found is None:
        raise _wrong(field, N_("Choose a colleague from the list."))
    return found


def _refuse_chain(
    away: Stored, receiver: Stored, first: date, last: date, session: ClientSession
) -> None:
    """Work that was left to somebody is not passed on: it would reach nobody."""
    left_to_away = _overlapping(away.get("stands_in") or [], first, last)
    if left_to_away:
        message = N_(
            "%(name)s stands in for %(other)s until %(until)s. Choose somebody else for %(other)s first."
        )
        raise _wrong(
            "staff",
            message,
            name=away["name"],
            other=left_to_away["name"],
            until=_day(left_to_away["until_on"]),
        )
    also_away = Staff.collection().find(
        {"stands_in.staff_id": receiver["_id"]}, {"stands_in": 1}, session=session
    )
    theirs = [
        one for row in also_away for one in row["stands_in"] if one["staff_id"] == receiver["_id"]
    ]
    busy = _overlapping(theirs, first, last)
    if busy:
        message = N_("%(name)s is away until %(until)s. Choose another colleague.")
        raise _wrong("to", message, name=receiver["name"], until=_day(busy["until_on"]))


def _overlapping(entries: Iterable[Stored], first: date, last: date) -> Stored | None:
    return next(
        (one for one in entries if _day(one["from_on"]) <= last and first <= _day(one["until_on"])),
        None,
    )


def _day(stored: datetime) -> date:
    day = local_date(stored)
    assert day is not None  # noqa: S101 - both days are required
    return day


def _wrong(field: str, message: str, **params: Any) -> InvalidInput:
    error: CareError = InvalidInput(message, **params)
    return InvalidInput(fields={field: error})
