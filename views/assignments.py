"""Who cares for what: the care mode and the two assignment screens (S1.2, S1.9, S1.10)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from bson import ObjectId
from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from models import Area, Customer, Product, Staff
from rules.errors import N_, CareError, InvalidInput
from rules.filters import (
    ChoiceFilter,
    Criteria,
    Filter,
    FilterState,
    ReferenceFilter,
    SearchFilter,
    parse_filters,
)
from rules.permissions import ASSIGN
from rules.scope import (
    BY_CUSTOMER,
    BY_PRODUCT,
    UNLIMITED,
    customer_scope,
)
from rules.text import fold
from services import assignments, lists
from services.lists import Sort
from views import formats
from views.base import ScreenView
from views.cells import Cell, Column, RowView
from views.context import configured, current_actor, now
from views.customer_search import customer_search
from views.errors import flash_error
from views.filtering import reference_names
from views.forms import DRAFT
from views.list_screen import PAGING, ListScreen, links
from views.orders_due import AREA, GROUP, filter_names, group_tree
from views.pick_filters import pick_filter

CARER = ReferenceFilter("carer", N_("Carer"), "carers", N_("cared for by %(name)s"), ObjectId)
WAYS = (
    (assignments.ADD, N_("Add to")),
    (assignments.REPLACE, N_("Give only to")),
    (assignments.REMOVE, N_("Take from")),
)
MODES = (
    (
        BY_PRODUCT,
        N_("By product"),
        N_("Each person is given the due orders and customers with the products assigned to them."),
    ),
    (
        BY_CUSTOMER,
        N_("By customer"),
        N_("Each person is given the due orders and customers assigned to them."),
    ),
    (
        UNLIMITED,
        N_("Unlimited"),
        N_("All care staff are given all due orders and customers, and take turns."),
    ),
)
STAFF_OFFERED = 500
LINES_MOST = 50
NOT_READ = N_("This assignment cannot be read. Take it out of the list and add it again.")

TOO_MANY = N_("At most %(limit)s assignments are saved at once. Take some out of the list.")


@dataclass(frozen=True, slots=True)
class Line:
    """Which records, whose they become, and how (`add`, `replace`, `remove`)."""

    criteria: Criteria
    people: list[ObjectId]
    way: str


class CareMode(ScreenView):
    """The one care mode of the company, saved with [Ghi] (S1.2)."""

    endpoint_name, url_path, icon = "care_mode", "/settings/care-mode", "adjustments"
    label = N_("Care mode")
    needs = ASSIGN

    @expose("/", methods=("GET", "POST"))
    def index_view(self) -> Any:
        if request.method == "POST":
            mode = request.form.get("care_mode", "")
            try:
                assignments.set_care_mode(mode, by=current_actor(), at=now())
            except CareError as error:
                flash_error(error)
            else:
                flash(gettext("Saved. The due lists follow the new care mode at once."), "success")
            return redirect(url_for(".index_view"), code=303)
        return self.render("assignments/mode.html", modes=MODES, chosen=configured().care_mode)


class Assignments(ListScreen):
    """Base of both screens: tick rows, choose a person, add them with the arrow, [Ghi lại]."""

    needs = ASSIGN
    list_page = "assignments/page.html"
    sorts = {"name": Sort("search")}
    default_sort = "name"

    def side(self, state: FilterState) -> dict[str, Any]:
        people = Staff.collection().find({"active": True}, {"name": 1, "roles": 1})
        offered = sorted(people.limit(STAFF_OFFERED), key=lambda one: fold(one["name"]))
        return {"ways": WAYS, "people": offered}

    def references(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        carers = {carer for row in rows for carer in row.get("carers") or ()}
        return {"staff": lists.labels(Staff.collection(), carers, ("name",))}

    def names(self, state: FilterState) -> dict[str, str]:
        return filter_names(state) | reference_names(state, carer="staff")

    @expose("/assign", methods=("POST",))
    def assign_view(self) -> Any:
        """[Ghi lại]: the lines that were added with the arrow, then what is ticked now."""
        state = self.state()
        try:
            for line in self._lines(state):
                flash(self.assign(line.criteria, line.people, line.way), "success")
        except CareError as error:
            # The browser keeps all lines: those that were saved change nothing a second time.
            flash_error(error)
        else:
            flash(self.draft(), DRAFT)
        return redirect(self.address(state), code=303)

    def draft(self) -> str:
        """Under which name the browser keeps the lines that are not saved yet."""
        return f"assign:{self.endpoint}:{current_actor().staff_id}"

    def _lines(self, state: FilterState) -> list["Line"]:
        form = request.form
        kept = form.getlist("line")
        if len(kept) > LINES_MOST:
            raise InvalidInput(TOO_MANY, limit=LINES_MOST)
        lines = [self._line(text) for text in kept]
        ticked = {"ids": form.getlist("ids"), "all": bool(form.get("all"))}
        if not lines or ticked["ids"] or ticked["all"]:
            sent = {**ticked, "staff": form.get("staff", ""), "way": form.get("way", "")}
            lines.append(self._read(sent, state))
        return lines

    def _line(self, text: str) -> "Line":
        """A line as the browser kept it, with the filter that was in force when it was added."""
        try:
            sent = json.loads(text)
            args = dict(parse_qsl(str(sent["filter"]).lstrip("?")))
        except (ValueError, TypeError, KeyError) as error:
            raise InvalidInput(NOT_READ) from error
        return self._read(sent, parse_filters(self.offered_filters(), args, known=PAGING))

    def _read(self, sent: Mapping[str, Any], state: FilterState) -> "Line":
        ids, staff = sent.get("ids"), str(sent.get("staff") or "")
        if not isinstance(ids, list) or not all(ObjectId.is_valid(str(one)) for one in ids):
            raise InvalidInput(NOT_READ)
        if staff and not ObjectId.is_valid(staff):
            raise InvalidInput(NOT_READ)
        if sent.get("all") and state.problems:
            raise state.problems[0]  # a filter that cannot be read would take in everything
        criteria = (
            self.criteria(state)
            if sent.get("all")
            else {"_id": {"$in": [ObjectId(str(one)) for one in ids]}}
        )
        return Line(criteria, [ObjectId(staff)] if staff else [], str(sent.get("way") or ""))

    def assign(self, criteria: Criteria, people: list[ObjectId], way: str) -> str:
        """Assigns the matching records; returns what to tell."""
        raise NotImplementedError


class AssignProducts(Assignments):
    """[Gán user chăm sóc mặt hàng]."""

    model, kind = Product, "products"
    endpoint_name, url_path, icon = "assign_products", "/assignments/products", "package"
    label = N_("Assign carers to products")
    columns = (
        Column("check", N_("Choose")),
        Column("code", N_("Product no.")),
        Column("name", N_("Product"), sort="name"),
        Column("interval", N_("Care interval"), numeric=True, fold="panel"),
        Column("carers", N_("Carers")),
    )
    fields = ("code", "name", "search", "care_interval_days", "carers")
    side_template, side_filter = "lists/_groups.html", "group"
    empty_text = N_("No product matches. Products come with the import of products or orders.")

    def list_filters(self) -> tuple[Filter, ...]:
        return (SearchFilter("q", N_("Name, code…"), "search_words"), CARER, GROUP)

    def side(self, state: FilterState) -> dict[str, Any]:
        tree = group_tree(self, state) if self.has_side(state) else {}
        return super().side(state) | tree

    def cells(self, row: dict[str, Any], refs: dict[str, Any]) -> RowView:
        return RowView(
            id=str(row["_id"]),
            label=row["code"],
            cells=(
                Cell("check", row["code"]),
                Cell("text", row["code"]),
                Cell("title", row["name"]),
                Cell("number", formats.format_number(row.get("care_interval_days", 0))),
                carers_cell(row, refs),
            ),
        )

    def assign(self, criteria: Criteria, people: list[ObjectId], way: str) -> str:
        ids = [row["_id"] for row in Product.collection().find(criteria, {"_id": 1})]
        assignments.assign_products(ids, people, way=way, by=current_actor(), at=now())
        return gettext("Saved. The due lists follow in a moment.")


def _groups() -> tuple[ChoiceFilter, ...]:
    """The filter by customer group, of a site that has groups."""
    found = pick_filter("groups", N_("Customer groups"), "group", "groups", with_retired=False)
    return (found,) if len(found.choices) > 1 else ()


class AssignCustomers(Assignments):
    """[Gán user chăm sóc khách hàng]."""

    model, kind = Customer, "customers"
    endpoint_name, url_path, icon = "assign_customers", "/assignments/customers", "user-heart"
    label = N_("Assign carers to customers")
    columns = (
        Column("check", N_("Choose")),
        Column("code", N_("Customer no."), fold="phone"),
        Column("name", N_("Customer"), sort="name"),
        Column("area", N_("Area"), fold="panel"),
        Column("carers", N_("Carers")),
    )
    fields = ("code", "name", "search", "phones", "area_id", "carers")
    empty_text = N_("No customer matches. Check the spelling, or clear the filters.")

    def scope(self) -> Criteria:
        return customer_scope(current_actor())

    def list_filters(self) -> tuple[Filter, ...]:
        return (customer_search(), AREA, CARER, *_groups())

    def references(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        areas = (row.get("area_id") for row in rows)
        return super().references(rows) | {
            "areas": lists.labels(Area.collection(), areas, ("name",)),
            "customer_link": links("customers.record_view", "record_id"),
        }

    def cells(self, row: dict[str, Any], refs: dict[str, Any]) -> RowView:
        area = refs["areas"].get(row.get("area_id"), {}).get("name")
        phone = next(iter(row.get("phones") or []), "")
        return RowView(
            id=str(row["_id"]),
            label=row["name"],
            cells=(
                Cell("check", row["name"]),
                Cell("text", row["code"]),
                Cell("title", row["name"], sub=phone, url=refs["customer_link"](row["_id"])),
                Cell("text", area or "–"),
                carers_cell(row, refs),
            ),
        )

    def assign(self, criteria: Criteria, people: list[ObjectId], way: str) -> str:
        outcome = assignments.start_assigning_customers(
            criteria, people, way=way, by=current_actor(), at=now()
        )
        if outcome.run_id:
            return gettext("Many customers: the assignment runs in the background.")
        return gettext("Assigned: %(count)s customers changed.", count=outcome.changed)


def carers_cell(row: dict[str, Any], refs: dict[str, Any]) -> Cell:
    """The names of the carers; says so when there is none."""
    names = [refs["staff"][one]["name"] for one in row.get("carers") or () if one in refs["staff"]]
    return (
        Cell("text", ", ".join(names)) if names else Cell("text", gettext("nobody"), level="muted")
    )
