"""Small real files, made here, for the tests of uploads."""

import io
import struct
import zlib
from typing import Any

from PIL import Image


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 40), **options: Any) -> bytes:
    """A picture of one colour."""
    target = io.BytesIO()
    Image.new("RGB", size, (15, 118, 110)).save(target, kind, **options)
    return target.getvalue()


def pdf(before: bytes = b"") -> bytes:
    """The smallest document that calls itself a PDF."""
    return before + b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def png_bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG of a few kilobytes that unfolds to gigabytes."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(b"\0" * (width + 1)) for _ in range(300)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(name, content)
        for name, content in ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + check


def sound() -> bytes:
    """A WAV file of silence."""
    data = b"\0" * 800
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8)
    rest = b"WAVE" + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(rest)) + rest
