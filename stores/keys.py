"""Keys that are kept in files of the data directory."""

import os
import secrets
from pathlib import Path

from config import Settings
from stores.errors import StoreError

FILE = "secret.key"
BYTES = 32


def secret_key(settings: Settings) -> str:
    """The key from CAREBOOK_SECRET_KEY, else the one in the data directory, made at first use.

    Two processes that start at once on an empty directory end up with the same key. Changing the
    key logs everybody out.

    Raises:
        StoreError: the file cannot be written or read, or is too short to be a key.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    return file_key(settings.data / FILE)


def file_key(path: Path) -> str:
    """The key in this file, made at first use.

    Raises:
        StoreError: the file cannot be written or read, or is too short to be a key.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _create(str(path))
        key = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(
            f"The key file {path} cannot be read or written: {error}.",
            "Give the user that runs Carebook the right to it, or set CAREBOOK_SECRET_KEY.",
        ) from error
    if len(key) < BYTES:
        raise StoreError(
            f"The key file {path} is damaged.",
            "Restore it from a backup, or delete it: a new one is made at the next start, and what the old one protected is lost.",
        )
    return key


def _create(path: str) -> None:
    """Puts a whole key file in place at once; the process that links first wins."""
    draft = f"{path}.{os.getpid()}.{secrets.token_hex(4)}"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_urlsafe(BYTES).encode("ascii"))
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was faster; its key counts
    finally:
        os.unlink(draft)
