"""Files that are not what they say: none is shown as a page, run as a script, or fills the memory.

Defended by: types judged by content and an allow-list (rules/files.py), pictures decoded before
they are believed (services/thumbnails.py), limits while reading (stores/files.py), and the one view
that answers with files (views/files.py).
"""

import io
import resource
from collections.abc import Callable
from typing import Any

import pytest
from bson import ObjectId
from werkzeug.datastructures import FileStorage

from models import Attachment
from rules.files import UPLOAD_BYTES, clean_name
from rules.scope import Actor
from tests.factories import make_customer
from tests.pictures import pdf, picture, png_bomb, sound
from tests.views.conftest import Browser
from views import security
from views.files import MEMORY_BYTES, RECEIVED_BYTES, Received

MB = 1024 * 1024
SCRIPT = b"alert(document.domain)//"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


@pytest.fixture
def customer(db: Any, morning: None) -> ObjectId:
    return make_customer()


def send(browser: Browser, owner: ObjectId, content: bytes, name: str, **more: Any) -> Any:
    sent = (io.BytesIO(content), name, more.pop("mimetype", "image/png"))
    return browser.send(f"/files/to/customers/{owner}", {"files": sent}, **more)


HEAD = (
    b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n'
    b"Content-Type: image/png\r\n\r\n"
)


def send_raw(
    browser: Browser, owner: ObjectId, stream: io.IOBase, length: str | None, **headers: str
) -> Any:
    """Sends what the stream gives; `length` is what the header claims, None: nothing."""
    lying = {
        "wsgi.input": stream,
        "wsgi.input_terminated": True,
        "CONTENT_TYPE": "multipart/form-data; boundary=b",
    }
    return browser.post(
        f"/files/to/customers/{owner}",
        headers={"X-CSRFToken": browser.token(), **headers},
        environ_overrides=lying | ({"CONTENT_LENGTH": length} if length else {}),
    )


def stored() -> dict[str, Any]:
    found = Attachment.collection().find_one(sort=[("_id", -1)])
    assert found
    return found


def taken(browser: Browser, owner: ObjectId, content: bytes, name: str, **more: Any) -> Any:
    """The answer with the file after it was sent."""
    assert send(browser, owner, content, name, **more).status_code == 303
    return browser.get(f"/files/{stored()['_id']}")


def is_download(response: Any) -> bool:
    """Whether a browser can do nothing with the answer but save it."""
    return (
        response.headers["Content-Type"] == "application/octet-stream"
        and response.headers["Content-Disposition"].startswith("attachment;")
        and response.headers["X-Content-Type-Options"] == "nosniff"
    )


DISGUISES = {
    "a page": (b"<!doctype html><script>alert(1)</script>", "a.png"),
    "a page without a head": (b"<b onmouseover=alert(1)>x</b>", "a.jpg"),
    "an SVG": (SVG, "a.svg"),
    "an SVG called a picture": (SVG, "a.png"),
    "a script": (SCRIPT, "a.gif"),
    "a GIF that is a script": (b"GIF89a/*" + b"\0" * 40 + b"*/=1;" + SCRIPT, "a.gif"),
    "a GIF with a comment of markup": (
        picture("GIF", comment=b"<script>alert(1)</script>"),
        "a.gif",
    ),
    "a JPEG that is a script": (b"\xff\xd8\xff\xe0/*JFIF" + b"\0" * 99 + b"*/" + SCRIPT, "a.jpg"),
    "a PNG with a page behind it": (picture() + b"<html><script>alert(1)</script>", "a.png"),
    "a PNG that ends early": (picture(size=(300, 300))[:90], "a.png"),
    "a header alone": (b"\x89PNG\r\n\x1a\n" + SCRIPT, "a.png"),
    "a PDF with a script before it": (pdf(before=SCRIPT), "a.pdf"),
    "a PDF with a page in it": (pdf() + SVG, "a.pdf"),
    "a sound with markup": (sound() + b"<SCRIPT>alert(1)</SCRIPT>", "a.wav"),
    "a sound that is a script": (b"RIFF=1/*WAVE*/;" + SCRIPT, "a.wav"),
    "two extensions": (SVG, "báo-giá.svg.png"),
    "a program": (b"MZ\x90\0" + b"\0" * 99, "setup.pdf"),
    "markup across two pieces": (
        picture() + b"x" * (256 * 1024 - len(picture()) - 4) + b"<scr" + b"ipt>alert(1)</script>",
        "a.png",
    ),
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_what_is_no_plain_picture_sound_or_document_can_only_be_saved(
    agent: Actor, browser_of: Callable[[Actor], Browser], customer: ObjectId, disguise: str
) -> None:
    content, name = DISGUISES[disguise]
    browser = browser_of(agent)
    response = taken(browser, customer, content, name)
    assert is_download(response)
    assert response.data == content
    assert browser.get(f"/files/{stored()['_id']}/thumbnail").status_code == 404


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (picture(), "a.png", "image/png"),
        (picture("JPEG"), "a.jpg", "image/jpeg"),
        (picture("WEBP"), "a.webp", "image/webp"),
        (picture("GIF"), "a.exe", "image/gif"),
        (pdf(), "a.pdf", "application/pdf"),
        (sound(), "a.wav", "audio/wav"),
    ],
)
def test_what_is_plain_is_shown_in_a_document_without_rights(
    agent: Actor,
    browser_of: Callable[[Actor], Browser],
    customer: ObjectId,
    content: bytes,
    name: str,
    kind: str,
) -> None:
    browser = browser_of(agent)
    response = taken(browser, customer, content, name, mimetype="text/html")
    assert response.headers["Content-Type"] == kind
    assert response.headers["Content-Disposition"].startswith("inline;")
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy
    assert ("sandbox" in policy) == (kind != "application/pdf")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert is_download(browser.get(f"/files/{stored()['_id']}?download"))


def test_a_picture_that_unfolds_to_gigabytes_is_not_unfolded(
    agent: Actor, browser_of: Callable[[Actor], Browser], customer: ObjectId
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    browser = browser_of(agent)
    for bomb in (png_bomb(), png_bomb(5_000, 5_000)):
        assert is_download(taken(browser, customer, bomb, "a.png"))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 80 * 1024


def test_the_small_copy_is_drawn_anew(
    agent: Actor, browser_of: Callable[[Actor], Browser], customer: ObjectId
) -> None:
    browser = browser_of(agent)
    secret = b"21.0285 N 105.8542 E"
    taken(browser, customer, picture("JPEG", (900, 500), comment=secret), "a.jpg")
    small = browser.get(f"/files/{stored()['_id']}/thumbnail")
    assert small.headers["Content-Type"] == "image/webp"
    assert secret not in small.data
    assert len(small.data) < 20_000


NAMES = {
    "../../etc/passwd": "passwd",
    "..\\..\\boot.ini": "boot.ini",
    "/etc/cron.d/x": "x",
    'a"; filename="b.html': "a ; filename= b.html",
    "a\r\nSet-Cookie: x=1": "a Set-Cookie x=1",
    "báo giá\u202egpj.exe": "báo giágpj.exe",
    "a\0.png.exe": "a.png.exe",
    "x" * 500 + ".png": "x" * 146 + ".png",
    "<img src=x onerror=alert(1)>.png": "img src=x onerror=alert(1) .png",
    ".htaccess": "htaccess",
    "hợp đồng số 5.docx": "hợp đồng số 5.docx",
    "..": "file",
    "CON ": "CON",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_a_name_and_never_a_path_or_a_header(
    agent: Actor, browser_of: Callable[[Actor], Browser], customer: ObjectId, name: str
) -> None:
    assert (clean_name(name) or "file") == NAMES[name]
    browser = browser_of(agent)
    sent = name.replace("\r\n", "%0D%0A").replace("\0", "")  # a header cannot carry them
    response = taken(browser, customer, b"abc", sent)
    disposition = response.headers["Content-Disposition"]
    assert disposition.count('"') == 2
    assert disposition.isascii()
    assert "Set-Cookie" not in response.headers
    page = browser.get(f"/customers/{customer}?tab=files").text
    assert "<img src=x" not in page
    assert "/etc/" not in page


def test_one_byte_too_many_is_refused_with_a_word(
    agent: Actor, browser_of: Callable[[Actor], Browser], customer: ObjectId
) -> None:
    browser = browser_of(agent)
    for size, status in ((UPLOAD_BYTES, 303), (UPLOAD_BYTES + 1, 422), (22 * MB, 422)):
        whole = HEAD + b"x" * size + b"\r\n--b--\r\n"
        headers = {"HX-Request": "true"} if status == 422 else {}
        response = send_raw(browser, customer, io.BytesIO(whole), str(len(whole)), **headers)
        assert response.status_code == status
        assert status == 303 or "20 MB" in response.text
    claimed = str(security.FILES_MAX_BYTES + 1)
    response = send_raw(browser, customer, io.BytesIO(HEAD), claimed)
    assert response.status_code == 413
    assert "20 MB" in response.text
    assert "250 MB" in response.text
    assert Attachment.collection().count_documents({}) == 1


@pytest.mark.parametrize("claimed", [None, "100", "999999999999", "-1", "x"])
def test_a_lie_about_the_length_is_not_believed(
    agent: Actor,
    browser_of: Callable[[Actor], Browser],
    customer: ObjectId,
    claimed: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the header says, no more than the limit is read of a stream that does not end."""
    monkeypatch.setattr(security, "FILES_MAX_BYTES", 21 * MB)

    class Endless(io.RawIOBase):
        read_bytes = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            size = min(len(buffer), 64 * MB - self.read_bytes)
            buffer[:size] = (HEAD[self.read_bytes :] + b"x" * size)[:size]
            self.read_bytes += size
            return size

    stream = Endless()
    response = send_raw(browser_of(agent), customer, stream, claimed)
    assert response.status_code in (303, 400, 411, 413, 422)
    assert stream.read_bytes <= 23 * MB
    assert Attachment.collection().count_documents({}) == 0


def test_a_stranger_sends_no_large_form(stranger: Browser, db: Any) -> None:
    """Nobody who is not logged in has more than a little read, whatever it is called."""
    large = FileStorage(io.BytesIO(b"x" * 22 * MB), "a.png")
    assert stranger.send_large("/login", {}, "email", large).status_code == 413


def test_no_more_of_a_file_is_kept_than_shows_that_it_is_too_large() -> None:
    with Received() as file:
        for _ in range(400):
            file.write(b"x" * 100 * 1024)
        assert file.tell() == RECEIVED_BYTES
        assert file.name is not None, "it is on the disk, and not in memory"
    with Received() as file:
        file.write(b"x" * MEMORY_BYTES)
        file.seek(0)
        assert len(file.read()) == MEMORY_BYTES


def test_an_empty_file_and_no_file_are_named(
    agent: Actor, browser_of: Callable[[Actor], Browser], customer: ObjectId
) -> None:
    browser = browser_of(agent)
    headers = {"HX-Request": "true"}
    assert "tệp trống" in send(browser, customer, b"", "a.txt", headers=headers).text
    response = browser.send(f"/files/to/customers/{customer}", {"files": ""}, headers=headers)
    assert response.status_code == 422
    assert "ít nhất một tệp" in response.text


def test_files_are_given_in_ranges_and_only_once_as_a_whole(
    agent: Actor, browser_of: Callable[[Actor], Browser], customer: ObjectId
) -> None:
    browser = browser_of(agent)
    content = bytes(range(256)) * 1500
    whole = taken(browser, customer, content, "a.bin")
    address = f"/files/{stored()['_id']}"
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = browser.get(address, headers={"Range": "bytes=300000-300009"})
    assert (part.status_code, part.data) == (206, content[300000:300010])
    assert part.headers["Content-Range"] == f"bytes 300000-300009/{len(content)}"
    assert browser.get(address, headers={"Range": "bytes=-5"}).data == content[-5:]
    assert browser.get(address, headers={"Range": "bytes=9999999-"}).status_code == 416
    again = browser.get(address, headers={"If-None-Match": whole.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    "address",
    ["/files/../config.py", "/files/%2e%2e%2fconfig.py", "/files/files.chunks", "/files/$where"],
)
def test_an_address_names_no_place(
    agent: Actor, browser_of: Callable[[Actor], Browser], customer: ObjectId, address: str
) -> None:
    assert browser_of(agent).get(address).status_code == 404


def test_a_stranger_gets_no_file(
    agent: Actor, browser_of: Callable[[Actor], Browser], stranger: Browser, customer: ObjectId
) -> None:
    taken(browser_of(agent), customer, b"secret", "a.txt")
    response = stranger.get(f"/files/{stored()['_id']}")
    assert response.status_code == 303
    assert b"secret" not in response.data
