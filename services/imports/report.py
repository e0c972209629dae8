"""What an import did: its counts, and the file with the rows that it could not take."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path

from bson import ObjectId

from rules.errors import N_, CareError, InvalidInput
from services.csv_cells import escaped

SHOWN_COLUMNS = ("file", "line", "reason")


class NoErrorFile(InvalidInput):
    """The file for bad rows cannot be written."""


@dataclass
class ImportReport:
    """Counts of one import run. `bad` of the `rows` read are in `error_file` (None: none is bad).

    `new`, `changed` and `unchanged` count the records of the import's kind; `created` counts the
    records that they needed (`customers`, `products`, `areas`, `groups`); `warnings` counts English
    sentences (gettext ids) about rows that were taken all the same; `without_customer` and `returns`
    count orders of the files; `recomputed_orders` got another care date or product group because
    of changed products. In a dry run the counts say what would happen.
    """

    kind: str
    import_id: ObjectId
    dry_run: bool
    rows: int = 0
    bad: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    created: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    without_customer: int = 0
    returns: int = 0
    recomputed_orders: int = 0
    error_file: Path | None = None

    @property
    def changes_nothing(self) -> bool:
        return not (self.new or self.changed or any(self.created.values()))


class ErrorFile:
    """Collects bad rows as CSV: file, line, reason, then the cells as they were.

    The file comes into being with the first bad row. `say` puts a reason into the reader's
    language. Close it at the end.
    """

    def __init__(self, path: Path, say: Callable[[CareError], str] = str) -> None:
        self.path, self.count = path, 0
        self.columns: Sequence[str] = ()
        self._say = say
        self._file: TextIOWrapper | None = None

    def add(self, file: str, line: int, reason: CareError, cells: Sequence[str]) -> None:
        if self._file is None:
            self._open()
        assert self._file is not None  # noqa: S101  _open() has just set it
        self._write([escaped(file), line, self._say(reason), *map(escaped, cells)])
        self.count += 1

    def close(self) -> None:
        if self._file is not None:
            with self._errors():
                self._file.close()

    def _open(self) -> None:
        with self._errors():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A byte order mark: spreadsheets take the file for UTF-8 only with it.
            self._file = self.path.open("w", encoding="utf-8-sig", newline="")
        self._write([*SHOWN_COLUMNS, *map(escaped, self.columns)])

    def _write(self, cells: Sequence[object]) -> None:
        assert self._file is not None  # noqa: S101
        with self._errors():
            csv.writer(self._file).writerow(cells)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise NoErrorFile(
                N_(
                    "The file for bad rows, %(file)s, cannot be written: %(reason)s. Choose another "
                    "with --errors FILE."
                ),
                file=str(self.path),
                reason=error.strerror or str(error),
            ) from error
