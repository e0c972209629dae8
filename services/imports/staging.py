"""Rows on disk until all files are read, so that memory stays bounded whatever the files' size.

Lines of one order may be scattered over the files. A temporary SQLite file sorts them by order
code; it is deleted while it is still open, so that nothing stays behind after a kill.
"""

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any

from rules.errors import N_, StoreUnavailable

Row = tuple[Any, ...]
_CACHE_KIB = 32 * 1024


class NoRoom(StoreUnavailable):
    """The temporary file cannot be written."""

    message = N_(
        "There is no room for the temporary file of the import in %(directory)s: %(reason)s. "
        "Free some disk space and run the import again; nothing is half-written."
    )


class Stage:
    """Keeps rows `(key, sequence, ...)` sorted by key and sequence. Use in a `with` statement."""

    def __init__(self, directory: Path, width: int) -> None:
        """`width` is the number of values in a row, key and sequence included."""
        self._directory, self._width = directory, width

    def __enter__(self) -> "Stage":
        with self._errors():
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._directory, suffix=".staged") as file:
                self._database = sqlite3.connect(file.name, isolation_level=None)
                self._create()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def _create(self) -> None:
        columns = ", ".join(f"c{number}" for number in range(2, self._width))
        for statement in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",
            "PRAGMA locking_mode = EXCLUSIVE",
            f"PRAGMA cache_size = -{_CACHE_KIB}",
            f"CREATE TABLE staged (key TEXT, sequence INTEGER, {columns}, "
            "PRIMARY KEY (key, sequence)) WITHOUT ROWID",
            "CREATE TABLE seen (kind TEXT, code TEXT, PRIMARY KEY (kind, code)) WITHOUT ROWID",
            "BEGIN",
        ):
            self._database.execute(statement)

    def add(self, rows: Iterable[Row]) -> None:
        """Stores rows; what `rows` raises passes through."""
        marks = ", ".join("?" * self._width)
        with self._errors():
            self._database.executemany(f"INSERT INTO staged VALUES ({marks})", rows)  # noqa: S608

    def first_time(self, kind: str, code: str) -> bool:
        """Whether this is the first time that this code of this kind is asked for."""
        with self._errors():
            cursor = self._database.execute(
                "INSERT OR IGNORE INTO seen VALUES (?, ?)", (kind, code)
            )
            return cursor.rowcount == 1

    def key_count(self) -> int:
        with self._errors():
            (count,) = self._database.execute("SELECT count(DISTINCT key) FROM staged").fetchone()
        return int(count)

    def keys(self) -> Iterator[str]:
        """Each key once, in order."""
        with self._errors():
            rows = self._database.execute("SELECT DISTINCT key FROM staged ORDER BY key")
            yield from (key for (key,) in rows)

    def groups(self) -> Iterator[tuple[str, Iterator[Row]]]:
        """(key, its rows in sequence) by key; read each group before you take the next."""
        with self._errors():
            yield from groupby(
                self._database.execute("SELECT * FROM staged ORDER BY key, sequence"),
                key=itemgetter(0),
            )

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            raise NoRoom(directory=str(self._directory), reason=str(error)) from error
