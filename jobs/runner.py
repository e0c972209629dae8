"""What a worker calls: claims a run, does it, and writes how it ended."""

import logging
import os
import secrets
import socket
import traceback
from datetime import datetime
from typing import Any

from bson import ObjectId

from config import Settings
from jobs.registry import JOBS
from models import JobRun
from models.job_run import CANCELLED, DONE, FAILED, LATER
from rules.errors import N_, CareError, StoreUnavailable
from services import job_runs
from services.job_runs import Lease
from services.progress import AboutRun, Cancelled
from services.run_progress import LeaseLost, MakeRoom, RunProgress, heartbeat
from stores import mongo
from stores.errors import StoreError

logger = logging.getLogger(__name__)

UNEXPECTED = N_("Something unexpected happened. The log of the job has the details.")
UNKNOWN_JOB = N_("This version of Carebook does not know the job “%(name)s”.")


def run(run_id: str) -> None:
    """Does the job run with this id, if it is there to be taken."""
    connect()
    claimed = job_runs.claim(ObjectId(run_id), worker_name(), _now())
    if claimed is None:
        logger.info("Job run %s is done, cancelled or in other hands.", run_id)
        return
    lease = job_runs.lease_of(claimed)
    job_runs.log(claimed.pk, f"{_now():%Y-%m-%d %H:%M:%S}Z attempt {lease.attempt}, {lease.worker}")
    with heartbeat(lease):
        _do(claimed, lease)


def help_with(run_id: str) -> None:
    """Takes shares of a run that another worker holds, if it still runs. Makes room for people."""
    connect()
    found = job_runs.help_with(ObjectId(run_id), worker_name())
    if found is None:
        return
    helped, lease = found
    progress = RunProgress(lease, makes_room=True)
    with heartbeat(lease):
        try:
            _job(helped, progress)
            progress.flush()
        except AboutRun as reason:
            logger.info("Helping with job run %s ended: %r", run_id, reason)
        except Exception:
            # The worker that holds the run meets the same and says so.
            logger.exception("Helping with job run %s failed.", run_id)
        finally:
            progress.release()


def _do(claimed: JobRun, lease: Lease) -> None:
    progress = RunProgress(lease, makes_room=claimed.priority == LATER)
    try:
        _finish(claimed, lease, progress)
    finally:
        progress.release()


def _finish(claimed: JobRun, lease: Lease, progress: RunProgress) -> None:
    try:
        state = _outcome(claimed, progress)
        progress.flush()
        job_runs.finish(lease, state, _now())
    except LeaseLost:
        logger.warning("Job run %s was taken by another worker.", claimed.pk)
    except MakeRoom:
        # The scheduler's sweep hands it to the workers again: by itself it would take its own
        # place in RQ, which forgets a job that has just ended.
        job_runs.make_room(lease, _now())
    except StoreUnavailable as error:
        _try_again(lease, error.message, error.params)
    except CareError as error:
        job_runs.finish(lease, FAILED, _now(), error=error.message, params=error.params)
    except Exception:
        _try_again(lease, UNEXPECTED)


def _outcome(claimed: JobRun, progress: RunProgress) -> str:
    try:
        _job(claimed, progress)
    except Cancelled:
        return CANCELLED
    # A job may also notice the request and simply return.
    return CANCELLED if progress.told_to_stop else DONE


def _job(claimed: JobRun, progress: RunProgress) -> None:
    if claimed.name not in JOBS:
        raise CareError(UNKNOWN_JOB, name=claimed.name)
    JOBS[claimed.name](progress, **claimed.arguments)


def _try_again(lease: Lease, error: str, params: dict[str, Any] | None = None) -> None:
    """The scheduler's sweep puts it into the queue again after a while."""
    logger.exception("Job run %s failed at attempt %s.", lease.run_id, lease.attempt)
    job_runs.log(lease.run_id, *traceback.format_exc().splitlines()[-20:])
    job_runs.give_back(lease, error, _now(), params=params)


def connect() -> None:
    """A worker's fork knows the settings of its parent only from the environment."""
    try:
        mongo.client()
    except StoreError:
        mongo.connect(Settings(), wait_ms=mongo.JOB_WAIT_MS)


def worker_name() -> str:
    """A name that no other process has, now or ever."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


def _now() -> datetime:
    # Leases are compared by workers of several hosts, whose clocks may differ.
    return mongo.server_time()
