"""Work that went from one person to another for good, as one batch that can be taken back."""

from mongoengine import DateTimeField, DictField, ListField, ObjectIdField, StringField

from models.base import CarebookDocument

MOVING, DONE, UNDOING, UNDONE = "moving", "done", "undoing", "undone"
STATES = (MOVING, DONE, UNDOING, UNDONE)


class HandOver(CarebookDocument):
    """Everything of one person to another (S1.1); `run_id` is the job that moves or takes back."""

    from_id = ObjectIdField(required=True)
    from_name = StringField(required=True)
    to_id = ObjectIdField(required=True)
    to_name = StringField(required=True)
    state = StringField(choices=STATES, default=MOVING, required=True)
    at = DateTimeField(required=True)
    by_id = ObjectIdField()
    by_name = StringField()
    product_codes = ListField(StringField())
    absence_ids = ListField(ObjectIdField())  # of others, for whom the giver had stood in
    run_id = ObjectIdField(required=True)
    undone_at = DateTimeField()

    meta = {
        "collection": "hand_overs",
        "indexes": [
            # The newest of the screen; whether one of this person is under way.
            {"name": "hand_overs_newest", "fields": ["-at"]},
            {"name": "hand_overs_of_giver", "fields": ["from_id", "state"]},
        ],
    }


class HandedOver(CarebookDocument):
    """One record of a hand-over; `was` is what `rules.handing_over.take_back` needs."""

    hand_over_id = ObjectIdField(required=True)
    kind = StringField(required=True)
    record_id = ObjectIdField(required=True)
    was = DictField()
    undone_at = DateTimeField()
    expires_at = DateTimeField(required=True)

    meta = {
        "collection": "handed_over",
        "indexes": [
            # What is still to be taken back of one hand-over, in ranges.
            {"name": "handed_over_of_batch", "fields": ["hand_over_id", "kind", "undone_at", "id"]},
            # Nobody can take it back any more.
            {"name": "handed_over_expiry", "fields": ["expires_at"], "expireAfterSeconds": 0},
        ],
    }
