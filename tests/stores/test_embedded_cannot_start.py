"""A server that cannot start says in one line why, and what to do."""

import errno
import os
from pathlib import Path

import pytest

from stores.embedded_mongo import EmbeddedMongo
from stores.embedded_valkey import EmbeddedValkey
from stores.errors import StoreError

# What the program prints, how it ends, and the words the operator has to read.
CASES = {
    "library": (
        "echo 'mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file: No such file or directory' >&2; exit 127",
        ["libcurl.so.4", "apt-get install libcurl4", "MONGO_URL"],
    ),
    "crypto": (
        "echo 'mongod: error while loading shared libraries: libcrypto.so.3: cannot open shared object file' >&2; exit 127",
        ["libcrypto.so.3", "libssl3"],
    ),
    "other library": (
        "echo 'mongod: error while loading shared libraries: libfoo.so.9: cannot open' >&2; exit 127",
        ["libfoo.so.9"],
    ),
    "libc": (
        'echo "mongod: /lib/libc.so.6: version \\`GLIBC_2.38\' not found (required by mongod)" >&2; exit 1',
        ["GLIBC_2.38", "too old"],
    ),
    "processor": ("kill -ILL $$", ["AVX"]),
    "disk": ('echo \'{"msg":"28: No space left on device"}\'; exit 14', ["disk is full", "Free"]),
    "newer files": ("exit 62", ["another version", "PATH"]),
    "newer engine": (
        "echo 'unsupported WiredTiger file version: this build only supports major/minor versions up to 1/1'; exit 14",
        ["another version"],
    ),
    "other": ("exit 5", ["code 5", "mongo.log"]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_reason_and_the_remedy_are_named(
    case: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, expected = CASES[case]
    put_on_path("mongod", script, tmp_path, monkeypatch)
    with pytest.raises(StoreError) as caught:
        EmbeddedMongo(data).attach()
    message = str(caught.value)
    assert "\n" not in message
    for words in expected:
        assert words in message


def test_a_failed_start_leaves_no_lock(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        put_on_path("mongod", "exit 1", tmp_path, broken)
        with pytest.raises(StoreError):
            EmbeddedMongo(data).attach()
    server = EmbeddedMongo(data)
    server.attach()
    server.release()


def test_a_program_that_cannot_be_executed_is_named(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path("mongod", "", tmp_path, monkeypatch, interpreter="/no/such/loader")
    with pytest.raises(StoreError, match="cannot start: No such file"):
        EmbeddedMongo(data).attach()


def test_no_program_at_all_is_told(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("stores.embedded_mongo._in_wheel", lambda: None)
    monkeypatch.setattr("stores.embedded_valkey._in_wheel", lambda: None)
    with pytest.raises(StoreError, match="MONGO_URL"):
        EmbeddedMongo(data).attach()
    with pytest.raises(StoreError, match="VALKEY_URL"):
        EmbeddedValkey(data).attach()


def test_a_data_directory_that_is_a_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_text("")
    with pytest.raises(StoreError, match="CAREBOOK_DATA"):
        EmbeddedMongo(path).attach()


def test_a_data_directory_of_somebody_else_is_told(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        path = Path("/proc/carebook")
    else:
        path = tmp_path / "closed" / "data"
        path.parent.mkdir(mode=0o500)
    with pytest.raises(StoreError, match="CAREBOOK_DATA"):
        EmbeddedMongo(path).attach()


def test_a_full_disk_is_told_before_the_server_is_started(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("stores.embedded.write_private", full)
    with pytest.raises(StoreError, match=r"No space left.*Free some space"):
        EmbeddedValkey(data).attach()


def test_damaged_queue_files_are_told(data: Path) -> None:
    server = EmbeddedValkey(data)
    server.attach()
    with server.client() as client:
        client.set("a", "b" * 1000)
    server.release()
    for path in (server.files / "appendonlydir").glob("*.incr.aof"):
        path.write_bytes(b"*9\r\nnonsense\r\n" + path.read_bytes()[20:])
    with pytest.raises(StoreError, match="damaged"):
        server.attach()


def test_a_lost_password_is_told(data: Path) -> None:
    server = EmbeddedMongo(data)
    server.attach()
    server.release()
    (server.home / "password").write_text("another")
    with pytest.raises(StoreError, match="password"):
        server.attach()
    assert not server.is_alive()


def test_damaged_notes_are_told(data: Path) -> None:
    server = EmbeddedMongo(data)
    server.attach()
    server.release()
    (server.home / "server.json").write_text("{")
    with pytest.raises(StoreError, match=r"server\.json"):
        server.attach()


def put_on_path(
    name: str,
    script: str,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    interpreter: str = "/bin/sh",
) -> None:
    program = directory / "bin" / name
    program.parent.mkdir()
    program.write_text(f"#!{interpreter}\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
