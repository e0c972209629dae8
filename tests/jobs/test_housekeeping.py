"""Old runs leave the list after the days of the setting; what waits or works stays."""

from datetime import UTC, datetime, timedelta

from jobs import housekeeping
from models import JobRun
from rules.scope import SYSTEM
from services import job_runs
from services.progress import NoProgress


def a_run(state, ended_days_ago=None):
    run_id = job_runs.create("recompute_care", {}, SYSTEM)
    values = {"state": state}
    if ended_days_ago is not None:
        values["ended_at"] = datetime.now(UTC) - timedelta(days=ended_days_ago)
    JobRun.collection().update_one({"_id": run_id}, {"$set": values})
    return run_id


def left():
    return {run["_id"] for run in JobRun.collection().find()}


def test_only_what_ended_long_ago_is_removed_twice_in_a_row(db, monkeypatch):
    monkeypatch.setenv("CAREBOOK_JOB_RUN_DAYS", "10")
    kept = {a_run("queued"), a_run("running"), a_run("done", 9), a_run("failed", 9)}
    for state in ("done", "failed", "cancelled"):
        a_run(state, 11)
    for _ in range(2):
        housekeeping.purge_job_runs(NoProgress())
        assert left() == kept
