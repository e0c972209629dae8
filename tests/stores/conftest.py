"""Data directories and processes of their own, so that killing servers disturbs nobody."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import PROJECT_ROOT
from stores.embedded_mongo import EmbeddedMongo
from stores.embedded_valkey import EmbeddedValkey

Python = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory that does not exist yet."""
    return tmp_path / "data"


@pytest.fixture
def mongo_server(data: Path) -> Iterator[EmbeddedMongo]:
    """An attached MongoDB of its own."""
    server = EmbeddedMongo(data)
    server.attach()
    yield server
    server.release()
    assert not server.is_alive()


@pytest.fixture
def valkey_server(data: Path) -> Iterator[EmbeddedValkey]:
    """An attached Valkey of its own."""
    server = EmbeddedValkey(data)
    server.attach()
    yield server
    server.release()
    assert not server.is_alive()


@pytest.fixture
def python(data: Path) -> Iterator[Python]:
    """Runs Python code in another process on the same data directory."""
    processes = []

    def run(code: str, **environment: str) -> "subprocess.Popen[str]":
        known = {"CAREBOOK_DATA": str(data), "PYTHONPATH": str(PROJECT_ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, **known, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()
