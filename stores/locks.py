"""Advisory file locks. The kernel releases them when their process ends, however it ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stores.errors import StoreError

POLL_SECONDS = 0.02


def open_lock(path: Path) -> int:
    """A file descriptor for `flock` on `path`; closing the last copy of it releases the lock."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(fd: int, *, shared: bool = False) -> bool:
    """Whether the lock was free and is now held through `fd`."""
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(path: Path) -> bool:
    """Whether any process holds the lock on `path` (shared or exclusively)."""
    fd = open_lock(path)
    try:
        return not try_lock(fd)
    finally:
        os.close(fd)


@contextmanager
def exclusive(path: Path, timeout_seconds: float) -> Iterator[None]:
    """Holds the lock on `path` for the block.

    Raises:
        StoreError: another process has held it for longer than `timeout_seconds`.
    """
    fd = open_lock(path)
    try:
        deadline = time.monotonic() + timeout_seconds
        while not try_lock(fd):
            if time.monotonic() > deadline:
                raise StoreError(
                    f"Another process has been holding {path} for {timeout_seconds:.0f} seconds.",
                    "See which one with `lsof` or `fuser` on this file, end it and try again.",
                )
            time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(fd)
