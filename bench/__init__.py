"""Measurements: `python -m bench` prints one table of what is promised and what was measured.

Each part is a module with `measure(database) -> Iterator[Row]`, named in `bench.__main__`. It has
a database of its own that is dropped afterwards.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pymongo.database import Database

from config import Settings
from models import DOCUMENTS
from stores import mongo


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement. `ratio` is to the one it is compared with; `at_least` is the promise."""

    name: str
    measured: str
    compared_with: str = ""
    ratio: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def target(self) -> str:
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return f"<= {self.at_most:g}" if self.at_most is not None else ""

    @property
    def is_kept(self) -> bool:
        if self.ratio is None:
            return True
        return (self.at_least is None or self.ratio >= self.at_least) and (
            self.at_most is None or self.ratio <= self.at_most
        )


@contextmanager
def bench_database(part: str) -> Iterator[Database[dict[str, Any]]]:
    """An empty database with all indexes beside the real one; dropped at the end."""
    settings = Settings()
    settings = settings.model_copy(
        update={"mongo_database": f"{settings.mongo_database}_bench_{part}"}
    )
    database = mongo.connect(settings)
    database.client.drop_database(database.name)
    for document in DOCUMENTS:
        document.ensure_indexes()
    try:
        yield database
    finally:
        database.client.drop_database(database.name)
        mongo.disconnect()
