"""`carebook worker` runs jobs in forks of its own, which do not outlive it."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from rq import Queue
from rq.serializers import JSONSerializer

from services.job_queue import QUEUE
from stores.embedded import EmbeddedServer
from stores.embedded_valkey import EmbeddedValkey
from tests.commands.conftest import PROGRAM, eventually

Carebook = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def queue(environment: dict[str, str], servers: list[EmbeddedServer]) -> Iterator[Queue]:
    """The queue of the installation."""
    server = EmbeddedValkey(Path(environment["CAREBOOK_DATA"]))
    server.attach()
    with server.client() as client:
        yield Queue(QUEUE, connection=client, serializer=JSONSerializer)
    server.release()


@pytest.fixture
def worker(environment: dict[str, str], queue: Queue) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker with a job that lasts for a minute."""
    queue.enqueue("time.sleep", 60)
    process = subprocess.Popen([*PROGRAM, "worker"], env=environment)
    assert eventually(lambda: bool(horses(process.pid)))
    yield process
    process.kill()
    process.wait()


def horses(pid: int) -> list[int]:
    shown = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    rows = [line.split(None, 1) for line in shown.stdout.splitlines()]
    return [int(row[0]) for row in rows if "mongod" not in row[1]]


def is_running(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_it_runs_what_is_queued_and_ends_in_burst_mode(queue: Queue, carebook: Carebook) -> None:
    jobs = [queue.enqueue("operator.add", n, 1) for n in range(3)]
    result = carebook("worker", "--burst")
    assert result.returncode == 0, result.stderr
    assert [job.return_value() for job in jobs] == [1, 2, 3]
    assert queue.count == 0


def test_a_worker_that_cannot_load_its_jobs_says_so_and_ends(
    carebook: Carebook, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Broken:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'jobs.runner': raise ImportError('half an upgrade')\n"
        "sys.meta_path.insert(0, Broken())\n"
    )
    result = carebook("worker", "--burst", PYTHONPATH=str(tmp_path))
    assert result.returncode != 0
    assert "half an upgrade" in result.stderr


def test_a_job_does_not_outlive_a_killed_worker(worker: "subprocess.Popen[bytes]") -> None:
    (horse,) = horses(worker.pid)
    worker.kill()
    worker.wait()
    assert eventually(lambda: not is_running(horse), 5)


def test_it_finishes_its_job_when_asked_once_and_ends_at_once_when_asked_twice(
    worker: "subprocess.Popen[bytes]",
) -> None:
    (horse,) = horses(worker.pid)
    worker.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(1.5)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert not is_running(horse)


def test_it_drains_when_asked_to_end(queue: Queue, environment: dict[str, str]) -> None:
    under_way, waiting = queue.enqueue("time.sleep", 3), queue.enqueue("operator.add", 1, 1)
    process = subprocess.Popen([*PROGRAM, "worker"], env=environment)
    try:
        assert eventually(lambda: bool(horses(process.pid)))
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
    assert under_way.get_status().value == "finished"
    # What it had not begun waits for another worker.
    assert waiting.get_status().value == "queued"
    assert queue.job_ids == [waiting.id]


def test_a_killed_job_does_not_end_its_worker(
    worker: "subprocess.Popen[bytes]", queue: Queue, servers: list[redis.Redis]
) -> None:
    (horse,) = horses(worker.pid)
    os.kill(horse, signal.SIGKILL)
    job = queue.enqueue("operator.add", 1, 1)
    assert eventually(lambda: job.return_value(refresh=True) == 2)
    assert worker.poll() is None
