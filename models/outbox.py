"""What has to happen after a save, written in the same transaction."""

from mongoengine import DateTimeField, DictField, IntField, StringField

from models.base import CarebookDocument

WAITING, DONE, SET_ASIDE = "waiting", "done", "set_aside"
KEPT_DAYS = 14  # after it was acted on; for so long its key keeps it from being put again


class OutboxMessage(CarebookDocument):
    """One thing to do: `topic` says what, `payload` with what; `topic` and `key` are unique.

    A worker claims it by setting `lease_until`. What fails is tried again at `next_try_at`; what
    fails too often, or can never succeed, is set aside with `error`, an English gettext id, and
    its parameters.
    """

    topic = StringField(required=True)
    key = StringField(required=True)
    payload = DictField()
    state = StringField(choices=(WAITING, DONE, SET_ASIDE), default=WAITING, required=True)
    attempts = IntField(default=0)
    next_try_at = DateTimeField()
    lease_until = DateTimeField()
    worker = StringField()
    error = StringField()
    error_params = DictField()
    done_at = DateTimeField()

    meta = {
        "collection": "outbox",
        "indexes": [
            {"name": "one_message_per_topic_and_key", "fields": ["topic", "key"], "unique": True},
            # What is to be delivered now, and the list of what was set aside.
            {"name": "outbox_by_state", "fields": ["state", "next_try_at"]},
            # The server forgets what was acted on long ago.
            {
                "name": "outbox_done",
                "fields": ["done_at"],
                "expireAfterSeconds": KEPT_DAYS * 24 * 3600,
            },
        ],
    }
