"""Importing the real month, care dates included, and a year's lines in bounded memory."""

import csv
import gzip
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from pymongo.database import Database

from bench import Row
from config import PROJECT_ROOT, Settings
from rules.scope import SYSTEM
from services.imports.mapping import load_mapping
from services.imports.orders import import_orders
from services.imports.products import import_products
from services.imports.run import ImportRequest
from stores import mongo

DATA = PROJECT_ROOT / "tests" / "data"
MONTH = DATA / "online-retail-2010-12.csv.gz"
COPIES = 13  # of the month: 552,253 lines, as many as the year has
PROMISED_LINES = 10_000  # a second
PROMISED_MB = 300
ROUNDS = 3  # the best one counts, so that a hiccup of the machine does not


def measure(database: Database[dict[str, Any]]) -> Iterator[Row]:
    """Rates in lines per second, and the peak memory of a process that imports a year."""
    first = []
    for _ in range(ROUNDS):
        _empty(database)
        _import("products", DATA / "care-products.csv", "care-products")
        first.append(_rate(MONTH))
    yield _kept("import of the month, all new", max(first))
    yield _kept("import of the month, nothing changes", max(_rate(MONTH) for _ in range(ROUNDS)))
    with tempfile.TemporaryDirectory() as directory:
        year = _year(Path(directory))
        # A process of its own: memory that the measurements before took does not count.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            rate, peak_mb = pool.submit(_in_own_process, database.name, year).result()
    yield _kept("import of a year's lines", rate)
    yield Row(
        "peak memory of that import",
        f"{peak_mb:,.0f} MB",
        f"{PROMISED_MB} MB",
        peak_mb / PROMISED_MB,
        at_most=1,
    )


def _kept(name: str, rate: float) -> Row:
    compared = f"{PROMISED_LINES:,} lines/s"
    return Row(name, f"{rate:,.0f} lines/s", compared, rate / PROMISED_LINES, at_least=1)


def _in_own_process(database: str, file: Path) -> tuple[float, float]:
    mongo.connect(Settings().model_copy(update={"mongo_database": database}))
    try:
        rate = _rate(file)
    finally:
        mongo.disconnect()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return rate, peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _rate(file: Path) -> float:
    started = time.perf_counter()
    rows = _import("orders", file, "online-retail")
    return rows / (time.perf_counter() - started)


def _import(kind: str, file: Path, mapping: str) -> int:
    zone = Settings().zone
    with tempfile.TemporaryDirectory() as directory:
        report = {"orders": import_orders, "products": import_products}[kind](
            ImportRequest(
                files=[file],
                mapping=load_mapping(DATA / f"{mapping}.mapping.toml", kind, zone),
                by=SYSTEM,
                at=datetime.now(UTC),
                zone=zone,
                directory=Path(directory),
            )
        )
    if report.bad:
        raise SystemExit(f"{report.bad} rows of {file} are bad: {report.error_file}")
    return report.rows


def _empty(database: Database[dict[str, Any]]) -> None:
    for name in database.list_collection_names():
        database[name].delete_many({})


def _year(directory: Path) -> Path:
    """The month's lines several times, under other invoice numbers."""
    with gzip.open(MONTH, "rt", encoding="utf-8", newline="") as month:
        header, *rows = csv.reader(month)
    path = directory / "year.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for copy in range(COPIES):
            writer.writerows([f"{row[0]}-{copy}", *row[1:]] for row in rows)
    return path
