"""The queue that carries the ids of job runs to the workers. Losing it loses no work."""

import logging

import redis
from bson import ObjectId
from rq import Queue
from rq.serializers import JSONSerializer

from stores import valkey
from stores.errors import StoreError

QUEUE = "carebook"
ENTRY = "jobs.runner.run"  # named, not imported: jobs stand above services
TIMEOUT = "12h"  # of one attempt; a job that hangs is ended then and tried again
FAILURE_TTL_S = 24 * 60 * 60

logger = logging.getLogger(__name__)


def push(run_id: ObjectId) -> bool:
    """Puts the id into the queue; False (and a log line) when the queue cannot be reached."""
    try:
        _queue().enqueue_call(
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


def waiting_ids() -> set[ObjectId]:
    """The runs that wait in the queue for a worker."""
    return {ObjectId(text) for text in _queue().get_job_ids() if ObjectId.is_valid(text)}


def _queue() -> Queue:
    return Queue(QUEUE, connection=valkey.client(), serializer=JSONSerializer)
