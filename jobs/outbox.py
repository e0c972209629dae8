"""What a worker calls when the outbox holds something."""

from jobs import runner
from jobs.topics import TOPICS
from services import outbox


def deliver() -> None:
    """Acts on everything in the outbox that is due."""
    runner.connect()
    outbox.deliver(TOPICS, runner.worker_name())
