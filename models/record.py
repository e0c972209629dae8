"""Records of the kinds that a site defined itself (B.14)."""

from mongoengine import (
    DateTimeField,
    DictField,
    EmbeddedDocumentField,
    EmbeddedDocumentListField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
)

from models.attachment import EmbeddedAttachment
from models.base import CarebookDocument
from models.care import CareState


class Record(CarebookDocument):
    """One record; `kind` is the key of its kind, its own fields are in `custom`.

    `seen_by` names the person responsible and everybody who sees the customer;
    `services.scope` keeps it true. `search` and `search_words` are as those of customers.
    """

    kind = StringField(required=True, max_length=40)
    code = StringField(required=True, max_length=80)
    title = StringField(required=True, max_length=200)
    search = StringField()
    search_words = ListField(StringField())
    customer_id = ObjectIdField()
    owner_id = ObjectIdField()
    custom = DictField()
    custom_before_at = DateTimeField()  # of `custom_before`, see services/field_conversion.py
    care = EmbeddedDocumentField(CareState, default=CareState)
    attachments = EmbeddedDocumentListField(EmbeddedAttachment)  # the newest ones
    attachment_count = IntField()
    seen_by = ListField(ObjectIdField())
    last_contact_at = DateTimeField()

    meta = {
        "collection": "records",
        "indexes": [
            {"name": "record_by_code", "fields": ["code"], "unique": True},
            # Values from before a change of type that are too old (services/field_conversion.py).
            {"name": "records_with_values_before", "fields": ["custom_before_at"], "sparse": True},
            # The list of a kind by title, newest and by care date; what one person sees of it.
            {"name": "records_by_title", "fields": ["kind", "search", "id"]},
            {"name": "records_newest", "fields": ["kind", "-created_at", "-id"]},
            {"name": "records_due", "fields": ["kind", "care.due_on", "id"]},
            {"name": "records_seen_by", "fields": ["kind", "seen_by", "search", "id"]},
            {"name": "records_search", "fields": ["kind", "search_words"]},
            # The tab of a customer, and its followers when somebody gets to see it.
            {"name": "records_of_customer", "fields": ["customer_id", "kind", "-created_at"]},
        ],
    }
