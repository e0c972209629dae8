"""A backup as files: the directory layout of mongodump, in a directory or in one tar file.

`<database>/<collection>.bson.gz` holds the documents one behind the other,
`<database>/<collection>.metadata.json.gz` its indexes and options, so that
`mongorestore --gzip DIRECTORY` reads it too. `manifest.json` comes last and says what is whole.
"""

import errno
import gzip
import hashlib
import json
import os
import secrets
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from rules.errors import N_, InvalidInput

MANIFEST = "manifest.json"
PIECE = 1 << 20  # read at once, in bytes
GZIP_LEVEL = 1  # half the time of the usual level for a tenth more space

NO_SPACE = N_(
    "The disk of %(place)s is full. The unfinished backup was removed; free some space, or choose another place."
)
CANNOT_WRITE = N_("%(place)s cannot be written: %(reason)s. Choose another place for the backup.")
IS_THERE = N_("%(place)s exists already, and a backup never overwrites. Choose another name.")
OTHER_ENDING = N_(
    "%(place)s: a backup is a directory, or one file whose name ends with .tar (what is in it is compressed already)."
)
NOT_THERE = N_("%(place)s does not exist or cannot be read: %(reason)s.")
NO_MANIFEST = N_(
    "%(place)s is not a whole backup: it has no %(manifest)s. A dump of another program is read by mongorestore."
)
IS_MISSING = N_(
    "The backup %(place)s is damaged: %(file)s is missing. Nothing was restored; use another backup."
)
IS_CUT = N_(
    "The backup %(place)s is damaged: %(file)s has another size than when it was written. Nothing was restored; use another backup."
)
IS_CHANGED = N_(
    "The backup %(place)s is damaged: %(file)s has another content than when it was written. Nothing was restored; use another backup."
)
IS_NO_MANIFEST = N_(
    "The backup %(place)s is damaged: %(file)s cannot be read. Nothing was restored; use another backup."
)


@dataclass(slots=True)
class Written:
    """What the manifest says about a file: its size in bytes and its SHA-256."""

    size: int
    sha256: str

    def stored(self) -> dict[str, Any]:
        return {"bytes": self.size, "sha256": self.sha256}


@dataclass
class Target:
    """A backup that is being written under a temporary name."""

    place: Path
    files: dict[str, Written] = field(default_factory=dict)
    directory: Path = field(init=False)
    _tar: tarfile.TarFile | None = None

    def __post_init__(self) -> None:
        mark = f"{os.getpid()}-{secrets.token_hex(3)}"
        self.directory = self.place.with_name(f".{self.place.name}.unfinished-{mark}")

    @property
    def is_one_file(self) -> bool:
        return self.place.suffix == ".tar"

    @property
    def _draft(self) -> Path:
        return self.directory / "backup.tar" if self.is_one_file else self.directory

    @contextmanager
    def file(self, name: str, *, compressed: bool = True) -> Iterator[IO[bytes]]:
        """A file of the backup, to be written once; it gets on the disk and into `files`."""
        path = self.directory / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with open(path, "xb", opener=_private) as raw:
            if compressed:
                # Without name and time in it the same documents make the same file.
                with gzip.GzipFile("", "wb", GZIP_LEVEL, raw, mtime=0) as file:
                    yield cast(IO[bytes], file)
            else:
                yield raw
            raw.flush()
            os.fsync(raw.fileno())
        self.files[name] = hash_of(path.open("rb"))
        if self.is_one_file:
            self._into_tar(path, name)

    def _into_tar(self, path: Path, name: str) -> None:
        if self._tar is None:
            os.close(os.open(self._draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            self._tar = tarfile.open(self._draft, "w")  # noqa: SIM115 closed by finish and give_up
        self._tar.add(path, name)
        path.unlink()

    def finish(self) -> None:
        """Gives the whole backup its name."""
        if self._tar is not None:
            self._tar.close()
        _sync(self._draft)
        if self.place.exists():
            raise InvalidInput(IS_THERE, place=str(self.place))
        self._draft.rename(self.place)
        _sync(self.place.parent)
        self.give_up()

    def give_up(self) -> None:
        """Removes what has the temporary name."""
        if self._tar is not None:
            with suppress(OSError):
                self._tar.close()
        shutil.rmtree(self.directory, ignore_errors=True)


@contextmanager
def writing(place: Path) -> Iterator[Target]:
    """A new backup at `place`; it gets this name at the end, or leaves nothing behind.

    Raises:
        InvalidInput: the place is taken or cannot be written, or the disk is full.
    """
    if place.suffix in (".gz", ".tgz", ".zip", ".bz2", ".xz", ".archive", ".bson"):
        raise InvalidInput(OTHER_ENDING, place=str(place))
    place = place.absolute()
    if place.exists() or place.is_symlink():
        raise InvalidInput(IS_THERE, place=str(place))
    target = Target(place)
    try:
        target.directory.mkdir(mode=0o700)
        yield target
        target.finish()
    except OSError as error:
        raise _not_written(place, error) from error
    finally:
        target.give_up()


def _not_written(place: Path, error: OSError) -> InvalidInput:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InvalidInput(NO_SPACE, place=str(place.parent))
    return InvalidInput(CANNOT_WRITE, place=str(place.parent), reason=error.strerror or str(error))


class Source:
    """A backup to read, a directory or a tar file."""

    def __init__(self, place: Path, tar: tarfile.TarFile | None) -> None:
        self.place = place
        self._tar = tar

    def has(self, name: str) -> bool:
        if self._tar is None:
            return (self.place / name).is_file()
        return name in self._tar.getnames()

    def raw(self, name: str) -> IO[bytes]:
        """The file as it is stored. Raises InvalidInput when it is not there."""
        if not self.has(name):
            raise self.damaged(name, IS_MISSING)
        if self._tar is None:
            return (self.place / name).open("rb")
        return cast(IO[bytes], self._tar.extractfile(name))

    @contextmanager
    def content(self, name: str) -> Iterator[IO[bytes]]:
        """What is in a compressed file."""
        with self.raw(name) as raw, gzip.open(raw) as file:
            yield cast(IO[bytes], file)

    def manifest(self) -> dict[str, Any]:
        """What the backup says about itself. Raises InvalidInput when it is not a whole one."""
        if not self.has(MANIFEST):
            raise InvalidInput(NO_MANIFEST, place=str(self.place), manifest=MANIFEST)
        try:
            with self.raw(MANIFEST) as file:
                found = json.load(file)
            if not isinstance(found["files"], dict) or not isinstance(found["collections"], dict):
                raise ValueError("no lists of files and collections")
        except (ValueError, KeyError, TypeError) as error:
            raise self.damaged(MANIFEST, IS_NO_MANIFEST) from error
        return cast(dict[str, Any], found)

    def check(self, manifest: dict[str, Any]) -> None:
        """Reads each file once. Raises InvalidInput for the first that is not as it was written."""
        for name, said in manifest["files"].items():
            found = hash_of(self.raw(name))
            if found.size != said["bytes"]:
                raise self.damaged(name, IS_CUT)
            if found.sha256 != said["sha256"]:
                raise self.damaged(name, IS_CHANGED)

    def damaged(self, name: str, message: str) -> InvalidInput:
        return InvalidInput(message, place=str(self.place), file=name)


@contextmanager
def reading(place: Path) -> Iterator[Source]:
    """The backup at `place`. Raises InvalidInput when there is none or it cannot be read."""
    place = place.absolute()
    try:
        if place.is_dir():
            yield Source(place, None)
            return
        with tarfile.open(place, "r:") as tar:
            yield Source(place, tar)
    except tarfile.TarError as error:
        raise InvalidInput(NO_MANIFEST, place=str(place), manifest=MANIFEST) from error
    except OSError as error:
        raise InvalidInput(
            NOT_THERE, place=str(place), reason=error.strerror or str(error)
        ) from error


def hash_of(file: IO[bytes]) -> Written:
    """Size and SHA-256 of a file, which is closed."""
    digest, size = hashlib.sha256(), 0
    with file:
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
    return Written(size, digest.hexdigest())


def _private(path: str, flags: int) -> int:
    """Customers' data are for the owner of the file only."""
    return os.open(path, flags, 0o600)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
