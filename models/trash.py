"""Deleted records, whole, so that they can come back and never block a new record's code."""

from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    ListField,
    ObjectIdField,
    StringField,
)

from models.base import CarebookDocument


class TrashedRecord(CarebookDocument):
    """`document` is the record as it was stored; `kind` its collection.

    What was deleted together is one batch: `batch_id` is the id of the entry of the record that a
    person deleted (`is_root`); only that one is listed, with `counts` of what went with it.
    `owner_ids` are the records that this one belongs to. `is_purging`: it is being deleted for
    good and cannot come back any more.
    """

    kind = StringField(required=True)
    record_id = ObjectIdField(required=True)
    record_label = StringField()
    code = StringField()
    batch_id = ObjectIdField(required=True)
    is_root = BooleanField(default=False)
    owner_ids = ListField(ObjectIdField())
    counts = DictField()  # {kind: how many went with the root}
    search_words = ListField(StringField())
    deleted_at = DateTimeField(required=True)
    staff_id = ObjectIdField()
    staff_name = StringField()
    is_purging = BooleanField()
    document = DictField()

    meta = {
        "collection": "trash",
        "indexes": [
            {"name": "trash_by_record", "fields": ["kind", "record_id"], "unique": True},
            # The screen, newest first, and what has been there for too long.
            {"name": "trash_roots", "fields": ["is_root", "-deleted_at", "-id"]},
            {"name": "trash_search", "fields": ["search_words"]},
            # What comes back, or goes for good, together.
            {"name": "trash_of_batch", "fields": ["batch_id"]},
            # What was deleted before its owner was.
            {"name": "trash_of_owner", "fields": ["owner_ids"]},
            # An import asks which of its orders are here.
            {"name": "trash_by_code", "fields": ["kind", "code"]},
            # Which stored files can still come back.
            {"name": "trash_by_file", "fields": ["document.file_id"], "sparse": True},
            {"name": "trash_by_thumbnail", "fields": ["document.thumbnail_id"], "sparse": True},
        ],
    }
