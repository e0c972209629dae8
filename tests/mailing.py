"""A mail server of our own."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller


class Mailbox:
    """Keeps what it gets; `answers` are given first, one for each message, instead of taking it."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.answers: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answers:
            return self.answers.pop(0)
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        self.messages.append(cast(EmailMessage, parsed))
        return "250 taken"


@contextmanager
def mail_server(host: str = "127.0.0.1") -> Iterator[tuple[Mailbox, str]]:
    """A running mail server: (its mailbox, its address as a setting)."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname=host, port=_free_port(host))
    controller.start()
    try:
        yield mailbox, f"smtp://{host}:{controller.port}"
    finally:
        controller.stop()


def _free_port(host: str) -> int:
    with socket.socket() as trial:
        trial.bind((host, 0))
        return int(trial.getsockname()[1])
