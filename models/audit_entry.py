"""Append-only record of every change."""

from mongoengine import (
    DateTimeField,
    DynamicField,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    ListField,
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
    address = StringField()  # where from; empty for jobs and commands
    action = StringField(required=True)
    kind = StringField(required=True)
    record_id = ObjectIdField()
    record_label = StringField()
    changes = EmbeddedDocumentListField(FieldChange)
    search_words = ListField(StringField())  # folded words of the label

    meta = {
        "collection": "audit_entries",
        "indexes": [
            {"name": "audit_of_record", "fields": ["kind", "record_id", "-at"]},
            # The searchable list of administrators, by its filters; and what is too old.
            {"name": "audit_by_time", "fields": ["-at", "-id"]},
            {"name": "audit_of_staff", "fields": ["staff_id", "-at", "-id"]},
            {"name": "audit_of_kind", "fields": ["kind", "-at", "-id"]},
            {"name": "audit_of_action", "fields": ["action", "-at", "-id"]},
            {"name": "audit_by_word", "fields": ["search_words"]},
        ],
    }
