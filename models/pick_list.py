"""Pick lists: the values staff choose from, with labels in both languages and a colour."""

from mongoengine import (
    BooleanField,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    StringField,
)

from models.base import CarebookDocument

KEY_PATTERN = r"^[a-z][a-z0-9_]{0,39}$"
COLOURS = ("teal", "green", "yellow", "orange", "red", "purple", "blue", "azure", "gray")


class PickValue(EmbeddedDocument):
    """One value. The key never changes; a retired value stays readable but cannot be chosen."""

    key = StringField(required=True, regex=KEY_PATTERN)
    label_vi = StringField(required=True, max_length=120)
    label_en = StringField(max_length=120)
    colour = StringField(choices=COLOURS, default="gray")
    retired = BooleanField(default=False)


class PickList(CarebookDocument):
    """A named list of values in their order, for example `feedback` or `relationship`."""

    key = StringField(required=True, regex=KEY_PATTERN)
    label_vi = StringField(required=True, max_length=120)
    label_en = StringField(max_length=120)
    source = StringField(choices=("shipped", "site"), default="site")
    values = EmbeddedDocumentListField(PickValue)

    meta = {
        "collection": "pick_lists",
        "indexes": [{"name": "pick_list_by_key", "fields": ["key"], "unique": True}],
    }
