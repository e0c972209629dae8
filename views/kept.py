"""What the web processes remember between requests, for one revision of the configuration."""

from collections.abc import Hashable
from threading import Lock
from typing import Any

from cachetools import LRUCache

from views.context import configured

MOST = 2000  # entries of one name: some megabytes of each process


class Kept:
    """Values by key, the least used ones forgotten; the threads of a process share them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: LRUCache[Hashable, Any] = LRUCache(maxsize=MOST)

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: Hashable) -> Any | None:
        with self._lock:
            return self._known.get(key)

    def put(self, key: Hashable, value: Any) -> None:
        with self._lock:
            self._known[key] = value


def kept(name: str) -> Kept:
    """What is remembered under this name; nothing any more once the configuration changed.

    Keys name all that the values depend on beside the configuration.
    """
    return configured().once(("kept", name), Kept)
