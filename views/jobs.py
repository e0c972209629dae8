"""[Công việc nền]: what runs in the background and how far it is, in plain words (B.11)."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext

from models import JobRun
from rules.errors import N_
from rules.filters import Choice, ChoiceFilter, Filter
from rules.scope import ADMINISTRATOR, MANAGER
from services.lists import Sort
from views import formats
from views.list_screen import Cell, Column, ListScreen, RowView

STATE_COLOURS = {
    "queued": "gray",
    "running": "azure",
    "done": "green",
    "failed": "red",
    "cancelled": "orange",
}
STATE_LABELS = {
    "queued": N_("waiting"),
    "running": N_("running"),
    "done": N_("done"),
    "failed": N_("failed"),
    "cancelled": N_("cancelled"),
}
JOB_LABELS = {
    "recompute_care": N_("Recompute care dates"),
    "recompute_scope": N_("Follow a change of carers"),
    "assign_customers": N_("Assign carers to customers"),
    "end_viewers": N_("End viewers whose time is over"),
}
STATE = ChoiceFilter(
    "state",
    N_("Status"),
    (
        Choice("all", N_("All"), "", {}),
        *(Choice(key, label, label, {"state": key}) for key, label in STATE_LABELS.items()),
    ),
    default="all",
)


class Jobs(ListScreen):
    """Newest first; a failed run says why."""

    model = JobRun
    endpoint_name, url_path, icon = "jobs", "/jobs", "player-play"
    label = N_("Background jobs")
    roles = (MANAGER, ADMINISTRATOR)
    columns = (
        Column("name", N_("Job")),
        Column("state", N_("Status")),
        Column("progress", N_("Progress"), numeric=True),
        Column("by", N_("Started by"), fold="phone"),
        Column("at", N_("Started at"), sort="at"),
    )
    sorts = {"at": Sort("created_at")}
    default_sort = "-at"
    fields = (
        *("name", "arguments", "state", "progress", "total", "error", "started_by_name"),
        "created_at",
    )
    empty_text = N_("Nothing has run yet.")

    def list_filters(self) -> tuple[Filter, ...]:
        return (STATE,)

    def cells(self, row: dict[str, Any], refs: dict[str, Any]) -> RowView:
        name = gettext(JOB_LABELS.get(row["name"], row["name"]))
        codes = (row.get("arguments") or {}).get("product_codes") or []
        return RowView(
            id=str(row["_id"]),
            label=name,
            cells=(
                Cell("title", name, sub=error_text(row) or ", ".join(codes[:5])),
                Cell(
                    "pill", gettext(STATE_LABELS[row["state"]]), colour=STATE_COLOURS[row["state"]]
                ),
                Cell("number", progress_text(row)),
                Cell("text", row.get("started_by_name") or "–"),
                Cell("text", formats.format_datetime(row.get("created_at"))),
            ),
        )

    def references(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return {}


def error_text(row: dict[str, Any]) -> str:
    """Why a run failed, in the reader's language where the catalogue knows the sentence."""
    return str(gettext(row["error"])) if row.get("error") else ""


def progress_text(row: dict[str, Any]) -> str:
    """ "61 %" while the total is known, else the number done."""
    done, total = row.get("progress") or 0, row.get("total")
    if total:
        return f"{min(100, done * 100 // total)} %"
    return formats.format_number(done)
