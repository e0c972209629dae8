"""[Danh sách khách hàng] with its plain record page and edit form (S1.16, S4.1, S4.3)."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from models import Area, Customer, Product
from models.base import local_date
from rules.care_sentences import nearness
from rules.errors import N_, InvalidInput, StaleForm
from rules.filters import Choice, ChoiceFilter, Criteria, Filter, FilterState, SearchFilter
from rules.permissions import SEE
from rules.phones import phone_key
from rules.scope import customer_scope, may_delete
from rules.three_way import touched
from services import customers, lists, records, trash
from services.lists import Sort
from views.base import flash_undo
from views.cells import Column
from views.context import configured, current_actor, locale, now, today
from views.due_cells import customer, due, square, why
from views.forms import DRAFT
from views.kind_list import KindList, Make
from views.list_screen import links, object_id
from views.orders_due import AREA, filter_names
from views.trash import restored

SEARCH = SearchFilter("q", N_("Name, phone, code…"), "search_words", phone_key)
AREAS_OFFERED = 500
WAS = "was."  # in front of a field's name: what the form showed when it was opened


class Customers(KindList):
    """The whole catalogue, prospects too."""

    model, kind = Customer, "customers"
    endpoint_name, url_path, icon = "customers", "/customers", "users"
    label = N_("Customer list")
    needs = ("customers", SEE)
    columns = (
        Column("code", needs=("code",)),
        Column(
            "name",
            N_("Customer"),
            sort="name",
            needs=("name",),
            exports=("name", "phones", "area"),
        ),
        Column("relationship", fold="phone", needs=("relationship",)),
        Column("due", N_("Next care"), fold="panel", needs=("due",)),
        Column("last_contact", fold="panel", needs=("last_contact",)),
        Column("created", sort="created", fold="panel", needs=("created",)),
    )
    sorts = {"name": Sort("search"), "created": Sort("created_at")}
    default_sort = "name"
    fields = ("code", "name", "search", "phones", "area_id", "care", "created_at")
    empty_text = N_("No customer matches. Check the spelling, or clear the filters.")

    def scope(self) -> Criteria:
        return customer_scope(current_actor())

    def list_filters(self) -> tuple[Filter, ...]:
        return (SEARCH, AREA, self._relationship_filter())

    def _relationship_filter(self) -> ChoiceFilter:
        language = locale()
        found = [
            Choice(one.key, one.label(language), one.label(language), {"relationship": one.key})
            for one in configured().pick_lists.get("relationship", {}).values()
        ]
        every = Choice("all", N_("All"), "", {})
        return ChoiceFilter("relationship", N_("Relationship"), (every, *found), "all")

    def references(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        areas = (row.get("area_id") for row in rows)
        codes = [((row.get("care") or {}).get("basis") or {}).get("product_code") for row in rows]
        return {
            "care_link": links("care.customer_view", "customer_id"),
            "customer_link": links("customers.record_view", "record_id"),
            "products": lists.labels(Product.collection(), codes, ("name",), by="code"),
            "areas": lists.labels(Area.collection(), areas, ("name",)),
        }

    def special(self, refs: dict[str, Any]) -> Mapping[str, Make]:
        care, record, areas = refs["care_link"], refs["customer_link"], refs["areas"]
        return {
            "code": lambda row: square(
                row["code"], care_url=care(row["_id"]), record_url=record(row["_id"])
            ),
            "name": lambda row: customer(
                row, areas.get(row.get("area_id"), {}).get("name"), record
            ),
            "due": lambda row: due(row.get("care") or {}, refs["products"]),
        }

    def names(self, state: FilterState) -> dict[str, str]:
        return filter_names(state)

    @expose("/<record_id>")
    def record_view(self, record_id: str) -> Any:
        """The customer's page: summary left, history and orders right."""
        record = records.customer_record(object_id(record_id), by=current_actor())
        care = record.customer.get("care") or {}
        due_on = local_date(care.get("due_on"))
        basis = care.get("basis")
        return self.render(
            "customers/record.html",
            record=record,
            tab="orders" if request.args.get("tab") == "orders" else "history",
            due_on=due_on,
            near=nearness(due_on, today()) if due_on else None,
            why=why(due_on, basis, record.product_names) if due_on else "",
            due_cell=lambda order: due(order["care"], record.product_names),
            picks=configured(),
            may_delete=may_delete(current_actor(), "customers"),
        )

    @expose("/<record_id>/edit", methods=("GET", "POST"))
    def edit_record_view(self, record_id: str) -> Any:
        """The edit form behind the pencil [Cập nhật] (S4.3)."""
        customer_id = object_id(record_id)
        record = records.customer_record(customer_id, by=current_actor())
        if request.method == "GET":
            return self._edit_form(record, customers.form_values(record.customer))
        typed, shown = _sent()
        version = typed.get("version", "")
        try:
            customers.update(
                customer_id,
                typed,
                version=int(version) if version.isdecimal() and len(version) < 10 else -1,
                by=current_actor(),
                at=now(),
                shown=shown,
            )
        except StaleForm as error:
            # What the person left alone shows the new state; what was typed stays beside it.
            kept = customers.form_values(record.customer) | touched(shown or {}, typed)
            page = self._edit_form(record, kept, problem=error, stored=record.customer)
            return make_response(page, 409)
        except InvalidInput as error:
            page = self._edit_form(record, typed, shown=shown, problem=error, errors=error.fields)
            return make_response(page, 422)
        flash(gettext("Saved."), "success")
        flash(f"customer-{customer_id}", DRAFT)
        return redirect(url_for(".record_view", record_id=customer_id), code=303)

    @expose("/<record_id>/delete", methods=("POST",))
    def delete_record_view(self, record_id: str) -> Any:
        """Into the trash with everything that belongs to it; the way back is in a toast."""
        trashed = trash.delete("customers", object_id(record_id), by=current_actor(), at=now())
        flash_undo(
            gettext("%(name)s is in the trash, with all orders and entries.", name=trashed.label),
            url_for(".restore_record_view", record_id=record_id),
        )
        return redirect(url_for(".index_view"), code=303)

    @expose("/<record_id>/restore", methods=("POST",))
    def restore_record_view(self, record_id: str) -> Any:
        return restored("customers", record_id)

    def _edit_form(self, record: Any, typed: dict[str, str], **state: Any) -> str:
        areas = Area.collection().find({}, {"name": 1}).sort("search", 1).limit(AREAS_OFFERED)
        stored_values = customers.form_values(record.customer)
        context = {"problem": None, "errors": {}, "stored": None} | state
        context["shown"] = context.get("shown") or stored_values
        # After a conflict the form carries the new version: what was typed is kept, the person
        # has seen the difference, and saving again is then a decision.
        version = record.customer.get("version", 1) if context["stored"] else typed.get("version")
        return self.render(
            "customers/edit.html",
            record=record,
            typed=typed,
            stored_values=stored_values,
            version=version or record.customer.get("version", 1),
            areas=list(areas),
            picks=configured(),
            **context,
        )


def _sent() -> tuple[dict[str, str], dict[str, str] | None]:
    """What was typed, and what the form had shown; None from a form that does not say."""
    sent = dict(request.form.items())
    shown = {name.removeprefix(WAS): text for name, text in sent.items() if name.startswith(WAS)}
    return {name: text for name, text in sent.items() if not name.startswith(WAS)}, shown or None
