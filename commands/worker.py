"""`carebook worker`: runs background jobs."""

import contextlib
import os
import signal
from typing import Any

import click
import redis
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from commands import lifeline, log
from config import Settings
from services.job_queue import QUEUES
from stores import mongo, valkey


class JobWorker(Worker):  # type: ignore[misc]
    """A worker that runs each job in a fork of its own, which does not outlive it.

    What a dead fork leaves half-done is taken up again when its lease in the JobRun has lapsed.
    """

    def setup_work_horse_signals(self) -> None:
        super().setup_work_horse_signals()
        lifeline.end_with_parent(int(os.environ["CAREBOOK_WORKER"]), signal.SIGKILL)

    def bootstrap(self, *args: Any, **options: Any) -> None:
        os.environ["CAREBOOK_WORKER"] = str(os.getpid())
        super().bootstrap(*args, **options)

    def set_shutdown_requested_date(self) -> None:
        """Notes in Valkey that the worker drains; without Valkey it drains all the same."""
        with contextlib.suppress(redis.RedisError):
            super().set_shutdown_requested_date()


@click.command()
@click.option("--burst", is_flag=True, help="End when the queue is empty.")
@click.pass_obj
def worker(settings: Settings, burst: bool) -> None:
    """Run background jobs, one after the other, until it is stopped.

    Several workers may run at once, on one machine or on many.

    \b
    Example:
      carebook worker --burst
    """
    # A worker that cannot load its jobs ends here, in words; each fork then has them at once.
    import jobs.runner  # noqa: F401

    lifeline.hold()
    log.start(settings)
    # Forked jobs connect to MongoDB by themselves: here it only has to be kept running.
    mongo.attach(settings)
    connection = valkey.connect(settings)
    queues = [Queue(name, connection=connection, serializer=JSONSerializer) for name in QUEUES]
    JobWorker(queues, connection=connection, serializer=JSONSerializer).work(
        burst=burst, logging_level="DEBUG" if settings.log_level.upper() == "DEBUG" else "WARNING"
    )
