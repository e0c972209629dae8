"""Saved views of lists: filters, columns, sort, grouping and mode under a name."""

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
from rules.saved_views import AUDIENCES, PRIVATE


class SavedView(CarebookDocument):
    """A stored `rules.saved_views.SavedView`. `screen` is the endpoint of the list.

    `deleted_at`: out of sight, until somebody takes the deletion back or it is gone for good.
    """

    key = StringField(required=True, max_length=40)
    screen = StringField(required=True, max_length=60)
    name = StringField(required=True, max_length=80)
    owner_id = ObjectIdField()
    audience = StringField(choices=AUDIENCES, default=PRIVATE, required=True)
    roles = ListField(StringField())
    default_roles = ListField(StringField())
    arguments = DictField()
    columns = ListField(DictField())
    page_size = IntField()
    is_deleted = BooleanField(default=False)
    deleted_at = DateTimeField()

    meta = {
        "collection": "saved_views",
        "indexes": [
            # The tabs above a list.
            {"name": "views_of_screen", "fields": ["screen", "is_deleted", "owner_id"]},
            # A view of an imported configuration.
            {"name": "view_by_key", "fields": ["key"], "unique": True},
            # What was deleted long ago.
            {"name": "views_by_deletion", "fields": ["deleted_at"], "sparse": True},
        ],
    }
