"""Servers that Carebook starts itself, shared by all its processes on this machine.

Three locks under the server's directory carry the whole life cycle, and none of them can go stale:

- `start.lock`, exclusive while somebody starts, attaches, leaves or stops the server;
- `users.lock`, shared by every process that uses the server: who can get it exclusively on leaving
  was the last one and stops the server;
- `alive.lock`, inherited by the server process itself: as long as it is held the server lives.
"""

import atexit
import json
import os
import random
import secrets
import signal
import socket
import subprocess
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stores import locks
from stores.diagnosis import PortTaken, failure_to_start, no_directory
from stores.errors import StoreError

START_SECONDS = 120  # recovery of the journal after a power failure may take its time
STOP_SECONDS = 60
PID_SECONDS = 5
LOG_BYTES = 10_000_000  # a longer log is set aside as `.1` at the next start
OUTPUT_TAIL_BYTES = 20_000


class EmbeddedServer:
    """One server program on one data directory. Subclasses know the program."""

    name: str  # directory and log name
    title: str  # for people
    program_name: str
    variable: str  # environment variable that chooses an external server instead

    def __init__(self, data: Path) -> None:
        self.data = data.absolute()
        self.home = self.data / self.name
        self.files = self.home / "files"
        self.log = self.data / "logs" / f"{self.name}.log"
        self.pid_file = self.home / "server.pid"
        self._users_fd: int | None = None
        self._log_start = 0

    # What a program has of its own.

    def program(self) -> Path:
        """The server's binary. Raises StoreError when there is none."""
        raise NotImplementedError

    def command(self, port: int) -> list[str]:
        """The command line; never holds a secret, because `ps` shows it to everybody."""
        raise NotImplementedError

    def is_ready(self, port: int) -> bool:
        """Whether the running server answers questions."""
        raise NotImplementedError

    def after_start(self, port: int) -> None:
        """Makes a server that has just come up usable. Safe to repeat."""

    # The life cycle.

    def attach(self) -> None:
        """Joins the running server or starts it; idempotent. Released at exit or by `release`."""
        if self._users_fd is not None:
            return
        try:
            self._make_directories()
            self._join()
        except OSError as error:
            raise no_directory(self.data, error) from error
        _attached.add(self)

    def ensure_running(self) -> bool:
        """Starts the server again if it has died; True when it had to.

        Only for a process that is attached. The port stays the same unless it was taken meanwhile.
        """
        if self.is_alive():
            return False
        try:
            with locks.exclusive(self.home / "start.lock", START_SECONDS + 30):
                return self._start_unless_running()
        except OSError as error:
            raise no_directory(self.data, error) from error

    def release(self) -> None:
        """Leaves the server, and stops it when nobody else uses it."""
        if self._users_fd is None:
            return
        _attached.discard(self)
        with locks.exclusive(self.home / "start.lock", START_SECONDS + 30):
            # A forked child may share this descriptor: only a fresh one can tell who is left.
            os.close(self._users_fd)
            self._users_fd = None
            fd = locks.open_lock(self.home / "users.lock")
            try:
                if locks.try_lock(fd):
                    self._stop()
            finally:
                os.close(fd)

    def forget(self) -> None:
        """In a forked child: the parent's membership is not ours."""
        if self._users_fd is not None:
            os.close(self._users_fd)
            self._users_fd = None

    def is_alive(self) -> bool:
        """Whether the server process exists (it may still be starting)."""
        _reap()
        return locks.is_held(self.home / "alive.lock")

    def pid(self) -> int | None:
        """The server's process id, None when it does not live."""
        if not self.is_alive():
            return None
        try:
            pid = int(self.pid_file.read_text())
        except (OSError, ValueError):
            return None
        return pid if _runs(pid, str(self.home)) else None

    @property
    def port(self) -> int:
        """The port it listens on, on 127.0.0.1."""
        return int(self.remembered("port"))

    # Files.

    def remembered(self, key: str) -> Any:
        """A value of `server.json`, None when it is not there."""
        try:
            return json.loads((self.home / "server.json").read_text()).get(key)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise StoreError(
                f"{self.home / 'server.json'} is damaged ({error}).",
                f"Restore it from a backup; without the port and flags in it {self.title} cannot be used.",
            ) from error

    def remember(self, **values: Any) -> None:
        """Adds values to `server.json`."""
        path = self.home / "server.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        write_private(path, json.dumps({**known, **values}))

    def password(self) -> str:
        """The server's password, made at the first start and kept in a 0600 file."""
        path = self.home / "password"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(32))
        return path.read_text().strip()

    def _make_directories(self) -> None:
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        for directory in (self.data, self.home, self.files, self.log.parent):
            directory.mkdir(mode=0o700, exist_ok=True)
            directory.chmod(0o700)

    def _join(self) -> None:
        with locks.exclusive(self.home / "start.lock", START_SECONDS + 30):
            fd = locks.open_lock(self.home / "users.lock")
            try:
                locks.try_lock(fd, shared=True)
                self._start_unless_running()
            except BaseException:
                # A start that failed or was interrupted leaves no server without users.
                if locks.try_lock(fd):
                    self._stop()
                os.close(fd)
                raise
            self._users_fd = fd

    # Starting and stopping; the caller holds `start.lock`.

    def _start_unless_running(self) -> bool:
        if self.is_alive():
            self._wait_until_ready(None)
            if not self.remembered("initialised"):
                self._initialise()
            return False
        program = self.program()
        port = self.remembered("port") or free_port()
        for _ in range(5):
            try:
                self._launch(program, port)
                break
            except PortTaken:
                port = free_port()
        else:
            raise StoreError(
                f"{self.title} found no free port on 127.0.0.1.",
                f"End programs that hold ports, or set {self.variable}.",
            )
        self._initialise()
        return True

    def _initialise(self) -> None:
        if self.pid_file.exists():
            self.pid_file.chmod(0o600)  # mongod makes it readable for all
        self.after_start(self.port)
        if not self.remembered("initialised"):
            self.remember(initialised=True)

    def _launch(self, program: Path, port: int) -> None:
        if not port_is_free(port):
            raise PortTaken
        self.remember(port=port)
        self.pid_file.unlink(missing_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        output = self.log.with_suffix(".out")
        alive = locks.open_lock(self.home / "alive.lock")
        try:
            _wait(lambda: locks.try_lock(alive), 10)
            with open(output, "wb", opener=_private) as out:
                process = subprocess.Popen(  # noqa: S603 our own program and options
                    [str(program), *self.command(port)],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    cwd=self.home,
                    env={**os.environ, "LC_ALL": "C"},
                    start_new_session=True,
                    pass_fds=(alive,),
                    umask=0o077,
                )
        except OSError as error:
            raise failure_to_start(self, error=error) from error
        finally:
            os.close(alive)
        _started.append(process)
        self._wait_until_ready(process)

    def _wait_until_ready(self, process: subprocess.Popen[bytes] | None) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready(self.port):
            if process is not None and process.poll() is not None:
                raise failure_to_start(self, returncode=process.returncode)
            if process is None and not self.is_alive():
                raise failure_to_start(self)
            if time.monotonic() > deadline:
                if process is not None:
                    process.kill()
                raise StoreError(
                    f"{self.title} did not answer within {START_SECONDS} seconds.",
                    f"The end of {self.log} says why.",
                )
            time.sleep(0.03)

    def _stop(self) -> None:
        # A server that has only just been started has not written its id yet.
        _wait(lambda: self.pid() is not None or not self.is_alive(), PID_SECONDS)
        if (pid := self.pid()) is None:
            return
        os.kill(pid, signal.SIGTERM)
        if not _wait(lambda: not self.is_alive(), STOP_SECONDS) and (pid := self.pid()):
            os.kill(pid, signal.SIGKILL)
            _wait(lambda: not self.is_alive(), 5)

    def said(self) -> str:
        """The end of what the server printed and logged since this process started it."""
        parts = []
        for path, start in ((self.log, self._log_start), (self.log.with_suffix(".out"), 0)):
            if path.exists():
                with path.open("rb") as file:
                    file.seek(max(start, path.stat().st_size - OUTPUT_TAIL_BYTES))
                    parts.append(file.read().decode(errors="replace"))
        return "\n".join(parts)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def write_private(path: Path, text: str) -> None:
    """Writes `path` with mode 0600, at once or not at all."""
    new = path.with_name(path.name + ".new")
    with open(new, "w", opener=_private) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A free port below the ephemeral range, so that no outgoing connection takes it meanwhile."""
    try:
        lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        lowest = 32768
    first, last = (15000, lowest - 1) if lowest > 16000 else (49152, 65535)
    ports = (random.randint(first, last) for _ in range(1000))  # noqa: S311 not a secret
    for port in ports:
        if port_is_free(port):
            return port
    raise PortTaken


def total_memory_gb() -> float:
    """The machine's memory, to give the server its fair part."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _wait(is_true: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _runs(pid: int, home: str) -> bool:
    """Whether process `pid` is a server of the directory `home`, not a stranger with a reused id."""
    try:
        return home in Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        if Path("/proc/self").exists():
            return False
    shown = subprocess.run(  # noqa: S603 no shell, and the id is a number
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return home in shown.stdout


# Servers that this process started: kept so that a dead one can be reaped and is no zombie.
_started: list[subprocess.Popen[bytes]] = []
_attached: "weakref.WeakSet[EmbeddedServer]" = weakref.WeakSet()


def _reap() -> None:
    for process in _started:
        process.poll()


def _forget_all() -> None:
    for server in list(_attached):
        server.forget()
    _attached.clear()
    _started.clear()


def _release_all() -> None:
    # An impatient second Ctrl-C would leave a server behind.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if _attached else ():
        signal.signal(number, signal.SIG_IGN)
    for server in list(_attached):
        server.release()


os.register_at_fork(after_in_child=_forget_all)
atexit.register(_release_all)
