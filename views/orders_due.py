"""Orders due for care: all, by product group, by customer area (S1.12 to S1.14, S1.17)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from bson import ObjectId
from flask import g

from models import Area, Order, Product, ProductGroup
from models.base import stored_date
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
from rules.permissions import SEE
from rules.scope import due_order_scope, order_carers
from services import lists, references, trees
from services.lists import Sort
from views import whose_work
from views.cells import Column
from views.context import current_actor, today
from views.due_cells import customer, due, square
from views.kind_list import KindList, Make
from views.list_screen import ListScreen, links

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


def children(kind: str) -> trees.Children[ObjectId]:
    """What stands right below each area or product group, looked up once in a request."""
    known = g.setdefault("children", {})
    if kind not in known:
        known[kind] = trees.children(kind)
    return cast(trees.Children[ObjectId], known[kind])


def below(kind: str) -> Callable[[ObjectId], list[ObjectId]]:
    """What gives everything below a record of the kind."""
    return lambda record_id: trees.under(record_id, children(kind))


AREA = ReferenceFilter(
    "area", N_("Area"), "area_id", N_("area %(name)s"), ObjectId, below=below("areas")
)
GROUP = ReferenceFilter(
    "group",
    N_("Product group"),
    "group_ids",
    N_("group %(name)s"),
    ObjectId,
    below=below("product_groups"),
    has_ancestors=True,
)


class OrdersDue(KindList):
    """[Đơn hàng cần chăm sóc]: the due orders of everyone in scope, nearest date first."""

    model, kind = Order, "orders"
    endpoint_name, url_path, icon = "orders_due", "/orders/due", "receipt"
    label = N_("Orders due for care")
    needs = ("orders", SEE)
    columns = (
        Column("code", needs=("code",)),
        Column("customer", needs=("customer",)),
        Column("due", sort="due", needs=("due",)),
        Column("placed", fold="panel", needs=("placed",)),
        Column("total", N_("Order value"), numeric=True, fold="panel", needs=("total",)),
        Column("care_count", N_("Contacts"), numeric=True, fold="panel", needs=("care_count",)),
    )
    sorts = {"due": Sort("care.due_on")}
    default_sort = "due"
    refers = ("area",)
    fields = ("code", "customer_id", "area_id", "care")
    title = "code"
    counted = "state"
    care_in_turn = True
    empty_text = N_("No order is due in this range. Widen the care dates, or enjoy the quiet.")

    def scope(self) -> Criteria:
        return due_order_scope(current_actor())

    def list_filters(self) -> tuple[Filter, ...]:
        return (STATES, DUE, AREA, *self.whose())

    def whose(self) -> tuple[Filter, ...]:
        actor = current_actor()
        return whose_work.filters(actor, order_carers(actor))

    def _projection(self) -> dict[str, int]:
        actor = current_actor()
        return super()._projection() | dict.fromkeys(
            whose_work.fields(actor, order_carers(actor)), 1
        )

    def references(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        codes = {((row["care"].get("basis")) or {}).get("product_code") for row in rows}
        actor = current_actor()
        return {
            "actor": actor,
            "carers": order_carers(actor),
            "care_link": links("care.order_view", "order_id"),
            "order_link": links("orders.record_view", "record_id"),
            "customer_link": links("customers.record_view", "record_id"),
            "customers": references.rows(
                "customers",
                (row.get("customer_id") for row in rows),
                ("name", "phones"),
                by=actor,
            ),
            "products": lists.labels(Product.collection(), codes, ("name",), by="code"),
        }

    def special(self, refs: dict[str, Any]) -> Mapping[str, Make]:
        care, record, to_customer = refs["care_link"], refs["order_link"], refs["customer_link"]
        customers, areas = refs["customers"], refs["names"].get("areas", {})
        return {
            "code": lambda row: square(
                row["code"], care_url=care(row["_id"]), record_url=record(row["_id"])
            ),
            "customer": lambda row: customer(
                customers.get(row.get("customer_id")),
                areas.get(row.get("area_id")),
                to_customer,
                whose_work.instead_of(refs["actor"], row, refs["carers"]),
                is_there=row.get("customer_id") is not None,
            ),
            "due": lambda row: due(row["care"], refs["products"]),
        }

    def names(self, state: FilterState) -> dict[str, str]:
        return filter_names(state)


class OrdersDueByGroup(OrdersDue):
    """[Đơn hàng cần chăm sóc theo nhóm hàng]: a tree of groups with counts beside the list."""

    endpoint_name, url_path, icon = "orders_due_by_group", "/orders/due/by-group", "category"
    label = N_("Orders due for care by product group")
    reads = ("products", "group")
    side_template, side_filter = "lists/_groups.html", "group"

    def list_filters(self) -> tuple[Filter, ...]:
        return (STATES, DUE, GROUP, *self.whose())

    def side(self, state: FilterState) -> dict[str, Any]:
        return group_tree(self, state)


class OrdersDueByArea(OrdersDue):
    """[Đơn hàng cần chăm sóc theo khu vực]: areas with counts beside the list."""

    endpoint_name, url_path, icon = "orders_due_by_area", "/orders/due/by-area", "map-pin"
    label = N_("Orders due for care by area")
    reads = ("orders", "area")
    side_template, side_filter = "lists/_areas.html", "area"

    def side(self, state: FilterState) -> dict[str, Any]:
        found = Area.collection().find({}, {"name": 1}).sort("search", 1)
        shown = list(found.limit(AREAS_SHOWN))
        rest = self.criteria(state, without=["area"])
        wanted = {
            str(one["_id"]): lists.merge([rest, AREA.criteria(one["_id"], today())])
            for one in shown
        }
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
