"""Mail: written with the change that it tells about, handed to the mail server from the outbox.

At least once: a worker that dies between the server's word and our note sends it again.
"""

import smtplib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

from bson import ObjectId
from pymongo.client_session import ClientSession

from config import Settings
from models import MailMessage
from models.mail_message import FAILED, SENT, WAITING
from rules.errors import N_, CareError, StoreUnavailable
from services import outbox
from services.outbox import Message
from services.progress import NoProgress, Progress, stop_if_cancelled

Stored = dict[str, Any]

TOPIC = "mail"
ATTEMPTS = 100  # at most an hour apart, so that the days below are over before
ANSWER_SECONDS = 20
LEASE = timedelta(minutes=3)  # longer than the mail server may take in all
TRIED_FOR = timedelta(days=3)  # a message that cannot be delivered for so long is given up
LOCAL = ("localhost", "127.0.0.1", "::1")


class MailServerAway(StoreUnavailable):
    """Worth another try: the outbox comes back to it."""

    message = N_("The mail server %(host)s does not take the message: %(reason)s.")


class MailRefused(CareError):
    """Not worth another try."""

    message = N_("The mail server refuses the message to %(to)s: %(reason)s.")


class MailGivenUp(CareError):
    """Its text is gone: it may have held a one-time link."""

    message = N_("The message was not taken for days and was given up. Write it anew.")


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server as `CAREBOOK_MAIL_URL` names it."""

    host: str
    port: int
    user: str | None
    password: str | None
    is_tls: bool


def is_on(settings: Settings) -> bool:
    """Whether there is a mail server; without one the screens show links to copy."""
    return settings.mail_url is not None


def server_of(settings: Settings) -> Server:
    """The mail server. Raises MailServerAway when none is set."""
    if settings.mail_url is None:
        raise MailServerAway(N_("No mail server is set. An operator sets CAREBOOK_MAIL_URL."))
    parts = urlsplit(settings.mail_url.get_secret_value())
    is_tls = parts.scheme == "smtps"
    return Server(
        host=parts.hostname or "",
        port=parts.port or (465 if is_tls else 587 if parts.username else 25),
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password or "") if parts.username else None,
        is_tls=is_tls,
    )


def write(
    *,
    key: str,
    to: str,
    to_name: str,
    subject: str,
    text: str,
    at: datetime,
    session: ClientSession,
) -> ObjectId:
    """Writes a message in the transaction of a change; returns its id. The outbox has it sent.

    The same `key` twice is an error of the store: ask `is_written` before.
    """
    message = {
        "key": key,
        "to": to,
        "to_name": to_name,
        "subject": " ".join(subject.split()),
        "text": text,
        "state": WAITING,
        "attempts": 0,
        "version": 1,
        "created_at": at,
        "updated_at": at,
    }
    written: ObjectId = MailMessage.collection().insert_one(message, session=session).inserted_id
    outbox.put(session, TOPIC, str(written), {"message_id": written}, at=at)
    return written


def is_written(key: str, session: ClientSession) -> bool:
    """Whether the message with this key was written before."""
    return MailMessage.collection().find_one({"key": key}, {"_id": 1}, session=session) is not None


def send_waiting(
    settings: Settings,
    *,
    message_id: ObjectId | None = None,
    progress: Progress | None = None,
) -> None:
    """Sends one message, or all that wait; what was sent before is left alone.

    Raises:
        StoreUnavailable: try again later. MailRefused: this message will never be taken.
    """
    progress = progress or NoProgress()
    criteria: Stored = {"state": WAITING} | ({"_id": message_id} if message_id else {})
    problem: CareError | None = None
    for row in MailMessage.collection().find(criteria, {"_id": 1}).sort("created_at", 1):
        stop_if_cancelled(progress)
        try:
            if _send_claimed(row["_id"], settings):
                progress.count("mails_sent")
        except (MailServerAway, MailRefused) as error:
            problem = error
        progress.advance()
    if problem is not None:
        raise problem


def deliver(message: Message, settings: Settings) -> None:
    """What the outbox calls for a written message.

    Raises:
        MailServerAway: try again later. MailRefused, MailGivenUp: it will never be taken.
    """
    message_id = message.payload["message_id"]
    try:
        send_waiting(settings, message_id=message_id)
    except MailServerAway as error:
        # The outbox tries again for as long as the message waits.
        if _state_of(message_id) == FAILED:
            raise MailGivenUp from error
        raise
    state = _state_of(message_id)
    if state == FAILED:
        raise MailGivenUp
    if state == WAITING:  # somebody else sends it at this moment, or has died over it
        raise StoreUnavailable


def _state_of(message_id: ObjectId) -> str | None:
    found = MailMessage.collection().find_one({"_id": message_id}, {"state": 1})
    return found["state"] if found else None


def _send_claimed(message_id: ObjectId, settings: Settings) -> bool:
    now = datetime.now(UTC)
    free: Stored = {"$or": [{"lease_until": None}, {"lease_until": {"$lt": now}}]}
    message = MailMessage.collection().find_one_and_update(
        {"_id": message_id, "state": WAITING, **free},
        {"$set": {"lease_until": now + LEASE, "updated_at": now}, "$inc": {"attempts": 1}},
        return_document=True,
    )
    if message is None:
        return False
    try:
        _hand_over(_composed(message, settings), server_of(settings))
    except MailServerAway as error:
        is_over = now - message["created_at"] > TRIED_FOR
        _note(message, {"state": FAILED if is_over else WAITING, "error": str(error)})
        raise
    except MailRefused as error:
        _note(message, {"state": FAILED, "error": str(error)})
        raise
    _note(message, {"state": SENT, "error": None, "sent_at": datetime.now(UTC)})
    return True


def _note(message: Stored, values: Stored) -> None:
    change: Stored = {"$set": values | {"lease_until": None}, "$inc": {"version": 1}}
    if values["state"] != WAITING:
        change["$unset"] = {"text": ""}  # it may hold a one-time link
    MailMessage.collection().update_one({"_id": message["_id"]}, change)


def _composed(message: Stored, settings: Settings) -> EmailMessage:
    mail = EmailMessage()
    name, sender = parseaddr(settings.mail_from or "")
    mail["From"] = Address(name, addr_spec=sender)
    mail["To"] = Address(_one_line(message.get("to_name") or ""), addr_spec=message["to"])
    mail["Subject"] = _one_line(message["subject"])
    mail["Date"] = format_datetime(message["created_at"])
    # The same at each attempt, so that a mail program shows a message sent twice only once.
    mail["Message-ID"] = f"<{message['_id']}@{sender.partition('@')[2] or make_msgid()}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message["text"])
    return mail


def _one_line(text: str) -> str:
    """A header is one line: a name with a line break in it must not add headers."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _hand_over(mail: EmailMessage, server: Server) -> None:
    try:
        with _connected(server) as connection:
            connection.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        code, reason = next(iter(error.recipients.values()))
        raise _problem(server, mail, code, _text(reason)) from error
    except smtplib.SMTPAuthenticationError as error:
        # An operator can mend it: the message waits.
        raise MailServerAway(host=server.host, reason=_text(error.smtp_error)) from error
    except smtplib.SMTPResponseException as error:
        raise _problem(server, mail, error.smtp_code, _text(error.smtp_error)) from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailServerAway(host=server.host, reason=str(error)[:200] or "?") from error
    except (ValueError, UnicodeError) as error:
        raise MailRefused(to=str(mail["To"]), reason=str(error)[:200]) from error


def _connected(server: Server) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.is_tls:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=ANSWER_SECONDS, context=context
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=ANSWER_SECONDS)
    try:
        connection.ehlo()
        if not server.is_tls and connection.has_extn("starttls"):
            connection.starttls(context=context)
            connection.ehlo()
        elif not server.is_tls and server.user and server.host not in LOCAL:
            raise MailServerAway(
                host=server.host, reason="it offers no encryption, and a password would be seen"
            )
        if server.user:
            connection.login(server.user, server.password or "")
    except BaseException:
        connection.close()
        raise
    return connection


def _problem(server: Server, mail: EmailMessage, code: int, reason: str) -> CareError:
    if 500 <= code < 600:
        return MailRefused(to=str(mail["To"]), reason=f"{code} {reason}")
    return MailServerAway(host=server.host, reason=f"{code} {reason}")


def _text(reason: bytes | str) -> str:
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
    return text[:200]
