"""Areas customers live in."""

from mongoengine import ObjectIdField, StringField

from models.base import CarebookDocument


class Area(CarebookDocument):
    """A province, district or country; `parent_id` None is a top area."""

    name = StringField(required=True, max_length=200)
    search = StringField()
    parent_id = ObjectIdField()

    meta = {
        "collection": "areas",
        "indexes": [
            {"name": "area_by_name", "fields": ["name"], "unique": True},
            # What stands below an area: filters by it find that as well.
            {"name": "area_by_parent", "fields": ["parent_id"]},
        ],
    }
