"""Deleted records, whole, so that they can come back and never block a new record's code."""

from mongoengine import DateTimeField, DictField, ObjectIdField, StringField

from models.base import CarebookDocument


class TrashedRecord(CarebookDocument):
    """`document` is the record as it was stored; `kind` its collection."""

    kind = StringField(required=True)
    record_id = ObjectIdField(required=True)
    record_label = StringField()
    deleted_at = DateTimeField(required=True)
    staff_id = ObjectIdField()
    staff_name = StringField()
    document = DictField()

    meta = {
        "collection": "trash",
        "indexes": [
            {"name": "trash_by_record", "fields": ["kind", "record_id"], "unique": True},
            {"name": "trash_newest", "fields": ["-deleted_at"]},
        ],
    }
