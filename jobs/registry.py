"""The jobs there are, by the name that stands in `JobRun.name`.

A job is called with its Progress and the run's arguments as keywords. It may be killed anywhere
and run again: the result has to be the same.
"""

from collections.abc import Callable

from jobs import recompute

JOBS: dict[str, Callable[..., None]] = {
    "recompute_care": recompute.recompute_care,
}
