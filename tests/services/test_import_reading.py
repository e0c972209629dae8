"""Whatever a file contains: its rows, or a sentence about what is wrong and where."""

import gzip
import os
import threading
import tracemalloc
from functools import partial

import pytest

from services.imports.reading import MAX_LINE, SourceFile, UnreadableFile


def read(path, content, *, delimiter=",", encoding="utf-8"):
    """(rows with their line, bad lines with their reason) of a file with this content."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    bad = []
    source = SourceFile(path, delimiter, encoding)
    try:
        rows = list(source.rows(lambda line, reason, cells: bad.append((line, str(reason)))))
    finally:
        source.close()
    return rows, bad, source


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.csv"


def refusal(path, content=None, **options):
    attempt = partial(read, path, content, **options)
    if content is None:
        attempt = partial(SourceFile, path, ",", "utf-8")
    with pytest.raises(UnreadableFile) as refused:
        attempt()
    assert path.name in str(refused.value)
    return str(refused.value)


def test_it_reads_rows_with_their_line_numbers(path):
    rows, bad, source = read(path, 'a,b\n1,"two\nlines"\n\n3,4\n')
    assert source.header == ["a", "b"]
    assert rows == [(2, ["1", "two\nlines"]), (5, ["3", "4"])]
    assert bad == []
    assert not source.is_cut


def test_it_reads_windows_line_ends_and_a_byte_order_mark(path):
    rows, _, source = read(path, "\ufeffa,b\r\n1,2\r\n")
    assert source.header == ["a", "b"]
    assert rows == [(2, ["1", "2"])]


def test_it_reads_gzip_whatever_the_name(path):
    assert read(path, gzip.compress(b"a,b\n1,2\n"))[0] == [(2, ["1", "2"])]


def test_it_reads_the_encoding_and_separator_of_the_mapping(path):
    content = "a;b\nHuế;2\n"
    assert read(path, content.encode("utf-16"), delimiter=";", encoding="utf-16")[0] == [
        (2, ["Huế", "2"])
    ]
    rows, _, _ = read(path, "a,b\nThu\u00ea,2\n".encode("cp1258"), encoding="cp1258")
    assert rows == [(2, ["Thu\u00ea", "2"])]


def test_short_and_long_rows_are_bad_and_stop_nothing(path):
    rows, bad, _ = read(path, "a,b\n1\n1,2\n1,2,3\n5,6,\n")
    assert rows == [(3, ["1", "2"]), (5, ["5", "6"])]
    assert bad == [
        (2, "The row has 1 cells, the first line has 2."),
        (4, "The row has 3 cells, the first line has 2."),
    ]


def test_a_file_that_ends_mid_row_loses_only_that_row(path):
    rows, bad, source = read(path, "a,b,c\n1,2,3\n4,5")
    assert rows == [(2, ["1", "2", "3"])]
    assert bad[0][0] == 3
    assert source.is_cut


def test_a_file_that_ends_in_an_open_quote_loses_only_that_row(path):
    rows, bad, _ = read(path, 'a,b\n1,2\n3,"four\n5,6\n7,8\n')
    assert rows == [(2, ["1", "2"]), (4, ["5", "6"]), (5, ["7", "8"])]
    assert bad == [(3, "A quotation mark is opened on this line and not closed.")]


def test_a_stray_quote_does_not_swallow_a_large_file(path):
    lines = [f"{number},x" for number in range(50_000)]
    lines[100] = '100,"x'
    rows, bad, _ = read(path, "a,b\n" + "\n".join(lines) + "\n")
    assert len(rows) == 49_999
    assert [line for line, _ in bad] == [102]


def test_text_after_a_closing_quote_is_bad(path):
    rows, bad, _ = read(path, 'a,b\n1,"x"y\n2,z\n')
    assert rows == [(3, ["2", "z"])]
    assert "not valid CSV" in bad[0][1]


def test_a_ten_megabyte_line_is_bad_and_takes_little_memory(path):
    content = b"a,b\n1," + b"x" * 10_000_000 + b"\n2,z\n"
    path.write_bytes(content)
    del content
    bad = []
    tracemalloc.start()
    source = SourceFile(path, ",", "utf-8")
    rows = list(source.rows(lambda line, reason, cells: bad.append((line, str(reason)))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    source.close()
    assert rows == [(3, ["2", "z"])]
    assert bad == [(2, f"The line is longer than {MAX_LINE} bytes.")]
    assert peak < 3_000_000


def test_a_ten_megabyte_line_inside_a_quoted_cell_is_bad(path):
    rows, bad, _ = read(path, 'a,b\n1,"x\n' + "y" * 10_000_000 + '\n"\n2,z\n')
    assert (5, ["2", "z"]) in rows or [line for line, _ in bad] == [2, 3, 4]
    assert [line for line, _ in bad][:2] == [2, 3]


def test_a_ten_megabyte_file_of_one_line_is_refused(path):
    assert "broken" in refusal(path, b"x" * 10_000_000)


def test_a_long_cell_is_bad(path):
    rows, bad, _ = read(path, "a,b\n1," + "x" * 200_000 + "\n2,z\n")
    assert rows == [(3, ["2", "z"])]
    assert "longer than 131072 characters" in bad[0][1]


def test_a_binary_zero_makes_the_row_bad(path):
    filler = "".join(f"{number},x\n" for number in range(20_000))
    rows, bad, _ = read(path, "a,b\n" + filler + "1,\0\n2,z\n")
    assert rows[-1][1] == ["2", "z"]
    assert bad == [(20_002, "The line contains a binary zero.")]


def test_an_empty_file_is_refused(path):
    assert "is empty" in refusal(path, b"")
    assert "is empty" in refusal(path, b"\n\n\n")
    assert "is empty" in refusal(path, gzip.compress(b""))


def test_a_header_alone_has_no_rows(path):
    assert read(path, "a,b\n")[0] == []


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1"])
def test_a_spreadsheet_is_refused(path, start):
    assert "Save as > CSV UTF-8" in refusal(path, start + b"\0\0rest")


@pytest.mark.parametrize(
    "content", [b"%PDF-1.7 x", b"\x7fELF\0\0\0", bytes(range(255, 127, -1)) + b"\0"]
)
def test_a_binary_file_is_refused(path, content):
    assert "CSV UTF-8" in refusal(path, content)


def test_utf_16_is_refused_with_the_way_out(path):
    assert 'encoding = "utf-16"' in refusal(path, "a,b\n1,2\n".encode("utf-16"))


def test_another_encoding_is_refused_with_its_line(path):
    said = refusal(path, "a,b\n1,2\nCafé,3\n".encode("latin-1"))
    assert "Line 3" in said
    assert "CSV UTF-8" in said
    assert "cp1258" in said


def test_a_wrong_utf_16_claim_is_refused(path):
    assert "UTF-16" in refusal(path, b"a,b\n1,2\n", encoding="utf-16")


def test_an_archive_that_was_cut_off_is_refused(path):
    content = gzip.compress(b"a,b\n" + os.urandom(200_000).hex().encode())
    assert "cut off archive" in refusal(path, content[:-2000])
    assert "cut off archive" in refusal(path, content[:12])
    assert "cut off archive" in refusal(path, b"\x1f\x8b" + b"junk" * 30)


def test_old_macintosh_line_ends_are_refused(path):
    assert "Macintosh" in refusal(path, "a,b\r1,2\r")


def test_a_missing_file_and_a_directory_are_refused(path):
    assert "does not exist" in refusal(path)
    path.mkdir()
    assert "is a directory" in refusal(path)


def test_a_file_without_permission_is_refused(path, monkeypatch):
    path.write_text("a,b\n")

    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    # The tests may run as root, who may read everything.
    monkeypatch.setattr(type(path), "open", denied)
    assert "may not read" in refusal(path)


@pytest.mark.parametrize("packed", [False, True])
def test_it_reads_from_a_pipe(tmp_path, packed):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = b"a,b\n" + b"1,2\n" * 50_000
    writer = threading.Thread(
        target=pipe.write_bytes, args=(gzip.compress(content) if packed else content,)
    )
    writer.start()
    source = SourceFile(pipe, ",", "utf-8")
    assert sum(1 for _ in source.rows(lambda *_: None)) == 50_000
    assert source.read_bytes == source.size_bytes
    source.close()
    writer.join()
