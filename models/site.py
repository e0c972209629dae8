"""The one document of site-wide settings."""

from mongoengine import IntField, ListField, StringField

from models.base import CarebookDocument
from rules.scope import CARE_MODES, UNLIMITED


class Site(CarebookDocument):
    """Key `site`. `config_rev` grows with every change of configuration: requests compare it."""

    key = StringField(required=True, default="site")
    care_mode = StringField(choices=CARE_MODES, default=UNLIMITED)
    config_rev = IntField(default=1)
    second_factor_roles = ListField(StringField())  # roles that need a second factor
    audit_days = IntField()  # how long audit entries are kept; None: for good
    trash_days = IntField(default=30)  # how long the trash is kept; None: for good
    demo = StringField(choices=("loading", "done"))  # demonstration data, if it was loaded

    meta = {
        "collection": "site",
        "indexes": [{"name": "one_site", "fields": ["key"], "unique": True}],
    }
