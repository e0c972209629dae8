"""Products with their care interval and suggested contacts (S1.4, S1.8)."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from models import Product
from rules.errors import N_, InvalidInput, NotAllowed, NotFound, StaleForm
from rules.filters import Choice, ChoiceFilter, Criteria, Filter, FilterState, SearchFilter
from rules.permissions import EDIT, SEE
from rules.scope import may_delete, product_scope
from services import products, trash
from services.lists import Sort
from views import formats
from views.base import back_or, flash_undo, toast
from views.cells import Cell, Column
from views.context import current_actor, is_htmx, now, sent_version
from views.kind_list import KindList, Make
from views.list_screen import links, object_id
from views.orders_due import GROUP, filter_names
from views.record_edit import edit_page
from views.record_page import record_page
from views.trash import restored

SEARCH = SearchFilter("q", N_("Name, code…"), "search_words")
NEEDS_CARE = ChoiceFilter(
    "care",
    N_("Care"),
    (
        Choice("all", N_("All"), "", {}),
        Choice("yes", N_("Needs care"), N_("needs care"), {"care_interval_days": {"$gt": 0}}),
        Choice("no", N_("No care"), N_("needs no care"), {"care_interval_days": 0}),
    ),
    default="all",
)


class Products(KindList):
    """[Khoảng ngắt] and [Số lần CS max/min] of every product; managers edit them in the row."""

    model, kind = Product, "products"
    endpoint_name, url_path, icon = "products", "/products", "package"
    label = N_("Products")
    needs = ("products", SEE)
    columns = (
        Column("code", needs=("code",)),
        Column("name", sort="name", needs=("name",)),
        Column("group", fold="panel", needs=("group",)),
        Column("interval", N_("Care interval"), numeric=True, needs=("interval",)),
        Column("contacts", N_("Contacts min–max"), numeric=True, needs=("care_min", "care_max")),
    )
    sorts = {"name": Sort("search")}
    default_sort = "name"
    fields = (
        *("code", "name", "search", "care_interval_days", "care_min", "care_max"),
        "version",
    )
    counted = "care"
    empty_text = N_("No product matches. Products come with the import of products or orders.")

    def scope(self) -> Criteria:
        return product_scope(current_actor())

    def list_filters(self) -> tuple[Filter, ...]:
        return (SEARCH, NEEDS_CARE, GROUP)

    def references(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return {"may_edit": current_actor().may("products", EDIT)}

    def special(self, refs: dict[str, Any]) -> Mapping[str, Make]:
        record = links(".record_view", "product_id")
        care = links(".care_view", "product_id") if refs["may_edit"] else None
        return {
            "name": lambda row: Cell("title", row["name"], url=record(row["_id"])),
            "interval": lambda row: Cell(
                "edit",
                interval_text(row.get("care_interval_days", 0)),
                panel_url=care(row["_id"]) if care else None,
            ),
            "contacts": lambda row: Cell(
                "text", contacts_text(row.get("care_min"), row.get("care_max"))
            ),
        }

    def names(self, state: FilterState) -> dict[str, str]:
        return filter_names(state)

    @expose("/<product_id>/care", methods=("GET", "POST"))
    def care_view(self, product_id: str) -> Any:
        """Interval and contacts of one product, in the side panel or on a page of its own."""
        mine = {"_id": object_id(product_id), **product_scope(current_actor())}
        product = Product.collection().find_one(mine)
        if product is None:
            raise NotFound()
        if not current_actor().may("products", EDIT):
            raise NotAllowed()
        if request.method == "GET":
            return self._form(product, _typed_values(product))
        typed = dict(request.form.items())
        try:
            saved = products.set_care(
                product["_id"],
                typed,
                version=sent_version(),
                by=current_actor(),
                at=now(),
            )
        except StaleForm as error:
            return make_response(self._form(product, typed, problem=error), 409)
        except InvalidInput as error:
            form = self._form(product, typed, problem=error, errors=error.fields)
            return make_response(form, 422)
        text = gettext("Saved.")
        if saved.run_id:
            text = gettext("Saved. The dates of orders with this product are being recomputed.")
        if not is_htmx():
            flash(text, "success")
            return redirect(url_for(".index_view", q=product["code"]), code=303)
        changed = self.model.collection().find_one({"_id": product["_id"]}, self._projection())
        rows = self.row_views([changed])
        part = self.render(
            "lists/row_in_place.html", rows=rows, columns=self.shown_columns(), changed=True
        )
        return toast(part, text)

    @expose("/<product_id>")
    def record_view(self, product_id: str) -> Any:
        """The product's page: its fields, and who changed them."""
        found = self._product(product_id)
        product = current_actor().shown("products", found)
        return record_page(
            self,
            "products",
            product,
            title=product["name"],
            head="products/_head.html",
            edit_url=url_for(".edit_product_view", product_id=product_id),
        )

    def _product(self, product_id: str) -> dict[str, Any]:
        """Raises NotFound, also for a product that the person may not see."""
        mine = {"_id": object_id(product_id), **product_scope(current_actor())}
        found: dict[str, Any] | None = Product.collection().find_one(mine)
        if found is None:
            raise NotFound()
        return found

    @expose("/<product_id>/edit", methods=("GET", "POST"))
    def edit_product_view(self, product_id: str) -> Any:
        """Name, care settings and what the site adds, on a page of its own."""
        product = self._product(product_id)
        return edit_page(
            self,
            "products",
            product,
            title=gettext("Edit product %(code)s", code=product["code"]),
            back_url=url_for(".record_view", product_id=product_id),
        )

    @expose("/<product_id>/delete", methods=("POST",))
    def delete_product_view(self, product_id: str) -> Any:
        """Into the trash; orders with the product follow by a job."""
        trashed = trash.delete("products", object_id(product_id), by=current_actor(), at=now())
        flash_undo(
            gettext("Product %(name)s is in the trash.", name=trashed.label),
            url_for(".restore_product_view", product_id=product_id),
        )
        return redirect(back_or(url_for(".index_view")), code=303)

    @expose("/<product_id>/restore", methods=("POST",))
    def restore_product_view(self, product_id: str) -> Any:
        return restored("products", product_id)

    def _form(self, product: dict[str, Any], typed: dict[str, str], **state: Any) -> str:
        context = {"problem": None, "errors": {}} | state
        stale = isinstance(context["problem"], StaleForm)
        return self.render(
            "products/care_panel.html" if is_htmx() else "products/care_page.html",
            product=product,
            typed=typed,
            version=product.get("version", 1) if stale else typed["version"],
            may_delete=may_delete(current_actor(), "products"),
            **context,
        )


def interval_text(days: int) -> str:
    """The interval in words; 0 is "no care" (S1.4)."""
    if not days:
        return gettext("no care")
    return gettext("%(days)s days", days=formats.format_number(days))


def contacts_text(fewest: int | None, most: int | None) -> str:
    if fewest is None and most is None:
        return "–"
    return f"{'…' if fewest is None else fewest}–{'…' if most is None else most}"


def _typed_values(product: dict[str, Any]) -> dict[str, str]:
    values = {
        name: "" if product.get(name) is None else str(product[name])
        for name in products.CARE_FIELDS
    }
    return values | {"version": str(product.get("version", 1))}
