"""Who starts, shares and stops the embedded servers, whatever gets killed meanwhile."""

import os
import signal
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stores import embedded, locks
from stores.embedded import EmbeddedServer
from stores.embedded_mongo import EmbeddedMongo
from stores.embedded_valkey import EmbeddedValkey
from stores.errors import StoreError

Python = Callable[..., "subprocess.Popen[str]"]
Servers = pytest.mark.parametrize("kind", [EmbeddedMongo, EmbeddedValkey])

JOIN = """
from config import Settings
from stores.{module} import {kind}
server = {kind}(Settings().data)
server.attach()
print(server.pid(), flush=True)
"""
WAIT = "input()\n"


def joining(kind: type[EmbeddedServer], then: str = "") -> str:
    module = f"embedded_{kind.name}"
    return JOIN.format(module=module, kind=kind.__name__) + then


@Servers
def test_the_last_one_out_stops_the_server(kind: type[EmbeddedServer], data: Path) -> None:
    first, second = kind(data), kind(data)
    first.attach()
    pid = first.pid()
    second.attach()
    assert second.pid() == pid
    first.release()
    assert second.is_alive()
    second.release()
    assert not second.is_alive()
    assert second.pid() is None


@Servers
def test_a_process_leaves_at_its_exit(
    kind: type[EmbeddedServer], data: Path, python: Python
) -> None:
    process = python(joining(kind))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert int(out) > 0
    assert not kind(data).is_alive()


@Servers
def test_two_at_once_share_one_server(
    kind: type[EmbeddedServer], data: Path, python: Python
) -> None:
    both = [python(joining(kind, WAIT)) for _ in range(2)]
    pids = {process.stdout.readline() for process in both if process.stdout}
    assert len(pids) == 1
    assert int(pids.pop()) > 0
    both[0].communicate("\n", timeout=60)
    assert kind(data).is_alive()
    both[1].communicate("\n", timeout=60)
    assert not kind(data).is_alive()


@Servers
def test_a_killed_process_leaves_a_server_that_the_next_one_takes_over(
    kind: type[EmbeddedServer], data: Path, python: Python
) -> None:
    process = python(joining(kind, WAIT))
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    process.kill()
    process.wait()
    server = kind(data)
    assert server.is_alive()
    server.attach()
    assert server.pid() == pid
    server.release()
    assert not server.is_alive()


def test_a_process_killed_while_it_starts_the_server_stops_nobody(
    data: Path, python: Python
) -> None:
    process = python(
        "import os, signal, stores.embedded_mongo as m\n"
        "m.EmbeddedMongo._wait_for_primary = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        + joining(EmbeddedMongo)
    )
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    server = EmbeddedMongo(data)
    server.attach()
    with server.client() as client:
        client.test.things.insert_one({"_id": 1})
    server.release()


@Servers
@pytest.mark.parametrize("step", ["_wait_until_ready", "after_start"])
def test_an_interrupted_start_leaves_no_server(
    kind: type[EmbeddedServer], step: str, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ctrl_c(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(kind, step, ctrl_c)
    server = kind(data)
    with pytest.raises(KeyboardInterrupt):
        server.attach()
    assert not server.is_alive()
    assert not locks.is_held(server.home / "users.lock")


def test_a_killed_mongod_keeps_what_it_acknowledged(mongo_server: EmbeddedMongo) -> None:
    with mongo_server.client() as client:
        client.test.things.insert_many([{"_id": n} for n in range(1000)])
        kill(mongo_server)
        assert mongo_server.ensure_running()
        assert not mongo_server.ensure_running()
        # The same client finds the server again: it came back on its port.
        assert client.test.things.count_documents({}) == 1000


def test_a_killed_valkey_keeps_what_it_acknowledged(valkey_server: EmbeddedValkey) -> None:
    with valkey_server.client() as client:
        for n in range(1000):
            client.rpush("queue", n)
        kill(valkey_server)
        assert valkey_server.ensure_running()
        assert client.llen("queue") == 1000


@Servers
def test_stale_files_of_a_killed_server_stop_no_start(
    kind: type[EmbeddedServer], data: Path
) -> None:
    server = kind(data)
    server.attach()
    kill(server)
    # The process id in the stale files belongs to somebody else by now.
    server.pid_file.write_text(str(os.getpid()))
    (server.files / "mongod.lock").write_text(str(os.getpid()))
    assert server.pid() is None
    server.release()
    server.attach()
    assert server.pid() not in (None, os.getpid())
    server.release()


@Servers
def test_a_taken_port_is_replaced(kind: type[EmbeddedServer], data: Path) -> None:
    server = kind(data)
    server.attach()
    port = server.port
    server.release()
    with stranger_on(port):
        server.attach()
        assert server.port != port
        with server.client() as client:
            if isinstance(server, EmbeddedMongo):
                client.test.things.insert_one({})
            else:
                client.incr("n")
    server.release()


@contextmanager
def stranger_on(port: int) -> Iterator[None]:
    """Another program that listens on the port and speaks another protocol."""
    http = ThreadingHTTPServer(("127.0.0.1", port), BaseHTTPRequestHandler)
    http.RequestHandlerClass.log_message = lambda *_: None  # type: ignore[assignment]
    threading.Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        http.shutdown()
        http.server_close()


def test_its_port_lies_outside_the_ephemeral_range() -> None:
    lowest, highest = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert all(not lowest <= embedded.free_port() <= highest for _ in range(20))


@Servers
def test_nobody_else_reads_its_files(kind: type[EmbeddedServer], data: Path) -> None:
    before = os.umask(0)
    try:
        server = kind(data)
        server.attach()
        modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in [data, *data.rglob("*")]}
        server.release()
    finally:
        os.umask(before)
    assert len(modes) > 8
    open_to_others = {str(path): oct(mode) for path, mode in modes.items() if mode & 0o077}
    assert not open_to_others


def test_no_password_shows_in_the_process_list(
    mongo_server: EmbeddedMongo, valkey_server: EmbeddedValkey
) -> None:
    shown = subprocess.run(["ps", "axeww"], capture_output=True, text=True, check=True).stdout
    assert str(mongo_server.pid()) in shown
    for server in (mongo_server, valkey_server):
        assert len(server.password()) > 30
        assert server.password() not in shown
    assert (mongo_server.home / "key").read_text() not in shown


def test_valkey_asks_for_the_password(valkey_server: EmbeddedValkey) -> None:
    import redis

    with (
        redis.Redis("127.0.0.1", valkey_server.port) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_servers_listen_on_loopback_only(mongo_server: EmbeddedMongo) -> None:
    port = f"{mongo_server.port:04X}"
    listening = [
        line.split()[1]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
        if line.split()[3] == "0A"
    ]
    assert [address for address in listening if address.endswith(f":{port}")] == [
        f"0100007F:{port}"
    ]


def test_ctrl_c_in_the_terminal_does_not_reach_the_servers(mongo_server: EmbeddedMongo) -> None:
    pid = mongo_server.pid()
    assert pid is not None
    assert os.getsid(pid) != os.getsid(0)


def test_a_forked_child_does_not_stop_its_parents_server(mongo_server: EmbeddedMongo) -> None:
    child = os.fork()
    if child == 0:
        mongo_server.release()
        embedded._release_all()
        os._exit(0)
    os.waitpid(child, 0)
    assert mongo_server.is_alive()


def test_a_forked_child_that_still_uses_the_server_keeps_it(data: Path, python: Python) -> None:
    process = python(
        joining(
            EmbeddedMongo,
            "import os, sys\n"
            "read, write = os.pipe()\n"
            "if os.fork() == 0:\n"
            "    server.attach()\n"
            "    os.write(write, b'x')\n"
            "    sys.stdin.read()\n"
            "    sys.exit()\n"
            "os.read(read, 1)\n"
            "server.release()\n"
            "print(server.is_alive(), flush=True)\n"
            "os._exit(0)\n",
        )
    )
    assert process.stdout is not None
    assert int(process.stdout.readline()) > 0
    assert process.stdout.readline() == "True\n"
    process.communicate("", timeout=60)
    server = EmbeddedMongo(data)
    embedded._wait(lambda: not server.is_alive(), 20)
    assert not server.is_alive()


def test_a_lock_that_stays_held_is_named(tmp_path: Path) -> None:
    path = tmp_path / "start.lock"
    with (
        locks.exclusive(path, 1),
        pytest.raises(StoreError, match=r"start\.lock"),
        locks.exclusive(path, 0.1),
    ):
        pass


def kill(server: EmbeddedServer) -> None:
    pid = server.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert embedded._wait(lambda: not server.is_alive(), 10)
