"""The real system with its demonstration data, and pages that fail on anything unclean.

`make run`'s own command serves each test worker's site: web, job worker and scheduler with
embedded stores in a directory of their own.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from playwright import sync_api
from pymongo.database import Database

from config import PROJECT_ROOT
from stores.embedded_mongo import EmbeddedMongo

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text("utf-8")
PATIENCE_MS = 10_000
LAPTOP, PHONE = (1366, 768), (390, 844)
REQUIRED = os.environ.get("CAREBOOK_REQUIRE_BROWSER") == "1"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_program() -> str | None:
    """CHROMIUM in the environment, else the one on PATH."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser. Without one the tests are skipped, or fail with CAREBOOK_REQUIRE_BROWSER=1."""
    program = chromium_program()
    if program is None:
        text = "There is no Chromium: install it, or set CHROMIUM to its program."
        if REQUIRED:
            pytest.fail(text)
        pytest.skip(text)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Site:
    """A running installation; `db` is its database, for a look behind the screens."""

    address: str
    password: str
    db: Database[dict[str, Any]]


@pytest.fixture(scope="session")
def site(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`carebook serve` with the demonstration data."""
    data = tmp_path_factory.mktemp("site")
    with served(data, demo=True) as (running, _):
        password = (data / "demo-password").read_text("utf-8").strip()
        yield replace(running, password=password)


@contextmanager
def served(data: Path, *, demo: bool) -> Iterator[tuple[Site, str]]:
    """An installation with stores of its own in a directory, which is gone with the block, and
    what its start said: without demonstration data, where the first administrator gets in.
    """
    port = _free_port()
    environment = {
        name: text for name, text in os.environ.items() if not name.startswith("CAREBOOK_")
    }
    environment.pop("MONGO_URL", None)
    environment.pop("VALKEY_URL", None)
    environment |= {
        "CAREBOOK_DATA": str(data),
        "CAREBOOK_PORT": str(port),
        "CAREBOOK_DEMO": str(int(demo)),
        "CAREBOOK_WEB_WORKERS": "1",
        "CAREBOOK_LOGIN_RATE": "1000 per minute",
    }
    log = (data / "serve.log").open("w")
    process = subprocess.Popen(
        [sys.executable, str(PROJECT_ROOT / "app.py"), "serve"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,
    )
    try:
        said = _wait_until_it_runs(process, data)
        client = EmbeddedMongo(data).client(tz_aware=True)
        yield Site(f"http://127.0.0.1:{port}", "", client["carebook"]), said
        client.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        log.close()
        shutil.rmtree(data, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_until_it_runs(process: "subprocess.Popen[str]", data: Path) -> str:
    """What it said until then."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            return said
    raise AssertionError((data / "serve.log").read_text())


@dataclass
class Desk:
    """A page somebody works at, and everything unclean that was seen on it.

    `expected` are statuses of answers that a test provokes.
    """

    page: Any
    site: Site
    expected: set[int] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(self.site.address + path)
        self.settle()

    def settle(self) -> None:
        """Waits until the page has all that it asked for after it was there."""
        self.page.wait_for_load_state("networkidle")

    def watch(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        self.page.on("response", self._on_response)
        self.page.on("requestfailed", self._on_failure)

    def _on_console(self, message: Any) -> None:
        # A refused request has its own check; here it would only be said again.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            # htmx writes an error into the console for each status that it was answered with.
            if self.expected and "Response Status Error Code" in message.text:
                return
            self.problems.append(f"console: {message.text}")

    def _on_response(self, response: Any) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.problems.append(f"{response.status} {response.request.method} {response.url}")

    def _on_failure(self, request: Any) -> None:
        # A page that is left ends its requests.
        if "ERR_ABORTED" not in (request.failure or ""):
            self.problems.append(f"{request.failure} {request.url}")

    def calm(self) -> None:
        """Waits until the page stands still: laid out anew, colours faded over."""
        self.page.evaluate(
            """async () => {
              const frame = () => new Promise(requestAnimationFrame);
              await frame();
              await frame();
              const endless = (one) => one.effect.getComputedTiming().endTime === Infinity;
              const ends = document.getAnimations().filter((one) => !endless(one));
              await Promise.allSettled(ends.map((one) => one.finished));
              await frame();
            }"""
        )

    def axe(self, *rules: str) -> list[str]:
        """What axe finds on the page as it is now; empty is what we want. All rules by default."""
        self.calm()
        session = self.page.context.new_cdp_session(self.page)
        # The policy of the page lets no script in; the debugger is above it.
        if not self.page.evaluate("'axe' in window"):
            session.send("Runtime.evaluate", {"expression": AXE})
        only = {"runOnly": list(rules)} if rules else {}
        run = (
            f"axe.run({json.dumps({'resultTypes': ['violations']} | only)}).then((found) => JSON.stringify(found.violations"
            ".map((one) => [one.id, one.help, one.nodes.slice(0, 3).map((node) => node.html)])))"
        )
        answer = session.send(
            "Runtime.evaluate",
            {"expression": run, "awaitPromise": True, "returnByValue": True},
        )
        session.detach()
        return [
            f"{rule}: {text}: {' | '.join(nodes)[:600]}"
            for rule, text, nodes in json.loads(answer["result"]["value"])
        ]

    def too_wide(self) -> int:
        """Pixels by which the page is wider than its window."""
        self.calm()
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def toast(self) -> str:
        self.page.wait_for_selector(".toast-note")
        return str(self.page.locator(".toast-note").last.inner_text())


SitDown = Callable[..., Desk]


@pytest.fixture(scope="session")
def logins(site: Site, chromium: Any) -> Callable[[str], Any]:
    """The cookies of a demonstration account that has logged in, by its name."""
    known: dict[str, Any] = {}

    def of(who: str) -> Any:
        if who not in known:
            context = chromium.new_context()
            page = context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            log_in(page, site, who)
            known[who] = context.storage_state()
            context.close()
        return known[who]

    return of


def log_in(page: Any, site: Site, who: str) -> None:
    """Through the login page, as a person does."""
    page.goto(f"{site.address}/login")
    page.fill("input[name=email]", f"{who}@carebook.example")
    page.fill("input[name=password]", site.password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda address: "/login" not in address)


def opened_desk(chromium: Any, site: Site, **window: Any) -> Desk:
    """A window of its own at a site, watched."""
    context = chromium.new_context(
        locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh", reduced_motion="reduce", **window
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    desk = Desk(page, site)
    desk.watch()
    return desk


@pytest.fixture
def sit_down(site: Site, chromium: Any, logins: Callable[[str], Any]) -> Iterator[SitDown]:
    """Opens a page for somebody: `sit_down("linh")`. The test fails when it was unclean."""
    contexts: list[Any] = []
    desks: list[Desk] = []

    def make(
        who: str | None = "linh",
        *,
        size: tuple[int, int] = LAPTOP,
        locale: str = "vi",
        scheme: str = "light",
        scripts: bool = True,
    ) -> Desk:
        if who:
            site.db.staff.update_one(
                {"email": f"{who}@carebook.example"},
                {"$set": {"locale": locale}, "$unset": {"theme": ""}},
            )
        desk = opened_desk(
            chromium,
            site,
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            java_script_enabled=scripts,
            storage_state=logins(who) if who else None,
        )
        contexts.append(desk.page.context)
        desks.append(desk)
        return desk

    yield make
    problems = [problem for desk in desks for problem in desk.problems]
    for context in contexts:
        context.close()
    assert problems == []
