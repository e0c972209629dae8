"""[Nhật ký thay đổi]: who did what, when and from where (for administrators)."""

from collections.abc import Sequence
from typing import Any

from bson import ObjectId
from flask import url_for
from flask_admin import expose
from flask_babel import gettext

from models import AuditEntry
from rules.errors import N_
from rules.filters import (
    Choice,
    ChoiceFilter,
    Filter,
    FilterState,
    InstantRangeFilter,
    ReferenceFilter,
    SearchFilter,
)
from rules.permissions import AUDIT
from services import audit_reading
from services.lists import Sort
from views import formats
from views.audit_words import KINDS, ShownEntry, in_words
from views.cells import Cell, Column, RowView
from views.context import local_day_start
from views.filtering import reference_names
from views.list_screen import ListScreen, object_id

SEARCH = SearchFilter("q", N_("Name, code…"), "search_words")
STAFF = ReferenceFilter("staff", N_("Staff"), "staff_id", N_("by %(name)s"), ObjectId)
AT = InstantRangeFilter("at", N_("Time"), "at", local_day_start)
LOGINS = ("login", "login failed", "lock", "unlock", "forgot password", "set password")
OUTFLOWS = ("export", "reveal")
WHAT = ChoiceFilter(
    "what",
    N_("What"),
    (
        Choice("all", N_("All"), "", {}),
        Choice(
            "changes",
            N_("Changes"),
            N_("changes"),
            {"action": {"$nin": [*LOGINS, *OUTFLOWS]}},
        ),
        Choice("logins", N_("Logins"), N_("logins"), {"action": {"$in": list(LOGINS)}}),
        Choice(
            "failed",
            N_("Wrong logins"),
            N_("wrong logins"),
            {"action": {"$in": ["login failed", "lock"]}},
        ),
        Choice(
            "exports",
            N_("Exports, hidden values"),
            N_("exports and hidden values shown"),
            {"action": {"$in": list(OUTFLOWS)}},
        ),
    ),
    default="all",
)
KIND = ChoiceFilter(
    "kind",
    N_("Kind"),
    (
        Choice("all", N_("Everything"), "", {}),
        *(
            Choice(kind, KINDS[kind], KINDS[kind], {"kind": kind})
            for kind in ("customers", "orders", "products", "staff")
        ),
        Choice(
            "settings",
            N_("Settings"),
            N_("settings"),
            {"kind": {"$in": ["settings", "site", "relationship_setup", "schedules"]}},
        ),
    ),
    default="all",
)
RECORDS = {  # where a record of this kind is shown
    "customers": ("customers.record_view", "record_id"),
    "orders": ("orders.record_view", "record_id"),
    "staff": ("staff.record_view", "staff_id"),
}


class Audit(ListScreen):
    """Everything that was written, newest first; nothing here can be changed."""

    model = AuditEntry
    endpoint_name, url_path, icon = "audit", "/audit", "list-check"
    label = N_("Change log")
    needs = AUDIT
    columns = (
        Column("at", N_("Time"), sort="at"),
        Column("who", N_("Who")),
        Column("action", N_("What")),
        Column("record", N_("About")),
        Column("changes", N_("From → to"), fold="panel"),
    )
    sorts = {"at": Sort("at")}
    default_sort = "-at"
    fields = (
        *("at", "staff_id", "staff_name", "address", "action", "kind", "record_id"),
        *("record_label", "changes"),
    )
    empty_text = N_("Nothing was recorded that matches. Clear the filters to see everything.")

    def list_filters(self) -> tuple[Filter, ...]:
        return (SEARCH, WHAT, KIND, STAFF, AT)

    def references(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        shown = in_words(rows)
        return {"shown": {one.id: one for one in shown}}

    def cells(self, row: dict[str, Any], refs: dict[str, Any]) -> RowView:
        shown: ShownEntry = refs["shown"][str(row["_id"])]
        colour = "red" if row["action"] in ("login failed", "lock") else "gray"
        return RowView(
            id=shown.id,
            label=shown.action,
            cells=(
                Cell(
                    "link",
                    formats.format_datetime(shown.at),
                    url=url_for(".entry_view", entry_id=shown.id),
                ),
                Cell("title", shown.who, sub=shown.address),
                Cell("pill", shown.action, colour=colour),
                Cell(
                    "title",
                    shown.label or shown.kind,
                    sub=shown.kind if shown.label else "",
                    url=record_url(row),
                ),
                Cell("long", shown.summary),
            ),
        )

    def names(self, state: FilterState) -> dict[str, str]:
        return reference_names(state, staff="staff")

    @expose("/<entry_id>")
    def entry_view(self, entry_id: str) -> str:
        """One entry whole."""
        entry = audit_reading.entry(object_id(entry_id))
        return self.render(
            "audit/entry.html",
            entry=in_words([entry])[0],
            screen_name=entry.get("screen") or gettext("none"),
            record_url=record_url(entry),
        )


def record_url(entry: dict[str, Any]) -> str | None:
    """Where the record of an entry is shown, if it has a page."""
    endpoint, name = RECORDS.get(entry["kind"], (None, ""))
    if endpoint is None or not entry.get("record_id"):
        return None
    return url_for(endpoint, **{name: entry["record_id"]})
