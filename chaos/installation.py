"""A Carebook of its own: `carebook serve` and what an operator's service manager does for it."""

import io
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from chaos.replica_set import ReplicaSet
from config import PROJECT_ROOT, Settings
from stores.embedded import EmbeddedServer, free_port
from stores.embedded_mongo import EmbeddedMongo
from stores.embedded_valkey import EmbeddedValkey

PROGRAM = [sys.executable, str(PROJECT_ROOT / "app.py")]
PRIMARY = "primary"
PARTS = ("web", "worker", "scheduler")
WORKERS = 2  # so that jobs are shared while one of them dies
RESTART_SECONDS = 1.0  # as a service manager waits before it starts a dead service again
DISK_BYTES = 1536 * 1024 * 1024
DATABASE = "carebook"


class Installation:
    """One installation under `directory`; its data directory is a disk of its own if that can be."""

    def __init__(self, directory: Path, replica_set: ReplicaSet | None = None) -> None:
        """With a `replica_set` that runs, its MongoDB is that one instead of the embedded."""
        self.directory, self.replica_set = directory, replica_set
        self.stores = ("mongo", "valkey") if replica_set is None else ("valkey",)
        self.data = directory / "data"
        self.data.mkdir(mode=0o700)
        self.has_own_disk = _mount(self.data)
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.starts = 0
        self._serve: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    @property
    def environment(self) -> dict[str, str]:
        """What its processes are started with."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("CAREBOOK_") and name not in ("MONGO_URL", "VALKEY_URL")
        }
        outside = {"MONGO_URL": self.replica_set.url} if self.replica_set else {}
        return (
            inherited
            | outside
            | {
                "CAREBOOK_DATA": str(self.data),
                "CAREBOOK_PORT": str(self.port),
                "CAREBOOK_LOGIN_RATE": "1000 per minute",
                "CAREBOOK_LOCALE": "en",
                "CAREBOOK_JOB_WORKERS": str(WORKERS),
                "PYTHONPATH": str(PROJECT_ROOT),
            }
        )

    def carebook(self, *arguments: str, seconds: float = 300) -> "subprocess.CompletedProcess[str]":
        """Runs `carebook ARGUMENTS...` to its end."""
        return subprocess.run(
            [*PROGRAM, *arguments],
            env=self.environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def start(self) -> None:
        """Starts `carebook serve`, and starts it again whenever it ends."""
        self._keeper.start()

    def stop(self) -> None:
        """Ends everything and gives the disk back."""
        self._stopping.set()
        if self._keeper.is_alive():
            self._keeper.join()
        if self._serve is not None and self._serve.poll() is None:
            self._serve.terminate()
            try:
                self._serve.wait(60)
            except subprocess.TimeoutExpired:
                self._serve.kill()
        for _, pid in self._servers():
            os.kill(pid, signal.SIGKILL)
        if self.has_own_disk:
            time.sleep(0.5)
            subprocess.run(["umount", "--lazy", str(self.data)], check=False)

    def _keep(self) -> None:
        while not self._stopping.is_set():
            if self._serve is None or self._serve.poll() is not None:
                with (self.directory / "serve.log").open("ab") as log:
                    self._serve = subprocess.Popen(
                        [*PROGRAM, "serve"],
                        env=self.environment,
                        cwd=self.directory,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        process_group=0,
                    )
                self.starts += 1
            self._stopping.wait(RESTART_SECONDS)

    # What there is to strike.

    def pids_of(self, target: str, chance: random.Random) -> list[int]:
        """Processes of a part or store: all of them, only the first, or only those below it."""
        if target == PRIMARY and self.replica_set is not None:
            return [self.replica_set.primary_pid()]
        if target in self.stores:
            return [pid for name, pid in self._servers() if name == target]
        if self._serve is None:
            return []
        if target == "supervisor":
            return [self._serve.pid]
        first = self.parts().get(target, [])
        if target == "worker" and chance.random() < 0.5:
            first = first[:1]  # the other one goes on
        below = [child for pid in first for child, _ in _children(pid)]
        return chance.choice([first + below, first, below or first])

    def _servers(self) -> Iterator[tuple[str, int]]:
        servers: tuple[EmbeddedServer, ...] = (EmbeddedMongo(self.data), EmbeddedValkey(self.data))
        for server in servers:
            if server.home.exists() and (pid := server.pid()):
                yield server.name, pid

    def missing(self) -> list[str]:
        """The parts that do not run, and `answers` while the web server is not ready."""
        there = {name for name, _ in self._servers()} | self.parts().keys()
        wanted = [name for name in (*PARTS, *self.stores) if name not in there]
        return wanted if wanted or self._is_ready() else ["answers"]

    def parts(self) -> dict[str, list[int]]:
        """The process ids of each part of the application that runs."""
        found: dict[str, list[int]] = {}
        for pid, line in _children(self._serve.pid) if self._serve is not None else ():
            found.setdefault((line.split() or ["?"])[-1], []).append(pid)
        return found

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=3):  # noqa: S310 ours
                return True
        except (OSError, urllib.error.HTTPError):
            return False

    # What the stores hold. Looking does not keep the embedded servers alive: that is up to serve.

    @contextmanager
    def database(self) -> Iterator[Any]:
        """The database, past the application."""
        client: MongoClient[dict[str, Any]] = MongoClient(self._mongo_url, tz_aware=True)
        with client:
            yield client[DATABASE]

    @property
    def _mongo_url(self) -> str:
        if self.replica_set is not None:
            return self.replica_set.url
        server = EmbeddedMongo(self.data)
        return (
            f"mongodb://carebook:{server.password()}@127.0.0.1:{server.port}"
            "/?replicaSet=carebook&authSource=admin"
        )

    def settings(self) -> Settings:
        """Settings with which this process uses the services on the same database."""
        valkey = EmbeddedValkey(self.data)
        return Settings.model_validate(
            {
                "data": self.data,
                "mongo_url": self._mongo_url,
                "valkey_url": f"redis://:{valkey.password()}@127.0.0.1:{valkey.port}/0",
            }
        )

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """No byte is left on the disk of the data directory."""
        ballast = self.data / "ballast"
        with ballast.open("wb", buffering=0) as file:
            _fill(file)
        try:
            yield
        finally:
            ballast.unlink()


def _fill(file: io.FileIO) -> None:
    block = b"\0" * 1024 * 1024
    try:
        while True:
            file.write(block)
    except OSError:
        pass


def _mount(data: Path) -> bool:
    """Gives the directory a small disk in memory; False where this user may not mount."""
    options = f"size={DISK_BYTES},mode=0700"
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(data)],
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


def _children(pid: int) -> list[tuple[int, str]]:
    """(process id, command line) of a process's children."""
    shown = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    rows = (line.split(None, 1) for line in shown.stdout.splitlines())
    return [(int(row[0]), row[1] if len(row) > 1 else "") for row in rows if row]
