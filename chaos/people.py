"""The constant load: people who write care entries, an import after the other, jobs started."""

import csv
import itertools
import random
import re
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bson import ObjectId

from chaos.browser import Away, Browser, Page
from chaos.installation import Installation
from chaos.ledger import Ledger

BREATH = 0.05  # between two entries of one person
AGAIN = 0.3  # before the same is sent again
IMPORT_EVERY = 1.0
START_EVERY = 1.5
ORDERS_PER_IMPORT = 40
JOBS = ("recompute_care", "recompute_relationships", "recompute_scope")
FEEDBACK = re.compile(r'type="radio" name="feedback" value="([^"]+)"')
RUN = re.compile(r"/([0-9a-f]{24})")
MAPPING = """\
kind = "orders"
group_by = "order"
date_format = "%Y-%m-%d"
timezone = "Asia/Ho_Chi_Minh"

[columns]
"order" = "order.code"
"date" = "order.placed_at"
"customer" = "customer.code"
"product" = "line.product_code"
"quantity" = "line.quantity"
"""


class People:
    """Everybody who works; between `go_on` and `pause` they never rest."""

    def __init__(self, place: Installation, ledger: Ledger, *, writers: int = 3) -> None:
        self.place, self.ledger, self.writers = place, ledger, writers
        self._works = threading.Event()
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._resting: set[str] = set()
        self._number = itertools.count()
        self.mapping = place.directory / "orders.mapping.toml"
        self.mapping.write_text(MAPPING)

    def learn(self, emails: Sequence[tuple[str, str]], password: str) -> None:
        """Reads who may log in and what there is, and begins to work."""
        with self.place.database() as database:
            self.order_ids = database.orders.distinct("_id", {"customer_id": {"$ne": None}})
            self.customers = database.customers.distinct("code")[:200]
            self.products = database.products.distinct("code")[:20]
        agents = itertools.cycle(email for email, role in emails if role == "care_agent")
        administrator = next(email for email, role in emails if role == "administrator")
        for number in range(self.writers):
            browser = Browser(self.place.address, next(agents), password)
            self._add(f"writer {number + 1}", lambda browser=browser: self._write(browser))
        browser = Browser(self.place.address, administrator, password)
        self._add("administrator", lambda: self._start_jobs(browser))
        self._add("importer", self._import)

    def _add(self, name: str, turn: Callable[[], None]) -> None:
        thread = threading.Thread(target=self._work, args=(name, turn), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self, name: str, turn: Callable[[], None]) -> None:
        while not self._ended.is_set():
            if not self._works.is_set():
                self._resting.add(name)
                self._works.wait(0.1)
                continue
            self._resting.discard(name)
            try:
                turn()
            except Away as error:
                self.ledger.was_refused(str(error)[:80])
                time.sleep(AGAIN)

    def go_on(self) -> None:
        """Everybody works."""
        self._works.set()

    def pause(self, seconds: float) -> list[str]:
        """Everybody ends what they have begun; the names of those who could not in time."""
        self._works.clear()
        deadline = time.monotonic() + seconds
        names = {thread.name for thread in self._threads}
        while (late := names - self._resting) and time.monotonic() < deadline:
            time.sleep(0.05)
        return sorted(late)

    def end(self) -> None:
        """Nobody works any more."""
        self._ended.set()
        self._works.clear()
        for thread in self._threads:
            thread.join(60)

    def _write(self, browser: Browser) -> None:
        """One care entry: the form is sent until it is acknowledged, as a stubborn person does."""
        order_id: ObjectId = random.choice(self.order_ids)
        path = f"/care/orders/{order_id}"
        page = browser.get(path)
        feedback = FEEDBACK.search(page.text)
        if page.status != 200 or feedback is None:
            self.ledger.was_refused(f"form {page.status}")
            time.sleep(AGAIN)
            return
        content = f"chaos {next(self._number)} {random.getrandbits(64):016x}"
        next_on = datetime.now(UTC).date() + timedelta(days=random.randint(2, 60))
        form = {
            "csrf_token": page.token,
            "entry_key": page.value("entry_key"),
            "count": page.value("count"),
            "content": content,
            "feedback": feedback.group(1),
            "next_on": next_on.strftime("%d/%m/%Y"),
        }
        sent_at = self.ledger.sends(content)
        answer = self._until_answered(lambda: browser.post(path, form))
        if answer is not None and answer.has_gone_on:
            self.ledger.acknowledged(content, order_id, sent_at)
        else:
            self.ledger.was_refused(f"entry {answer.status if answer else ''}")
        time.sleep(BREATH)

    def _start_jobs(self, browser: Browser) -> None:
        name = JOBS[next(self._number) % len(JOBS)]
        form = {"csrf_token": browser.get("/settings/schedules/").token}
        page = browser.post(f"/settings/schedules/{name}/run", form)
        if page.status == 303 and (run := RUN.search(page.goes_to)):
            self.ledger.started(ObjectId(run.group(1)))
        else:
            self.ledger.was_refused(f"job {page.status}")
        self._ended.wait(START_EVERY)

    def _until_answered(self, ask: Callable[[], Page]) -> Page | None:
        while not self._ended.is_set():
            try:
                return ask()
            except Away as error:
                self.ledger.was_refused(str(error)[:80])
                time.sleep(AGAIN)
        return None

    def _import(self) -> None:
        """A file of new orders is imported until the command says that it is done."""
        number = next(self._number)
        file = self.place.directory / f"orders-{number}.csv"
        orders = {f"CHAOS-{number}-{n}": random.randint(1, 5) for n in range(ORDERS_PER_IMPORT)}
        self._save(file, orders)
        arguments = ["import", "orders", str(file), "--mapping", str(self.mapping)]
        for _ in range(100):
            if self._ended.is_set():
                return
            done = self._run(arguments)
            if done.returncode == 0:
                self.ledger.imported(orders)
                break
            said = (done.stderr or done.stdout).strip().splitlines()
            self.ledger.was_refused(f"import: {(said or ['?'])[-1][:100]}")
            self._ended.wait(IMPORT_EVERY)
        file.unlink()
        self._ended.wait(IMPORT_EVERY)

    def _run(self, arguments: list[str]) -> "subprocess.CompletedProcess[str]":
        return self.place.carebook(*arguments)

    def _save(self, file: Path, orders: dict[str, int]) -> None:
        """Two lines for each order: what is counted twice would show."""
        today = datetime.now(UTC).date()
        with file.open("w", newline="") as opened:
            rows = csv.writer(opened)
            rows.writerow(["order", "date", "customer", "product", "quantity"])
            for code, quantity in orders.items():
                customer = random.choice(self.customers)
                for product in random.sample(self.products, 2):
                    rows.writerow([code, today.isoformat(), customer, product, quantity])
