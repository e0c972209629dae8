"""The supervisor keeps its children running, stops them all, and is not survived by them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commands.supervise import Child
from config import PROJECT_ROOT
from tests.commands.conftest import eventually

CHILD = f"""
import os, sys, time
sys.path.insert(0, {str(PROJECT_ROOT)!r})
from commands import lifeline
lifeline.hold()
with open(sys.argv[1], "a") as notes:
    print(os.getpid(), file=notes)
{{then}}
"""
SUPERVISOR = f"""
import sys
sys.path.insert(0, {str(PROJECT_ROOT)!r})
from commands import supervise
supervise.GRACE_SECONDS = supervise.COLD_SECONDS = 1
child = [sys.executable, "-c", sys.argv[1], sys.argv[2]]
supervise.Supervisor({{{{"child": child}}}}, watch={{watch}}).run(lambda: print("started", flush=True))
"""
SLEEP = "time.sleep(60)"
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEP

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Where each start of the child adds its process id."""
    return tmp_path / "notes"


@pytest.fixture
def start(notes: Path) -> Iterator[Start]:
    """Starts a supervisor of one child."""
    processes = []

    def run(then: str = SLEEP, watch: str = "lambda: False") -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                SUPERVISOR.format(watch=watch),
                CHILD.format(then=then),
                str(notes),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        assert eventually(lambda: bool(pids(notes)))
        return process

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def pids(notes: Path) -> list[int]:
    return [int(line) for line in notes.read_text().split()] if notes.exists() else []


def is_running(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_all_and_ends_well(number: int, start: Start, notes: Path) -> None:
    process = start()
    process.send_signal(number)
    assert process.wait(10) == 0
    assert not is_running(pids(notes)[0])


def test_a_child_that_does_not_want_to_end_is_killed(start: Start, notes: Path) -> None:
    process = start(STUBBORN)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert not is_running(pids(notes)[0])


def test_a_killed_child_is_started_again(start: Start, notes: Path) -> None:
    process = start()
    os.kill(pids(notes)[0], signal.SIGKILL)
    assert eventually(lambda: len(pids(notes)) == 2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert "child ended unexpectedly (signal 9)" in said
    assert not any(is_running(pid) for pid in pids(notes))


def test_no_child_survives_a_killed_supervisor(start: Start, notes: Path) -> None:
    process = start()
    process.kill()
    assert eventually(lambda: not is_running(pids(notes)[0]), 5)


def test_ctrl_c_in_the_terminal_reaches_the_supervisor_alone(start: Start, notes: Path) -> None:
    start()
    child = pids(notes)[0]
    assert os.getpgid(child) == child


def test_children_start_anew_when_a_store_has_moved(start: Start, notes: Path) -> None:
    process = start(watch="iter([True] + [False] * 99).__next__")
    assert eventually(lambda: len(pids(notes)) == 2)
    assert process.poll() is None


def test_a_child_that_dies_again_and_again_is_started_more_and_more_slowly() -> None:
    child = Child("child", [], started=100.0)
    waits = [child.died(now=100.0) for _ in range(10)]
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert waits[-1] == 30.0


def test_a_child_that_ran_for_long_is_started_again_at_once() -> None:
    child = Child("child", [], deaths=9, started=100.0)
    assert child.died(now=200.0) == 0.5
