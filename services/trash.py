"""Deletes orders into the trash and brings them back."""

from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from models import Customer, Order, TrashedRecord
from rules.errors import N_, InvalidInput, NotAllowed, NotFound
from rules.scope import Actor
from services import audit, relationships
from services.recompute import recompute_customers
from services.scope import recompute_scope
from stores.mongo import in_transaction


def delete_order(order_id: ObjectId, *, by: Actor, at: datetime) -> None:
    """Moves the order into the trash; its customer's next date follows. Raises NotFound.

    Deleting what is in the trash already changes nothing, so that a double click does no harm.
    """
    if not by.is_manager:
        raise NotAllowed()
    in_trash = {"kind": "orders", "record_id": order_id}

    def work(session: ClientSession) -> None:
        order = Order.collection().find_one_and_delete({"_id": order_id}, session=session)
        if order is None:
            if TrashedRecord.collection().find_one(in_trash, {"_id": 1}, session=session):
                return
            raise NotFound()
        TrashedRecord.collection().insert_one(
            {
                "kind": "orders",
                "record_id": order_id,
                "record_label": order["code"],
                "deleted_at": at,
                "staff_id": by.staff_id,
                "staff_name": by.name,
                "document": order,
            },
            session=session,
        )
        _follow_up("delete", order, by, at, session)

    in_transaction(work)


def restore_order(order_id: ObjectId, *, by: Actor, at: datetime) -> None:
    """Brings the order back as it was, in the area where its customer is now.

    Restoring what is back already changes nothing. Raises NotFound, or InvalidInput when its code
    is taken.
    """
    if not by.is_manager:
        raise NotAllowed()

    def work(session: ClientSession) -> None:
        trashed = TrashedRecord.collection().find_one_and_delete(
            {"kind": "orders", "record_id": order_id}, session=session
        )
        if trashed is None:
            if Order.collection().find_one({"_id": order_id}, {"_id": 1}, session=session):
                return
            raise NotFound()
        order = trashed["document"] | _area_now(trashed["document"], session)
        Order.collection().insert_one(order, session=session)
        _follow_up("restore", order, by, at, session)

    try:
        in_transaction(work)
    except DuplicateKeyError as error:
        raise InvalidInput(
            N_("Another order has the same number now. Rename it, then restore this one.")
        ) from error


def _area_now(order: dict[str, Any], session: ClientSession) -> dict[str, Any]:
    """The area of the order's customer, who may have moved while the order was away."""
    customer = Customer.collection().find_one(
        {"_id": order.get("customer_id")}, {"area_id": 1}, session=session
    )
    return {"area_id": customer.get("area_id")} if customer else {}


def _follow_up(
    action: str, order: dict[str, Any], by: Actor, at: datetime, session: ClientSession
) -> None:
    if order.get("customer_id"):
        recompute_customers([order["customer_id"]], session=session)
        relationships.follow_up([order["customer_id"]], session, at=at)
        recompute_scope([order["customer_id"]], session=session, at=at)
    audit.record(
        by=by,
        at=at,
        action=action,
        kind="orders",
        record_id=order["_id"],
        label=order["code"],
        session=session,
    )
