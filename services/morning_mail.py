"""The morning e-mail: whom one is to care for today, each person's own list, once a day (S1.1)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from config import Settings
from models import Customer, MailMessage, Staff
from models.base import local_date
from rules.errors import N_
from rules.scope import Actor
from services import actors, lists, mail, queue
from services.catalogues import Words
from services.configuration import Configuration, snapshot
from services.progress import Progress, stop_if_cancelled
from stores.mongo import in_transaction

Stored = dict[str, Any]

NAMED = 10  # customers in the mail; the screen has all of them
KEPT_BACK = "•••"

SUBJECT = N_("Today: %(due)s customers to care for")
SUBJECT_OVERDUE = N_("Today: %(due)s customers to care for, %(overdue)s of them overdue")
HELLO = N_("Hello %(name)s,")
FIRST = N_("The first of them:")
LINE = N_("%(due_on)s  %(name)s (%(code)s)")
LINE_OVERDUE = N_("%(due_on)s  %(name)s (%(code)s), overdue")
OPEN = N_("Start with the first one: %(link)s")
STANDS_IN = N_("Among them the customers of %(names)s, for whom you stand in.")
OFF = N_("You can switch this mail off on your page: %(link)s")


@dataclass(frozen=True, slots=True)
class DueWork:
    """What a person is to do: capped numbers, and the first customers in the order of the list."""

    due: int
    overdue: int
    first: list[Stored]


def write_all(settings: Settings, *, now: datetime, progress: Progress) -> None:
    """Writes the mail of everybody who has due work today and wants it; the outbox has it sent.

    Safe to repeat: a person gets one message for each local day. Without a mail server nothing
    happens.
    """
    if not mail.is_on(settings):
        return
    day = now.astimezone(settings.zone).date()
    configuration = snapshot()
    people = list(_people(now))
    progress.set_total(len(people))
    for person in people:
        stop_if_cancelled(progress)
        if _write(person, configuration, settings, day, now):
            progress.count("mails_written")
        progress.advance()


def choose(staff: Staff, *, is_wanted: bool) -> None:
    """Remembers whether the person wants the morning mail."""
    change = (
        {"$unset": {"no_morning_mail": ""}} if is_wanted else {"$set": {"no_morning_mail": True}}
    )
    Staff.collection().update_one({"_id": staff.pk}, change)
    staff.no_morning_mail = not is_wanted


def due_work(by: Actor, today: date) -> DueWork:
    """The person's own due customers, as its list shows them under the care mode."""
    customers = Customer.collection()
    due = queue.due_criteria(today, by)
    counts = lists.capped_counts(
        customers, {"due": due, "overdue": queue.overdue_criteria(today, by)}
    )
    fields = {"code": 1, "name": 1, "care.due_on": 1}
    first = customers.find(due, fields).sort([("care.due_on", 1), ("_id", 1)]).limit(NAMED)
    return DueWork(counts["due"], counts["overdue"], list(first))


def _people(now: datetime) -> Iterator[Stored]:
    """Everybody who can log in, wants the mail and is here; whoever stands in gets the work."""
    away = {"$elemMatch": {"from_at": {"$lte": now}, "until_at": {"$gt": now}}}
    gone = {
        one["staff_id"]
        for stand_in in Staff.collection().find({"stands_in": away}, {"stands_in": 1})
        for one in stand_in["stands_in"]
        if one["from_at"] <= now < one["until_at"]
    }
    wanted = {
        "active": True,
        "password": {"$type": "string"},
        "no_morning_mail": {"$ne": True},
        "_id": {"$nin": list(gone)},
    }
    return iter(Staff.collection().find(wanted).sort("_id", 1))


def _write(
    person: Stored, configuration: Configuration, settings: Settings, day: date, now: datetime
) -> bool:
    """Writes the message of this person and day; False when there is nothing to write any more."""
    key = f"morning-{person['_id']}-{day.isoformat()}"
    if MailMessage.collection().find_one({"key": key}, {"_id": 1}) is not None:
        return False
    actor = actors.of_person(person, configuration, at=now, screen="morning_mail")
    work = due_work(actor, day)
    if not work.due:
        return False
    words = Words(person.get("locale") or settings.locale)
    subject, text = _composed(actor, work, words, settings, day)

    def write(session: ClientSession) -> None:
        mail.write(
            key=key,
            to=person["email"],
            to_name=person["name"],
            subject=subject,
            text=text,
            at=now,
            session=session,
        )

    try:
        in_transaction(write)
    except DuplicateKeyError:  # another worker was faster
        return False
    return True


def _composed(
    actor: Actor, work: DueWork, words: Words, settings: Settings, day: date
) -> tuple[str, str]:
    due, overdue = (_number(number, words) for number in (work.due, work.overdue))
    subject = words.say(SUBJECT_OVERDUE if work.overdue else SUBJECT, due=due, overdue=overdue)
    lines = [_line(one, actor, words, day) for one in work.first]
    parts = [
        words.say(HELLO, name=actor.name),
        f"{subject}.",
        *([words.say(STANDS_IN, names=_names(actor))] if actor.stands_in_for else []),
        "\n".join([words.say(FIRST), *lines]),
        words.say(OPEN, link=f"{settings.address}/queue"),
        words.say(OFF, link=f"{settings.address}/account"),
    ]
    return subject, "\n\n".join(parts) + "\n"


def _number(number: int, words: Words) -> str:
    return words.number(lists.COUNT_CAP) + "+" if number > lists.COUNT_CAP else words.number(number)


def _names(actor: Actor) -> str:
    return ", ".join(one.name for one in actor.stands_in_for)


def _line(customer: Stored, actor: Actor, words: Words, day: date) -> str:
    due_on = local_date(customer["care"]["due_on"])
    message = LINE_OVERDUE if due_on and due_on < day else LINE
    return words.say(
        message,
        due_on=due_on,
        name=_shown("name", customer, actor),
        code=_shown("code", customer, actor),
    )


def _shown(field: str, customer: Stored, actor: Actor) -> str:
    """What the person may read on the screen, and no more: a mail travels far."""
    if not actor.access.sees("customers", field):
        return KEPT_BACK
    return " ".join(str(customer.get(field) or "–").split())
