"""[Khách hàng cần chăm sóc]: customers by their nearest date (S1.7, S1.12, S1.15)."""

from collections.abc import Sequence
from typing import Any

from models import Area, Customer, Product
from rules.errors import N_
from rules.filters import Criteria, Filter, FilterState
from rules.scope import due_customer_scope
from services import lists
from services.lists import Sort
from views import formats
from views.context import configured, current_actor
from views.due_cells import Link, customer, due, square
from views.list_screen import Cell, Column, ListScreen, RowView, links, picked
from views.orders_due import AREA, DUE, STATES, filter_names


class CustomersDue(ListScreen):
    """One row a customer, however many of its orders wait."""

    model = Customer
    endpoint_name, url_path, icon = "customers_due", "/customers/due", "user-heart"
    label = N_("Customers due for care")
    columns = (
        Column("code", N_("Customer no.")),
        Column("customer", N_("Customer")),
        Column("due", N_("Care date"), sort="due"),
        Column("order", N_("For order"), fold="panel"),
        Column("relationship", N_("Relationship"), fold="panel"),
        Column("last", N_("Last contact"), fold="panel"),
    )
    sorts = {"due": Sort("care.due_on")}
    default_sort = "due"
    fields = ("code", "name", "phones", "area_id", "care", "relationship", "last_contact_at")
    counted = "state"
    care_in_turn = True
    empty_text = N_("No customer is due in this range. Widen the care dates, or enjoy the quiet.")

    def scope(self) -> Criteria:
        return due_customer_scope(current_actor())

    def list_filters(self) -> tuple[Filter, ...]:
        return (STATES, DUE, AREA)

    def references(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        codes = {((row["care"].get("basis")) or {}).get("product_code") for row in rows}
        return {
            "care_link": links("care.customer_view", "customer_id"),
            "order_link": links("orders.record_view", "record_id"),
            "customer_link": links("customers.record_view", "record_id"),
            "areas": lists.labels(
                Area.collection(), (row.get("area_id") for row in rows), ("name",)
            ),
            "products": lists.labels(Product.collection(), codes, ("name",), by="code"),
            "picks": configured(),
        }

    def cells(self, row: dict[str, Any], refs: dict[str, Any]) -> RowView:
        area = refs["areas"].get(row.get("area_id"), {}).get("name")
        care = row["care"]
        return RowView(
            id=str(row["_id"]),
            label=row["name"],
            cells=(
                square(
                    row["code"],
                    care_url=refs["care_link"](row["_id"]),
                    record_url=refs["customer_link"](row["_id"]),
                ),
                customer(row, area, refs["customer_link"]),
                due(care, refs["products"]),
                order_of(care, refs["order_link"]),
                picked(refs["picks"], "relationship", row.get("relationship")),
                Cell("text", formats.format_datetime(row.get("last_contact_at"))),
            ),
        )

    def names(self, state: FilterState) -> dict[str, str]:
        return filter_names(state)


def order_of(care: dict[str, Any], link: Link) -> Cell:
    """The order that the date comes from, or that it is the customer's own appointment."""
    if not care.get("order_id"):
        return Cell("text", "–", level="muted")
    return Cell("link", care.get("order_code") or "", url=link(care["order_id"]))
