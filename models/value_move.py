"""What a merge of two pick-list values changed, record by record, so that it can be undone."""

from mongoengine import DateTimeField, DynamicField, ObjectIdField, StringField

from models.base import CarebookDocument


class ValueMove(CarebookDocument):
    """The value of one field of one record before and after a merge; dropped after some weeks."""

    merge = StringField(required=True)
    collection_name = StringField(required=True)
    record_id = ObjectIdField(required=True)
    path = StringField(required=True)
    before = DynamicField()
    after = DynamicField()
    at = DateTimeField(required=True)

    meta = {
        "collection": "value_moves",
        "indexes": [
            # A job that runs twice notes each move once; undoing goes over one merge.
            {
                "name": "value_move_once",
                "fields": ["merge", "collection_name", "record_id", "path"],
                "unique": True,
            },
            # A merge can be undone for UNDO_DAYS (services/value_merges.py).
            {"name": "value_moves_expire", "fields": ["at"], "expireAfterSeconds": 31 * 86400},
        ],
    }
