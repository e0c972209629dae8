"""[Khách hàng cần chăm sóc]: customers by their nearest date (S1.7, S1.12, S1.15)."""

from collections.abc import Mapping, Sequence
from typing import Any

from models import Customer, Product
from rules.errors import N_
from rules.filters import Criteria, Filter, FilterState
from rules.permissions import SEE
from rules.scope import customer_carers, due_customer_scope
from services import lists
from services.lists import Sort
from views import whose_work
from views.cells import Cell, Column
from views.context import current_actor
from views.due_cells import Link, customer, due, square
from views.kind_list import KindList, Make
from views.list_screen import links
from views.orders_due import AREA, DUE, STATES, filter_names


class CustomersDue(KindList):
    """One row a customer, however many of its orders wait."""

    model, kind = Customer, "customers"
    endpoint_name, url_path, icon = "customers_due", "/customers/due", "user-heart"
    label = N_("Customers due for care")
    needs = ("customers", SEE)
    columns = (
        Column("code", needs=("code",)),
        Column("name", N_("Customer"), needs=("name",), exports=("name", "phones", "area")),
        Column("due", sort="due", needs=("due",)),
        Column("order", N_("For order"), fold="panel", needs=("due",), exports=("due",)),
        Column("relationship", fold="panel", needs=("relationship",)),
        Column("last_contact", fold="panel", needs=("last_contact",)),
    )
    sorts = {"due": Sort("care.due_on")}
    default_sort = "due"
    refers = ("area",)
    fields = ("code", "name", "phones", "area_id", "care")
    counted = "state"
    care_in_turn = True
    empty_text = N_("No customer is due in this range. Widen the care dates, or enjoy the quiet.")

    def scope(self) -> Criteria:
        return due_customer_scope(current_actor())

    def list_filters(self) -> tuple[Filter, ...]:
        actor = current_actor()
        return (STATES, DUE, AREA, *whose_work.filters(actor, customer_carers(actor)))

    def _projection(self) -> dict[str, int]:
        actor = current_actor()
        return super()._projection() | dict.fromkeys(
            whose_work.fields(actor, customer_carers(actor)), 1
        )

    def references(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        codes = {((row["care"].get("basis")) or {}).get("product_code") for row in rows}
        actor = current_actor()
        return {
            "actor": actor,
            "carers": customer_carers(actor),
            "care_link": links("care.customer_view", "customer_id"),
            "order_link": links("orders.record_view", "record_id"),
            "customer_link": links("customers.record_view", "record_id"),
            "products": lists.labels(Product.collection(), codes, ("name",), by="code"),
        }

    def special(self, refs: dict[str, Any]) -> Mapping[str, Make]:
        care, record = refs["care_link"], refs["customer_link"]
        areas = refs["names"].get("areas", {})
        return {
            "code": lambda row: square(
                row["code"], care_url=care(row["_id"]), record_url=record(row["_id"])
            ),
            "name": lambda row: customer(
                row,
                areas.get(row.get("area_id")),
                record,
                whose_work.instead_of(refs["actor"], row, refs["carers"]),
            ),
            "due": lambda row: due(row["care"], refs["products"]),
            "order": lambda row: order_of(row["care"], refs["order_link"]),
        }

    def names(self, state: FilterState) -> dict[str, str]:
        return filter_names(state)


def order_of(care: dict[str, Any], link: Link) -> Cell:
    """The order that the date comes from, or that it is the customer's own appointment."""
    if not care.get("order_id"):
        return Cell("text", "–", level="muted")
    return Cell("link", care.get("order_code") or "", url=link(care["order_id"]))
