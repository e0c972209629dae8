"""Sends mail in the background."""

from dataclasses import replace
from datetime import UTC, datetime

from bson import ObjectId

from config import Settings
from rules.scope import SYSTEM
from services import invitations, mail
from services import morning_mail as morning
from services.progress import Progress


def send_mail(progress: Progress, message_id: str | None = None) -> None:
    """Sends one message; without an id all that wait. Started by earlier versions."""
    chosen = ObjectId(message_id) if message_id else None
    mail.send_waiting(Settings(), message_id=chosen, progress=progress)


def send_reset_link(progress: Progress, email: str, key: str, address: str = "") -> None:
    """Sends a one-time link to the person with this address, if there is one."""
    settings = Settings()
    by = replace(SYSTEM, screen="forgot", address=address)
    now = datetime.now(UTC)
    invitations.send_forgotten(email, key=key, settings=settings, by=by, now=now)


def morning_mail(progress: Progress) -> None:
    """Everybody's due work of this day by mail."""
    morning.write_all(Settings(), now=datetime.now(UTC), progress=progress)
