"""Small copies of pictures, drawn anew, so that nothing of the original but its look remains."""

import io
import threading
import warnings
from typing import IO, Any

from PIL import Image, ImageOps, UnidentifiedImageError

SIDE_PIXELS = 320
# A picture of a few kilobytes may unfold to gigabytes. A telephone takes 12 to 50 million pixels;
# a JPEG is read smaller than it is, so that it may have more of them than the others.
PIXELS_MOST = 24_000_000
JPEG_PIXELS_MOST = 64_000_000
THUMBNAIL_TYPE = "image/webp"

FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
}
_one_at_a_time = threading.BoundedSemaphore(1)  # of each process: the memory of one picture


class NotAPicture(Exception):
    """The bytes cannot be drawn as what they claim to be, or would take too much to draw."""


def thumbnail(file: IO[bytes] | Any, content_type: str) -> bytes:
    """The picture in a file, at most SIDE_PIXELS wide and high, as THUMBNAIL_TYPE.

    The whole first frame is decoded: a file that only begins like a picture is none.
    Raises NotAPicture.
    """
    file.seek(0)
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow only warns of what unfolds too far
        try:
            with Image.open(file, formats=[FORMATS[content_type]]) as picture:
                return _drawn(picture)
        except (
            UnidentifiedImageError,
            Image.DecompressionBombError,
            OSError,
            SyntaxError,
            ValueError,
            ArithmeticError,
            LookupError,
            MemoryError,
            Warning,
        ) as error:
            raise NotAPicture(str(error)) from error


def _drawn(picture: Image.Image) -> bytes:
    width, height = picture.size
    most = JPEG_PIXELS_MOST if picture.format == "JPEG" else PIXELS_MOST
    if not 0 < width * height <= most:
        raise NotAPicture(f"{width} x {height} pixels")
    picture.draft("RGB", (SIDE_PIXELS * 2, SIDE_PIXELS * 2))
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    upright.thumbnail((SIDE_PIXELS, SIDE_PIXELS))
    plain = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    target = io.BytesIO()
    plain.save(target, "WEBP", quality=80, method=3)
    return target.getvalue()
