"""The one document of site-wide settings."""

from mongoengine import IntField, StringField

from models.base import CarebookDocument

BY_PRODUCT, BY_CUSTOMER, UNLIMITED = "by_product", "by_customer", "unlimited"
CARE_MODES = (BY_PRODUCT, BY_CUSTOMER, UNLIMITED)


class Site(CarebookDocument):
    """Key `site`. `config_rev` grows with every change of configuration: requests compare it."""

    key = StringField(required=True, default="site")
    care_mode = StringField(choices=CARE_MODES, default=UNLIMITED)
    config_rev = IntField(default=1)
    demo = StringField(choices=("loading", "done"))  # demonstration data, if it was loaded

    meta = {
        "collection": "site",
        "indexes": [{"name": "one_site", "fields": ["key"], "unique": True}],
    }
