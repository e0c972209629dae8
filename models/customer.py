"""Customers with the newest part of their history, tags and attachments embedded."""

from mongoengine import (
    BooleanField,
    DateField,
    DateTimeField,
    DictField,
    EmbeddedDocument,
    EmbeddedDocumentField,
    EmbeddedDocumentListField,
    ListField,
    ObjectIdField,
    StringField,
)

from models.attachment import EmbeddedAttachment
from models.base import CarebookDocument
from models.care import CareState, NextCare
from models.relationship import CustomerFacts, RelationshipChosen, RelationshipSet

PERSON, COMPANY = "person", "company"
HISTORY_KEPT = 20  # entries embedded in the customer; all of them are in `interactions`


class HistoryEntry(EmbeddedDocument):
    """The embedded copy of an Interaction, as the record page and the care panel show it."""

    interaction_id = ObjectIdField(required=True)
    kind = StringField(required=True)
    at = DateTimeField(required=True)
    staff_id = ObjectIdField()
    staff_name = StringField()
    content = StringField()
    feedback = StringField()
    order_id = ObjectIdField()
    order_code = StringField()
    next_on = DateField()
    ended = BooleanField(default=False)
    event = StringField()
    details = DictField()


class CareClaim(EmbeddedDocument):
    """Who has this customer on the screen of the care queue, so that nobody else is given it.

    As `later`: who left it for later, and until when it waits behind this person's others.
    """

    staff_id = ObjectIdField(required=True)
    staff_name = StringField(required=True)
    until = DateTimeField(required=True)


class Viewer(EmbeddedDocument):
    """A colleague who may see the customer [Người xem]; `until` None: without end."""

    staff_id = ObjectIdField(required=True)
    until = DateTimeField()
    added_by = ObjectIdField()
    added_at = DateTimeField(required=True)


class Customer(CarebookDocument):
    """A person or company.

    `search` holds the folded name, code, phones, e-mails and tax code, name first, and sorts the
    list by name; `search_words` are its words, for prefix search (B.4).
    """

    code = StringField(required=True, max_length=80)
    kind = StringField(choices=(PERSON, COMPANY), default=PERSON, required=True)
    name = StringField(required=True, max_length=200)
    search = StringField()
    search_words = ListField(StringField())
    name_words = ListField(StringField())  # of name and code, see services.customers
    phones = ListField(StringField(max_length=40))
    phone_keys = ListField(StringField())
    emails = ListField(StringField(max_length=200))
    tax_code = StringField(max_length=40)
    national_id = StringField(max_length=40)
    birthday = DateField()
    gender = StringField(choices=("female", "male", "other"))
    address = StringField(max_length=400)
    area_id = ObjectIdField()
    channel = StringField()
    source = StringField()
    groups = ListField(StringField())
    relationship = StringField(default="new")
    relationship_set = EmbeddedDocumentField(RelationshipSet)
    relationship_chosen = EmbeddedDocumentField(RelationshipChosen)
    facts = EmbeddedDocumentField(CustomerFacts)
    tags = ListField(StringField())
    owner_id = ObjectIdField()
    preferred_contact = StringField()
    referrer_id = ObjectIdField()
    note = StringField(max_length=4000)
    history = EmbeddedDocumentListField(HistoryEntry)  # newest first, at most HISTORY_KEPT
    attachments = EmbeddedDocumentListField(EmbeddedAttachment)  # newest, bounded
    own_care = EmbeddedDocumentField(CareState, default=CareState)
    care = EmbeddedDocumentField(NextCare, default=NextCare)
    claim = EmbeddedDocumentField(CareClaim)
    later = EmbeddedDocumentField(CareClaim)
    last_contact_at = DateTimeField()
    custom = DictField()
    custom_before_at = DateTimeField()  # of `custom_before`, see services/field_conversion.py
    # Who is assigned (S1.10), who may look (S2.7), who cares for a product that it bought, and all
    # of them with the person responsible; the last two are kept true by `services.scope`.
    carers = ListField(ObjectIdField())
    viewers = EmbeddedDocumentListField(Viewer)
    product_carers = ListField(ObjectIdField())
    seen_by = ListField(ObjectIdField())

    meta = {
        "collection": "customers",
        "indexes": [
            {"name": "customer_by_code", "fields": ["code"], "unique": True},
            # Values from before a change of type that are too old (services/field_conversion.py).
            {
                "name": "customers_with_values_before",
                "fields": ["custom_before_at"],
                "sparse": True,
            },
            # Customers due [Khách hàng cần chăm sóc]: state, date range, nearest first; by area.
            {"name": "customers_due", "fields": ["care.state", "care.due_on", "id"]},
            {
                "name": "customers_due_by_area",
                "fields": ["care.state", "area_id", "care.due_on", "id"],
            },
            # Customer list [Danh sách khách hàng] by name, newest, and by area.
            {"name": "customers_by_name", "fields": ["search", "id"]},
            {"name": "customers_by_addition", "fields": ["-created_at", "-id"]},
            {"name": "customers_by_area", "fields": ["area_id", "search", "id"]},
            # ... by relationship: the quick filter of the list, and its board.
            {"name": "customers_by_relationship", "fields": ["relationship", "search", "id"]},
            # One care agent's customers: due under either care mode, and all that it may see.
            {
                "name": "customers_due_of_product_carer",
                "fields": ["product_carers", "care.state", "care.due_on", "id"],
            },
            {
                "name": "customers_due_of_carer",
                "fields": ["carers", "care.state", "care.due_on", "id"],
            },
            {"name": "customers_seen_by", "fields": ["seen_by", "search", "id"]},
            # The same for somebody whose role reaches the own customers only.
            {
                "name": "customers_due_of_owner",
                "fields": ["owner_id", "care.state", "care.due_on", "id"],
                "partialFilterExpression": {"owner_id": {"$exists": True}},
            },
            {
                "name": "customers_of_owner",
                "fields": ["owner_id", "search", "id"],
                "partialFilterExpression": {"owner_id": {"$exists": True}},
            },
            # A viewer whose time is over.
            {"name": "viewers_by_end", "fields": ["viewers.until"], "sparse": True},
            # Search: words by their beginning.
            {"name": "customers_search", "fields": ["search_words"]},
            # ... for people who do not see phones, e-mails or the tax code as they are.
            {"name": "customers_search_by_name", "fields": ["name_words"]},
            # The same person under another record: phone typed in any format.
            {"name": "customers_by_phone", "fields": ["phone_keys"]},
        ],
    }
