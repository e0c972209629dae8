"""The command line as people call it: in a process of its own, on data of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import PROJECT_ROOT
from stores.embedded import EmbeddedServer, free_port
from stores.embedded_mongo import EmbeddedMongo
from stores.embedded_valkey import EmbeddedValkey

PROGRAM = [sys.executable, str(PROJECT_ROOT / "app.py")]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Settings of an installation of its own, without demonstration data."""
    known = {
        "CAREBOOK_DATA": str(tmp_path / "data"),
        "CAREBOOK_PORT": str(free_port()),
        "CAREBOOK_DEMO": "0",
        "CAREBOOK_WEB_WORKERS": "1",
        "CAREBOOK_LOCALE": "en",
    }
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CAREBOOK_") and name not in ("MONGO_URL", "VALKEY_URL")
    }
    return inherited | known


@pytest.fixture
def servers(environment: dict[str, str]) -> Iterator[list[EmbeddedServer]]:
    """The embedded servers of that installation; whatever a test left running is stopped."""
    data = Path(environment["CAREBOOK_DATA"])
    servers: list[EmbeddedServer] = [EmbeddedMongo(data), EmbeddedValkey(data)]
    yield servers
    for server in servers:
        if server.home.exists() and (pid := server.pid()):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def carebook(
    environment: dict[str, str], servers: list[EmbeddedServer]
) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs `carebook ARGUMENTS...` to its end."""

    def run(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*PROGRAM, *arguments],
            env=environment | settings,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def eventually(is_true: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether the claim comes true in time."""
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
