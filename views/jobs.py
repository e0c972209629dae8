"""[Công việc nền]: what runs in the background and how far it is, in plain words (B.11)."""

from collections.abc import Sequence
from typing import Any

from flask import Response, flash, make_response, redirect, url_for
from flask_admin import expose
from flask_babel import gettext

from models import JobRun
from rules.errors import N_, NotAllowed, NotFound
from rules.filters import Choice, ChoiceFilter, Criteria, Filter, FilterState
from rules.permissions import JOBS
from services import job_errors, job_runs, outbox
from services.lists import Sort
from views import formats, job_words
from views.base import toast
from views.cells import Cell, Column, RowView
from views.context import current_actor, is_htmx, now
from views.list_screen import ListScreen, links, object_id

CHIPS = {
    "queued": N_("Waiting"),
    "running": N_("Running"),
    "done": N_("Done"),
    "failed": N_("Failed"),
    "cancelled": N_("Cancelled"),
}
STATE = ChoiceFilter(
    "state",
    N_("Status"),
    (
        Choice("all", N_("All"), "", {}),
        *(
            Choice(key, CHIPS[key], text, {"state": key})
            for key, text in job_words.STATE_LABELS.items()
        ),
    ),
    default="all",
)
MINE_SHOWN = 3


class Jobs(ListScreen):
    """Newest first; a failed run says why. Who may look after jobs sees all runs, others their own."""

    model = JobRun
    endpoint_name, url_path, icon = "jobs", "/jobs", "player-play"
    label = N_("Background jobs")
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
        *("name", "arguments", "state", "progress", "total", "error", "error_params"),
        *("started_by_name", "started_at", "created_at", "updated_at", "progress_before"),
        *("set_aside_count", "attempts", "priority"),
    )
    empty_text = N_("Nothing has run yet.")
    top_template = "jobs/_live.html"

    def list_filters(self) -> tuple[Filter, ...]:
        return (STATE,)

    def scope(self) -> Criteria:
        actor = current_actor()
        return {} if actor.can(JOBS) else {"started_by": actor.staff_id}

    def side(self, state: FilterState) -> dict[str, Any]:
        """How many follow-ups were set aside, for administrators."""
        is_asked = current_actor().can(JOBS)
        return {"aside_count": outbox.set_aside_count() if is_asked else 0}

    def references(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return {"link": links("jobs.run_view", "run_id")}

    def cells(self, row: dict[str, Any], refs: dict[str, Any]) -> RowView:
        name = job_words.label(row)
        codes = (row.get("arguments") or {}).get("product_codes") or []
        return RowView(
            id=str(row["_id"]),
            label=name,
            cells=(
                Cell(
                    "title",
                    name,
                    sub=job_words.error(row) or ", ".join(codes[:5]),
                    url=refs["link"](row["_id"]),
                ),
                Cell("pill", job_words.state_label(row), colour=job_words.state_colour(row)),
                Cell("number", job_words.progress(row)),
                Cell("text", row.get("started_by_name") or "–"),
                Cell("text", formats.format_datetime(row.get("created_at"))),
            ),
        )

    @expose("/<run_id>")
    def run_view(self, run_id: str) -> Any:
        """One run; its page keeps itself up to date until the run has ended."""
        return self.render("jobs/run.html", **self._shown(run_id))

    @expose("/aside")
    def aside_view(self) -> Any:
        """What had to happen after a save and could not be done."""
        if not current_actor().can(JOBS):
            raise NotAllowed()
        return self.render("jobs/aside.html", messages=outbox.set_aside(), words=job_words)

    @expose("/aside/<message_id>/again", methods=("POST",))
    def aside_again_view(self, message_id: str) -> Any:
        """Lets it be done after all."""
        outbox.try_again(object_id(message_id), by=current_actor(), at=now())
        flash(gettext("It is tried again in a moment."), "success")
        return redirect(url_for(".aside_view"), code=303)

    @expose("/aside/<message_id>/drop", methods=("POST",))
    def aside_drop_view(self, message_id: str) -> Any:
        """Takes it off the list."""
        outbox.give_up(object_id(message_id), by=current_actor(), at=now())
        flash(gettext("It is off the list; the change log keeps it."), "success")
        return redirect(url_for(".aside_view"), code=303)

    @expose("/<run_id>/live")
    def live_view(self, run_id: str) -> Any:
        """The part of that page that changes, for htmx."""
        return self.render_part("jobs/run.html", "live", **self._shown(run_id))

    @expose("/<run_id>/errors.csv")
    def errors_view(self, run_id: str) -> Any:
        """What the run could not do, for whoever may see the run, in the reader's language."""
        run = self._run(run_id)
        if not job_errors.has_errors(run):
            raise NotFound()
        text = job_errors.error_file(run, by=current_actor(), say=job_words.say)
        name = f"{run['name']}-{run['created_at']:%Y-%m-%d}-{run['_id']}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(text, mimetype="text/csv", headers=headers)

    @expose("/<run_id>/cancel", methods=("POST",))
    def cancel_view(self, run_id: str) -> Any:
        """Stops a run: a waiting one at once, a running one between two ranges."""
        run = self._run(run_id)
        job_runs.request_cancel(run["_id"], now())
        return self._after(run_id, gettext("The job stops in a moment."))

    @expose("/<run_id>/retry", methods=("POST",))
    def retry_view(self, run_id: str) -> Any:
        """Starts a run that failed or was stopped anew."""
        run = self._run(run_id)
        job_runs.retry(run["_id"], now())
        return self._after(run_id, gettext("The job starts again."))

    @expose("/mine")
    def mine_view(self) -> Any:
        """The person's own runs under way, for the top of every page: one indexed query."""
        active = {"$in": list(job_words.ACTIVE_STATES)}
        mine = {"started_by": current_actor().staff_id, "state": active}
        runs = list(
            JobRun.collection().find(mine, {"log": 0, "set_aside": 0}).limit(MINE_SHOWN + 1)
        )
        runs.sort(key=lambda run: (run["state"] != "running", run["created_at"]))
        return self.render("jobs/mine.html", runs=runs, words=job_words, now=now())

    def _run(self, run_id: str) -> dict[str, Any]:
        run = JobRun.collection().find_one({"_id": object_id(run_id), **self.scope()})
        if run is None:
            raise NotFound()
        return run

    def _shown(self, run_id: str) -> dict[str, Any]:
        return {"run": self._run(run_id), "words": job_words, "now": now()}

    def _after(self, run_id: str, text: str) -> Any:
        if is_htmx():
            return toast(make_response(self.live_view(run_id)), text)
        flash(text, "success")
        return redirect(url_for(".run_view", run_id=run_id), code=303)
