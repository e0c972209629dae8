"""`carebook serve` from its start to its end, and through the deaths of its parts."""

import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commands.web import check_address
from config import Settings
from stores.embedded import EmbeddedServer, port_is_free
from stores.errors import StoreError
from tests.commands.conftest import PROGRAM, eventually

Serve = Callable[[], "subprocess.Popen[str]"]
Carebook = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def serve(environment: dict[str, str], servers: list[EmbeddedServer]) -> Iterator[Serve]:
    """Starts `carebook serve` and waits until it says that it runs."""
    processes = []

    def start() -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [*PROGRAM, "serve"], env=environment, stdout=subprocess.PIPE, text=True
        )
        processes.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            if "Ctrl-C" in line:
                return process
        raise AssertionError(f"ended with {process.wait()}")

    yield start
    for process in processes:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


@pytest.fixture
def port(environment: dict[str, str]) -> int:
    return int(environment["CAREBOOK_PORT"])


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def children(pid: int) -> dict[str, int]:
    """Command and process id of a process's children."""
    shown = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    rows = [line.split(None, 1) for line in shown.stdout.splitlines()]
    return {row[1].split()[-1]: int(row[0]) for row in rows if "app.py" in row[1]}


def processes_of(data: Path) -> list[str]:
    """Processes that have this installation in their environment or command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(data) in text:
            found.append((entry / "cmdline").read_text().replace("\0", " "))
    return found


def test_ctrl_c_leaves_no_process_and_a_second_start_keeps_all_data(
    serve: Serve, port: int, carebook: Carebook, environment: dict[str, str]
) -> None:
    process = serve()
    assert answers(port)
    assert set(children(process.pid)) == {"web", "worker", "scheduler"}
    made = carebook("user", "create", "an@example.com", "--name", "An")
    assert made.returncode == 0, made.stderr
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert processes_of(Path(environment["CAREBOOK_DATA"])) == []

    process = serve()
    again = carebook("user", "create", "an@example.com", "--name", "An")
    assert "already" in again.stderr
    assert again.returncode == 1


def test_after_a_killed_supervisor_the_port_and_the_data_are_free_for_the_next(
    serve: Serve, port: int, carebook: Carebook
) -> None:
    process = serve()
    assert carebook("user", "create", "an@example.com", "--name", "An").returncode == 0
    process.kill()
    process.wait()
    assert eventually(lambda: port_is_free(port), 15)
    serve()
    assert answers(port)
    assert "already" in carebook("user", "create", "an@example.com", "--name", "An").stderr


def test_killed_parts_come_back(serve: Serve, port: int, servers: list[EmbeddedServer]) -> None:
    process = serve()
    before = children(process.pid)
    stores = [server.pid() for server in servers]
    for pid in [*before.values(), *stores]:
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: len(children(process.pid)) == 3)
    assert eventually(lambda: answers(port))
    assert eventually(lambda: all(server.is_alive() for server in servers))
    after = children(process.pid)
    assert not set(before.values()) & set(after.values())
    assert [server.pid() for server in servers] != stores


def test_a_taken_port_is_told_before_anything_starts(
    serve: Serve, port: int, carebook: Carebook, environment: dict[str, str], tmp_path: Path
) -> None:
    serve()
    second = carebook("serve", CAREBOOK_DATA=str(tmp_path / "second"))
    assert second.returncode == 1
    assert second.stdout == ""
    assert second.stderr.count("\n") == 1
    assert f"Port {port}" in second.stderr
    assert "CAREBOOK_PORT" in second.stderr
    assert not (tmp_path / "second").exists()


def test_the_first_administrator_gets_a_link(
    environment: dict[str, str], servers: list[EmbeddedServer], port: int
) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "serve"], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "Ctrl-C" in line:
            break
    assert f"Carebook runs at http://127.0.0.1:{port}\n" in said
    links = [line.strip() for line in said if "/link/" in line]
    assert len(links) == 1
    try:
        with urllib.request.urlopen(links[0], timeout=10) as page:
            assert page.status == 200
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_commands_work_from_a_second_terminal_and_without_a_server(
    serve: Serve, carebook: Carebook, servers: list[EmbeddedServer]
) -> None:
    alone = carebook("status")
    assert alone.returncode == 0, alone.stderr
    assert "does not run" in alone.stdout
    assert not any(server.is_alive() for server in servers)
    serve()
    pids = [server.pid() for server in servers]
    beside = carebook("status")
    assert "answers at" in beside.stdout
    assert [server.pid() for server in servers] == pids


def test_two_commands_at_once_share_one_server(
    environment: dict[str, str], servers: list[EmbeddedServer]
) -> None:
    command = [*PROGRAM, "shell", "-c", "print(settings.data); db.notes.insert_one({})"]
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    for process in both:
        _, err = process.communicate(timeout=90)
        assert process.returncode == 0, err
    assert not any(server.is_alive() for server in servers)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"host": "203.0.113.9"}, "CAREBOOK_HOST"),
        ({"host": "no such host"}, "CAREBOOK_HOST"),
    ],
)
def test_an_address_of_another_machine_is_told(chosen: dict[str, str], words: str) -> None:
    with pytest.raises(StoreError, match=words):
        check_address(Settings(**chosen))  # type: ignore[arg-type]


def counted(port: int, route: str) -> float:
    """How many requests of a route all web processes together have answered."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
        lines = response.read().decode().splitlines()
    wanted = [line for line in lines if f'_count{{method="GET",route="{route}"' in line]
    return sum(float(line.split()[-1]) for line in wanted)


def test_any_web_process_tells_the_numbers_of_all_of_them(
    serve: Serve, port: int, environment: dict[str, str]
) -> None:
    environment["CAREBOOK_WEB_WORKERS"] = "3"
    process = serve()
    before = counted(port, "/login")
    for _ in range(30):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/login", timeout=10).close()
    assert {counted(port, "/login") - before for _ in range(6)} == {30}

    process.terminate()
    process.communicate(timeout=60)
    serve()
    assert counted(port, "/login") == 0, "these are the numbers of processes that have ended"
