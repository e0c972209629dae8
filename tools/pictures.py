"""Takes the pictures of the documentation again, from demonstration data.

    python tools/pictures.py [NAME ...]           all pictures, or those whose name begins so
    python tools/pictures.py --only NAME [...]    exactly these

Starts Carebook with a data directory of its own, uses it in Chromium as people do, and writes
docs/pictures/NAME.vi.png and NAME.en.png. Where Pillow can be imported (it is no dependency of the
project), the pictures get a palette and a third of the size.
"""

import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pictures_of_settings import SETTINGS
from pictures_of_shaping import SHAPING
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "pictures"
BYTES_MAX = 250_000
LAPTOP, PHONE = (1366, 768), (390, 844)
START_SECONDS = 120
AGENT, COLLEAGUE, MANAGER = "linh", "tuan", "quanly1"
# What a care agent might have written, by language of the picture.
SAID = {
    "vi": "Chị gọi hỏi liều dùng, đã hướng dẫn uống sau ăn. Hẹn gọi lại khi gần hết. #tuvan",
    "en": "Asked how to take it; explained: after meals. Will call before it runs out. #tuvan",
}
SAID_BY_COLLEAGUE = {
    "vi": "Khách muốn đổi giờ giao, đã báo bên giao hàng.",
    "en": "Wants another delivery time; the carrier knows.",
}


@dataclass
class Stage:
    """A running Carebook and a browser; opens pages as somebody in a language."""

    browser: Browser
    address: str
    password: str

    def page(self, who: str, language: str, size: tuple[int, int] = LAPTOP) -> Page:
        """A new window of this person, logged in, in this language."""
        width, height = size
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            base_url=self.address,
            color_scheme="light",
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.goto("/login")
        page.fill("input[name=email]", f"{who}@carebook.example")
        page.fill("input[name=password]", self.password)
        page.press("input[name=password]", "Enter")
        page.wait_for_url("/")
        if page.get_attribute("html", "lang") != language:
            page.click(f".topbar button[name=locale][value={language}]")
            page.wait_for_selector(f"html[lang={language}]")
        return page


def take_login(stage: Stage, language: str) -> Page:
    page = stage.browser.new_context(
        viewport={"width": 700, "height": 560}, base_url=stage.address
    ).new_page()
    page.goto("/login")
    page.click(f"button[name=locale][value={language}]")
    page.wait_for_selector(f"html[lang={language}]")
    return page


def take_today(stage: Stage, language: str) -> Page:
    return stage.page(AGENT, language)


def take_orders_due(stage: Stage, language: str) -> Page:
    return _opened(stage.page(AGENT, language), "/orders/due")


def take_orders_by_group(stage: Stage, language: str) -> Page:
    page = _opened(stage.page(AGENT, language), "/orders/due/by-group")
    page.click(".list-side a:nth-of-type(2)")
    page.wait_for_load_state("networkidle")
    return page


def take_care(stage: Stage, language: str) -> Page:
    """The side panel over the list, filled in, with earlier care below."""
    page = _opened(
        stage.page(AGENT, language), f"/orders/due?due={_days(-2)}..{_days(7)}&state=all"
    )
    _open_row(page, "Hẹn bởi|Appointment")
    _write(page, SAID[language])
    return page


def take_colleague(stage: Stage, language: str) -> Page:
    """Two people write about the same order; the second save is refused and keeps its text."""
    mine, theirs = stage.page(AGENT, language), stage.page(COLLEAGUE, language)
    for page in (mine, theirs):
        _opened(page, "/orders/due?state=new&due=today")
        _open_row(page, "×")
    for page, text in ((theirs, SAID_BY_COLLEAGUE[language]), (mine, SAID[language])):
        _write(page, text)
        page.click("[data-save]")
        page.wait_for_timeout(800)
    mine.wait_for_selector("#panel .notice")
    return mine


def take_queue(stage: Stage, language: str) -> Page:
    page = stage.page(AGENT, language)
    page.goto("/queue")
    for _ in range(150):  # the first ones may be new; show one with a history
        if page.locator(".queue-history .said").count() >= 2:
            break
        page.click("[data-key=n]")
        page.wait_for_load_state()
    return page


def take_customer(stage: Stage, language: str) -> Page:
    page = _opened(stage.page(AGENT, language), "/customers/due?state=cared&due=week")
    page.click("[data-rows] tbody tr:nth-child(3) .row-code")
    page.wait_for_load_state("networkidle")
    return page


def take_history(stage: Stage, language: str) -> Page:
    page = _opened(stage.page(MANAGER, language), "/care/history")
    page.click(".summary-staff summary")
    return page


def take_product(stage: Stage, language: str) -> Page:
    page = _opened(stage.page(MANAGER, language), "/products")
    page.click("[data-rows] tbody tr:nth-child(4) .row-edit")
    page.wait_for_selector("#care_interval_days")
    return page


def take_jobs(stage: Stage, language: str) -> Page:
    page = take_product(stage, language)
    now = int(page.input_value("#care_interval_days"))
    page.fill("#care_interval_days", str(now + 1))
    page.click(".care-foot button[type=submit]")
    page.wait_for_selector(".toast-note")
    deadline = time.monotonic() + 40
    while page.locator(".pill-green").count() < 2 and time.monotonic() < deadline:
        _opened(page, "/jobs")
    return page


def take_care_mode(stage: Stage, language: str) -> Page:
    return _opened(stage.page(MANAGER, language), "/settings/care-mode")


def take_assign_products(stage: Stage, language: str) -> Page:
    page = _opened(stage.page(MANAGER, language), "/assignments/products")
    for person, numbers in ((3, (2, 4, 5)), (4, (7, 9))):
        for number in numbers:
            page.check(f"[data-rows] tbody tr:nth-child({number}) input[name=ids]")
        page.select_option("#assign [name=staff]", index=person)
        page.click("[data-assign-add]")
    for number in (10, 11):
        page.check(f"[data-rows] tbody tr:nth-child({number}) input[name=ids]")
    return page


def take_viewers(stage: Stage, language: str) -> Page:
    """Under a limited mode, so that not everybody sees the customer; the mode is put back."""
    page = stage.page(MANAGER, language)
    _choose_mode(page, "by_customer")
    for number in range(1, 20):  # the first ones may be seen by everybody
        _opened(page, "/customers")
        page.click(f"[data-rows] tbody tr:nth-child({number}) .row-title")
        page.click(".record-viewers a")
        page.wait_for_load_state("networkidle")
        if page.locator("select[name=staff]").count():
            break
    page.select_option("select[name=staff]", index=1)
    page.click("main form .btn-primary")
    page.wait_for_selector(".viewer-list form")
    _choose_mode(stage.page(MANAGER, language), "unlimited")
    return page


def _choose_mode(page: Page, mode: str) -> None:
    _opened(page, "/settings/care-mode")
    page.check(f"input[value={mode}]")
    page.click("main form .btn-primary")
    page.wait_for_load_state("networkidle")


def take_account(stage: Stage, language: str) -> Page:
    return _opened(stage.page("vy", language), "/account")


def take_phone(stage: Stage, language: str) -> Page:
    page = _opened(stage.page(AGENT, language, PHONE), f"/orders/due?due={_days(-2)}..{_days(7)}")
    _open_row(page, "Hẹn bởi|Appointment")
    return page


PICTURES: dict[str, Callable[[Stage, str], Page]] = {
    "login": take_login,
    "today": take_today,
    "orders-due": take_orders_due,
    "orders-by-group": take_orders_by_group,
    "care": take_care,
    "customer": take_customer,
    "history": take_history,
    "product": take_product,
    "care-mode": take_care_mode,
    "assign-products": take_assign_products,
    "account": take_account,
    "phone": take_phone,
    **SHAPING,
    **SETTINGS,
    # These write: what they leave behind would stand in the others.
    "colleague": take_colleague,
    "jobs": take_jobs,
    "queue": take_queue,
    "viewers": take_viewers,
}


def _opened(page: Page, path: str) -> Page:
    page.goto(path)
    page.wait_for_load_state("networkidle")
    return page


def _open_row(page: Page, text: str) -> None:
    """Opens the care form of the first row with this text."""
    row = page.locator("[data-rows] tbody tr").filter(has_text=re.compile(text)).first
    row.locator(".care-square").click()
    page.wait_for_selector("#care-form")


def _write(page: Page, text: str) -> None:
    page.fill("#care-content", text)
    page.locator("#care-form .choice").first.click()
    page.locator("#care-form .choice-button").nth(1).click()


def _days(number: int) -> str:
    return (date.today() + timedelta(days=number)).isoformat()  # noqa: DTZ011 - any day near today


def shoot(page: Page, file: Path) -> int:
    """Writes the picture; returns its size in bytes."""
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(400)
    png = page.screenshot(animations="disabled", caret="hide")
    page.context.close()
    file.write_bytes(with_palette(png))
    return file.stat().st_size


def with_palette(png: bytes) -> bytes:
    """The same picture with at most 256 colours, or as it was where Pillow is not installed."""
    try:
        from PIL import Image
    except ImportError:
        return png
    small = io.BytesIO()
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return min(small.getvalue(), png, key=len)


@contextmanager
def served() -> Iterator[tuple[str, str]]:
    """Carebook with fresh demonstration data: (address, password). Ends with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        settings = {
            "CAREBOOK_DATA": f"{directory}/data",
            "CAREBOOK_PORT": str(port),
            "CAREBOOK_DEMO": "1",
            "CAREBOOK_LOGIN_RATE": "1000 per minute",
            "CAREBOOK_WEB_WORKERS": "1",
        }
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CAREBOOK_")}
        for url in ("MONGO_URL", "VALKEY_URL"):
            environment.pop(url, None)
        with (Path(directory) / "serve.log").open("w+") as log:
            server = subprocess.Popen(  # noqa: S603
                [sys.executable, str(ROOT / "app.py"), "serve"],
                env=environment | settings,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                _wait_until_served(server, Path(log.name))
                password = (Path(directory) / "data" / "demo-password").read_text().strip()
                yield f"http://127.0.0.1:{port}", password
            finally:
                server.send_signal(signal.SIGINT)
                server.wait(60)


def _wait_until_served(server: "subprocess.Popen[Any]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "Ctrl-C stops it" not in log.read_text():
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"Carebook did not start:\n{log.read_text()}")
        time.sleep(0.2)


def _is_wanted(name: str, wanted: list[str]) -> bool:
    if wanted[:1] == ["--only"]:
        return name in wanted[1:]
    return not wanted or name.startswith((*wanted,))


def main(wanted: list[str]) -> int:
    chosen = {name: take for name, take in PICTURES.items() if _is_wanted(name, wanted)}
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    TARGET.mkdir(parents=True, exist_ok=True)
    too_large = False
    with served() as (address, password), sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        stage = Stage(browser, address, password)
        for name, take in chosen.items():
            for language in ("vi", "en"):
                file = TARGET / f"{name}.{language}.png"
                size = shoot(take(stage, language), file)
                too_large = too_large or size > BYTES_MAX
                print(f"{file.relative_to(ROOT)}  {size // 1000} kB", flush=True)
        browser.close()
    return 1 if too_large else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
