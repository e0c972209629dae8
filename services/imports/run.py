"""What every import does: open the files, check them all, stage their rows, count."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from bson import ObjectId

from rules.errors import N_, CareError, InvalidInput
from rules.scope import Actor
from services import audit
from services.imports.cells import BadRow
from services.imports.mapping import ImportMapping
from services.imports.reading import SourceFile
from services.imports.report import ErrorFile, ImportReport
from services.imports.staging import Row, Stage
from services.imports.targets import Column

LINE_BITS = 40  # a row's sequence number is its file's number and its line number in one integer
SHOW_EVERY = 2000  # rows between two signs of progress

READING, WRITING, FOLLOWING = N_("Reading"), N_("Writing"), N_("Recomputing")
CUT_OFF = N_(
    "The last line of a file has no line break at its end; the file may have been cut off."
)

RowParser = Callable[[int, list[str]], Row]


class Watch(Protocol):
    """Is shown the progress: `begin(title, total)` once per part, then `done(so_far)`."""

    def begin(self, title: str, total: int | None) -> None: ...

    def done(self, so_far: int) -> None: ...


class NobodyWatches:
    """A Watch that shows nothing."""

    def begin(self, title: str, total: int | None) -> None:
        """Shows nothing."""

    def done(self, so_far: int) -> None:
        """Shows nothing."""


@dataclass(frozen=True)
class ImportRequest:
    """What to import and how.

    `zone` is the site's (local dates are its dates); `directory` takes the temporary file, and the
    error file when `error_file` is None; `at` is now. `say` puts a reason for a bad row into the
    reader's language.
    """

    files: Sequence[Path]
    mapping: ImportMapping
    by: Actor
    at: datetime
    zone: ZoneInfo
    directory: Path
    error_file: Path | None = None
    dry_run: bool = False
    watch: Watch = field(default_factory=NobodyWatches)
    say: Callable[[CareError], str] = str


class ImportRun:
    """One run: its report, its staged rows and its error file. Use in a `with` statement."""

    def __init__(self, request: ImportRequest, width: int) -> None:
        """`width` is the number of values of a staged row."""
        self.request = request
        self.report = ImportReport(request.mapping.kind, ObjectId(), request.dry_run)
        self.errors = ErrorFile(self._error_path(), request.say)
        self.stage = Stage(request.directory, width)
        self._open = ExitStack()

    def __enter__(self) -> "ImportRun":
        self._open.enter_context(self.stage)
        self._open.callback(self.errors.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def finished(self) -> ImportReport:
        """The report, with the error file when there is one."""
        self.report.error_file = self.errors.path if self.errors.count else None
        return self.report

    def refuse(self, sequence: int, reason: CareError, cells: Sequence[str]) -> None:
        """Puts a staged row among the bad ones."""
        self.report.bad += 1
        file = self._sources[sequence >> LINE_BITS].name
        self.errors.add(file, self.line_of(sequence), reason, cells)

    @staticmethod
    def line_of(sequence: int) -> int:
        """The line number of a staged row in its file."""
        return sequence & ((1 << LINE_BITS) - 1)

    def read(self, parser: Callable[[dict[str, tuple[int, Column]]], RowParser]) -> None:
        """Stages the rows of all files; `parser(positions of the targets)` gives the row parser.

        Every file's first line is checked before the first row is read.
        """
        self._sources = [self._opened(path) for path in self._distinct(self.request.files)]
        self.errors.columns = self._sources[0].header
        parsers = [
            parser(self.request.mapping.positions(source.header, source.name))
            for source in self._sources
        ]
        total = sum(source.size_bytes for source in self._sources)
        self.request.watch.begin(READING, total)
        for number, (source, parse) in enumerate(zip(self._sources, parsers, strict=True)):
            self.stage.add(self._rows(number, source, parse))
            self.report.warnings[CUT_OFF] += source.is_cut
        self.request.watch.done(total)

    def _rows(self, number: int, source: SourceFile, parse: RowParser) -> Iterator[Row]:
        def on_bad(line: int, reason: CareError, cells: list[str]) -> None:
            self.report.rows += 1
            self.report.bad += 1
            self.errors.add(source.name, line, reason, cells)

        before = sum(earlier.size_bytes for earlier in self._sources[:number])
        first = number << LINE_BITS
        good = 0
        for line, cells in source.rows(on_bad):
            try:
                row = parse(first | line, cells)
            except BadRow as reason:
                on_bad(line, reason, cells)
                continue
            yield row
            good += 1
            if good % SHOW_EVERY == 0:
                self.request.watch.done(before + source.read_bytes)
        self.report.rows += good

    def _opened(self, path: Path) -> SourceFile:
        mapping = self.request.mapping
        source = SourceFile(path, mapping.delimiter, mapping.encoding)
        self._open.callback(source.close)
        return source

    def _distinct(self, files: Sequence[Path]) -> list[Path]:
        """The files; refuses one that is named or copied twice: its lines would count twice."""
        seen: dict[object, Path] = {}
        for path in files:
            for mark in _marks(path):
                twin = seen.setdefault(mark, path)
                if twin is not path:
                    raise InvalidInput(
                        N_(
                            "%(file)s and %(twin)s are the same file: every line would count "
                            "twice. Name each file once."
                        ),
                        file=str(path),
                        twin=str(twin),
                    )
        return list(files)

    def _error_path(self) -> Path:
        request = self.request
        stamp = request.at.astimezone(request.zone).strftime("%Y-%m-%d-%H%M%S")
        name = f"{request.mapping.kind}-{stamp}-{self.report.import_id}-errors.csv"
        chosen = request.error_file or request.directory / name
        if any(_same_file(chosen, path) for path in request.files):
            raise InvalidInput(
                N_("%(file)s is a file to import; choose another for bad rows."), file=str(chosen)
            )
        return chosen

    def record(self, counts: dict[str, int], session: Any) -> None:
        """One audit entry for what a batch wrote, under the id of this import."""
        audit.record(
            by=self.request.by,
            at=self.request.at,
            action="import",
            kind="import",
            record_id=self.report.import_id,
            label=f"{self.report.kind}: {', '.join(path.name for path in self.request.files)}"[
                :500
            ],
            changes={name: (None, count) for name, count in counts.items() if count},
            session=session,
        )


def _marks(path: Path) -> list[object]:
    """What two names of the same content have in common."""
    if not path.is_file():
        return []  # opening it gives the better message
    try:
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return []
    return [path.resolve(), content]


def _same_file(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
