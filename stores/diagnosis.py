"""Why a server did not start, in one sentence, and what to do about it."""

import errno
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from stores.errors import StoreError

if TYPE_CHECKING:
    from stores.embedded import EmbeddedServer

# Debian and Ubuntu packages of the libraries that the MongoDB wheel links to.
PACKAGES = {
    "libcurl.so.4": "libcurl4",
    "libcrypto.so.3": "libssl3",
    "libssl.so.3": "libssl3",
    "liblzma.so.5": "liblzma5",
    "libcrypto.so.1.1": "libssl1.1",
    "libssl.so.1.1": "libssl1.1",
}
MISSING_LIBRARY = re.compile(
    r"(?:error while loading shared libraries: |Library not loaded: )(\S+?):?(?:\s|$)"
)
NEW_LIBC = re.compile(r"version `(GLIBC\w*_[\d.]+)' not found")
NEWER_FILES = re.compile(
    r"unsupported WiredTiger file version|invalid featureCompatibilityVersion|UPGRADE PROBLEM"
    r"|Can't handle RDB format version|requires a feature version"
)
# Words of the server's log, what they mean, and the remedy.
SIGNS = (
    (
        re.compile(r"No space left on device|disk is full|ENOSPC", re.I),
        "the disk is full.",
        "Free some space in {data} and try again.",
    ),
    (
        re.compile(r"Permission denied|Operation not permitted|EACCES", re.I),
        "a file in its directory may not be read or written.",
        "Give {home} and everything in it to the user that runs Carebook (`chown -R`).",
    ),
    (
        re.compile(r"Read-only file system", re.I),
        "its directory is on a read-only file system.",
        "Choose another place with CAREBOOK_DATA.",
    ),
    (
        re.compile(r"DBPathInUse|Unable to lock the lock file", re.I),
        "another server uses its files.",
        "End the other mongod on {files} and try again.",
    ),
    (
        re.compile(r"Bad file format reading the append only file|checksum|WT_PANIC|corrupt", re.I),
        "its files are damaged.",
        "Restore {home} from a backup.",
    ),
)


class PortTaken(Exception):
    """Somebody else listens on the port; another one will do."""


def no_directory(data: Path, error: OSError) -> StoreError:
    """The data directory cannot be used."""
    remedies = {
        errno.ENOSPC: "Free some space there and try again.",
        errno.EDQUOT: "Free some space there and try again.",
        errno.EROFS: "Choose another one with CAREBOOK_DATA.",
    }
    return StoreError(
        f"The data directory {data} cannot be used ({error.strerror}).",
        remedies.get(
            error.errno or 0,
            "Give it to the user that runs Carebook, or choose another one with CAREBOOK_DATA.",
        ),
    )


def no_program(title: str, variable: str, remedy: str) -> StoreError:
    """There is no binary for this machine."""
    return StoreError(
        f"There is no {title} program for this machine.",
        f"{remedy}, or set {variable} to a server.",
    )


def failure_to_start(
    server: "EmbeddedServer", *, returncode: int | None = None, error: OSError | None = None
) -> Exception:
    """The error to raise for a server process that ended, or could not be executed."""
    said = server.said()
    if re.search(r"Address already in use|Failed listening on port", said):
        return PortTaken()
    problem, remedy = _cause(server, said, returncode, error)
    return StoreError(f"{server.title} cannot start: {problem}", remedy)


def _cause(
    server: "EmbeddedServer", said: str, returncode: int | None, error: OSError | None
) -> tuple[str, str]:
    instead = f"or set {server.variable} to another server"
    if library := MISSING_LIBRARY.search(said):
        name = Path(library[1]).name
        package = PACKAGES.get(name, f"the package that holds {name}")
        return (
            f"the library {name} is missing.",
            f"Install it (Debian, Ubuntu: `apt-get install {package}`), {instead}.",
        )
    if libc := NEW_LIBC.search(said):
        return (
            f"this system is too old for the program ({libc[1]} is missing).",
            f"Install a {server.program_name} for this system, so that it is on PATH, {instead}.",
        )
    if returncode == -signal.SIGILL:
        return (
            "the processor lacks instructions that it needs (AVX).",
            f"Use a machine or virtual machine type with AVX, {instead}.",
        )
    if returncode == 62 or NEWER_FILES.search(said):
        return (
            f"the files in {server.files} were written by another version that this one cannot read.",
            f"Put the {server.program_name} that wrote them on PATH, {instead}.",
        )
    for pattern, problem, remedy in SIGNS:
        if pattern.search(said):
            return problem, remedy.format(data=server.data, home=server.home, files=server.files)
    if error is not None:
        return f"{error.strerror}: {error.filename}.", f"Install {server.program_name}, {instead}."
    if returncode is None:
        return "it ended while it was starting.", f"The end of {server.log} says why."
    if returncode < 0:
        return f"signal {-returncode} ended it.", f"The end of {server.log} may say why."
    return f"it ended with code {returncode}.", f"The end of {server.log} says why."
