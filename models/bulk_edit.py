"""One field of many records changed at once, as one batch that can be taken back (B.5)."""

from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
)

from models.base import CarebookDocument

SET, ADD, REMOVE, CLEAR = "set", "add", "remove", "clear"
WAYS = (SET, ADD, REMOVE, CLEAR)
CHANGING, DONE, UNDOING, UNDONE = "changing", "done", "undoing", "undone"
STATES = (CHANGING, DONE, UNDOING, UNDONE)


class BulkEdit(CarebookDocument):
    """Which records (`ids`, or `criteria` as extended JSON), which field, and what it becomes.

    `value` is the text that was typed; `says` what was done, in the words of who did it. While it
    is under way either a job works on it (`run_id`) or a page, which is gone after `busy_until`.
    """

    kind = StringField(required=True)
    field = StringField(required=True)
    way = StringField(choices=WAYS, required=True)
    value = StringField()
    ids = ListField(ObjectIdField())
    criteria = StringField()
    says = StringField(max_length=400)
    staff_id = ObjectIdField(required=True)
    staff_name = StringField()
    at = DateTimeField(required=True)
    state = StringField(choices=STATES, default=CHANGING, required=True)
    run_id = ObjectIdField()
    busy_until = DateTimeField()
    changed = IntField(default=0)
    refused = IntField(default=0)

    meta = {
        "collection": "bulk_edits",
        "indexes": [
            # The newest of everybody, and those of one person.
            {"name": "bulk_edits_newest", "fields": ["-at"]},
            {"name": "bulk_edits_of_staff", "fields": ["staff_id", "-at"]},
        ],
    }


class BulkEdited(CarebookDocument):
    """One record of a batch: what its field said before and after, as a form shows it.

    Written before the record is: what a killed process leaves is either changed or as before, and
    both can be told by looking at the record. `reason` is an English gettext id, `reason_params`
    its parameters.
    """

    bulk_edit_id = ObjectIdField(required=True)
    record_id = ObjectIdField(required=True)
    before = StringField()
    after = StringField()
    is_undone = BooleanField()
    reason = StringField()  # why the record was left as it was
    reason_params = DictField()
    expires_at = DateTimeField(required=True)

    meta = {
        "collection": "bulk_edited",
        "indexes": [
            # One entry a record, and the entries of a batch in ranges of ids.
            {
                "name": "bulk_edited_once",
                "fields": ["bulk_edit_id", "record_id"],
                "unique": True,
            },
            # Nobody can take it back any more.
            {"name": "bulk_edited_expiry", "fields": ["expires_at"], "expireAfterSeconds": 0},
        ],
    }
