"""How relationship statuses follow from facts, and what a customer carries for it (S3.3, S3.4)."""

from mongoengine import (
    BooleanField,
    DateField,
    DateTimeField,
    Decimal128Field,
    DictField,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
)

from models.base import CarebookDocument

CARE_CONTACT, NOTE_CONTACT, ORDER_CONTACT = "care", "note", "order"
CONTACT_KINDS = (CARE_CONTACT, NOTE_CONTACT, ORDER_CONTACT)


class CustomerFacts(EmbeddedDocument):
    """What rules ask of a customer's orders and history; `services.relationships` keeps it true.

    Sales count as purchases unless they were cancelled; returns lower the revenue. Days are local.
    """

    order_count = IntField(default=0)
    revenue = Decimal128Field()
    first_purchase_on = DateField()
    last_purchase_on = DateField()
    last_contact_on = DateField()
    last_feedback = StringField()


class RelationshipChosen(EmbeddedDocument):
    """The status that a person chose; it outlives a rule that takes its place for a while."""

    status = StringField(required=True)
    since_on = DateField()
    staff_id = ObjectIdField()
    staff_name = StringField()
    reason = StringField(max_length=400)


class RelationshipSet(EmbeddedDocument):
    """Where the status comes from: `by` is rule or person; `because` are the conditions met."""

    by = StringField(choices=("rule", "person"))
    at = DateTimeField()
    rule = StringField()
    label_vi = StringField()
    label_en = StringField()
    because = ListField(DictField())
    staff_name = StringField()
    since_on = DateField()
    reason = StringField()


class RelationshipCondition(EmbeddedDocument):
    """A stored `rules.relationship.Condition`."""

    fact = StringField(required=True)
    operator = StringField(required=True)
    number = IntField()
    values = ListField(StringField())
    by_group = DictField()


class RelationshipRule(EmbeddedDocument):
    """A stored `rules.relationship.Rule`. `hold_days` None: a person's choice holds for good."""

    key = StringField(required=True)
    label_vi = StringField(required=True, max_length=120)
    label_en = StringField(max_length=120)
    status = StringField(required=True)
    conditions = EmbeddedDocumentListField(RelationshipCondition)
    hold_days = IntField()
    is_enabled = BooleanField(default=True)
    source = StringField(choices=("shipped", "site"), default="site")


class RelationshipSetup(CarebookDocument):
    """The one list of rules, key `relationships`, and what counts as a contact.

    `unanswered` are feedback types after which the customer was not reached.
    """

    key = StringField(required=True, default="relationships")
    rules = EmbeddedDocumentListField(RelationshipRule)
    contact_kinds = ListField(StringField(choices=CONTACT_KINDS))
    unanswered = ListField(StringField())
    saved_by = StringField()

    meta = {
        "collection": "relationship_setup",
        "indexes": [{"name": "one_relationship_setup", "fields": ["key"], "unique": True}],
    }
