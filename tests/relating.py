"""Customers whose relationship follows from what was said with them."""

from datetime import timedelta

from models import Customer, Interaction
from services import relationships
from tests.factories import NOW


def stored(customer_id):
    return Customer.collection().find_one({"_id": customer_id})


def said(customer_id, days_ago, feedback="satisfied", kind="care"):
    Interaction.collection().insert_one(
        {
            "customer_id": customer_id,
            "kind": kind,
            "at": NOW - timedelta(days=days_ago),
            "feedback": feedback,
            "content": "x",
        }
    )


def recompute(at=NOW):
    return relationships.recompute(at=at)
