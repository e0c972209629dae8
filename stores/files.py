"""Files in GridFS, streamed: neither written nor read as a whole in memory."""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Protocol

from bson import ObjectId
from gridfs import GridFSBucket, GridOut
from gridfs.errors import NoFile
from pymongo.errors import PyMongoError

from stores import mongo

BUCKET = "files"  # collections files.files and files.chunks
CHUNK_BYTES = 256 * 1024


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int = -1, /) -> bytes: ...


class TooLarge(Exception):
    """The stream has more bytes than were allowed; nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A file as it was stored; `head` are its first bytes."""

    file_id: ObjectId
    size_bytes: int
    sha256: str
    head: bytes


def save(stream: Readable, name: str, *, limit: int, head_bytes: int = 4096) -> Saved:
    """Stores what the stream gives, at most `limit` bytes.

    Raises TooLarge as soon as there is one byte more; what was written is removed.
    """
    file_id, digest, size, head = ObjectId(), hashlib.sha256(), 0, b""
    target = _bucket().open_upload_stream_with_id(file_id, name, chunk_size_bytes=CHUNK_BYTES)
    try:
        while chunk := stream.read(min(CHUNK_BYTES, limit + 1 - size)):
            size += len(chunk)
            if size > limit:
                raise TooLarge
            digest.update(chunk)
            head += chunk[: head_bytes - len(head)]
            target.write(chunk)
        target.close()
    except BaseException:
        _abandon(target)
        raise
    return Saved(file_id, size, digest.hexdigest(), head)


def open_file(file_id: ObjectId) -> GridOut:
    """The stored file, for reading and seeking. Raises FileNotFoundError."""
    try:
        return _bucket().open_download_stream(file_id)
    except NoFile as error:
        raise FileNotFoundError(str(file_id)) from error


def chunks(file: IO[bytes] | GridOut) -> Iterator[bytes]:
    """The bytes of a file from its beginning, piece by piece."""
    file.seek(0)
    while piece := file.read(CHUNK_BYTES):
        yield piece


def delete(file_id: ObjectId | None) -> None:
    """Removes a file; one that is gone already is no error."""
    if file_id is None:
        return
    try:
        _bucket().delete(file_id)
    except NoFile:
        # A removal that was killed may have left pieces without their file.
        mongo.database()[f"{BUCKET}.chunks"].delete_many({"files_id": file_id})


def _bucket() -> GridFSBucket:
    return GridFSBucket(mongo.database(), bucket_name=BUCKET)


def _abandon(target: Any) -> None:
    # While the store is away, pieces without a file stay behind until they are cleaned up.
    with contextlib.suppress(PyMongoError):
        target.abort()
