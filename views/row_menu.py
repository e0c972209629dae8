"""The menu of a row: a right click, Shift+F10 or the button "…" (S0.5); mixed into KindList.

One menu serves all rows of a page: its addresses hold `_id_` where the row's own id comes, so that
no row costs anything for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from flask import Response, flash, redirect, url_for
from flask_admin import expose
from flask_babel import gettext

from rules import conditions
from rules.cell_filters import asking_for
from rules.conditions import AND, Group
from rules.errors import N_, InvalidInput
from rules.fields import FILES, Field, Kind
from rules.filters import FilterState
from rules.list_settings import ACTIONS
from rules.permissions import CREATE, DELETE, EDIT, SEE
from rules.record_paths import value_at
from services import references
from services.configuration import Configuration
from stores import mongo
from views.context import current_actor
from views.filtering import WHERE

ROW, FIELD = "_id_", "_field_"  # what the browser puts the row and the column in for

LABELS: Mapping[str, tuple[str, str]] = {
    "open": (N_("Open"), "arrow-right"),
    "open_new": (N_("Open in a new tab"), "external-link"),
    "care": (N_("Write care entry"), "pencil"),
    "edit": (N_("Edit"), "edit"),
    "edit_cell": (N_("Edit this cell"), "forms"),
    "copy_phone": (N_("Copy phone"), "phone"),
    "filter_value": (N_("Filter by this value"), "filter"),
    "customer": (N_("Open the customer"), "user"),
    "changes": (N_("Changes"), "history"),
    "why": (N_("Why can somebody see this?"), "eye"),
    "viewers": (N_("Viewers"), "users"),
    "delete": (N_("Delete"), "trash"),
}


@dataclass(frozen=True, slots=True)
class Pages:
    """The screens about one record of a kind: endpoints, and what the id is called there."""

    open: str = ""
    edit: str = ""
    delete: str = ""
    care: str = ""
    argument: str = "record_id"


PAGES: Mapping[str, Pages] = {
    "customers": Pages(
        "customers.record_view",
        "customers.edit_record_view",
        "customers.delete_record_view",
        "care.customer_view",
    ),
    "orders": Pages(
        "orders.record_view",
        "orders.edit_record_view",
        "orders.delete_record_view",
        "care.order_view",
    ),
    "products": Pages(
        "",
        "products.edit_product_view",
        "products.delete_product_view",
        argument="product_id",
    ),
    "entries": Pages(),
}
SITE_PAGES = Pages(
    "records.record_view",
    "records.edit_record_view",
    "records.delete_record_view",
    "care.record_view",
)
CARE_ARGUMENTS = {"customers": "customer_id", "orders": "order_id"}
EXPLAINED = ("customers", "orders")


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """An action; `url` holds `_id_`, and `_field_` where it is about a cell."""

    key: str
    label: str
    icon: str
    url: str


class RowMenu:
    """Expects the methods of KindList."""

    kind: str
    endpoint: str

    def row_menu(self, state: FilterState) -> list[MenuEntry]:
        """What the reader may do with a row of this list, in the order that is set for it."""
        urls = self._addresses(state)
        actions = self.compiled().actions  # type: ignore[attr-defined]
        return [
            MenuEntry(key, gettext(LABELS[key][0]), LABELS[key][1], urls[key])
            for key in actions
            if key in urls
        ]

    def filter_keys(self) -> dict[str, str]:
        """{key of a shown column: key of the field behind it} of what can be filtered by."""
        readable = self.compiled().fields  # type: ignore[attr-defined]
        return {
            column.key: column.field.key
            for column in self.shown_columns()  # type: ignore[attr-defined]
            if column.field and column.field.key in readable and may_be_asked(column.field)
        }

    @expose("/value/<row_id>/<field>")
    def value_view(self, row_id: str, field: str) -> Any:
        """The list with one more condition: the value that this row has in this field."""
        record = self._record(row_id)  # type: ignore[attr-defined]
        found = self.compiled().fields.get(field)  # type: ignore[attr-defined]
        if found is None or not may_be_asked(found):
            raise InvalidInput(N_("This column cannot be filtered by."))
        asked = asking_for(found, record, mongo.zone())
        state = self.state()  # type: ignore[attr-defined]
        tree = _and(_tree(state.raw.get(WHERE, "")), asked)
        where = {WHERE: conditions.write(tree)}
        return redirect(self.address(state, **where), code=303)  # type: ignore[attr-defined]

    @expose("/customer-of/<row_id>")
    def customer_view(self, row_id: str) -> Any:
        """On to the customer of a row."""
        customer_id = self._customer_of(row_id)
        if customer_id is None:
            flash(gettext("This row has no customer that you can see."), "info")
            return redirect(self.bare_address(), code=303)  # type: ignore[attr-defined]
        return redirect(url_for("customers.record_view", record_id=customer_id), code=303)

    @expose("/phone/<row_id>")
    def phone_view(self, row_id: str) -> Response:
        """The first phone number of the row's customer as plain text; empty for none."""
        customer_id, by = self._customer_of(row_id), current_actor()
        phones: list[str] = []
        if by.access.sees("customers", "phones") and customer_id is not None:
            rows = references.rows("customers", [customer_id], ("phones",), by=by)
            phones = rows[customer_id].get("phones") or []
        return Response(next(iter(phones), ""), mimetype="text/plain")

    def _customer_of(self, row_id: str) -> ObjectId | None:
        """The customer that a row is or belongs to, if the reader may see it."""
        record = self._record(row_id)  # type: ignore[attr-defined]
        kind = self.document_kind()  # type: ignore[attr-defined]
        path = "_id" if self.kind == "customers" else kind.customer_path
        found = value_at(record, path) if path else None
        known = references.names("customers", [found], by=current_actor())
        return found if found in known else None

    def _addresses(self, state: FilterState) -> dict[str, str]:
        """{action: address} of what the reader may do."""
        by, kind = current_actor(), self.kind
        pages = PAGES.get(kind, SITE_PAGES)
        has_customer = bool(self.document_kind().customer_path)  # type: ignore[attr-defined]
        sees_customers = by.may("customers", SEE) and (kind == "customers" or has_customer)
        has_history = kind != "entries"
        found = {
            "open": _page(pages.open, pages.argument),
            "open_new": _page(pages.open, pages.argument),
            "care": _page(
                pages.care,
                CARE_ARGUMENTS.get(kind, pages.argument),
                has_care(self.document_kind()) and by.may("entries", CREATE),  # type: ignore[attr-defined]
            ),
            "edit": _page(pages.edit, pages.argument, by.may(kind, EDIT)),
            "edit_cell": "#" if self.editable_fields() else "",  # type: ignore[attr-defined]
            "filter_value": self._own("value_view", state, field=FIELD),
            "copy_phone": self._own("phone_view", state)
            if sees_customers and by.access.sees("customers", "phones")
            else "",
            "customer": self._own("customer_view", state)
            if sees_customers and has_customer
            else "",
            "changes": url_for("changes.record_view", kind=kind, record_id=ROW)
            if has_history
            else "",
            "why": url_for("why.record_view", kind=kind, record_id=ROW)
            if kind in EXPLAINED
            else "",
            "viewers": url_for("viewers.viewers_view", customer_id=ROW)
            if kind == "customers"
            else "",
            "delete": _page(pages.delete, pages.argument, by.may(kind, DELETE)),
        }
        return {key: url for key, url in found.items() if url}

    def _own(self, view: str, state: FilterState, **more: str) -> str:
        """The address of a view of this list about a row; a filter goes on with the others."""
        if more:
            return str(self.link(view, state, row_id=ROW, **more))  # type: ignore[attr-defined]
        return url_for(f"{self.endpoint}.{view}", row_id=ROW)


def offered_actions(kind: str, config: Configuration) -> tuple[str, ...]:
    """The actions that lists over a kind can have, whoever reads them."""
    pages = PAGES.get(kind, SITE_PAGES)
    has_customer = bool(config.kinds[kind].customer_path)
    missing = {
        "open": not pages.open,
        "open_new": not pages.open,
        "care": not pages.care or not has_care(config.kinds[kind]),
        "edit": not pages.edit,
        "edit_cell": not pages.edit,
        "copy_phone": kind != "customers" and not has_customer,
        "customer": not has_customer,
        "changes": kind == "entries",
        "why": kind not in EXPLAINED,
        "viewers": kind != "customers",
        "delete": not pages.delete,
    }
    return tuple(key for key in ACTIONS if not missing.get(key))


def has_care(kind: Kind) -> bool:
    """Whether care entries are written about records of the kind."""
    return kind.key in CARE_ARGUMENTS or kind.has_care


def may_be_asked(field: Field) -> bool:
    """Whether rows can be found by the value that one of them has."""
    return field.family != FILES and field.type != "computed"


def _page(endpoint: str, argument: str, is_allowed: bool = True) -> str:
    return url_for(endpoint, **{argument: ROW}) if endpoint and is_allowed else ""


def _tree(text: str) -> Group | None:
    try:
        return conditions.read(text)
    except InvalidInput:
        return None


def _and(tree: Group | None, asked: conditions.Condition) -> Group:
    """The tree with one more condition that has to hold, once."""
    parts = tree.parts if tree and tree.joiner == AND else ((tree,) if tree else ())
    return Group(AND, (*parts, *([] if asked in parts else [asked])))
