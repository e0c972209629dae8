"""A replica set of three members on this machine, from the program of the embedded server."""

import os
import subprocess
import time
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from stores.embedded import free_port
from stores.embedded_mongo import EmbeddedMongo

NAME = "chaos"
MEMBERS = 3
ELECTION_SECONDS = 10  # what MongoDB ships: a primary that is silent for so long is replaced
START_SECONDS = 60


class ReplicaSet:
    """Members without passwords, on loopback, under `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.program = EmbeddedMongo(directory).program()
        self.ports: list[int] = []
        while len(self.ports) < MEMBERS:
            if (port := free_port()) not in self.ports:
                self.ports.append(port)
        self._members: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        """What MONGO_URL is set to."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        return f"mongodb://{hosts}/?replicaSet={NAME}"

    def start(self) -> None:
        """Starts all members and waits for the first primary."""
        for port in self.ports:
            self._start(port)
        for port in self.ports:
            with self._alone(port) as client:
                client.admin.command("ping")
        members = [{"_id": n, "host": f"127.0.0.1:{port}"} for n, port in enumerate(self.ports)]
        with self._alone(self.ports[0]) as client:
            client.admin.command("replSetInitiate", {"_id": NAME, "members": members})
        self.wait_for_primary()

    def stop(self) -> None:
        """Ends all members."""
        for process in self._members.values():
            process.kill()
        for process in self._members.values():
            process.wait()

    def wait_for_primary(self) -> int:
        """The port of the primary, as soon as there is one."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for port in self.ports:
                if self._members[port].poll() is None and self._is_primary(port):
                    return port
            time.sleep(0.1)
        raise TimeoutError("the replica set has no primary")

    def primary_pid(self) -> int:
        """The process id of the primary."""
        return self._members[self.wait_for_primary()].pid

    def start_dead(self) -> None:
        """Starts members again that were killed."""
        for port, process in self._members.items():
            if process.poll() is not None:
                self._start(port)

    def _start(self, port: int) -> None:
        home = self.directory / f"member-{port}"
        home.mkdir(parents=True, exist_ok=True)
        line = {
            "--dbpath": home,
            "--port": port,
            "--bind_ip": "127.0.0.1",
            "--replSet": NAME,
            "--logpath": home.with_suffix(".log"),
            "--wiredTigerCacheSizeGB": "0.25",
            "--oplogSize": 128,
        }
        options = [str(word) for option, value in line.items() for word in (option, value)]
        self._members[port] = subprocess.Popen(
            [str(self.program), "--nounixsocket", "--logappend", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C"},
            process_group=0,
        )

    def _is_primary(self, port: int) -> bool:
        try:
            with self._alone(port, 1000) as client:
                return bool(client.admin.command("hello").get("isWritablePrimary"))
        except PyMongoError:
            return False

    @staticmethod
    def _alone(port: int, timeout_ms: int = 30_000) -> MongoClient[dict[str, Any]]:
        return MongoClient(
            "127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=timeout_ms
        )
