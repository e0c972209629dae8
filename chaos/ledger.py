"""What the system has acknowledged, to be held against what it keeps."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from bson import ObjectId


@dataclass
class Ledger:
    """Filled by the people of `chaos.people` while they work; all methods may be called at once."""

    tried: set[str] = field(default_factory=set)  # the content of each entry that was ever sent
    entries: dict[str, ObjectId] = field(default_factory=dict)  # content: its order
    orders: dict[str, int] = field(default_factory=dict)  # imported code: quantity
    runs: set[ObjectId] = field(default_factory=set)  # jobs that an administrator started
    refused: Counter[str] = field(default_factory=Counter)
    last_sent_at: float = 0.0  # when the newest acknowledged entry was first sent
    answered_at: list[float] = field(default_factory=list)  # each acknowledged entry
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sends(self, content: str) -> float:
        """Notes an entry before it is sent; returns the moment."""
        with self._lock:
            self.tried.add(content)
        return time.monotonic()

    def acknowledged(self, content: str, order_id: ObjectId, sent_at: float) -> None:
        """The system has answered that the entry is saved."""
        with self._lock:
            self.entries[content] = order_id
            self.last_sent_at = max(self.last_sent_at, sent_at)
            self.answered_at.append(time.monotonic())

    def imported(self, orders: dict[str, int]) -> None:
        """The import of these orders has ended well."""
        with self._lock:
            self.orders |= orders

    def started(self, run_id: ObjectId) -> None:
        """The system has shown the run of a job."""
        with self._lock:
            self.runs.add(run_id)

    def was_refused(self, why: str) -> None:
        """The system answered, and not with what was asked for."""
        with self._lock:
            self.refused[why] += 1

    def longest_silence(self, since: float) -> float:
        """The longest time in seconds without an acknowledged entry, from `since` until now."""
        with self._lock:
            moments = [since, *(at for at in self.answered_at if at > since), time.monotonic()]
        return max(after - before for before, after in pairwise(moments))

    @property
    def writes(self) -> int:
        """Acknowledged entries, imported orders and jobs so far."""
        return len(self.entries) + len(self.orders) + len(self.runs)
