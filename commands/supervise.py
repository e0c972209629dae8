"""Keeps a set of processes running until it is told to stop them (why not honcho: decision 0002)."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

from commands.lifeline import SUPERVISOR

TURN_SECONDS = 0.2
WATCH_SECONDS = 1.0
STEADY_SECONDS = 30  # a process that ran for so long has started well: back-off begins anew
LONGEST_BACK_OFF_SECONDS = 30.0
GRACE_SECONDS = 10  # for a request or job to end
COLD_SECONDS = 3  # after the second, insisting signal

log = logging.getLogger("carebook.supervisor")


@dataclass
class Child:
    """A process to keep alive."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0  # in a row
    start_again_at: float = 0.0

    def start(self) -> None:
        # A group of its own: Ctrl-C in the terminal reaches the supervisor alone, which then
        # stops its children in order.
        self.process = subprocess.Popen(  # noqa: S603 our own commands
            self.command,
            process_group=0,
            stdin=subprocess.DEVNULL,
            env={**os.environ, SUPERVISOR: str(os.getpid())},
        )
        self.started = time.monotonic()

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def died(self, now: float) -> float:
        """Notes an unexpected end; returns the seconds until the next start."""
        if now - self.started > STEADY_SECONDS:
            self.deaths = 0
        back_off = min(LONGEST_BACK_OFF_SECONDS, 0.5 * 2**self.deaths)
        self.deaths += 1
        self.start_again_at = now + back_off
        return back_off


@dataclass
class Supervisor:
    """Runs `commands` by name; `watch` is called every second, for what else has to live.

    When `watch` returns True, what the children connect to has moved: all are started anew.
    """

    commands: Mapping[str, Sequence[str]]
    watch: Callable[[], bool] = lambda: False
    children: list[Child] = field(init=False)
    stopping: bool = False

    def __post_init__(self) -> None:
        self.children = [Child(name, command) for name, command in self.commands.items()]

    def run(self, when_started: Callable[[], None] = lambda: None) -> None:
        """Starts all, calls `when_started`, and stays until SIGINT, SIGTERM or SIGHUP."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note_stop)
        try:
            for child in self.children:
                child.start()
            when_started()
            self._keep_running()
        finally:
            self.stop()

    def turn(self) -> None:
        """Looks after each child once."""
        now = time.monotonic()
        for child in self.children:
            if child.is_running or self.stopping:
                continue
            if child.process is not None:
                self._note_death(child, now)
            elif now >= child.start_again_at:
                child.start()

    def stop(self) -> None:
        """Asks all to end, insists, and in the end kills what is left."""
        self.stopping = True
        for number, seconds in (
            (signal.SIGTERM, GRACE_SECONDS),
            (signal.SIGTERM, COLD_SECONDS),
            (signal.SIGKILL, COLD_SECONDS),
        ):
            for child in self.children:
                child.signal(number)
            deadline = time.monotonic() + seconds
            while self._any_running() and time.monotonic() < deadline:
                time.sleep(0.05)
            if not self._any_running():
                return

    def _keep_running(self) -> None:
        watched = time.monotonic()
        while not self.stopping:
            self.turn()
            if time.monotonic() - watched >= WATCH_SECONDS:
                if self.watch() and not self.stopping:
                    self._start_anew()
                watched = time.monotonic()
            time.sleep(TURN_SECONDS)

    def _start_anew(self) -> None:
        log.warning("A store has moved to another port: starting all processes anew.")
        for child in self.children:
            child.signal(signal.SIGTERM)

    def _note_death(self, child: Child, now: float) -> None:
        code = child.process.returncode if child.process else 0
        ended = f"signal {-code}" if code < 0 else f"code {code}"
        wait = child.died(now)
        child.process = None
        log.warning(
            "%s ended unexpectedly (%s); starting it again in %.1f s.", child.name, ended, wait
        )

    def _any_running(self) -> bool:
        return any(child.is_running for child in self.children)

    def _note_stop(self, number: int, frame: FrameType | None) -> None:
        if self.stopping:  # asked twice: do not wait for anything more
            for child in self.children:
                child.signal(signal.SIGKILL)
            sys.exit(128 + number)
        self.stopping = True
