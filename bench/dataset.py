"""The large data set, made once by `carebook demo` and kept between runs in `bench/.data`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from pymongo.database import Database

from config import PROJECT_ROOT, Settings
from models import DOCUMENTS
from services import demo, shipped
from stores import mongo, valkey

DATA = PROJECT_ROOT / "bench" / ".data"
PASSWORD = "Do-toc-do-2026"  # noqa: S105 - of databases that nobody logs in to


def settings(name: str) -> Settings:
    """Of a database in the cache directory, or beside the one that MONGO_URL names."""
    return Settings().model_copy(update={"data": DATA, "mongo_database": f"carebook_bench_{name}"})


@contextmanager
def loaded(size: int) -> Iterator[Database[dict[str, Any]]]:
    """So many customers and orders; made when they are missing."""
    chosen = settings(str(size))
    database = connect(chosen)
    if database.site.find_one({"demo": "done"}) is None:
        print(f"Making {size:,} customers and orders, once ...", flush=True)
        _load_quickly(chosen, size)
    try:
        yield database
    finally:
        valkey.disconnect()
        mongo.disconnect()


def connect(chosen: Settings) -> Database[dict[str, Any]]:
    """The database with its indexes and what is shipped."""
    database = mongo.connect(chosen)
    valkey.connect(chosen)
    for document in DOCUMENTS:
        document.ensure_indexes()
    shipped.ensure()
    return database


def _load_quickly(chosen: Settings, size: int) -> None:
    """Indexes at the end: built at once they take a few minutes, kept up meanwhile half an hour."""
    for document in DOCUMENTS:
        document.collection().drop_indexes()
    load(chosen, size)
    for document in DOCUMENTS:
        document.ensure_indexes()


def load(chosen: Settings, size: int) -> float:
    """Loads the demonstration data; returns the seconds it took."""
    began = time.perf_counter()
    demo.load(
        now=datetime.now(UTC), zone=chosen.zone, password=PASSWORD, customers=size, orders=size
    )
    return time.perf_counter() - began
