"""CSV files row by row: bounded memory, every row either good or bad with its line and reason.

Python's csv module alone would swallow the rest of a file after a stray quotation mark, or take a
10 MB line into memory. Here a record is limited, and what a broken record swallowed is read again.
"""

import csv
import gzip
import io
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

from rules.errors import N_, CareError, InvalidInput
from services.imports.cells import BadRow

MAX_LINE = 256 * 1024  # bytes of one line
MAX_RECORD = 1024 * 1024  # characters of one record, whose cells may contain line breaks
SAMPLE = 64 * 1024
SHOWN = 1000  # characters of a broken line that the error file repeats
WIDE = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")

BYTE_ORDER_MARK = "\ufeff"
READ_ERRORS = (OSError, EOFError, zlib.error)

OnBad = Callable[[int, CareError, list[str]], None]


class UnreadableFile(InvalidInput):
    """A whole file cannot be imported; nothing of this import is written."""


class SourceFile:
    """One CSV file, plain or gzipped. Iterate `rows(on_bad)` after looking at `header`.

    `read_bytes` out of `size_bytes` of the file on disk are behind us. `is_cut` says, after the
    last row, that the file does not end with a line break: its last line may be half a line.

    Raises UnreadableFile, while opening or reading, for a file that is missing, not a CSV file or
    in another encoding.
    """

    def __init__(self, path: Path, delimiter: str, encoding: str) -> None:
        self.path, self.name = path, path.name
        self.is_cut = False
        self._delimiter, self._encoding = delimiter, encoding
        self._raw = self._opened()
        try:
            self.size_bytes = path.stat().st_size
            self._lines = self._read_lines(self._text_stream())
            self._again: deque[tuple[int, str | None]] = deque()
            self._record: list[tuple[int, str]] = []
            self.header = self._first_row()
        except BaseException:
            self._raw.close()
            raise

    @property
    def read_bytes(self) -> int:
        if self._raw.closed or not self._raw.seekable():
            return self.size_bytes
        return self._raw.tell()

    def close(self) -> None:
        self._raw.close()

    def rows(self, on_bad: OnBad) -> Iterator[tuple[int, list[str]]]:
        """(line number of its start, cells) of each row; bad ones go to `on_bad` instead."""
        width = len(self.header)
        for line, cells in self._records(on_bad):
            if len(cells) == width:
                yield line, cells
            elif len(cells) > width and not any(cells[width:]):
                yield line, cells[:width]
            elif cells:
                on_bad(line, _wrong_width(len(cells), width), cells)

    # Opening: is this a CSV file at all?

    def _opened(self) -> io.BufferedReader:
        try:
            return cast(io.BufferedReader, self.path.open("rb", buffering=SAMPLE))
        except FileNotFoundError as error:
            raise self._unreadable(N_("%(file)s does not exist. Check its name.")) from error
        except IsADirectoryError as error:
            raise self._unreadable(
                N_("%(file)s is a directory. Name the CSV files in it.")
            ) from error
        except PermissionError as error:
            raise self._unreadable(
                N_("You may not read %(file)s. Change its permissions and try again.")
            ) from error
        except OSError as error:
            raise self._unreadable(
                N_("%(file)s cannot be opened: %(reason)s."), reason=error.strerror or str(error)
            ) from error

    def _text_stream(self) -> IO[bytes]:
        """The file's text, decompressed. Looks ahead instead of back, so that a pipe will do."""
        try:
            stream = self._raw
            if stream.peek(2).startswith(b"\x1f\x8b"):
                unpacked: Any = gzip.GzipFile(fileobj=stream, mode="rb")
                stream = io.BufferedReader(unpacked, SAMPLE)
            beginning = stream.peek(SAMPLE)
        except READ_ERRORS as error:
            raise self._read_error(error) from error
        if not beginning:
            raise self._unreadable(N_("%(file)s is empty."))
        self._refuse_binary(beginning)
        return stream

    def _refuse_binary(self, sample: bytes) -> None:
        if sample.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            raise self._unreadable(
                N_(
                    "%(file)s is a spreadsheet (xlsx or xls), not a CSV file. Open it and choose "
                    "Save as > CSV UTF-8."
                )
            )
        if self._encoding in WIDE:
            return
        if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise self._unreadable(
                N_(
                    "%(file)s is in UTF-16, not in UTF-8. Save it as CSV UTF-8, or write "
                    'encoding = "utf-16" into the mapping.'
                )
            )
        if b"\0" in sample or sample.startswith(b"%PDF"):
            raise self._unreadable(
                N_("%(file)s is not a text file. Export the data as CSV UTF-8 and try again.")
            )
        if b"\r" in sample and b"\n" not in sample:
            raise self._unreadable(
                N_(
                    "%(file)s has the line ends of an old Macintosh. Save it again as CSV UTF-8, "
                    "with Windows or Unix line ends."
                )
            )

    def _wrong_encoding(self, line: int) -> UnreadableFile:
        return self._unreadable(
            N_(
                "Line %(line)s of %(file)s is not in the encoding %(encoding)s. Save the file as "
                "CSV UTF-8, or write its encoding into the mapping, for example "
                'encoding = "cp1258".'
            ),
            line=line,
            encoding=self._encoding.upper(),
        )

    def _read_error(self, error: Exception) -> UnreadableFile:
        if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
            return self._unreadable(
                N_("%(file)s cannot be read: %(reason)s."), reason=error.strerror or str(error)
            )
        return self._unreadable(
            N_("%(file)s is a damaged or cut off archive. Copy or export it again.")
        )

    # Lines: numbered, decoded, none longer than MAX_LINE.

    def _read_lines(self, stream: IO[bytes]) -> Iterator[tuple[int, str | None]]:
        """(number, line); None in the place of a line that is too long."""
        wide = self._encoding in WIDE
        text = io.TextIOWrapper(stream, self._encoding, newline="") if wide else None
        source: IO[bytes] | io.TextIOWrapper = text or stream
        line_break: str | bytes = "\n" if text else b"\n"
        number, ended = 0, True
        try:
            while read := source.readline(MAX_LINE):
                number += 1
                ended = read.endswith(line_break)  # type: ignore[arg-type]
                if not ended and len(read) >= MAX_LINE:
                    ended = self._skip_line(source, line_break)
                    yield number, None
                else:
                    line = read if isinstance(read, str) else read.decode(self._encoding)
                    yield number, line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line
        except UnicodeError as error:
            raise self._wrong_encoding(max(number, 1)) from error
        except READ_ERRORS as error:
            raise self._read_error(error) from error
        finally:
            if text is not None and not stream.closed:
                text.detach()  # else it would close the file when it is forgotten
        self.is_cut = not ended

    @staticmethod
    def _skip_line(source: IO[bytes] | io.TextIOWrapper, line_break: str | bytes) -> bool:
        while read := source.readline(MAX_LINE):
            if read.endswith(line_break):  # type: ignore[arg-type]
                return True
        return False

    # Records: what csv makes of the lines.

    def _first_row(self) -> list[str]:
        refused: list[CareError] = []
        for _, cells in self._records(lambda line, reason, cells: refused.append(reason)):
            if refused:
                break
            header = [cell.strip() for cell in cells]
            if any(header):
                return header
        if refused:
            raise self._unreadable(
                N_("The first line of %(file)s, with the names of the columns, is broken: %(why)s"),
                why=str(refused[0]),
            )
        raise self._unreadable(N_("%(file)s is empty."))

    def _records(self, on_bad: OnBad) -> Iterator[tuple[int, list[str]]]:
        reader = self._reader(on_bad)
        while True:
            self._record.clear()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self._give_back(error, on_bad)
                reader = self._reader(on_bad)
                continue
            yield self._record[0][0], cells

    def _reader(self, on_bad: OnBad) -> Iterator[list[str]]:
        return csv.reader(self._feed(on_bad), delimiter=self._delimiter, strict=True)

    def _feed(self, on_bad: OnBad) -> Iterator[str]:
        """The lines of one record after the other; ends early inside a record that is too long."""
        length = 0
        for number, line in self._numbered():
            if not self._record:
                length = 0
            if line is None or "\0" in line:
                if self._record:  # csv must end this record before the line can be reported
                    self._again.appendleft((number, line))
                    return
                on_bad(number, _unusable_line(line), [])
                continue
            length += len(line)
            if length > MAX_RECORD and self._record:
                self._again.appendleft((number, line))
                return
            self._record.append((number, line))
            yield line

    def _numbered(self) -> Iterator[tuple[int, str | None]]:
        while True:
            if self._again:
                yield self._again.popleft()
            else:
                following = next(self._lines, None)
                if following is None:
                    return
                yield following

    def _give_back(self, error: csv.Error, on_bad: OnBad) -> None:
        """Reports the first line of a broken record; the others are read again."""
        (number, line), *swallowed = self._record
        self._again.extendleft(reversed(swallowed))
        on_bad(number, _broken_record(error, swallowed), [line.rstrip("\r\n")[:SHOWN]])

    def _unreadable(self, message: str, **params: Any) -> UnreadableFile:
        return UnreadableFile(message, file=str(self.path), **params)


def _wrong_width(found: int, expected: int) -> BadRow:
    return BadRow(
        N_("The row has %(found)s cells, the first line has %(expected)s."),
        found=found,
        expected=expected,
    )


def _unusable_line(line: str | None) -> BadRow:
    if line is None:
        return BadRow(N_("The line is longer than %(limit)s bytes."), limit=MAX_LINE)
    return BadRow(N_("The line contains a binary zero."))


def _broken_record(error: csv.Error, swallowed: list[tuple[int, str]]) -> BadRow:
    if swallowed or "unexpected end" in str(error):
        return BadRow(N_("A quotation mark is opened on this line and not closed."))
    if "field limit" in str(error):
        return BadRow(
            N_("A cell is longer than %(limit)s characters."), limit=csv.field_size_limit()
        )
    return BadRow(N_("The line is not valid CSV: %(detail)s."), detail=str(error))
