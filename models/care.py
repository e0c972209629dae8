"""Care state, embedded in orders and customers (S1.5 to S1.7, S1.13, S1.15)."""

from mongoengine import (
    DateField,
    DateTimeField,
    EmbeddedDocument,
    EmbeddedDocumentField,
    IntField,
    ObjectIdField,
    StringField,
)

# NONE: nothing to do and never cared. SUGGESTED: never cared, date from the interval [Chưa chăm sóc].
# APPOINTED: cared, next date set by a person [Đã chăm sóc]. ENDED: "no more care".
NONE, SUGGESTED, APPOINTED, ENDED = "none", "suggested", "appointed", "ended"
OPEN_STATES = (SUGGESTED, APPOINTED)
STATES = (NONE, SUGGESTED, APPOINTED, ENDED)

INTERVAL, APPOINTMENT = "interval", "appointment"


class CareBasis(EmbeddedDocument):
    """Why a care date is what it is (B.1).

    kind `interval`: from_on + interval_days x quantity, product_code decides.
    kind `appointment`: set by staff_name on set_on.
    """

    kind = StringField(choices=(INTERVAL, APPOINTMENT), required=True)
    from_on = DateField()
    product_code = StringField()
    interval_days = IntField()
    quantity = IntField()
    staff_id = ObjectIdField()
    staff_name = StringField()
    set_on = DateField()


class CareState(EmbeddedDocument):
    """The care of one order, or a customer's own appointment apart from orders.

    `count` is the number of care entries; it is also what a care form checks to notice that a
    colleague was faster. `last_at` is the instant of the newest entry, `staff_id` its writer.
    """

    state = StringField(choices=STATES, default=NONE, required=True)
    due_on = DateField()
    basis = EmbeddedDocumentField(CareBasis)
    count = IntField(default=0)
    last_at = DateTimeField()
    last_feedback = StringField()
    staff_id = ObjectIdField()


class NextCare(EmbeddedDocument):
    """A customer's nearest care date over its open orders and its own appointment (S1.7, S1.15).

    `order_id` and `order_code` name the order that it comes from; None: the own appointment.
    """

    state = StringField(choices=STATES, default=NONE, required=True)
    due_on = DateField()
    basis = EmbeddedDocumentField(CareBasis)
    order_id = ObjectIdField()
    order_code = StringField()
