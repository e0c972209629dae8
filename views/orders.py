"""The plain order page, and deleting an order with undo."""

from collections.abc import Mapping
from typing import Any

from flask import redirect, url_for
from flask_admin import expose
from flask_babel import gettext

from models.base import local_date
from rules.care_sentences import nearness
from rules.errors import N_, NotFound
from rules.permissions import SEE
from rules.scope import may_delete
from services import records, trash
from views.base import ScreenView, back_or, flash_undo
from views.context import current_actor, now, today
from views.due_cells import why
from views.list_screen import object_id
from views.record_edit import edit_page
from views.record_page import record_page
from views.trash import restored


class Orders(ScreenView):
    """One order: lines, value, care and what was said."""

    endpoint_name, url_path, icon = "orders", "/orders", "receipt"
    label = N_("Orders")
    needs = ("orders", SEE)

    @expose("/<record_id>")
    def record_view(self, record_id: str) -> Any:
        order = records.order(object_id(record_id), by=current_actor())
        care = order.get("care") or {}
        due_on = local_date(care.get("due_on"))
        names = records.deciding_products([order])
        return record_page(
            self,
            "orders",
            order,
            title=order["code"],
            head="orders/_head.html",
            foot="orders/_foot.html",
            edit_url=url_for(".edit_record_view", record_id=record_id),
            customer=_customer(order),
            due_on=due_on,
            near=nearness(due_on, today()) if due_on else None,
            why=why(due_on, care.get("basis"), names) if due_on else "",
            may_delete=may_delete(current_actor(), "orders"),
        )

    @expose("/<record_id>/edit", methods=("GET", "POST"))
    def edit_record_view(self, record_id: str) -> Any:
        """Status, marketplace, shipping, note, and what the site adds."""
        order = records.order(object_id(record_id), by=current_actor())
        return edit_page(
            self,
            "orders",
            order,
            title=gettext("Edit order %(code)s", code=order["code"]),
            back_url=url_for(".record_view", record_id=record_id),
        )

    @expose("/<record_id>/delete", methods=("POST",))
    def delete_record_view(self, record_id: str) -> Any:
        """Into the trash, and to a list with the way back in a toast."""
        trashed = trash.delete("orders", object_id(record_id), by=current_actor(), at=now())
        flash_undo(
            gettext("Order %(code)s is in the trash.", code=trashed.label),
            url_for(".restore_record_view", record_id=record_id),
        )
        return redirect(back_or(url_for("orders_due.index_view")), code=303)

    @expose("/<record_id>/restore", methods=("POST",))
    def restore_record_view(self, record_id: str) -> Any:
        return restored("orders", record_id)

    @expose("/")
    def index_view(self) -> Any:
        """There is no list of all orders yet; the due orders are the way in."""
        return redirect(url_for("orders_due.index_view"))


def _customer(order: Mapping[str, Any]) -> dict[str, Any] | None:
    """The order's customer; None for nobody, and for somebody whom the person may not see."""
    try:
        return records.customer(order["customer_id"], by=current_actor())
    except (KeyError, NotFound):
        return None
