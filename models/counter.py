"""Running numbers, for the numbers of records that people add."""

from mongoengine import IntField, StringField

from models.base import CarebookDocument


class Counter(CarebookDocument):
    """The last number that was given out for `key`, a kind of record. Gaps may remain."""

    key = StringField(required=True)
    last = IntField(required=True, default=0)

    meta = {
        "collection": "counters",
        "indexes": [
            # The next number of a kind; two processes must not begin two counters.
            {"name": "one_counter", "fields": ["key"], "unique": True},
        ],
    }
