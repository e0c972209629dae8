"""What people change of an order: status, marketplace, shipping, note and what a site adds."""

from collections.abc import Mapping
from datetime import datetime

from bson import ObjectId

from rules.scope import Actor
from services import record_changes, relationships
from services.record_changes import Follow, Saved, Writing

KIND = "orders"


def update(
    order_id: ObjectId,
    typed: Mapping[str, str],
    *,
    version: int,
    by: Actor,
    at: datetime,
    shown: Mapping[str, str] | None = None,
) -> Saved:
    """Saves the form of an order: {field key: text}.

    See `record_changes.update` for `version`, `shown` and what is raised.
    """
    return record_changes.update(
        KIND, order_id, typed, version=version, by=by, at=at, shown=shown, follow=FOLLOW
    )


def _after(writing: Writing) -> list[ObjectId]:
    # A cancelled order was not bought: the customer's facts and relationship follow.
    if "status" in writing.changes:
        customer_id = writing.before.get("customer_id")
        relationships.follow_up([customer_id], writing.session, at=writing.at)
    return []


FOLLOW = Follow(after=_after)
