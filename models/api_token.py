"""Keys with which programs call the API."""

from mongoengine import DateTimeField, ListField, ObjectIdField, StringField

from models.base import CarebookDocument

PERSONAL, SERVICE = "personal", "service"


class ApiToken(CarebookDocument):
    """A key of a person (`staff_id`) or of a program (`kind` service, with roles of its own).

    Only the SHA-256 of the secret is stored. `mark` is its public beginning, so that people can
    tell their keys apart.
    """

    kind = StringField(choices=(PERSONAL, SERVICE), required=True)
    name = StringField(required=True, max_length=80)
    mark = StringField(required=True)
    secret_hash = StringField(required=True)
    scopes = ListField(StringField())
    staff_id = ObjectIdField()  # whose key it is; for a service: who made it
    roles = ListField(StringField())  # of a service; a person's are looked up
    expires_at = DateTimeField()
    used_at = DateTimeField()
    revoked_at = DateTimeField()

    meta = {
        "collection": "api_tokens",
        "indexes": [
            {"name": "token_by_secret", "fields": ["secret_hash"], "unique": True},
            # The account page, and all keys of services.
            {"name": "tokens_of_staff", "fields": ["staff_id", "kind"]},
            {"name": "tokens_of_kind", "fields": ["kind", "-created_at"]},
        ],
    }
