"""Append-only record of every change."""

from mongoengine import (
    DateTimeField,
    DynamicField,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    ObjectIdField,
    StringField,
)

from models.base import CarebookDocument


class FieldChange(EmbeddedDocument):
    """One field before and after. Called `field`, `old`, `new`; values as they are stored."""

    field = StringField(required=True)
    old = DynamicField()
    new = DynamicField()


class AuditEntry(CarebookDocument):
    """Who did what to which record, when and through which screen."""

    at = DateTimeField(required=True)
    staff_id = ObjectIdField()
    staff_name = StringField()
    screen = StringField()
    action = StringField(required=True)
    kind = StringField(required=True)
    record_id = ObjectIdField()
    record_label = StringField()
    changes = EmbeddedDocumentListField(FieldChange)

    meta = {
        "collection": "audit_entries",
        "indexes": [
            {"name": "audit_of_record", "fields": ["kind", "record_id", "-at"]},
            {"name": "audit_newest", "fields": ["-at"]},
        ],
    }
