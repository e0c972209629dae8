"""Products and the tree of product groups."""

from mongoengine import DateTimeField, IntField, ListField, ObjectIdField, StringField

from models.base import CarebookDocument


class ProductGroup(CarebookDocument):
    """A node of the group tree. `path` is the names from the root, `ancestor_ids` root first."""

    name = StringField(required=True, max_length=200)
    path = ListField(StringField(max_length=200), required=True)
    parent_id = ObjectIdField()
    ancestor_ids = ListField(ObjectIdField())

    meta = {
        "collection": "product_groups",
        "indexes": [
            # Siblings have different names; the import finds a path level by level.
            {"name": "group_by_parent_and_name", "fields": ["parent_id", "name"], "unique": True},
        ],
    }


class Product(CarebookDocument):
    """A product with its care interval (S1.4, 0 = no care) and suggested contacts (S1.8)."""

    code = StringField(required=True, max_length=80)
    name = StringField(required=True, max_length=400)
    search = StringField()  # folded name and code, name first
    search_words = ListField(StringField())
    group_id = ObjectIdField()
    group_ids = ListField(ObjectIdField())  # the group and its ancestors
    care_interval_days = IntField(default=0, min_value=0, max_value=36500)
    care_min = IntField(min_value=0, max_value=1000)
    carers = ListField(ObjectIdField())  # staff assigned to this product (S1.9)
    care_max = IntField(min_value=0, max_value=1000)
    custom_before_at = DateTimeField()  # of `custom_before`, see services/field_conversion.py

    meta = {
        "collection": "products",
        "indexes": [
            {"name": "product_by_code", "fields": ["code"], "unique": True},
            # Values from before a change of type that are too old (services/field_conversion.py).
            {"name": "products_with_values_before", "fields": ["custom_before_at"], "sparse": True},
            # Product list by name, and within a group.
            {"name": "products_by_name", "fields": ["search", "id"]},
            # Whom a product is assigned to, and what is assigned to one person.
            {"name": "products_of_carer", "fields": ["carers", "search", "id"]},
            {"name": "products_search", "fields": ["search_words"]},
            {"name": "products_by_group", "fields": ["group_ids", "search", "id"]},
        ],
    }
