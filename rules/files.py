"""What a file is, judged by its content, and how it may be called (S2.5).

Only what is on the list here is ever shown inside a browser. Everything else, whatever its name
and the sender say, is bytes to be saved: HTML, SVG, scripts, and files that are two things at once.
"""

import re
from collections.abc import Iterable

from rules.text import nfc

UPLOAD_BYTES = 20 * 1024 * 1024  # of one file (S2.5)
NAME_LENGTH = 150  # characters; a file system takes 255 bytes, and letters have up to three
EXTENSION_LENGTH = 12
UNKNOWN = "application/octet-stream"
HEAD_BYTES = 4096

PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
AUDIO = frozenset({"audio/mpeg", "audio/ogg", "audio/wav", "audio/flac", "audio/mp4"})
PDF = "application/pdf"
INLINE = PICTURES | AUDIO | {PDF}

# A picture or sound that carries one of these somewhere is something else as well.
MARKUP = (b"<script", b"<html", b"<svg", b"<!doctype", b"<?php", b"<iframe", b"<body")
LONGEST_MARK = max(map(len, MARKUP))
# After the first bytes of a picture these open a comment or an assignment: a script in disguise.
_SCRIPT_SIGNS = (b"/*", b"//", b"=")
_MPEG_FRAMES_CHECKED = 3
_MPEG1_LAYER3_KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_MPEG2_LAYER3_KBITS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
_MPEG1_RATES = (44100, 48000, 32000, 0)


def content_type(head: bytes) -> str:
    """The type of a file by its first HEAD_BYTES; UNKNOWN for everything that is not shown.

    A picture is only believed after it was decoded as a whole (services.thumbnails).
    """
    found = _signature(head)
    return UNKNOWN if found != UNKNOWN and _is_script_too(head, found) else found


def has_markup(chunks: Iterable[bytes]) -> bool:
    """Whether a browser could find markup or a script in the bytes."""
    before = b""
    for chunk in chunks:
        seen = before + chunk.lower()
        if any(mark in seen for mark in MARKUP):
            return True
        before = seen[-LONGEST_MARK + 1 :]
    return False


def _signature(head: bytes) -> str:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "audio/wav"
    if head.startswith(b"OggS"):
        return "audio/ogg"
    if head.startswith(b"fLaC"):
        return "audio/flac"
    if head[4:11] == b"ftypM4A":
        return "audio/mp4"
    if head.startswith(b"ID3") or _has_mpeg_frames(head):
        return "audio/mpeg"
    if re.match(rb"%PDF-[12]\.\d\s", head):
        return PDF
    return UNKNOWN


def _is_script_too(head: bytes, found: str) -> bool:
    after = {"image/gif": 6, "image/jpeg": 4, "audio/wav": 4, "image/webp": 4}.get(found)
    return after is not None and head[after:].startswith(_SCRIPT_SIGNS)


def _has_mpeg_frames(head: bytes) -> bool:
    """Whether the bytes begin with several layer 3 frames, one behind the other."""
    at = 0
    for _ in range(_MPEG_FRAMES_CHECKED):
        size = _mpeg_frame_bytes(head[at : at + 4])
        if not size:
            return False
        at += size
    return True


def _mpeg_frame_bytes(header: bytes) -> int:
    """The length of a layer 3 frame with this header; 0 for what is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version = header[1] >> 3 & 3
    rate = _MPEG1_RATES[header[2] >> 2 & 3]
    if version == 1 or not rate:
        return 0
    is_first = version == 3
    kbits = (_MPEG1_LAYER3_KBITS if is_first else _MPEG2_LAYER3_KBITS)[header[2] >> 4]
    rate >>= {3: 0, 2: 1, 0: 2}[version]
    return (144 if is_first else 72) * kbits * 1000 // rate + (header[2] >> 1 & 1) if kbits else 0


def clean_name(name: str) -> str:
    """A file's name as it is stored, shown and sent: no path, no control or direction signs.

    "../../báo giá\\u202egpj.exe" -> "báo giágpj.exe". Empty for a name that says nothing.
    """
    last = re.split(r"[/\\]", name)[-1]
    clean = re.sub(r"[\x00-\x1f\x7f<>:|?*\"]", " ", nfc(last))
    clean = " ".join(clean.split()).strip(" .")
    if len(clean) <= NAME_LENGTH:
        return clean
    stem, dot, extension = clean.rpartition(".")
    if not dot or len(extension) > EXTENSION_LENGTH:
        return clean[:NAME_LENGTH].strip(" .")
    return f"{stem[: NAME_LENGTH - len(extension) - 1].strip(' .')}.{extension}"
