"""One-time links by mail: to new staff, and to who forgot the password."""

from dataclasses import dataclass
from datetime import datetime

from bson import ObjectId
from pymongo.client_session import ClientSession

from config import Settings
from models import Staff
from rules.errors import N_, InvalidInput
from rules.scope import Actor
from services import accounts, credentials, job_runs, mail
from services.catalogues import Words
from stores.mongo import in_transaction

WELCOME, FORGOTTEN = "welcome", "forgotten"

SUBJECTS = {
    WELCOME: N_("Your login to Carebook"),
    FORGOTTEN: N_("A new password for Carebook"),
}
REASONS = {
    WELCOME: N_("%(by)s has set up a login to Carebook for you. Choose your password here:"),
    FORGOTTEN: N_("Somebody asked for a new password for your login to Carebook. Choose it here:"),
}
IGNORE = {
    WELCOME: N_("You log in with this e-mail address."),
    FORGOTTEN: N_("If it was not you, do nothing: your password stays as it is."),
}


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link to show once; `is_mailed` tells whether it is also on its way by mail."""

    link: str
    is_mailed: bool


def send_link(staff_id: ObjectId, *, settings: Settings, by: Actor, now: datetime) -> NewLink:
    """A new one-time link for a person, which replaces an earlier one.

    Raises:
        NotFound: there is no such person. InvalidInput: the person is deactivated.
        NotAllowed: the person may do more than the actor.
    """

    def work(session: ClientSession) -> NewLink:
        person = accounts.administered(staff_id, by, session)
        if not person.get("active"):
            raise InvalidInput(
                N_("%(name)s is deactivated. Activate the login first."), name=person["name"]
            )
        link = credentials.make_link(staff_id, settings.address, now, session=session)
        accounts.audit_person(by, now, "new link", person, {}, session)
        if not mail.is_on(settings):
            return NewLink(link, False)
        purpose = FORGOTTEN if person.get("password") else WELCOME
        key = f"link-{ObjectId()}"
        _write(key, purpose, person, link, settings, by, now, session)
        return NewLink(link, True)

    return in_transaction(work)


def ask_for_link(email: str, *, by: Actor, now: datetime) -> None:
    """Leaves it to a job to find out whether somebody has this address.

    The same work whether or not there is such a person, so that the time of the answer does not
    tell who works here.
    """
    arguments = {"email": accounts.plain_email(email)[:200], "address": by.address}
    job_runs.enqueue(
        job_runs.create("send_reset_link", arguments | {"key": str(ObjectId())}, by, at=now)
    )


def send_forgotten(
    email: str, *, key: str, settings: Settings, by: Actor, now: datetime
) -> ObjectId | None:
    """Writes the mail to the active person with this address, once for each `key`.

    Returns the message's id; None when nobody has the address or it was written before.
    """

    def work(session: ClientSession) -> ObjectId | None:
        criteria = {"email": email, "active": True}
        person = Staff.collection().find_one(criteria, session=session)
        if person is None or mail.is_written(f"forgotten-{key}", session):
            return None
        link = credentials.make_link(person["_id"], settings.address, now, session=session)
        accounts.audit_person(by, now, "forgot password", person, {}, session)
        return _write(f"forgotten-{key}", FORGOTTEN, person, link, settings, by, now, session)

    return in_transaction(work)


def _write(
    key: str,
    purpose: str,
    person: dict[str, object],
    link: str,
    settings: Settings,
    by: Actor,
    now: datetime,
    session: ClientSession,
) -> ObjectId:
    words = Words(str(person.get("locale") or settings.locale))
    parts = (
        words.say(N_("Hello %(name)s,"), name=person["name"]),
        words.say(REASONS[purpose], by=by.name),
        link,
        words.say(N_("The link works once, within %(days)s days."), days=credentials.LINK_DAYS),
        words.say(IGNORE[purpose]),
    )
    return mail.write(
        key=key,
        to=str(person["email"]),
        to_name=str(person["name"]),
        subject=words.say(SUBJECTS[purpose]),
        text="\n\n".join(parts) + "\n",
        at=now,
        session=session,
    )
