"""[Danh sách khách hàng] with its plain record page and edit form (S1.16, S4.1, S4.3)."""

from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId
from flask import redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from models import Customer, Product
from models.base import local_date
from rules.care_sentences import nearness
from rules.errors import N_
from rules.filters import Criteria, Filter, FilterState
from rules.permissions import CREATE, SEE
from rules.scope import customer_scope, may_delete
from services import customers, lists, records, trash
from services.lists import Sort
from views import relationship_words
from views.base import back_or, flash_undo
from views.cells import Column
from views.context import current_actor, now, today
from views.customer_search import customer_search
from views.due_cells import customer, due, square, why
from views.kind_list import KindList, Make
from views.list_screen import links, object_id
from views.orders_due import AREA, filter_names
from views.pick_filters import pick_filter
from views.record_edit import edit_page, new_page
from views.record_forms import Sent
from views.record_page import record_page
from views.trash import restored


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
    refers = ("area",)
    fields = ("code", "name", "search", "phones", "area_id", "care", "created_at")
    empty_text = N_("No customer matches. Check the spelling, or clear the filters.")

    def new_url(self) -> str | None:
        """Where a customer is added; None for somebody who may not."""
        return url_for(".new_view") if current_actor().may("customers", CREATE) else None

    def scope(self) -> Criteria:
        return customer_scope(current_actor())

    def list_filters(self) -> tuple[Filter, ...]:
        relationship = pick_filter(
            "relationship", N_("Relationship"), "relationship", "relationship"
        )
        return (customer_search(), AREA, relationship)

    def references(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        dated = rows if self.shows("due") else ()
        codes = [((row.get("care") or {}).get("basis") or {}).get("product_code") for row in dated]
        return {
            "care_link": links("care.customer_view", "customer_id"),
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
            "name": lambda row: customer(row, areas.get(row.get("area_id")), record),
            "due": lambda row: due(row.get("care") or {}, refs["products"]),
        }

    def names(self, state: FilterState) -> dict[str, str]:
        return filter_names(state)

    @expose("/<record_id>")
    def record_view(self, record_id: str) -> Any:
        """The customer's page: summary left, tabs right (S4.1, S4.2)."""
        customer = records.customer(object_id(record_id), by=current_actor())
        care = customer.get("care") or {}
        due_on = local_date(care.get("due_on"))
        names = records.deciding_products([customer])
        return record_page(
            self,
            "customers",
            customer,
            title=customer["name"],
            head="customers/_head.html",
            foot="customers/_foot.html",
            edit_url=url_for(".edit_record_view", record_id=record_id),
            due_on=due_on,
            near=nearness(due_on, today()) if due_on else None,
            why=why(due_on, care.get("basis"), names) if due_on else "",
            may_delete=may_delete(current_actor(), "customers"),
        )

    @expose("/new", methods=("GET", "POST"))
    def new_view(self) -> Any:
        """[Thêm mới]: a customer that no import brought."""

        def save(form: Sent, record_id: ObjectId) -> str:
            customers.create(form.typed, by=current_actor(), at=now(), record_id=record_id)
            return url_for(".record_view", record_id=record_id)

        return new_page(
            self,
            "customers",
            title=gettext("New customer"),
            back_url=url_for(".index_view"),
            save=save,
            beside={"same_phone_url": url_for(".same_phone_view")},
        )

    @expose("/same-phone")
    def same_phone_view(self) -> Any:
        """Who else has the number that is being typed (B.3)."""
        besides = request.args.get("besides", "")
        found, has_more = customers.with_phones(
            request.args.get("phones", "")[:1000],
            by=current_actor(),
            besides=ObjectId(besides) if ObjectId.is_valid(besides) else None,
        )
        return self.render("customers/same_phone.html", found=found, has_more=has_more)

    @expose("/<record_id>/edit", methods=("GET", "POST"))
    def edit_record_view(self, record_id: str) -> Any:
        """The edit form behind the pencil [Cập nhật] (S4.3)."""
        customer = records.customer(object_id(record_id), by=current_actor())
        return edit_page(
            self,
            "customers",
            customer,
            title=gettext("Edit %(name)s", name=customer["name"]),
            back_url=url_for(".record_view", record_id=record_id),
            beside={
                "reason": "",
                "why": relationship_words.why(customer.get("relationship_set")),
                "same_phone_url": url_for(".same_phone_view", besides=record_id),
            },
        )

    @expose("/<record_id>/delete", methods=("POST",))
    def delete_record_view(self, record_id: str) -> Any:
        """Into the trash with everything that belongs to it; the way back is in a toast."""
        trashed = trash.delete("customers", object_id(record_id), by=current_actor(), at=now())
        flash_undo(
            gettext("%(name)s is in the trash, with all orders and entries.", name=trashed.label),
            url_for(".restore_record_view", record_id=record_id),
        )
        return redirect(back_or(url_for(".index_view")), code=303)

    @expose("/<record_id>/restore", methods=("POST",))
    def restore_record_view(self, record_id: str) -> Any:
        return restored("customers", record_id)
