"""Background jobs in plain words: what they do, how far they are, what they have done (B.11)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext

from models.job_run import ACTIVE_STATES, LATER, QUEUED, RUNNING
from rules.errors import N_
from rules.job_pace import Pace, in_words, pace
from rules.sentences import Sentence
from services import job_errors
from views import formats

Run = Mapping[str, Any]

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
    "purge_audit": N_("Remove old entries of the change log"),
    "purge_trash": N_("Empty the trash of what is too old"),
    "send_mail": N_("Send mail"),
    "morning_mail": N_("Send everybody's due work by mail"),
    "send_reset_link": N_("Send a new password link"),
    "export_list": N_("Export a list"),
    "bulk_edit": N_("Change many rows"),
    "import_records": N_("Import records from a file"),
    "undo_bulk_edit": N_("Take a bulk change back"),
    "recompute_care": N_("Recompute care dates"),
    "recompute_scope": N_("Follow a change of carers"),
    "index_fields": N_("Make indexes of fields"),
    "convert_field": N_("Convert the values of a field"),
    "merge_values": N_("Merge two values of a list"),
    "unmerge_values": N_("Take a merge of values back"),
    "assign_customers": N_("Assign carers to customers"),
    "hand_over": N_("Hand work over to a colleague"),
    "undo_hand_over": N_("Take a hand-over back"),
    "end_viewers": N_("End viewers whose time is over"),
    "recompute_relationships": N_("Recompute relationships"),
    "remove_orphans": N_("Remove what belongs to nothing"),
    "purge_job_runs": N_("Remove old background jobs from the list"),
}
# What a job is doing while it knows how much there is to do.
DOING = {
    "export_list": N_("Writing %(total)s rows into a file"),
    "recompute_care": N_("Recomputing the care dates of %(total)s orders and customers"),
    "recompute_scope": N_("Bringing the lists of %(total)s customers in line with their carers"),
    "import_records": N_("Importing %(total)s rows"),
    "hand_over": N_("Handing over %(total)s customers"),
    "undo_hand_over": N_("Taking %(total)s customers back"),
    "recompute_relationships": N_("Recomputing the relationships of %(total)s customers"),
}
# What the outbox holds, by its topic.
TOPICS = {
    "mail": N_("Send mail"),
    "follow_import": N_("Recompute after an import"),
}
COUNTS = {
    "intervals_changed": N_("orders followed a product's interval"),
    "orders_checked": N_("orders checked"),
    "orders_changed": N_("orders got another care date"),
    "customers_checked": N_("customers checked"),
    "customers_changed": N_("customers got another next date"),
    "facts_changed": N_("customers with other facts"),
    "relationships_changed": N_("customers got another relationship"),
    "customers_assigned": N_("customers got other carers"),
    "customers_handed_over": N_("customers handed over"),
    "customers_taken_back": N_("customers taken back"),
    "lists_changed": N_("records are seen by other staff"),
    "files_dropped": N_("files removed that were sent and never saved"),
    "trash_purged": N_("records deleted for good"),
    "values_forgotten": N_("records whose values from before a change of type are gone"),
    "files_forgotten": N_("files deleted that only values from before a change of type named"),
    "values_kept": N_("values kept as they were"),
    "values_converted": N_("values converted"),
    "values_lost": N_("values lost, kept aside until the type goes back"),
    "values_moved": N_("values changed"),
    "indexes_made": N_("indexes made"),
    "indexes_dropped": N_("indexes dropped"),
    "mails_written": N_("mails written"),
    "references_gone": N_("references to records that are gone"),
    "history_gone": N_("copies of history entries that are gone"),
    "files_gone": N_("files that no record names"),
    "old_mails": N_("old mails"),
    "old_sessions": N_("people with browsers long logged out"),
    "old_links": N_("lapsed password links"),
    "old_claims": N_("lapsed claims of customers"),
    "keys_of_nobody": N_("API keys of nobody"),
    "temporary_files": N_("forgotten temporary files"),
    "runs_deleted": N_("old jobs removed"),
    "files_deleted": N_("exported files removed"),
    "rows_written": N_("rows written"),
    "records_changed": N_("rows changed"),
    "records_created": N_("records added"),
    "records_changed_back": N_("rows as before"),
    "records_refused": N_("rows left as they were"),
}


def label(run: Run) -> str:
    """The name of the run's job."""
    return gettext(JOB_LABELS.get(run["name"], run["name"]))


def topic_label(message: Mapping[str, Any]) -> str:
    """What a message of the outbox asks for."""
    return gettext(TOPICS.get(message["topic"], message["topic"]))


def state_label(run: Run) -> str:
    return gettext(STATE_LABELS[run["state"]])


def state_colour(run: Run) -> str:
    return STATE_COLOURS[run["state"]]


def is_active(run: Run) -> bool:
    """Whether the run waits or works, so that its page keeps looking."""
    return run["state"] in ACTIVE_STATES


def pace_of(run: Run, now: datetime) -> Pace:
    return pace(
        run.get("progress") or 0,
        run.get("total"),
        started_at=run.get("started_at") if run["state"] == RUNNING else None,
        now=now,
        done_before=run.get("progress_before") or 0,
    )


def sentence(run: Run, now: datetime) -> str:
    """What the run is doing, in one plain sentence."""
    if run["state"] == RUNNING:
        return _running(run, now)
    if run["state"] == QUEUED:
        return _waiting(run)
    took = _took(run)
    said = {
        "done": N_("%(job)s: done"),
        "failed": N_("%(job)s: failed"),
        "cancelled": N_("%(job)s: stopped by a person"),
    }[run["state"]]
    text = gettext(said, job=label(run))
    return f"{text} · {formats.say(in_words(took))}" if took else text


def _waiting(run: Run) -> str:
    if run.get("attempts"):
        return gettext("%(job)s: tried again in a moment", job=label(run))
    if run.get("priority") == LATER:
        return gettext("%(job)s: waits until nothing more urgent runs", job=label(run))
    return gettext("%(job)s: waits for its turn", job=label(run))


def _running(run: Run, now: datetime) -> str:
    if run.get("cancel_requested_at"):
        return gettext("%(job)s: stops in a moment", job=label(run))
    known = pace_of(run, now)
    doing = label(run)
    if run["name"] in DOING and known.total:
        doing = formats.say(Sentence(DOING[run["name"]], {"total": known.total}))
    if known.percent is None:
        return gettext(
            "%(doing)s: %(done)s done", doing=doing, done=formats.format_number(known.done)
        )
    if known.left is None:
        return gettext("%(doing)s: %(percent)s %%", doing=doing, percent=known.percent)
    left = formats.say(in_words(known.left))
    return gettext(
        "%(doing)s: %(percent)s %%, about %(left)s left",
        doing=doing,
        percent=known.percent,
        left=left,
    )


def short(run: Run, now: datetime) -> str:
    """The same for the top of the page: name, per cent, time left."""
    known = pace_of(run, now)
    parts = [label(run)]
    if known.percent is not None and run["state"] == RUNNING:
        parts[0] = f"{parts[0]} {known.percent} %"
    if run["state"] == QUEUED:
        parts.append(gettext("waiting"))
    elif known.left is not None:
        parts.append(gettext("%(left)s left", left=formats.say(in_words(known.left))))
    return " · ".join(parts)


def rate(run: Run, now: datetime) -> str:
    """Records a second, or a minute when they are few; "" while nobody knows."""
    known = pace_of(run, now).per_second
    if not known:
        return ""
    if known >= 1:
        return gettext("%(count)s a second", count=formats.format_number(round(known)))
    return gettext("%(count)s a minute", count=formats.format_number(round(known * 60, 1)))


def _took(run: Run) -> timedelta | None:
    started, ended = run.get("started_at"), run.get("ended_at")
    return ended - started if started and ended and ended > started else None


def counts(run: Run) -> list[tuple[str, int]]:
    """(what, how many) of the run's results, in the order of COUNTS, others behind them."""
    found = run.get("counts") or {}
    known = [name for name in COUNTS if name in found]
    rest = sorted(set(found) - set(known))
    return [(gettext(COUNTS.get(name, name)), found[name]) for name in (*known, *rest)]


def error(run: Run) -> str:
    """Why a run failed, in the reader's language; "" when it did not."""
    if not run.get("error"):
        return ""
    return formats.say(Sentence(run["error"], run.get("error_params") or {}))


def say(message: str, params: Mapping[str, Any]) -> str:
    """An English gettext id with its parameters, in the reader's language."""
    return formats.say(Sentence(message, dict(params)))


def reason(one: Mapping[str, Any]) -> str:
    """Why a record was set aside."""
    return job_errors.reason_of(one, say)


def progress(run: Run) -> str:
    """ "61 %" while the total is known, else the number done."""
    percent = pace_of(run, run.get("updated_at") or run["created_at"]).percent
    if percent is not None:
        return f"{percent} %"
    return formats.format_number(run.get("progress") or 0)
