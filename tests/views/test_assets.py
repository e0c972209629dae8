"""Files under static/."""

import gzip
from collections.abc import Callable

import pytest
from flask import Flask

from config import PROJECT_ROOT
from rules.scope import Actor
from tests.views.conftest import Browser
from views.assets import asset

TABLER = "/static/vendor/tabler-1.6.1/tabler.min.css"


def test_it_versions_files_by_their_content(app: Flask) -> None:
    with app.test_request_context():
        assert asset("css/frame.css").startswith("/static/css/frame.css?v=")
        with pytest.raises(FileNotFoundError):
            asset("css/missing.css")


def test_it_sends_text_compressed(stranger: Browser) -> None:
    response = stranger.get(TABLER, headers={"Accept-Encoding": "gzip, br"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in response.headers["Vary"]
    assert len(response.data) < 100_000
    assert gzip.decompress(response.data) == (PROJECT_ROOT / TABLER[1:]).read_bytes()


def test_it_sends_plain_text_to_who_wants_it(stranger: Browser) -> None:
    for headers in ({}, {"Accept-Encoding": "gzip;q=0"}):
        response = stranger.get(TABLER, headers=headers)
        assert "Content-Encoding" not in response.headers
        assert len(response.data) > 600_000


def test_it_knows_what_a_browser_has_already(stranger: Browser) -> None:
    headers = {"Accept-Encoding": "gzip"}
    tag = stranger.get("/static/css/frame.css", headers=headers).headers["ETag"]
    again = stranger.get("/static/css/frame.css", headers={**headers, "If-None-Match": tag})
    assert again.status_code == 304
    assert again.data == b""


def test_it_does_not_send_the_login_cookie_with_files_that_caches_keep(
    agent: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    response = browser_of(agent).get(f"{TABLER}?v=1")
    assert "Set-Cookie" not in response.headers


def test_it_serves_no_file_outside_static(stranger: Browser) -> None:
    for path in ("/static/../config.py", "/static/%2e%2e/config.py", "/static//etc/passwd"):
        assert stranger.get(path).status_code in (404, 308)


def test_it_ships_a_licence_with_everything_that_others_made() -> None:
    for package in (PROJECT_ROOT / "static" / "vendor").iterdir():
        assert list(package.glob("LICENSE*")), package
