"""How fast a job goes and how long it will still take, in words (B.11)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.errors import N_
from rules.sentences import Sentence

FIRST_GUESS = timedelta(seconds=2)  # before that a rate says nothing


@dataclass(frozen=True, slots=True)
class Pace:
    """How far a run is. `percent` and `left` are None when nobody knows the total yet."""

    done: int
    total: int | None
    per_second: float | None

    @property
    def percent(self) -> int | None:
        if not self.total:
            return None
        return min(100, self.done * 100 // self.total)

    @property
    def left(self) -> timedelta | None:
        if self.total is None or not self.per_second:
            return None
        return timedelta(seconds=max(0, self.total - self.done) / self.per_second)


def pace(
    done: int,
    total: int | None,
    *,
    started_at: datetime | None,
    now: datetime,
    done_before: int = 0,
) -> Pace:
    """The pace of an attempt that began at `started_at` with `done_before` done by earlier ones."""
    if started_at is None or now - started_at < FIRST_GUESS or done <= done_before:
        return Pace(done, total, None)
    return Pace(done, total, (done - done_before) / (now - started_at).total_seconds())


def in_words(duration: timedelta) -> Sentence:
    """A duration, rounded as people say it."""
    seconds = round(duration.total_seconds())
    if seconds <= 1:
        return Sentence(N_("1 second"))
    if seconds < 60:
        return Sentence(N_("%(count)s seconds"), {"count": _rounded(seconds)})
    minutes = round(seconds / 60)
    if minutes == 1:
        return Sentence(N_("1 minute"))
    if minutes < 60:
        return Sentence(N_("%(count)s minutes"), {"count": minutes})
    return Sentence(
        N_("%(hours)s h %(minutes)s min"),
        dict(zip(("hours", "minutes"), divmod(minutes, 60), strict=True)),
    )


def _rounded(seconds: int) -> int:
    """Up to ten seconds exactly, then in fives: a guess that jumps reads like a wrong one."""
    return seconds if seconds <= 10 else min(55, 5 * round(seconds / 5))
