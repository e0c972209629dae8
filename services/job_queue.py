"""The queue that carries the ids of job runs to the workers. Losing it loses no work."""

import logging
import secrets

import redis
from bson import ObjectId
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from models.job_run import LATER, NOW
from stores import valkey
from stores.errors import StoreError

QUEUE = "carebook"  # what people start
LATER_QUEUE = "carebook-later"  # nightly work: taken when nothing that people start waits
QUEUES = (QUEUE, LATER_QUEUE)  # in the order in which workers look
ENTRY = "jobs.runner.run"  # named, not imported: jobs stand above services
HELP_ENTRY = "jobs.runner.help_with"
OUTBOX_ENTRY = "jobs.outbox.deliver"
OUTBOX_CALLED = "carebook:outbox"  # set while a worker is on its way
OUTBOX_CALL_MS = 10_000  # after which another one is called
HELPERS = 3  # asked at once; with one, the database is seldom the limit
TIMEOUT = "12h"  # of one attempt; a job that hangs is ended then and tried again
FAILURE_TTL_S = 24 * 60 * 60
REASON_LENGTH = 300

logger = logging.getLogger(__name__)


def push(run_id: ObjectId, priority: str = NOW) -> bool:
    """Puts the id into the queue; False (and a log line) when the queue cannot be reached."""
    try:
        # Only a delivery that fails from now on counts.
        for name in QUEUES:
            _queue(name).failed_job_registry.remove(str(run_id))
        _queue(LATER_QUEUE if priority == LATER else QUEUE).enqueue_call(
            ENTRY,
            args=(str(run_id),),
            # The same run in the queue twice is one entry of RQ; claiming makes sure of the rest.
            job_id=str(run_id),
            timeout=TIMEOUT,
            result_ttl=0,
            failure_ttl=FAILURE_TTL_S,
        )
    except (redis.RedisError, StoreError, OSError) as error:
        logger.warning("Job %s waits for the scheduler: the queue is away (%s).", run_id, error)
        return False
    return True


def invite(run_id: ObjectId) -> None:
    """Asks workers that have nothing better to do to help with a run; nobody has to come."""
    try:
        for _ in range(HELPERS):
            _queue(LATER_QUEUE).enqueue_call(
                HELP_ENTRY,
                args=(str(run_id),),
                job_id=f"{run_id}-{secrets.token_hex(4)}",
                timeout=TIMEOUT,
                result_ttl=0,
                failure_ttl=0,
            )
    except (redis.RedisError, StoreError, OSError) as error:
        logger.info("Nobody can be asked to help with job %s: %s", run_id, error)


def call_for_outbox() -> None:
    """Tells a worker that the outbox holds something, at most once until one has begun to look."""
    try:
        if valkey.client().set(OUTBOX_CALLED, "1", nx=True, px=OUTBOX_CALL_MS):
            _queue().enqueue_call(OUTBOX_ENTRY, timeout=TIMEOUT, result_ttl=0, failure_ttl=0)
    except (redis.RedisError, StoreError, OSError) as error:
        logger.warning("The outbox waits for the scheduler: the queue is away (%s).", error)


def heard_outbox() -> None:
    """Whatever is written from now on needs another call."""
    try:
        valkey.client().delete(OUTBOX_CALLED)
    except (redis.RedisError, StoreError, OSError):
        logger.info("The call for the outbox lapses by itself.")


def waiting_ids() -> set[ObjectId]:
    """The runs that wait in the queue for a worker."""
    ids = [text for name in QUEUES for text in _queue(name).get_job_ids()]
    return {ObjectId(text) for text in ids if ObjectId.is_valid(text)}


def failed_deliveries() -> dict[ObjectId, str]:
    """`{run id: why}` of the runs that a worker took from the queue and could not even begin."""
    failed = {}
    for name in QUEUES:
        queue = _queue(name)
        for text in queue.failed_job_registry.get_job_ids():
            if ObjectId.is_valid(text):
                failed[ObjectId(text)] = _reason(queue.fetch_job(text))
    return failed


def _reason(job: Job | None) -> str:
    """The last line of what RQ noted."""
    result = job.latest_result() if job else None
    lines = ((result.exc_string if result else None) or "").strip().splitlines()
    return lines[-1][:REASON_LENGTH] if lines else "?"


def does_a_person_wait() -> bool:
    """Whether something that a person started waits for a worker; False when the queue is away."""
    try:
        return bool(_queue().count)
    except (redis.RedisError, StoreError, OSError):
        return False


def lengths() -> dict[str, int]:
    """How many jobs wait in each queue. Raises when the queue is away."""
    return {name: _queue(name).count for name in QUEUES}


def workers() -> int:
    """How many workers have given a sign of life lately. Raises when the queue is away."""
    return len(Worker.all(connection=valkey.client()))


def _queue(name: str = QUEUE) -> Queue:
    return Queue(name, connection=valkey.client(), serializer=JSONSerializer)
