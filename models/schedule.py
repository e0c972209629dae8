"""When periodic jobs run, as administrators set it."""

from mongoengine import BooleanField, DateTimeField, DictField, IntField, ListField, StringField

from models.base import CarebookDocument


class Schedule(CarebookDocument):
    """Starts the job `job` (a key of `jobs.registry`) at a local time of the site.

    `at_time` is "HH:MM"; `weekdays` are 0 (Monday) to 6. With `every_minutes` it starts again every
    so many minutes until `until_time` of the same day. `last_slot` is the local date or time that
    was started last, as text. Slots before `since` are not caught up: the schedule was paused or had
    another time then.
    """

    key = StringField(required=True)
    job = StringField(required=True)
    arguments = DictField()
    at_time = StringField(required=True, regex=r"^([01]\d|2[0-3]):[0-5]\d$")
    every_minutes = IntField(min_value=5, max_value=720)
    until_time = StringField(regex=r"^([01]\d|2[0-3]):[0-5]\d$")
    weekdays = ListField(IntField(min_value=0, max_value=6))
    is_paused = BooleanField(default=False)
    since = DateTimeField()
    last_slot = StringField()
    source = StringField(choices=("shipped", "site"), default="site")

    meta = {
        "collection": "schedules",
        "indexes": [{"name": "schedule_by_key", "fields": ["key"], "unique": True}],
    }
