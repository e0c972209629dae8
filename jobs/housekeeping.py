"""Deletes what nobody looks at any more."""

from datetime import UTC, datetime, timedelta

from config import Settings
from services import attachment_removal, job_runs, list_export_runs, orphans, trash_purge
from services.progress import Progress


def purge_job_runs(progress: Progress) -> None:
    """Job runs that ended longer ago than the setting CAREBOOK_JOB_RUN_DAYS, and exported files."""
    before = datetime.now(UTC) - timedelta(days=Settings().job_run_days)
    progress.count("runs_deleted", job_runs.purge(before))
    progress.count("files_deleted", list_export_runs.purge(datetime.now(UTC)))


def purge_trash(progress: Progress) -> None:
    """What has been in the trash for too long, and files that nobody saved; run it once a day."""
    trash_purge.purge_old(datetime.now(UTC), progress)
    progress.count("files_dropped", attachment_removal.purge_pending(datetime.now(UTC)))


def remove_orphans(progress: Progress, removes: bool = True) -> None:
    """What belongs to nothing any more; without `removes` it is only counted."""
    orphans.search(Settings(), now=datetime.now(UTC), removes=removes, progress=progress)
