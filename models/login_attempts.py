"""Wrong logins in a row, per address."""

from mongoengine import DateTimeField, IntField, StringField

from models.base import CarebookDocument


class LoginAttempts(CarebookDocument):
    """Kept for every address that somebody tried, so that nobody learns which ones exist.

    The id is the SHA-256 of the address. Forgotten a day after the last attempt.
    """

    id = StringField(primary_key=True)
    count = IntField(default=0)
    last_at = DateTimeField()
    locked_until = DateTimeField()

    meta = {
        "collection": "login_attempts",
        "indexes": [
            {"name": "forget_attempts", "fields": ["last_at"], "expireAfterSeconds": 24 * 3600},
        ],
    }
