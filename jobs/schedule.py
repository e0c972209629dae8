"""Starts periodic jobs when they are due, and takes up runs that were lost.

Any number of schedulers may run; the one that holds the lease in Valkey works. Nothing is kept
here: a slot is a unique key in MongoDB, so that a slot is enqueued once even if two schedulers
believe that they hold the lease.
"""

import logging
import secrets
import threading
from datetime import datetime

import redis
from pymongo.errors import PyMongoError

from config import Settings
from services import job_sweep, outbox, schedules
from stores import mongo, valkey
from stores.errors import StoreError

logger = logging.getLogger(__name__)

TICK_SECONDS = 3.0
LEASE_KEY = schedules.SCHEDULER_LEASE
LEASE_MS = 15_000  # another scheduler takes over after this
RENEW = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0"
RELEASE = (
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
)


def run_forever(settings: Settings, stop: threading.Event | None = None) -> None:
    """Works until `stop` is set. A store that is away for a while is waited for.

    Raises:
        StoreError: a store cannot be reached at the start.
    """
    stop = stop or threading.Event()
    mongo.connect(settings)
    valkey.connect(settings)
    token = secrets.token_hex(16)
    try:
        while True:
            _tick_safely(settings, token)
            if stop.wait(TICK_SECONDS):
                return
    finally:
        _release(token)


def tick(settings: Settings, token: str, now: datetime) -> bool:
    """One round; False when another scheduler holds the lease."""
    if not _hold_lease(token):
        return False
    work(settings, now)
    return True


def work(settings: Settings, now: datetime) -> None:
    """What the holder of the lease does. Two at once, or one whose clock is wrong, do no harm."""
    schedules.start_due(now, settings.zone)
    outbox.sweep(now)
    for run_id in job_sweep.sweep(now):
        logger.info("Job run %s was put into the queue again.", run_id)


def _tick_safely(settings: Settings, token: str) -> None:
    try:
        tick(settings, token, mongo.server_time())
    except (redis.RedisError, PyMongoError, StoreError, OSError) as error:
        logger.warning("A store is away, the next round tries again: %s", error)
    except Exception:
        # One bad run must not stop all the others from being taken up.
        logger.exception("This round failed; the next one tries again.")


def _hold_lease(token: str) -> bool:
    queue = valkey.client()
    if queue.set(LEASE_KEY, token, nx=True, px=LEASE_MS):
        return True
    return bool(queue.eval(RENEW, 1, LEASE_KEY, token, str(LEASE_MS)))


def _release(token: str) -> None:
    try:
        valkey.client().eval(RELEASE, 1, LEASE_KEY, token)
    except (redis.RedisError, StoreError, OSError):
        logger.info("The scheduler's lease lapses by itself.")
