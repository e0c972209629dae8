"""A file of records that somebody imports: what it would do, row by row, before it is done (B.14)."""

from mongoengine import BooleanField, DateTimeField, DictField, IntField, ListField, ObjectIdField
from mongoengine import StringField as Text

from models.base import CarebookDocument

READY, RUNNING, DONE = "ready", "running", "done"
NEW, CHANGED, SAME, WRONG = "new", "changed", "same", "wrong"


class RecordImport(CarebookDocument):
    """One file. `columns` are its headers with the key of the field that each fills, or ""."""

    kind = Text(required=True)
    file_name = Text(max_length=200)
    columns = ListField(DictField())
    counts = DictField()  # by way: how many rows
    staff_id = ObjectIdField(required=True)
    at = DateTimeField(required=True)
    state = Text(choices=(READY, RUNNING, DONE), default=READY, required=True)
    run_id = ObjectIdField()
    expires_at = DateTimeField(required=True)

    meta = {
        "collection": "record_imports",
        "indexes": [
            # The newest of one person.
            {"name": "record_imports_of_staff", "fields": ["staff_id", "kind", "-at"]},
            # A file holds what people should not find for ever.
            {"name": "record_imports_expiry", "fields": ["expires_at"], "expireAfterSeconds": 0},
        ],
    }


class RecordImportRow(CarebookDocument):
    """One row. `typed` is what it says of each field, as the form of the record would be typed;
    `shown` what the record said when the file was read. `reasons` say why it is wrong:
    {field, message, params}.
    """

    import_id = ObjectIdField(required=True)
    line = IntField(required=True)
    way = Text(choices=(NEW, CHANGED, SAME, WRONG), required=True)
    record_id = ObjectIdField()
    code = Text()
    title = Text()
    typed = DictField()
    shown = DictField()
    cells = ListField(Text())
    reasons = ListField(DictField())
    is_done = BooleanField()
    expires_at = DateTimeField(required=True)

    meta = {
        "collection": "record_import_rows",
        "indexes": [
            # The rows of a file by what they would do.
            {"name": "record_import_rows_of", "fields": ["import_id", "way", "line"]},
            {
                "name": "record_import_rows_expiry",
                "fields": ["expires_at"],
                "expireAfterSeconds": 0,
            },
        ],
    }
