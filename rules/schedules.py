"""When a schedule is due, in the local time of the site, whatever its clocks do.

A slot is one local time of one day: a schedule runs at most once in it, also on days that have an
hour twice. A time that a day does not have (clocks go forward) comes that much later.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EVERY_DAY = frozenset(range(7))
SHORTEST_MINUTES, LONGEST_MINUTES = 5, 12 * 60
END_OF_DAY = time(23, 59)


@dataclass(frozen=True, slots=True)
class Timing:
    """A local time on some weekdays, 0 is Monday.

    With `every_minutes` it is due at that time and again every so many minutes, up to and with
    `until` of the same day. A slot is the local time as a naive datetime.
    """

    at: time
    weekdays: Collection[int] = EVERY_DAY
    every_minutes: int | None = None
    until: time = END_OF_DAY

    def instant(self, slot: datetime, zone: ZoneInfo) -> datetime:
        """When the slot begins, as an aware UTC instant."""
        # fold=0: of an hour that comes twice the first one; in a gap the offset before it, so
        # that 02:30 becomes what would have been 02:30.
        return slot.replace(tzinfo=zone).astimezone(UTC)

    def newest(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """The slot that came last at `now`; None without any weekday."""
        today = now.astimezone(zone).date()
        slots = (
            slot
            for back in range(-1, 9)
            for slot in reversed(self._slots(today - timedelta(days=back)))
        )
        return next((slot for slot in slots if self.instant(slot, zone) <= now), None)

    def following(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """When it is due next after `now`; None without any weekday."""
        return next((one for one in self._coming(now, zone) if one > now), None)

    def key(self, slot: datetime) -> str:
        """The name of a slot; names of later slots are greater."""
        if self.every_minutes is None:
            return slot.date().isoformat()
        return slot.isoformat(timespec="minutes")

    def _coming(self, now: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        today = now.astimezone(zone).date()
        for ahead in range(-1, 9):
            for slot in self._slots(today + timedelta(days=ahead)):
                yield self.instant(slot, zone)

    def _slots(self, day: date) -> list[datetime]:
        if day.weekday() not in self.weekdays:
            return []
        first = datetime.combine(day, self.at)
        if self.every_minutes is None:
            return [first]
        step = timedelta(minutes=self.every_minutes)
        count = (datetime.combine(day, self.until) - first) // step
        return [first + step * number for number in range(count + 1)]
