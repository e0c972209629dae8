"""A supervised process ends itself when its supervisor was killed and cannot say goodbye."""

import ctypes
import os
import signal
import sys
import threading
import time

SUPERVISOR = "CAREBOOK_SUPERVISOR"  # environment variable: the supervisor's process id
PR_SET_PDEATHSIG = 1


def hold() -> None:
    """Asks for SIGTERM as soon as the supervisor is gone. Does nothing without a supervisor."""
    if supervisor := os.environ.get(SUPERVISOR):
        end_with_parent(int(supervisor), signal.SIGTERM)


def end_with_parent(parent: int, number: signal.Signals) -> None:
    """Sends itself signal `number` when its parent process, whose id is `parent`, has died."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number)
    else:
        threading.Thread(target=_watch, args=(parent, number), daemon=True).start()
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), number)


def _watch(parent: int, number: signal.Signals) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), number)
