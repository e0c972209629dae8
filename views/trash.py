"""[Thùng rác]: what was deleted, by whom, until when it can come back."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from flask import flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as BaseResponse

from models import TrashedRecord
from rules.errors import N_, CareError, InvalidInput, NotFound
from rules.filters import (
    Choice,
    ChoiceFilter,
    Criteria,
    Filter,
    FilterState,
    InstantRangeFilter,
    ReferenceFilter,
    SearchFilter,
    merge,
)
from rules.scope import NOTHING, may_purge
from services import access_settings, field_files, trash, trash_purge
from services.lists import Sort
from services.trash import CodeTaken, Trashed
from services.trash_kinds import asked_for, scope_of_trash
from views import formats
from views.audit_words import kind_text
from views.context import current_actor, local_day_start, now
from views.errors import flash_error
from views.filtering import reference_names
from views.list_screen import Cell, Column, ListScreen, RowView, object_id

ENTRIES_SHOWN = 200  # of a batch, on its page
PAGES = {  # where a record of this kind is shown
    "customers": ("customers.record_view", "record_id"),
    "orders": ("orders.record_view", "record_id"),
}
SEARCH = SearchFilter("q", N_("Name, code…"), "search_words")
STAFF = ReferenceFilter("staff", N_("Staff"), "staff_id", N_("by %(name)s"), ObjectId)
AT = InstantRangeFilter("at", N_("Deleted on"), "deleted_at", local_day_start)
KIND = ChoiceFilter(
    "kind",
    N_("Kind"),
    (
        Choice("all", N_("Everything"), "", {}),
        Choice("customers", N_("Customers"), N_("customers"), {"kind": "customers"}),
        Choice("orders", N_("Orders"), N_("orders"), {"kind": "orders"}),
        Choice("products", N_("Products"), N_("products"), {"kind": "products"}),
        Choice("attachments", N_("Files"), N_("files"), {"kind": "attachments"}),
    ),
    default="all",
)


class Trash(ListScreen):
    """One row for each thing that somebody deleted; what went with it stands in its row."""

    model = TrashedRecord
    endpoint_name, url_path, icon = "trash", "/trash", "trash"
    label = N_("Trash")
    columns = (
        Column("what", N_("Name")),
        Column("kind", N_("Kind"), fold="phone"),
        Column("who", N_("Deleted by"), fold="panel"),
        Column("at", N_("Deleted on"), sort="at"),
        Column("until", N_("Can come back until"), fold="phone"),
    )
    sorts = {"at": Sort("deleted_at")}
    default_sort = "-at"
    base_criteria = {"is_root": True, "is_purging": {"$ne": True}}
    fields = (
        *("kind", "record_id", "record_label", "code", "counts"),
        *("deleted_at", "staff_id", "staff_name"),
    )
    empty_text = N_("Nothing here. What is deleted can be brought back from this list.")

    def is_accessible(self) -> bool:
        """Whether there is anything that the person may delete, and so bring back."""
        return super().is_accessible() and self.scope() != NOTHING

    def scope(self) -> Criteria:
        by = current_actor()
        seen = scope_of_trash(by)
        return seen if seen == NOTHING else merge([seen, field_files.trash_criteria(by)])

    def list_filters(self) -> tuple[Filter, ...]:
        return (SEARCH, KIND, STAFF, AT)

    def references(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return {"days": access_settings.read().trash_days}

    def cells(self, row: dict[str, Any], refs: dict[str, Any]) -> RowView:
        return RowView(
            id=str(row["_id"]),
            label=row["record_label"],
            cells=(
                Cell(
                    "title",
                    row["record_label"],
                    sub=" · ".join(filter(None, (_code(row), counts_text(row.get("counts"))))),
                    url=url_for(".batch_view", batch_id=row["_id"]),
                ),
                Cell("text", kind_text(row["kind"])),
                Cell("text", row.get("staff_name") or "–"),
                Cell("text", formats.format_datetime(row["deleted_at"])),
                Cell("text", until_text(row["deleted_at"], refs["days"])),
            ),
        )

    def names(self, state: FilterState) -> dict[str, str]:
        return reference_names(state, staff="staff")

    @expose("/<batch_id>")
    def batch_view(self, batch_id: str) -> Any:
        """What went together, and the two ways out of here."""
        return self._batch_page(object_id(batch_id))

    @expose("/<batch_id>/restore", methods=("POST",))
    def restore_view(self, batch_id: str) -> Any:
        chosen = object_id(batch_id)
        codes = {
            name.removeprefix("code-"): typed
            for name, typed in request.form.items()
            if name.startswith("code-")
        }
        try:
            back = trash.restore(chosen, by=current_actor(), at=now(), codes=codes)
        except CodeTaken as error:
            return make_response(self._batch_page(chosen, error, codes), error.status)
        except InvalidInput as error:
            return make_response(self._batch_page(chosen, error), error.status)
        flash(gettext("%(name)s is back.", name=back.label), "success")
        return redirect(record_url(back) or url_for(".index_view"), code=303)

    @expose("/<batch_id>/purge", methods=("POST",))
    def purge_view(self, batch_id: str) -> Any:
        """For good, after its code or name was typed."""
        chosen = object_id(batch_id)
        try:
            trash_purge.purge(chosen, request.form.get("confirm", ""), by=current_actor(), at=now())
        except InvalidInput as error:
            return make_response(self._batch_page(chosen, error), error.status)
        flash(gettext("Deleted for good."), "success")
        return redirect(url_for(".index_view"), code=303)

    def _batch_page(
        self,
        batch_id: ObjectId,
        problem: CareError | None = None,
        codes: Mapping[str, str] | None = None,
    ) -> str:
        whole: Criteria = {"batch_id": batch_id, "is_purging": {"$ne": True}}
        entries = list(
            TrashedRecord.collection()
            .find(merge([whole, field_files.trash_criteria(current_actor())]))
            .sort([("is_root", -1), ("kind", 1), ("_id", 1)])
            .limit(ENTRIES_SHOWN)
        )
        root = next((one for one in entries if one.get("is_root")), None)
        mine = {"$and": [{"batch_id": batch_id, "is_root": True}, self.scope()]}
        if root is None or TrashedRecord.collection().find_one(mine, {"_id": 1}) is None:
            raise NotFound(N_("This is not in the trash any more."))
        errors = problem.fields if isinstance(problem, InvalidInput) else {}
        if problem is None:
            errors = trash.taken_codes(batch_id)
        return self.render(
            "trash/batch.html",
            root=root,
            entries=[one for one in entries if one is not root and one["kind"] != "interactions"],
            taken=self._taken(batch_id, errors, codes or {}),
            errors=errors,
            problem=problem,
            until=until_text(root["deleted_at"], access_settings.read().trash_days),
            counts=counts_text(root.get("counts")),
            confirmation=trash_purge.confirmation_of(root),
            may_purge=may_purge(current_actor(), asked_for(root)),
            kind_text=kind_text,
        )

    @staticmethod
    def _taken(
        batch_id: ObjectId, errors: Mapping[str, CareError], codes: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        """The entries that need another code, each with what was typed or a code that is free."""
        ids = [ObjectId(key) for key in {**errors, **codes} if ObjectId.is_valid(key)]
        rows = TrashedRecord.collection().find({"_id": {"$in": ids}, "batch_id": batch_id})
        found = []
        for row in rows.limit(ENTRIES_SHOWN):
            typed = codes.get(str(row["_id"])) or trash.suggested_code(row["kind"], row["code"])
            error = errors.get(str(row["_id"]))
            found.append({"entry": row, "typed": typed, "error": error})
        return found


def restored(kind: str, record_id: str) -> BaseResponse:
    """Brings back what was deleted (the undo of a toast) and goes to its page.

    Where that is not possible at once (its code is taken) the page of the trash says what to do.
    """
    try:
        back = trash.restore_record(kind, object_id(record_id), by=current_actor(), at=now())
    except InvalidInput as error:
        flash_error(error)
        root = TrashedRecord.collection().find_one(
            {"kind": kind, "record_id": object_id(record_id)}, {"batch_id": 1}
        )
        target = url_for("trash.batch_view", batch_id=root["batch_id"]) if root else None
        return redirect(target or url_for("trash.index_view"), code=303)
    if back:
        flash(gettext("%(name)s is back.", name=back.label), "success")
    known = back or Trashed(ObjectId(), kind, object_id(record_id), "")
    return redirect(record_url(known) or url_for(f"{kind}.index_view"), code=303)


def record_url(record: Trashed) -> str | None:
    """The page of a record, where its kind has one."""
    endpoint, name = PAGES.get(record.kind, (None, ""))
    return url_for(endpoint, **{name: record.record_id}) if endpoint else None


def until_text(deleted_at: datetime, days: int | None) -> str:
    """The last day on which it can come back."""
    if not days:
        return gettext("kept for good")
    return formats.format_day(deleted_at + timedelta(days=days))


def counts_text(counts: Mapping[str, int] | None) -> str:
    """ "with 3 orders, 20 entries": what went with it."""
    said = {
        "orders": lambda n: ngettext("%(num)s order", "%(num)s orders", n),
        "interactions": lambda n: ngettext("%(num)s entry", "%(num)s entries", n),
        "attachments": lambda n: ngettext("%(num)s file", "%(num)s files", n),
    }
    parts = [
        said[kind](number) if kind in said else f"{formats.format_number(number)} {kind_text(kind)}"
        for kind, number in (counts or {}).items()
    ]
    return gettext("with %(things)s", things=", ".join(parts)) if parts else ""


def _code(row: Mapping[str, Any]) -> str:
    code = row.get("code") or ""
    return "" if code == row["record_label"] else code
