"""Files under static/: addresses with a version, cached for good, sent compressed."""

import gzip
import hashlib
import time
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for
from markupsafe import Markup

COMPRESSED = ("text/css", "text/javascript", "application/javascript", "image/svg+xml")
WORTH_BYTES = 1024
VENDOR = "vendor/"
KEPT_SECONDS = 1


def asset(path: str) -> str:
    """The address of a file under static/, with its version, so that it can be cached for good.

    Files under vendor/ carry the version in the path.
    """
    key = (request.root_path, path)
    known = _addresses()
    if key not in known:
        version = None if path.startswith(VENDOR) else _version(path)
        known[key] = url_for("static", filename=path, v=version)
    return known[key]


def styles(*paths: str) -> Markup:
    """The style sheets of a page."""
    return _tags('<link rel="stylesheet" href="{}">', paths)


def scripts(*paths: str) -> Markup:
    """The scripts of a page, run in this order once it is read."""
    return _tags('<script src="{}" defer></script>', paths)


def _tags(tag: str, paths: tuple[str, ...]) -> Markup:
    """A page has forty of them: made again when files may have changed."""
    key, known = (request.root_path, tag, *paths), _addresses()
    if key not in known:
        known[key] = Markup("\n  ").join(Markup(tag).format(asset(path)) for path in paths)  # noqa: S704
    return known[key]  # type: ignore[return-value]


def _addresses() -> dict[tuple[str, ...], str]:
    """Those known already; files that changed are noticed within a second."""
    kept: tuple[float, dict[tuple[str, ...], str]] | None
    kept, now = current_app.extensions.get("carebook_addresses"), time.monotonic()
    if kept is None or now - kept[0] > KEPT_SECONDS:
        kept = current_app.extensions["carebook_addresses"] = (now, {})
    return kept[1]


def register(app: Flask) -> None:
    """Makes `asset()`, `styles()` and `scripts()` known to templates, and serves files as they should be."""
    app.jinja_env.globals.update(asset=asset, styles=styles, scripts=scripts)
    app.after_request(_serve)


def _serve(response: Response) -> Response:
    if request.endpoint != "static":
        return response
    path = str((request.view_args or {}).get("filename"))
    # An address with a version never changes its content; those under vendor/ carry it in the path.
    is_versioned = "v" in request.args or path.startswith(VENDOR)
    if is_versioned and response.status_code in (200, 206, 304):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response.headers["Cache-Control"] = "no-cache"
    if response.status_code == 200 and response.mimetype in COMPRESSED:
        _compress(response, path)
    return response


def _compress(response: Response, path: str) -> None:
    """Tabler alone is 620 kB plain and 80 kB compressed; each process compresses a file once."""
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] <= 0 or "Range" in request.headers:
        return
    plain = _file(path)
    if plain.stat().st_size < WORTH_BYTES:
        return
    response.close()  # the plain file
    response.direct_passthrough = False
    response.set_data(_compressed(plain, _version(path)))
    response.headers["Content-Encoding"] = "gzip"
    response.headers.pop("Accept-Ranges", None)
    response.set_etag(f"{_version(path)}-gzip")
    response.make_conditional(request)


def _compressed(file: Path, version: str) -> bytes:
    known: dict[tuple[Path, str], bytes] = _known("carebook_compressed")
    key = (file, version)
    if key not in known:
        known[key] = gzip.compress(file.read_bytes(), compresslevel=9, mtime=0)
    return known[key]


def _version(path: str) -> str:
    """Eight characters of the content's hash, read once, or again when the file changed."""
    file = _file(path)
    changed = file.stat().st_mtime_ns
    known: dict[str, tuple[int, str]] = _known("carebook_versions")
    if known.get(path, (0, ""))[0] != changed:
        known[path] = (changed, hashlib.sha256(file.read_bytes()).hexdigest()[:8])
    return known[path][1]


def _file(path: str) -> Path:
    return Path(str(current_app.static_folder)) / path


def _known(name: str) -> dict:  # type: ignore[type-arg]
    known: dict = current_app.extensions.setdefault(name, {})  # type: ignore[type-arg]
    return known
