"""Sign-ins that have come back from the sign-in service, so that none comes back twice."""

from mongoengine import DateTimeField, StringField

from models.base import CarebookDocument


class UsedSignIn(CarebookDocument):
    """`mark` is the hash of its state."""

    mark = StringField(required=True)
    expires_at = DateTimeField(required=True)

    meta = {
        "collection": "used_sign_ins",
        "indexes": [
            {"name": "used_sign_in_by_mark", "fields": ["mark"], "unique": True},
            # Too old to come back at all.
            {"name": "used_sign_in_expiry", "fields": ["expires_at"], "expireAfterSeconds": 0},
        ],
    }
