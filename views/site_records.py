"""Records of the kinds that a site defined (B.14): list, page, form, each kind at `/e/<its key>`.

One view serves all of them: the address names the kind, and everything else comes from the
configuration.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from bson import ObjectId
from flask import Blueprint, Flask, abort, g, has_request_context, redirect, request, url_for
from flask_admin import Admin, expose
from flask_babel import gettext

from models import Record
from models.base import local_date
from rules.care_sentences import nearness
from rules.errors import N_
from rules.fields import Kind
from rules.filters import Criteria, Filter, SearchFilter
from rules.permissions import CREATE, SEE
from rules.scope import may_delete, scope
from services import references, site_records, trash
from services.lists import Sort
from views import panels
from views.base import back_or, flash_undo
from views.cells import Cell, Column
from views.context import configured, current_actor, locale, now, today
from views.due_cells import due, square, why
from views.field_cells import kind_label
from views.kind_list import KindList, Make
from views.list_screen import links, object_id
from views.panels import Panel, Subject
from views.record_edit import edit_page, new_page
from views.record_forms import Sent
from views.record_import import RecordImport
from views.record_page import record_page
from views.trash import restored

ENDPOINT = "records"
SEARCH = SearchFilter("q", N_("Title, number…"), "search_words")


def list_key(kind: str) -> str:
    """The key of the list of a kind that the site defined."""
    return f"{ENDPOINT}_{kind}"


def list_address(key: str, **arguments: str) -> str:
    """The address of the list with this key, be it of a screen or of a kind of the site."""
    if key.startswith(f"{ENDPOINT}_"):
        slug = key.removeprefix(f"{ENDPOINT}_")
        return url_for(f"{ENDPOINT}.index_view", slug=slug, **arguments)
    return url_for(f"{key}.index_view", **arguments)


class SiteRecords(RecordImport, KindList):
    """The list of a kind, and the page and the form of one record."""

    model = Record
    endpoint_name, url_path, icon = ENDPOINT, "/e/<slug>", "list-details"
    label = N_("Records")
    columns = (
        Column("code", needs=("code",)),
        Column("title", sort="title", needs=("title",)),
        Column("customer", needs=("customer",)),
        Column("due", sort="due", needs=("due",)),  # of kinds that are cared for
        Column("owner", fold="panel", needs=("owner",)),
        Column("created", sort="created", fold="panel", needs=("created",)),
    )
    sorts = {"title": Sort("search"), "created": Sort("created_at")}
    default_sort = "-created"
    fields = ("title", "code", "search", "created_at", "care")
    title = "title"
    empty_text = N_("Nothing here yet that matches. Add the first one, or clear the filters.")

    def create_blueprint(self, admin: Admin) -> Any:
        made: Blueprint = super().create_blueprint(admin)
        made.url_value_preprocessor(_take_slug)
        return made

    @property
    def kind(self) -> str:  # type: ignore[override]
        return str(g.get("slug", ""))

    @property
    def list_key(self) -> str:
        """What choices of columns and defaults are kept under."""
        return list_key(self.kind)

    def document_kind(self) -> Kind:
        return known_kind(self.kind)

    def is_accessible(self) -> bool:
        if not super().is_accessible():
            return False
        return current_actor().may(known_kind(self.kind).key, SEE)

    def page_label(self) -> str:
        return kind_label(self.document_kind(), locale())

    def scope(self) -> Criteria:
        return {"kind": self.kind, **scope(current_actor(), self.kind)}

    def list_filters(self) -> tuple[Filter, ...]:
        return (SEARCH,)

    def new_url(self) -> str | None:
        if not current_actor().may(self.kind, CREATE):
            return None
        return url_for(".new_view")

    def references(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return {
            "link": links(f"{ENDPOINT}.record_view", "record_id"),
            "care_link": links("care.record_view", "record_id"),
        }

    def special(self, refs: dict[str, Any]) -> Mapping[str, Make]:
        link, care_link = refs["link"], refs["care_link"]
        made: dict[str, Make] = {
            "title": lambda row: Cell("title", row["title"], url=link(row["_id"])),
            "code": lambda row: Cell("link", row["code"], url=link(row["_id"])),
            "due": lambda row: due(row.get("care") or {}, {}),
        }
        if self.document_kind().has_care and current_actor().may("entries", CREATE):
            made["code"] = lambda row: square(
                row["code"], care_url=care_link(row["_id"]), record_url=link(row["_id"])
            )
        return made

    @expose("/<record_id>")
    def record_view(self, record_id: str) -> Any:
        """The record: its fields, its files, who changed it."""
        record = site_records.read(self.kind, object_id(record_id), by=current_actor())
        kind, actor = self.document_kind(), current_actor()
        return record_page(
            self,
            kind.key,
            record,
            title=record["title"],
            head="records/_site_head.html",
            foot="records/_site_foot.html",
            edit_url=url_for(".edit_record_view", record_id=record_id),
            one_label=kind_label(kind, locale(), one=True),
            customer_url=_customer_url(record),
            may_delete=may_delete(actor, self.kind),
            **_next_care(record),
        )

    @expose("/new", methods=("GET", "POST"))
    def new_view(self) -> Any:
        kind = self.document_kind()

        def save(form: Sent, record_id: ObjectId) -> str:
            site_records.create(
                kind.key, form.typed, by=current_actor(), at=now(), record_id=record_id
            )
            return url_for(".record_view", record_id=record_id)

        customer = request.args.get("customer", "")
        back = url_for(".index_view")
        if ObjectId.is_valid(customer):
            back = url_for("customers.record_view", record_id=customer)
        return new_page(
            self,
            kind.key,
            title=gettext("New: %(kind)s", kind=kind_label(kind, locale(), one=True)),
            back_url=back,
            save=save,
        )

    @expose("/<record_id>/edit", methods=("GET", "POST"))
    def edit_record_view(self, record_id: str) -> Any:
        record = site_records.read(self.kind, object_id(record_id), by=current_actor())
        return edit_page(
            self,
            self.kind,
            record,
            title=gettext("Edit %(name)s", name=record["title"]),
            back_url=url_for(".record_view", record_id=record_id),
        )

    @expose("/<record_id>/delete", methods=("POST",))
    def delete_record_view(self, record_id: str) -> Any:
        """Into the trash, and to the list with the way back in a toast."""
        site_records.read(self.kind, object_id(record_id), by=current_actor())
        trashed = trash.delete(ENDPOINT, object_id(record_id), by=current_actor(), at=now())
        flash_undo(
            gettext("%(label)s is in the trash.", label=trashed.label),
            url_for(".restore_record_view", record_id=record_id),
        )
        return redirect(back_or(url_for(".index_view")), code=303)

    @expose("/<record_id>/restore", methods=("POST",))
    def restore_record_view(self, record_id: str) -> Any:
        return restored(ENDPOINT, record_id)


def known_kind(slug: str) -> Kind:
    """The kind at an address; 404 for one that nobody defined, or that was retired."""
    found = configured().kinds.get(slug)
    if found is None or found.collection != ENDPOINT or found.is_retired:
        abort(404)
    return found


def site_kinds() -> list[Kind]:
    """The kinds that the site defined and the reader may see."""
    return [
        one
        for one in configured().kinds.values()
        if one.collection == ENDPOINT
        and not one.is_retired
        and one.problem is None
        and current_actor().may(one.key, SEE)
    ]


def panels_of(kind: Kind) -> list[Panel]:
    """On a customer's page, a tab of each kind of the site that refers to customers."""
    if kind.key != "customers":
        return []
    found = [one for one in configured().kinds.values() if one.collection == ENDPOINT]
    return [
        Panel(
            one.key,
            kind_label(one, locale()),
            "records/of_customer.html",
            lambda _: True,
            load=partial(_of_customer, one.key),
            needs=(one.key, SEE),
            is_on=True,
        )
        for one in found
        if one.customer_path and not one.is_retired and one.problem is None
    ]


def _of_customer(slug: str, subject: Subject) -> dict[str, Any]:
    rows = site_records.of_customer(slug, subject.id, by=subject.by)
    return {"site_rows": rows, "slug": slug, "may_add": subject.by.may(slug, CREATE)}


def _next_care(record: Mapping[str, Any]) -> dict[str, Any]:
    care = record.get("care") or {}
    due_on = local_date(care.get("due_on"))
    return {
        "care_state": care.get("state"),
        "due_on": due_on,
        "near": nearness(due_on, today()) if due_on else None,
        "why": why(due_on, care.get("basis"), {}) if due_on else "",
    }


def record_address(entry: Mapping[str, Any]) -> str | None:
    """The page of the record that a care entry is about; None for another entry, or a kind that
    is not there any more."""
    kind = configured().kinds.get(entry.get("record_kind") or "")
    if kind is None or kind.is_retired:
        return None
    return url_for(f"{ENDPOINT}.record_view", slug=kind.key, record_id=entry["record_id"])


def record_label(entry: Mapping[str, Any]) -> str:
    """What one record of the kind that a care entry is about is called."""
    kind = configured().kinds.get(entry.get("record_kind") or "")
    return kind_label(kind, locale(), one=True) if kind else ""


def _customer_url(record: Mapping[str, Any]) -> str | None:
    customer_id = record.get("customer_id")
    if not customer_id or not references.names("customers", [customer_id], by=current_actor()):
        return None
    return url_for("customers.record_view", record_id=customer_id)


def _take_slug(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """The kind of the address is for the view as a whole, not for each of its functions."""
    g.slug = (values or {}).pop("slug", "")


def _give_slug(endpoint: str, values: dict[str, Any]) -> None:
    """Addresses within a kind lead to the same kind."""
    if endpoint.startswith(f"{ENDPOINT}.") and has_request_context():
        values.setdefault("slug", g.get("slug") or "none")


def register(app: Flask) -> None:
    """Lets addresses of records know their kind, and customers have tabs of them."""
    panels.register_source(panels_of)
    app.url_defaults(_give_slug)
    app.jinja_env.globals.update(
        site_kinds=site_kinds,
        kind_label=kind_label,
        record_address=record_address,
        record_label=record_label,
    )
