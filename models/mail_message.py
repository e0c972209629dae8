"""Mail on its way out."""

from mongoengine import DateTimeField, IntField, StringField

from models.base import CarebookDocument

WAITING, SENT, FAILED = "waiting", "sent", "failed"


class MailMessage(CarebookDocument):
    """Written in the transaction of what it tells about; the outbox has it sent.

    `key` is unique, so that work that is done twice writes one message. The text is dropped once
    it is sent: it may hold a one-time link.
    """

    key = StringField(required=True)
    to = StringField(required=True)
    to_name = StringField()
    subject = StringField(required=True)
    text = StringField()
    state = StringField(choices=(WAITING, SENT, FAILED), default=WAITING, required=True)
    attempts = IntField(default=0)
    error = StringField()
    next_try_at = DateTimeField()  # of earlier versions; the outbox knows when now
    lease_until = DateTimeField()  # while a worker talks to the mail server
    sent_at = DateTimeField()

    meta = {
        "collection": "mail_messages",
        "indexes": [
            {"name": "one_message_per_key", "fields": ["key"], "unique": True},
            # What still waits, oldest first.
            {"name": "messages_by_state", "fields": ["state", "created_at"]},
        ],
    }
