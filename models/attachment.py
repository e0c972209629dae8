"""Files of customers, orders, entries and other records (S2.5); their bytes are in GridFS."""

from mongoengine import (
    BooleanField,
    DateTimeField,
    EmbeddedDocument,
    IntField,
    ObjectIdField,
    StringField,
)

from models.base import CarebookDocument

PENDING = "pending"  # owner kind of what was sent before the record that it will belong to
EMBEDDED_KEPT = 20  # embedded in the owner, newest first; all of them are in `attachments`


class EmbeddedAttachment(EmbeddedDocument):
    """The copy in the owner and in the customer, as their pages show it."""

    attachment_id = ObjectIdField(required=True)
    name = StringField(required=True, max_length=255)
    content_type = StringField(required=True)
    size_bytes = IntField(required=True)
    has_thumbnail = BooleanField()
    added_at = DateTimeField(required=True)
    staff_id = ObjectIdField()
    staff_name = StringField()


class Attachment(CarebookDocument):
    """`owner_kind` is the collection of the record `owner_id`; `customer_id` the customer behind.

    `content_type` is what the content shows, never what the sender said. `file_id` and
    `thumbnail_id` are files in GridFS. `field` is "kind.key" of the field that the file stands in;
    without it the file is one of the record's documents.
    """

    owner_kind = StringField(required=True)
    owner_id = ObjectIdField(required=True)
    customer_id = ObjectIdField()
    field = StringField()
    file_id = ObjectIdField(required=True)
    thumbnail_id = ObjectIdField()
    name = StringField(required=True, max_length=255)
    content_type = StringField(required=True)
    size_bytes = IntField(required=True)
    sha256 = StringField()
    added_at = DateTimeField(required=True)
    staff_id = ObjectIdField()
    staff_name = StringField()
    upload_key = StringField()

    meta = {
        "collection": "attachments",
        "indexes": [
            # The files of a record, and of a customer with its orders and entries.
            {"name": "attachments_of_owner", "fields": ["owner_id", "-added_at", "-id"]},
            {"name": "attachments_of_customer", "fields": ["customer_id", "-added_at", "-id"]},
            # What was sent and never saved.
            {"name": "attachments_by_kind", "fields": ["owner_kind", "added_at"]},
            # A file in GridFS that nobody names any more.
            {"name": "attachments_by_file", "fields": ["file_id"]},
            {"name": "attachments_by_thumbnail", "fields": ["thumbnail_id"], "sparse": True},
            {
                "name": "one_attachment_per_upload",
                "fields": ["upload_key"],
                "unique": True,
                "partialFilterExpression": {"upload_key": {"$type": "string"}},
            },
        ],
    }
