"""[Nội dung đã chăm sóc]: what was said to whom, newest first, with a summary on top (S1.19)."""

from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId
from flask_admin import expose
from flask_babel import gettext

from models import Interaction
from models.base import local_date
from models.interaction import CARE
from rules.errors import N_
from rules.filters import (
    Criteria,
    Filter,
    FilterState,
    InstantRangeFilter,
    ReferenceFilter,
    merge,
)
from rules.permissions import SEE
from rules.scope import history_scope
from services import care_summary, references, site_records
from services.lists import Sort
from views import formats
from views.cells import Cell, Column
from views.context import configured, current_actor, local_day_start
from views.filtering import reference_names
from views.kind_list import KindList, Make
from views.list_screen import links
from views.pick_filters import pick_filter
from views.site_records import record_address

STAFF = ReferenceFilter("staff", N_("Staff"), "staff_id", N_("by %(name)s"), ObjectId)
CUSTOMER = ReferenceFilter("customer", N_("Customer"), "customer_id", N_("of %(name)s"), ObjectId)


AT = InstantRangeFilter("at", N_("Care time"), "at", local_day_start)


class History(KindList):
    """Every care entry ever written; nothing here is edited."""

    model, kind = Interaction, "entries"
    endpoint_name, url_path, icon = "history", "/care/history", "history"
    label = N_("Care history")
    needs = ("entries", SEE)
    columns = (
        Column("at", sort="at", needs=("at",)),
        Column("staff", needs=("staff",)),
        Column("customer", needs=("customer",)),
        Column("content", needs=("content",)),
        Column("feedback", needs=("feedback",)),
        Column("next", fold="phone", needs=("next",)),
    )
    sorts = {"at": Sort("at")}
    default_sort = "-at"
    fields = (
        *("at", "staff_name", "customer_id", "order_code", "next_on", "ended"),
        *("record_id", "record_kind", "record_code"),
    )
    title = "staff_name"
    base_criteria = {"kind": CARE}
    empty_text = N_("Nothing was written in this range yet.")
    top_template = "lists/_history_summary.html"

    def scope(self) -> Criteria:
        actor = current_actor()
        return merge([history_scope(actor), site_records.entries_scope(actor)])

    def list_filters(self) -> tuple[Filter, ...]:
        feedback = pick_filter("feedback", N_("Feedback type"), "feedback", "feedback")
        return (STAFF, CUSTOMER, AT, feedback)

    def references(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        ids = (row.get("customer_id") for row in rows)
        return {
            "customer_link": links("customers.record_view", "record_id"),
            "customers": references.rows("customers", ids, ("name", "code"), by=current_actor()),
        }

    def special(self, refs: dict[str, Any]) -> Mapping[str, Make]:
        return {
            "staff": lambda row: Cell("text", row["staff_name"]),
            "customer": lambda row: _customer(row, refs),
            "next": _next,
        }

    def names(self, state: FilterState) -> dict[str, str]:
        return reference_names(state, staff="staff", customer="customers")

    @expose("/summary")
    def summary_view(self) -> Any:
        """A manager's summary of the entries in the filter: by feedback and by staff."""
        state = self.state()
        return self.render(
            "lists/_summary.html",
            summary=care_summary.summarise(self.criteria(state)),
            in_order=_in_pick_list_order,
            picks=configured(),
            list_screen=self,
            state=state,
        )


def _customer(row: dict[str, Any], refs: dict[str, Any]) -> Cell:
    """The customer's name over the number of the order or other record."""
    customer_id = row.get("customer_id")
    if customer_id is None:  # about a record that belongs to nobody
        return Cell("title", row.get("record_code") or "–", url=record_address(row))
    named = refs["customers"].get(customer_id)
    return Cell(
        "title",
        named["name"] if named else gettext("A customer you cannot see"),
        sub=(row.get("order_code") or row.get("record_code") or named["code"]) if named else "",
        url=refs["customer_link"](customer_id) if named else None,
    )


def _next(row: dict[str, Any]) -> Cell:
    next_on = local_date(row.get("next_on"))
    ended = gettext("No more care") if row.get("ended") else "–"
    return Cell("text", formats.format_date(next_on) if next_on else ended)


def _in_pick_list_order(numbers: dict[str, int]) -> list[tuple[str, int]]:
    """(feedback key, number) in the order of the pick list, unknown ones last."""
    order = list(configured().pick_lists.get("feedback", {}))
    places = {key: place for place, key in enumerate(order)}
    return sorted(numbers.items(), key=lambda pair: places.get(pair[0], len(order)))
