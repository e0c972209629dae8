"""Orders with their lines and care state."""

from mongoengine import (
    DateField,
    DateTimeField,
    Decimal128Field,
    EmbeddedDocument,
    EmbeddedDocumentField,
    EmbeddedDocumentListField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
)

from models.attachment import EmbeddedAttachment
from models.base import CarebookDocument
from models.care import CareState

SALE, RETURN, PURCHASE = "sale", "return", "purchase"
ORDER_KINDS = (SALE, RETURN, PURCHASE)


class OrderLine(EmbeddedDocument):
    """One line as it was entered or imported; quantity may be negative, price may be zero."""

    product_code = StringField(required=True, max_length=80)
    product_name = StringField(max_length=400)
    quantity = IntField(required=True)
    unit_price = Decimal128Field()


class CareItem(EmbeddedDocument):
    """Net quantity (> 0) of one product in the order, with the product's interval (S1.5).

    Derived from the lines when the order is written; `interval_days` follows the product.
    """

    code = StringField(required=True)
    quantity = IntField(required=True)
    interval_days = IntField(required=True, default=0)


class Order(CarebookDocument):
    """A sale, return or purchase. Only a sale with a customer can be due for care.

    `placed_on` is the local date of `placed_at`. `area_id` (the customer's area) and `group_ids`
    (product groups of the lines with all ancestors) stand here so that each due list is one
    indexed query; `services/` keep them true.
    """

    code = StringField(required=True, max_length=80)
    kind = StringField(choices=ORDER_KINDS, default=SALE, required=True)
    customer_id = ObjectIdField()
    area_id = ObjectIdField()
    placed_at = DateTimeField(required=True)
    placed_on = DateField(required=True)
    marketplace = StringField(max_length=80)
    status = StringField(max_length=80)
    note = StringField(max_length=4000)
    shipping = StringField(max_length=400)
    lines = EmbeddedDocumentListField(OrderLine)
    total = Decimal128Field()
    care_items = EmbeddedDocumentListField(CareItem)
    group_ids = ListField(ObjectIdField())
    care = EmbeddedDocumentField(CareState, default=CareState)
    attachments = EmbeddedDocumentListField(EmbeddedAttachment)  # newest, bounded
    import_digest = StringField()
    custom_before_at = DateTimeField()  # of `custom_before`, see services/field_conversion.py
    # The person responsible for its customer, who cares for a product of it, who for its customer,
    # and who may see it at all; kept true by `services.scope` so that every list is one indexed
    # query.
    owner_id = ObjectIdField()
    product_carers = ListField(ObjectIdField())
    customer_carers = ListField(ObjectIdField())
    seen_by = ListField(ObjectIdField())

    meta = {
        "collection": "orders",
        "indexes": [
            {"name": "order_by_code", "fields": ["code"], "unique": True},
            # Values from before a change of type that are too old (services/field_conversion.py).
            {"name": "orders_with_values_before", "fields": ["custom_before_at"], "sparse": True},
            # Orders due [Đơn hàng cần chăm sóc]: state, date range, nearest first.
            {"name": "orders_due", "fields": ["care.state", "care.due_on", "id"]},
            # ... by customer area and by product group, with counts per group.
            {
                "name": "orders_due_by_area",
                "fields": ["care.state", "area_id", "care.due_on", "id"],
            },
            {
                "name": "orders_due_by_group",
                "fields": ["care.state", "group_ids", "care.due_on", "id"],
            },
            # The same for one care agent under either care mode (S1.3, S1.10).
            {
                "name": "orders_due_of_product_carer",
                "fields": ["product_carers", "care.state", "care.due_on", "id"],
            },
            {
                "name": "orders_due_of_customer_carer",
                "fields": ["customer_carers", "care.state", "care.due_on", "id"],
            },
            # ... and for somebody whose role reaches the own orders only.
            {
                "name": "orders_due_of_owner",
                "fields": ["owner_id", "care.state", "care.due_on", "id"],
                "partialFilterExpression": {"owner_id": {"$exists": True}},
            },
            # A customer's open orders, nearest date first (next care), and the customer's page.
            {"name": "orders_of_customer", "fields": ["customer_id", "care.state", "care.due_on"]},
            {"name": "orders_of_customer_newest", "fields": ["customer_id", "-placed_at"]},
            # Orders that a changed interval touches, and drift between product and order.
            {
                "name": "orders_by_product",
                "fields": ["care_items.code", "care_items.interval_days"],
            },
        ],
    }
