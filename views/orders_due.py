"""Orders due for care: all, by product group, by customer area (S1.12 to S1.14, S1.17)."""

from collections.abc import Sequence
from typing import Any

from bson import ObjectId

from models import Area, Customer, Order, Product, ProductGroup
from models.base import local_date, stored_date
from models.care import APPOINTED, OPEN_STATES, SUGGESTED
from rules.errors import N_
from rules.filters import (
    Choice,
    ChoiceFilter,
    Criteria,
    DueFilter,
    Filter,
    FilterState,
    ReferenceFilter,
)
from rules.scope import due_order_scope
from services import lists
from services.lists import Sort
from views import formats
from views.context import current_actor
from views.due_cells import customer, due, square
from views.list_screen import Cell, Column, ListScreen, RowView, links

STATES = ChoiceFilter(
    "state",
    N_("Status"),
    (
        Choice("all", N_("All"), "", {"care.state": {"$in": list(OPEN_STATES)}}),
        Choice("new", N_("Not yet cared for"), N_("not yet cared for"), {"care.state": SUGGESTED}),
        Choice("cared", N_("Cared for"), N_("cared for before"), {"care.state": APPOINTED}),
    ),
    default="all",
)
DUE = DueFilter("due", N_("Care date"), "care.due_on", stored_date)
AREA = ReferenceFilter("area", N_("Area"), "area_id", N_("area %(name)s"), ObjectId)
GROUP = ReferenceFilter("group", N_("Product group"), "group_ids", N_("group %(name)s"), ObjectId)


class OrdersDue(ListScreen):
    """[Đơn hàng cần chăm sóc]: the due orders of everyone in scope, nearest date first."""

    model = Order
    endpoint_name, url_path, icon = "orders_due", "/orders/due", "receipt"
    label = N_("Orders due for care")
    columns = (
        Column("code", N_("Order no.")),
        Column("customer", N_("Customer")),
        Column("due", N_("Care date"), sort="due"),
        Column("placed", N_("Ordered on"), fold="panel"),
        Column("total", N_("Order value"), numeric=True, fold="panel"),
        Column("count", N_("Contacts"), numeric=True, fold="panel"),
    )
    sorts = {"due": Sort("care.due_on")}
    default_sort = "due"
    fields = ("code", "customer_id", "area_id", "placed_on", "total", "care")
    counted = "state"
    care_in_turn = True
    empty_text = N_("No order is due in this range. Widen the care dates, or enjoy the quiet.")

    def scope(self) -> Criteria:
        return due_order_scope(current_actor())

    def list_filters(self) -> tuple[Filter, ...]:
        return (STATES, DUE, AREA)

    def references(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        codes = {((row["care"].get("basis")) or {}).get("product_code") for row in rows}
        return {
            "care_link": links("care.order_view", "order_id"),
            "order_link": links("orders.record_view", "record_id"),
            "customer_link": links("customers.record_view", "record_id"),
            "customers": lists.labels(
                Customer.collection(),
                (row.get("customer_id") for row in rows),
                ("name", "phones"),
            ),
            "areas": lists.labels(
                Area.collection(), (row.get("area_id") for row in rows), ("name",)
            ),
            "products": lists.labels(Product.collection(), codes, ("name",), by="code"),
        }

    def cells(self, row: dict[str, Any], refs: dict[str, Any]) -> RowView:
        care = row["care"]
        area = refs["areas"].get(row.get("area_id"), {}).get("name")
        return RowView(
            id=str(row["_id"]),
            label=row["code"],
            cells=(
                square(
                    row["code"],
                    care_url=refs["care_link"](row["_id"]),
                    record_url=refs["order_link"](row["_id"]),
                ),
                customer(
                    refs["customers"].get(row.get("customer_id")), area, refs["customer_link"]
                ),
                due(care, refs["products"]),
                Cell("text", formats.format_date(local_date(row["placed_on"]))),
                Cell("number", formats.format_money(row.get("total"))),
                Cell("number", formats.format_number(care.get("count", 0))),
            ),
        )

    def names(self, state: FilterState) -> dict[str, str]:
        return filter_names(state)


class OrdersDueByGroup(OrdersDue):
    """[Đơn hàng cần chăm sóc theo nhóm hàng]: a tree of groups with counts beside the list."""

    endpoint_name, url_path, icon = "orders_due_by_group", "/orders/due/by-group", "category"
    label = N_("Orders due for care by product group")
    side_template, side_filter = "lists/_groups.html", "group"

    def list_filters(self) -> tuple[Filter, ...]:
        return (STATES, DUE, GROUP)

    def side(self, state: FilterState) -> dict[str, Any]:
        return group_tree(self, state)


class OrdersDueByArea(OrdersDue):
    """[Đơn hàng cần chăm sóc theo khu vực]: areas with counts beside the list."""

    endpoint_name, url_path, icon = "orders_due_by_area", "/orders/due/by-area", "map-pin"
    label = N_("Orders due for care by area")
    side_template, side_filter = "lists/_areas.html", "area"

    def side(self, state: FilterState) -> dict[str, Any]:
        shown = list(Area.collection().find({}, {"name": 1}).sort("search", 1).limit(AREAS_SHOWN))
        rest = self.criteria(state, without=["area"])
        wanted = {str(one["_id"]): lists.merge([rest, {"area_id": one["_id"]}]) for one in shown}
        wanted["none"] = lists.merge([rest, {"area_id": None}])
        return {
            "areas": shown,
            "counts": lists.capped_counts(self.model.collection(), wanted),
            "chosen": state.raw.get("area"),
        }


AREAS_SHOWN = 200  # more areas than anyone reads; the customer list filters by all of them


def group_tree(screen: ListScreen, state: FilterState) -> dict[str, Any]:
    """The top groups and the branch that is open, with counts of the screen's records."""
    chosen = state.values.get("group")
    group = ProductGroup.collection().find_one({"_id": chosen}) if chosen else None
    open_ids = [*(group or {}).get("ancestor_ids", []), *([chosen] if group else [])]
    shown = list(
        ProductGroup.collection()
        .find({"parent_id": {"$in": [None, *open_ids]}}, {"name": 1, "parent_id": 1, "path": 1})
        .sort("path", 1)
    )
    rest = screen.criteria(state, without=["group"])
    counts = lists.capped_counts(
        screen.model.collection(),
        {str(one["_id"]): lists.merge([rest, {"group_ids": one["_id"]}]) for one in shown},
    )
    return {"groups": shown, "open_ids": open_ids, "counts": counts, "chosen": chosen}


def filter_names(state: FilterState) -> dict[str, str]:
    """The names behind the area and group filters."""
    found = {}
    for key, document in (("area", Area), ("group", ProductGroup)):
        if state.values.get(key):
            row = document.collection().find_one({"_id": state.values[key]}, {"name": 1})
            found[key] = row["name"] if row else "?"
    return found
