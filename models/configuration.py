"""What administrators configure, as documents, and every revision of it (B.13)."""

from mongoengine import (
    DateTimeField,
    DictField,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    IntField,
    ObjectIdField,
    StringField,
)

from models.base import CarebookDocument

SHIPPED, SITE = "shipped", "site"

# Sections that are part of the configuration and of its revisions, and stored in documents of
# their own.
ELSEWHERE = frozenset({"site", "saved_views", "relationship_rules", "schedules"})


class ConfigurationItem(CarebookDocument):
    """One thing that is configured: `section` says what kind of thing, `key` which.

    `content` is plain data, as it stands in an exported file; `rules/` knows what it means.
    Start-up touches shipped items only, and only to add those that are missing.
    """

    section = StringField(required=True)
    key = StringField(required=True, max_length=120)
    content = DictField()
    source = StringField(choices=(SHIPPED, SITE), default=SITE)

    meta = {
        "collection": "configuration",
        "indexes": [
            # The snapshot reads everything, a screen one section or one thing of it.
            {"name": "configuration_by_key", "fields": ["section", "key"], "unique": True},
        ],
    }


class ItemChange(EmbeddedDocument):
    """What one revision did to one item; None: it was not there, or is not there any more."""

    section = StringField(required=True)
    key = StringField(required=True)
    before = DictField(null=True)
    after = DictField(null=True)


class ConfigurationRevision(CarebookDocument):
    """One change of the configuration, whole; undoing them newest first leads to any earlier one."""

    revision = IntField(required=True)
    at = DateTimeField(required=True)
    staff_id = ObjectIdField()
    staff_name = StringField()
    says = StringField(max_length=400)
    changes = EmbeddedDocumentListField(ItemChange)

    meta = {
        "collection": "configuration_revisions",
        "indexes": [
            # The list of revisions, and the way back to one of them.
            {"name": "configuration_revision", "fields": ["-revision"], "unique": True},
        ],
    }
