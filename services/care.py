"""Writes what was said and sets the next date (S1.6, S1.7, S1.17, S1.18)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from models import Customer, Interaction
from models.base import stored_date
from models.care import APPOINTED, APPOINTMENT, ENDED, SUGGESTED
from models.customer import HISTORY_KEPT
from models.interaction import CARE, EVENT
from rules.care_dates import CarePlan, plan
from rules.errors import N_, InvalidInput, NotAllowed, StaleForm
from rules.permissions import CREATE
from rules.scope import Actor
from rules.text import hashtags
from services import attachments, audit, configuration, relationships
from services.care_subjects import Subject, customer_subject, order_subject, record_subject
from services.recompute import recompute_customers
from stores.mongo import find_confirmed, in_transaction

Stored = dict[str, Any]

# What the customer's embedded history repeats of an interaction (models.customer.HistoryEntry).
EMBEDDED_FIELDS = (
    "kind",
    "at",
    "staff_id",
    "staff_name",
    "content",
    "feedback",
    "order_id",
    "order_code",
    "next_on",
    "ended",
)


@dataclass(frozen=True, slots=True)
class CareEntry:
    """A care entry as it was typed (S1.18): either a next date or `ended`, "no more care".

    `files` are attachments that the writer sent before and that go with the entry (S2.5).
    """

    content: str
    feedback: str | None
    next_on: date | None
    ended: bool = False
    files: tuple[ObjectId, ...] = ()


@dataclass(frozen=True, slots=True)
class Logged:
    """The outcome of a save: the interaction, and whether this very form had saved it before."""

    interaction_id: ObjectId
    customer_id: ObjectId | None
    order_id: ObjectId | None
    record_id: ObjectId | None = None
    record_kind: str | None = None
    already_saved: bool = False


Finder = Callable[[ClientSession], Subject]


def log_order_care(order_id: ObjectId, entry: CareEntry, *, by: Actor, **form: Any) -> Logged:
    """Stores a care entry of an order, its new date, and the customer's nearest date.

    For the arguments and what it raises, see `_log`. NotFound also when it has no customer.
    """
    return _log(partial(order_subject, order_id, by), entry, by=by, **form)


def log_customer_care(customer_id: ObjectId, entry: CareEntry, *, by: Actor, **form: Any) -> Logged:
    """Stores a care entry of the customer apart from orders, prospects too (S1.15, S1.16).

    See `_log`.
    """
    return _log(partial(customer_subject, customer_id, by), entry, by=by, **form)


def log_record_care(record_id: ObjectId, entry: CareEntry, *, by: Actor, **form: Any) -> Logged:
    """Stores a care entry of a record of a kind that the site defined (B.14), and its next date.

    It is in the history of the record's customer, too. See `_log`.
    """
    return _log(partial(record_subject, record_id, by), entry, by=by, **form)


def _log(
    find: Finder,
    entry: CareEntry,
    *,
    by: Actor,
    at: datetime,
    today: date,
    entry_key: str,
    expected_count: int,
) -> Logged:
    """Stores a care entry, the new date of what it is about, and what follows for the customer.

    `entry_key` is the form's own random key: saving the same form twice stores once.
    `expected_count` is the number of entries the form was opened with.

    Raises InvalidInput for what was typed, NotFound when the record is gone, StaleForm when a
    colleague was faster.
    """
    _check_may_write(by)
    planned = _checked(entry, today)

    def work(session: ClientSession) -> Logged:
        subject = find(session)
        if subject.care.get("count", 0) != expected_count:
            raise _colleague_was_faster(subject, session)
        interaction = _interaction(planned, subject, by=by, at=at, entry_key=entry_key)
        _set_care(subject, _cared(subject.care, planned, by, at, today), at, session)
        return _store(
            interaction, subject, planned, by=by, at=at, session=session, file_ids=entry.files
        )

    return _once(entry_key, work)


def _set_care(subject: Subject, care: Stored, at: datetime, session: ClientSession) -> None:
    """Writes the care. The customer's own document is stamped with its history (`_store`)."""
    change: Stored = {"$set": {subject.path: care}}
    if subject.document is not Customer:
        change = {"$set": {subject.path: care, "updated_at": at}, "$inc": {"version": 1}}
    wanted = {"_id": subject.record["_id"]}
    subject.document.collection().update_one(wanted, change, session=session)


def postpone_order(
    order_id: ObjectId,
    next_on: date,
    *,
    by: Actor,
    at: datetime,
    today: date,
    entry_key: str,
    expected_count: int,
) -> Logged:
    """Moves an order's date without a contact; the history says who moved it and to when.

    Clicking twice in the same form (`entry_key`) moves once.

    Raises InvalidInput for a date that is not after today, NotFound, StaleForm.
    """
    _check_may_write(by)
    if next_on <= today:
        raise InvalidInput(N_("Choose a date after today."))

    def work(session: ClientSession) -> Logged:
        subject = order_subject(order_id, by, session)
        care = subject.care
        if care.get("count", 0) != expected_count:
            raise StaleForm()
        # Never cared for stays never cared for (S1.13), only at another date.
        state = APPOINTED if care.get("count") else SUGGESTED
        _set_care(subject, care | _appointment(next_on, by, today) | {"state": state}, at, session)
        interaction = {
            "kind": EVENT,
            "customer_id": subject.customer_id,
            **subject.names,
            "at": at,
            "staff_id": by.staff_id,
            "staff_name": by.name,
            "content": "",
            "next_on": stored_date(next_on),
            "ended": False,
            "due_on_before": care.get("due_on"),
            "entry_key": entry_key,
        }
        return _store(interaction, subject, None, by=by, at=at, session=session)

    return _once(entry_key, work)


def _colleague_was_faster(subject: Subject, session: ClientSession) -> StaleForm:
    """Names who wrote since the form was opened."""
    about = subject.names or {
        "customer_id": subject.customer_id,
        "order_id": None,
        "record_id": None,
    }
    newest = Interaction.collection().find_one(about, sort=[("at", -1)], session=session)
    if newest is None or not newest.get("staff_name"):
        return StaleForm()
    return StaleForm(
        N_(
            "%(name)s wrote an entry here meanwhile. Your text is kept: read the new entry, then save."
        ),
        name=newest["staff_name"],
    )


def _check_may_write(by: Actor) -> None:
    if not by.may("entries", CREATE):
        raise NotAllowed()


def _once(entry_key: str, work: Callable[[ClientSession], Logged]) -> Logged:
    """Runs the transaction; a form that was saved already answers with what it saved then."""
    try:
        saved = _saved_before(entry_key)
        return saved or in_transaction(work)
    except (DuplicateKeyError, StaleForm):
        saved = _saved_before(entry_key)
        if saved is None:
            raise
        return saved


def _saved_before(entry_key: str) -> Logged | None:
    # The server uses the partial index only for a query that repeats its condition.
    saved = {"entry_key": {"$eq": entry_key, "$type": "string"}}
    if Interaction.collection().find_one(saved, {"_id": 1}) is None:
        return None
    # "Saved" is a promise: not before it would outlive this primary.
    found = find_confirmed(Interaction.collection(), saved)
    if found is None:
        return None
    return _logged(found, already_saved=True)


def _logged(entry: Stored, *, already_saved: bool = False) -> Logged:
    return Logged(
        entry["_id"],
        entry.get("customer_id"),
        entry.get("order_id"),
        entry.get("record_id"),
        entry.get("record_kind"),
        already_saved,
    )


def _checked(entry: CareEntry, today: date) -> CarePlan:
    """What the entry does; the feedback type must be one that the pick list offers now."""
    planned = plan(
        entry.content,
        entry.next_on,
        entry.ended,
        today,
        feedback=entry.feedback,
        feedback_required=True,
    )
    value = configuration.snapshot().value("feedback", planned.feedback)
    if value is None or value.retired:
        error = InvalidInput(N_("Choose a feedback type from the list."))
        raise InvalidInput(fields={"feedback": error})
    return planned


def _interaction(
    planned: CarePlan, subject: Subject, *, by: Actor, at: datetime, entry_key: str
) -> Stored:
    return {
        "kind": CARE,
        "customer_id": subject.customer_id,
        **subject.names,
        "at": at,
        "staff_id": by.staff_id,
        "staff_name": by.name,
        "content": planned.content,
        "feedback": planned.feedback,
        "tags": hashtags(planned.content),
        "next_on": stored_date(planned.next_on) if planned.next_on else None,
        "ended": planned.state == ENDED,
        "due_on_before": subject.care.get("due_on"),
        "entry_key": entry_key,
    }


def _cared(
    care: Mapping[str, Any], planned: CarePlan, by: Actor, at: datetime, today: date
) -> Stored:
    """The care state after an entry: the person's date, or the end; the interval is out (S1.6)."""
    done = {
        "count": care.get("count", 0) + 1,
        "last_at": at,
        "last_feedback": planned.feedback,
        "staff_id": by.staff_id,
    }
    if planned.next_on is None:
        return {"state": ENDED, **done}
    return {**_appointment(planned.next_on, by, today), **done}


def _appointment(next_on: date, by: Actor, today: date) -> Stored:
    return {
        "state": APPOINTED,
        "due_on": stored_date(next_on),
        "basis": {
            "kind": APPOINTMENT,
            "staff_id": by.staff_id,
            "staff_name": by.name,
            "set_on": stored_date(today),
        },
    }


def _store(
    interaction: Stored,
    subject: Subject,
    planned: CarePlan | None,
    *,
    by: Actor,
    at: datetime,
    session: ClientSession,
    file_ids: Sequence[ObjectId] = (),
) -> Logged:
    """Writes the entry to the history, what follows for the customer, and the audit."""
    interaction_id = Interaction.collection().insert_one(interaction, session=session).inserted_id
    customer_id = subject.customer_id
    if customer_id is not None:
        _stamp_customer(customer_id, interaction, at, session)
    attachments.attach(file_ids, "interactions", interaction_id, by=by, at=at, session=session)
    if customer_id is not None:
        recompute_customers([customer_id], session=session)
        if planned:
            relationships.follow_up([customer_id], session, at=at)
    audit.record(
        by=by,
        at=at,
        action="care" if planned else "postpone",
        kind=subject.kind,
        record_id=subject.record["_id"],
        label=subject.label,
        changes={"care.due_on": (subject.care.get("due_on"), interaction.get("next_on"))},
        session=session,
    )
    return _logged(interaction)


def _stamp_customer(
    customer_id: ObjectId, entry: Stored, at: datetime, session: ClientSession
) -> None:
    """The customer's embedded part of the history. Entries about records of the site's own kinds
    are left out of it: who sees the customer may not see every kind."""
    change: Stored = {"$set": {"updated_at": at}, "$inc": {"version": 1}}
    if "record_id" not in entry:
        embedded = {
            "interaction_id": entry["_id"],
            **{name: entry.get(name) for name in EMBEDDED_FIELDS},
        }
        newest = {"$each": [embedded], "$position": 0, "$slice": HISTORY_KEPT}
        change |= {"$push": {"history": newest}, "$unset": {"claim": "", "later": ""}}
    Customer.collection().update_one({"_id": customer_id}, change, session=session)
