"""The complete history: every care entry, note and event of a customer, never changed."""

from mongoengine import (
    BooleanField,
    DateField,
    DateTimeField,
    DictField,
    EmbeddedDocumentListField,
    ListField,
    ObjectIdField,
    StringField,
)

from models.attachment import EmbeddedAttachment
from models.base import CarebookDocument

CARE, NOTE, EVENT = "care", "note", "event"
RELATIONSHIP = "relationship"  # an event: the status changed; without `event`, a date was moved


class Interaction(CarebookDocument):
    """One entry. `entry_key` comes from the form: saving it twice stores it once.

    It is about an order, a record of a kind that the site defined (`record_...`, whose customer
    may be None), or else the customer alone.
    """

    kind = StringField(choices=(CARE, NOTE, EVENT), default=CARE, required=True)
    customer_id = ObjectIdField()
    order_id = ObjectIdField()
    order_code = StringField()
    record_id = ObjectIdField()
    record_kind = StringField()
    record_code = StringField()
    at = DateTimeField(required=True)
    staff_id = ObjectIdField()
    staff_name = StringField()
    content = StringField(max_length=10000)
    feedback = StringField()
    tags = ListField(StringField())
    next_on = DateField()
    ended = BooleanField(default=False)
    due_on_before = DateField()
    event = StringField()
    details = DictField()  # of a relationship event: before, after, set (RelationshipSet)
    attachments = EmbeddedDocumentListField(EmbeddedAttachment)  # newest, bounded
    entry_key = StringField()

    meta = {
        "collection": "interactions",
        "indexes": [
            # Care history [Nội dung đã chăm sóc]: newest first, by staff, by customer.
            {"name": "history_newest", "fields": ["kind", "-at", "-id"]},
            {"name": "history_of_staff", "fields": ["kind", "staff_id", "-at", "-id"]},
            {"name": "history_of_customer", "fields": ["customer_id", "-at", "-id"]},
            # The grid of an order's earlier care.
            {"name": "history_of_order", "fields": ["order_id", "-at"]},
            # The history of a record of a kind that the site defined; most entries have none.
            {"name": "history_of_record", "fields": ["record_id", "-at"], "sparse": True},
            {
                "name": "one_entry_per_form",
                "fields": ["entry_key"],
                "unique": True,
                "partialFilterExpression": {"entry_key": {"$type": "string"}},
            },
        ],
    }
