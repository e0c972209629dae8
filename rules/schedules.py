"""When a schedule is due, in the local time of the site, whatever its clocks do.

A slot is one local date: a schedule runs at most once a day, also on days that have an hour twice.
A time that a day does not have (clocks go forward) comes that much later.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EVERY_DAY = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Timing:
    """A local time on some weekdays, 0 is Monday."""

    at: time
    weekdays: Collection[int] = EVERY_DAY

    def instant(self, day: date, zone: ZoneInfo) -> datetime:
        """When the slot of this day begins, as an aware UTC instant."""
        # fold=0: of an hour that comes twice the first one; in a gap the offset before it, so
        # that 02:30 becomes what would have been 02:30.
        return datetime.combine(day, self.at, zone).astimezone(UTC)

    def newest(self, now: datetime, zone: ZoneInfo) -> date | None:
        """The day of the slot that came last at `now`; None without any weekday."""
        today = now.astimezone(zone).date()
        days = (today - timedelta(days=back) for back in range(-1, 9))
        return next(
            (day for day in days if self._has(day) and self.instant(day, zone) <= now), None
        )

    def following(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """When it is due next after `now`; None without any weekday."""
        return next((one for one in self._coming(now, zone) if one > now), None)

    def _coming(self, now: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        today = now.astimezone(zone).date()
        for ahead in range(-1, 9):
            day = today + timedelta(days=ahead)
            if self._has(day):
                yield self.instant(day, zone)

    def _has(self, day: date) -> bool:
        return day.weekday() in self.weekdays
